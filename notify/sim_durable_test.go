//go:build !bad_send_then_mark

package notify_test

// textsAreDurable: as the channels have it, that a text is being sent is in SQL before it leaves.
const textsAreDurable = true
