//go:build bad_no_verify

package notify

// afterUnclear sends a text again of which it is not clear whether the provider took it. The fault-injection harness must
// find that out.
const afterUnclear = Pending
