package notify

import (
	"errors"
	"time"
)

// StopSource is who said that a number gets no texts.
type StopSource string

// The sources. Each is lifted only by who set it: reply and provider by the recipient's START, staff by staff.
const (
	StoppedByReply    StopSource = "reply"    // the recipient, by answering STOP
	StoppedByProvider StopSource = "provider" // the provider refused a text because the recipient had opted out with it
	StoppedByStaff    StopSource = "staff"
)

// StopSources lists them, what weighs most first.
var StopSources = []StopSource{StoppedByReply, StoppedByProvider, StoppedByStaff}

// StoppedNumber is why a number gets no texts. Where several said so, it is the first of StopSources.
type StoppedNumber struct {
	Source StopSource
	Since  time.Time
	By     string // who, for staff
	Why    string // and why, in their words
}

// NumberStop is one source's stop of a number, as staff find it. A number may have several.
type NumberStop struct {
	No    int64  // grows from stop to stop
	Phone string // E.164
	StoppedNumber
	Lifted Lift // zero while it holds
}

// Lift is who took a stop back.
type Lift struct {
	At  time.Time
	By  string
	Why string // for staff, in their words
}

// LiftedLately is for how long a stop that staff have lifted may be lifted again without effect: who lost the answer asks once
// more and hears the same. Nothing that was stopped since is lifted by that.
const LiftedLately = 24 * time.Hour

// How the audit names who stopped or started a number without being staff.
const (
	ByRecipient = "recipient"
	ByProvider  = "provider"
)

// ErrNotStaffs means that staff want to lift a stop that they have not set.
var ErrNotStaffs = errors.New("only the recipient can lift this, by answering START")
