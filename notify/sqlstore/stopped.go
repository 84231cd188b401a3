//go:build !bad_stop_cached

package sqlstore

// stopped is the condition of a text to a number that gets none.
const stopped = `(channel = 'sms' AND EXISTS (SELECT 1 FROM stopped_numbers AS s WHERE s.address = messages.address))`
