package mapping

import (
	"onmyway/notify"
)

// Why a record is no event. The codes are stable: dead letters and REST answers carry them.
const (
	Tombstone        = "tombstone"         // the record has no value: a deletion marker
	TooLarge         = "too_large"         // the record or its data is larger than an event can be
	NotJSON          = "not_json"          // the value is not JSON
	InvalidUTF8      = "invalid_utf8"      // bytes or escapes that are no text
	NULCharacter     = "nul_character"     // a character U+0000, which databases refuse
	TooDeep          = "too_deep"          // more than 32 objects and arrays within each other
	DuplicateKey     = "duplicate_key"     // two names of one object are the same but for case
	WrongType        = "wrong_type"        // a string, number or object is where another is expected
	BadText          = "bad_text"          // a name or id that is too long or not printable
	MissingField     = "missing_field"     // something that every event has is absent
	MissingIdentity  = "missing_identity"  // neither id nor sequence
	UnknownField     = "unknown_field"     // a field of ours in another case
	UnknownLine      = "unknown_line"      // not a line of business
	UnknownMilestone = "unknown_milestone" // not a milestone of that line
	BadPhone         = "bad_phone"         // not a number that can exist
	BadTime          = "bad_time"          // not a time
	TimeInFuture     = "time_in_future"    // it has not happened yet
	BadLocale        = "bad_locale"        // not a language
	BadTimeZone      = "bad_time_zone"     // not a time zone
)

// Reasons lists them.
var Reasons = []string{
	Tombstone, TooLarge, NotJSON, InvalidUTF8, NULCharacter, TooDeep, DuplicateKey, WrongType, BadText,
	MissingField, MissingIdentity, UnknownField, UnknownLine, UnknownMilestone, BadPhone, BadTime, TimeInFuture, BadLocale, BadTimeZone,
}

// maxProblems is how many are told of one record: whoever mends twenty will ask again.
const maxProblems = 20

// problems gathers what is wrong with one record. The first gives the reason.
type problems struct {
	reason string
	list   []notify.Problem
}

func (p *problems) add(reason, field, detail string) {
	if len(p.list) == 0 {
		p.reason = reason
	}
	if len(p.list) < maxProblems {
		p.list = append(p.list, notify.Problem{Field: field, Detail: detail})
	}
}
