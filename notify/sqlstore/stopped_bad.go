//go:build bad_stop_cached

package sqlstore

// stopped is never true: what was known when a text was made holds. The fault-injection harness must find that out.
const stopped = `(1 = 0)`
