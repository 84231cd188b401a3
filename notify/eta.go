package notify

import (
	"slices"
	"time"

	"onmyway/templates"
)

// Window is from when to when something is promised. A promise of one moment starts and ends with it.
type Window struct{ Start, End time.Time }

// IsZero tells that nothing is promised.
func (w Window) IsZero() bool { return w.Start.IsZero() }

// promised is the arrival that an event speaks of.
func promised(f templates.Facts) (w Window, ok bool) {
	start, ok := factTime(f, "eta.start")
	if !ok {
		if start, ok = factTime(f, "eta"); !ok {
			return Window{}, false
		}
	}
	end, ok := factTime(f, "eta.end")
	if !ok || end.Before(start) {
		end = start
	}
	return Window{start, end}, true
}

func factTime(f templates.Facts, name string) (time.Time, bool) {
	text, ok := f.Get(name)
	if !ok {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t.Truncate(time.Millisecond), err == nil
}

// moved tells whether a promise is another one than the one told last, for somebody who plans their day by it: an end of it
// has moved by more than the threshold, or it lies outside of the window that was told. One moment has nothing around it that
// could be left.
func (w Window) moved(told Window, threshold time.Duration) bool {
	switch {
	case told.IsZero():
		return true
	case w.Start.Sub(told.Start).Abs() > threshold, w.End.Sub(told.End).Abs() > threshold:
		return true
	}
	return told.End.After(told.Start) && (w.Start.After(told.End) || w.End.Before(told.Start))
}

// before appends what the customer was told before to the facts of an event that promises another arrival: a correction says what it
// corrects.
func (w Window) before(facts templates.Facts, now Window, threshold time.Duration) templates.Facts {
	if w.IsZero() || !now.moved(w, threshold) {
		return facts
	}
	return append(facts, templates.Fact{Name: "eta_before.start", Value: w.Start.UTC().Format(time.RFC3339)},
		templates.Fact{Name: "eta_before.end", Value: w.End.UTC().Format(time.RFC3339)})
}

// etaUpdated is the milestone that says nothing but a new arrival time.
const etaUpdated = "eta_updated"

// unmoved tells that an event has nothing to say but an arrival time that is nearly the one told last. A driver's
// navigation sends a new one every few minutes.
func unmoved(e *Event, h *Head, r *Rules) bool {
	if e.Milestone.Name != etaUpdated {
		return false
	}
	w, ok := promised(e.Facts)
	return ok && !w.moved(h.Told, r.ETAThreshold)
}

// told tells whether the customer hears of an arrival: by a text or an alert or, where news of arrivals takes no other way to
// them, on the live page.
func (d *Decision) told(p *Profile, r *Rules, now time.Time) bool {
	if len(d.Messages) > 0 || d.Stored.State != Sent {
		return len(d.Messages) > 0
	}
	m := MilestoneOf(d.Stored.Line, etaUpdated)
	route := r.Routes[m]
	if route == nil { // the line has no such news
		return true
	}
	return !slices.ContainsFunc(route.Channels, func(ch Channel) bool {
		known := ch == SMS && d.Customer.Phone != "" || ch == Push && len(p.Subscriptions) > 0
		_, why := r.may(ch, m, &d.Customer, now, now.Add(m.Validity))
		return known && (why == "" || why == Quiet)
	})
}
