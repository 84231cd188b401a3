//go:build bad_send_then_mark

package notify_test

// textsAreDurable lets a text leave before SQL knows that it does. The simulation must find that out.
const textsAreDurable = false
