//go:build !bad_send_then_mark

package channels

// smsDurable: a text that comes twice does harm.
const smsDurable = true
