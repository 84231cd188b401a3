package notify

// ResendRequest is what staff ask for when somebody did not get a message.
type ResendRequest struct {
	Of         ID
	Channel    Channel // empty: the channel of the message itself
	Reason     string  // why, in the words of the person who asks
	Force      bool    // also when the text is no longer true
	By         string  // who asks
	Idempotent Idempotent
}

// Refusal is the error of a resend that must not be made, with what to do instead.
type Refusal struct {
	Code   string // stable: opted_out, expired, no_address, verify_open, channel_off, not_visible, invalid_template
	Detail string
}

// Error is the detail.
func (r *Refusal) Error() string { return r.Detail }
