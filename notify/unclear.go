//go:build !bad_no_verify

package notify

// afterUnclear is the state of a text of which it is not clear whether the provider took it: it is asked first.
const afterUnclear = Verify
