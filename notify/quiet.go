package notify

import (
	"errors"
	"time"
)

// Clock is a time of day in minutes after midnight, written "22:30".
type Clock int

// ErrClock is returned for anything that is not a time of day.
var ErrClock = errors.New(`not a time of day: write "22:30"`)

// ParseClock reads "22:30", from "00:00" to "23:59".
func ParseClock(s string) (Clock, error) {
	if len(s) != 5 || s[2] != ':' {
		return 0, ErrClock
	}
	n := func(i int) int {
		if s[i] < '0' || s[i] > '9' {
			return 1000
		}
		return int(s[i] - '0')
	}
	hour, minute := n(0)*10+n(1), n(3)*10+n(4)
	if hour > 23 || minute > 59 {
		return 0, ErrClock
	}
	return Clock(hour*60 + minute), nil
}

// String writes "22:30".
func (c Clock) String() string {
	return string([]byte{byte('0' + c/600), byte('0' + c/60%10), ':', byte('0' + c%60/10), byte('0' + c%10)})
}

// MarshalText writes "22:30".
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads "22:30".
func (c *Clock) UnmarshalText(b []byte) (err error) {
	*c, err = ParseClock(string(b))
	return err
}

// QuietHours are the hours of the day, on the customer's own clock, in which they want no text and no push. They may
// cross midnight; equal start and end mean none.
type QuietHours struct {
	Start Clock `json:"start"`
	End   Clock `json:"end"`
}

// String writes "22:00-08:00"; "none" for nil.
func (q *QuietHours) String() string {
	if q == nil {
		return "none"
	}
	return q.Start.String() + "-" + q.End.String()
}

// Until tells when a message that could leave at t may leave: t itself, or the end of the quiet hours that t falls into.
// Days on which clocks change are followed: an end that does not exist that night is the first moment after the gap, an
// end that comes twice is its first occurrence; the result is never before t.
func (q QuietHours) Until(t time.Time, zone *time.Location) time.Time {
	local := t.In(zone)
	now := Clock(local.Hour()*60 + local.Minute())
	var days int
	switch {
	case q.Start == q.End:
		return t
	case q.Start < q.End:
		if now < q.Start || now >= q.End {
			return t
		}
	case now >= q.Start:
		days = 1 // the end is tomorrow morning
	case now >= q.End:
		return t
	}
	end := wallClock(local.Year(), local.Month(), local.Day()+days, q.End, zone)
	if end.Before(t) { // the hour came twice and we are in the second one
		return t
	}
	return end
}

// wallClock is the first moment at which the clocks of a zone show c or, where they jump over it, have passed it.
func wallClock(y int, m time.Month, d int, c Clock, zone *time.Location) time.Time {
	t := time.Date(y, m, d, int(c)/60, int(c)%60, 0, 0, zone)
	if got := Clock(t.Hour()*60 + t.Minute()); got != c {
		// c is in a gap, and time.Date answered with the offset of one side or the other: go to the gap's end.
		start, end := t.ZoneBounds()
		if got > c {
			return start
		}
		return end
	}
	if start, _ := t.ZoneBounds(); !start.IsZero() {
		// c may have come before, with the offset that was in force until start.
		_, after := t.Zone()
		_, before := start.Add(-time.Second).Zone()
		if early := t.Add(time.Duration(after-before) * time.Second); early.Before(start) && early.Before(t) {
			return early
		}
	}
	return t
}
