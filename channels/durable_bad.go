//go:build bad_send_then_mark

package channels

// smsDurable lets a text leave before SQL knows that it does. The fault-injection harness must find that out.
const smsDurable = false
