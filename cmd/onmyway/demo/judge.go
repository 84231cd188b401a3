package demo

import (
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
)

// key is one thing that somebody should be told: an event, to one address on one channel.
type key struct {
	Channel  notify.Channel
	Address  string
	Order    string
	Sequence int64
}

func (a *arrival) key() key { return key{a.Channel, a.Address, a.Order, a.Sequence} }

// String names it without its address.
func (k key) String() string { return fmt.Sprintf("%s of %s, step %d", k.Channel, k.Order, k.Sequence) }

// verdict is what became of everything that should arrive.
type verdict struct {
	Lost    []key // did not arrive
	Doubled []key // was seen more than once
	Strays  []key // nobody should have got it
}

func (v *verdict) ok() bool { return len(v.Lost)+len(v.Doubled)+len(v.Strays) == 0 }

// judge compares what was due, from the input alone, with what receivers got. Two texts are always two; a push or a live
// message that comes again under its own id is seen once, as browsers and pages show one of each id. What is held is
// not lost: the service says itself that it does not know whether it went out.
func judge(due []key, got []arrival, held map[key]bool) verdict {
	seen := make(map[key][]string, len(due))
	for i := range got {
		a := &got[i]
		k, id := a.key(), a.ID
		if a.Channel == notify.SMS || !slices.Contains(seen[k], id) {
			seen[k] = append(seen[k], id)
		}
	}
	var v verdict
	wanted := make(map[key]bool, len(due))
	for _, k := range due {
		wanted[k] = true
		switch n := len(seen[k]); {
		case n == 0 && !held[k]:
			v.Lost = append(v.Lost, k)
		case n > 1:
			v.Doubled = append(v.Doubled, k)
		}
	}
	for i := range got {
		if k := got[i].key(); !wanted[k] {
			wanted[k] = true // tell it once
			v.Strays = append(v.Strays, k)
		}
	}
	return v
}

// counts are how many were told on each channel, each thing once.
func counts(got []arrival) map[notify.Channel]int {
	n, seen := map[notify.Channel]int{}, map[key]bool{}
	for i := range got {
		if k := got[i].key(); !seen[k] {
			seen[k] = true
			n[k.Channel]++
		}
	}
	return n
}

// latencies are the times from an event to its first arrival at each address, by channel and sorted.
func latencies(got []arrival, published map[eventKey]time.Time) map[notify.Channel][]time.Duration {
	first := map[key]time.Time{}
	for i := range got {
		a := &got[i]
		if at, there := first[a.key()]; !there || a.At.Before(at) {
			first[a.key()] = a.At
		}
	}
	took := map[notify.Channel][]time.Duration{}
	for k, at := range first {
		if since, there := published[eventKey{k.Order, k.Sequence}]; there {
			took[k.Channel] = append(took[k.Channel], max(at.Sub(since), 0))
		}
	}
	for _, d := range took {
		slices.Sort(d)
	}
	return took
}

// eventKey is an event as receivers can tell it.
type eventKey struct {
	Order    string
	Sequence int64
}

// percentile is the smallest value that p of all values (0 < p <= 1) do not exceed: the nearest-rank method. It is 0 for
// no values.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(p * float64(len(sorted)))
	if float64(rank) < p*float64(len(sorted)) {
		rank++
	}
	return sorted[min(max(rank, 1), len(sorted))-1]
}
