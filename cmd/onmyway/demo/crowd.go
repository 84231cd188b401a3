package demo

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"onmyway/notify"
)

// areas have 100 numbers each that are kept for fiction: 555-0100 to 555-0199.
var areas = []string{"415", "212", "312", "404", "808", "303", "206", "305", "602", "713"}

const (
	mostBuyers = 400
	openPages  = 50 // how many buyers have the live page open
)

// crowd makes the buyers of Once: of every kind, some hundreds of them when there are many events.
func crowd(run string, events int) []*buyer {
	zones := []string{"America/Los_Angeles", "America/Chicago", "America/New_York", "Pacific/Honolulu", "America/Denver"}
	buyers := make([]*buyer, max(20, min(mostBuyers, events/3)))
	for i := range buyers {
		b := &buyer{
			ID: fmt.Sprintf("c-%s-%d", run, i), Name: fmt.Sprintf("Buyer %d", i), Locale: []string{"en-US", "es"}[i%7/6],
			Phone: fmt.Sprintf("+1%s55501%02d", areas[i/100%len(areas)], i%100),
			Zone:  zones[i%len(zones)], City: "Oakland", Vehicle: "2021 Honda Civic", Line: notify.Lines[i%3],
			Watches: i*openPages/len(buyers) != (i+1)*openPages/len(buyers),
		}
		switch i % 8 {
		case 0, 1, 2: // texts, and what the service knows of them comes with their events
			b.ByEvent = true
		case 3, 4:
			b.Devices = 1
		case 5:
			b.Phone, b.Devices = "", 2
		case 6:
			b.NoTexts = true
		case 7:
			b.Phone, b.ByEvent = "", true
		}
		buyers[i] = b
	}
	return buyers
}

// tellable are milestones that go to the phone and whose texts carry the tracking link; quiet ones around them show on
// the live page alone.
var tellable = map[notify.Line][]string{
	notify.CarHaul:           {"driver_assigned", "driver_en_route_to_pickup", "picked_up", "delayed", "driver_en_route_to_delivery", "delivered"},
	notify.DriveAway:         {"driver_confirmed", "driver_en_route_to_vehicle", "trip_started", "delayed", "delivered"},
	notify.TitleRegistration: {"docs_requested", "signature_pending", "payment_due", "submitted_to_dmv", "registration_issued", "plates_shipped", "title_mailed"},
}

// onTheRoad is what the live page alone shows after that.
var onTheRoad = map[notify.Line]string{notify.CarHaul: "in_transit", notify.DriveAway: "overnight_stop"}

// input is everything that Once publishes, and what must come of it.
type input struct {
	Events  []*event // in the order in which they are published, with repeats
	Repeats int
	Due     []key
}

// write makes n events. An order has one milestone that goes to the phone, as a second one would supersede the first while
// it waits, and around it such that show on the live page only. One event in twenty comes twice. The same seed gives the
// same input.
func write(run string, buyers []*buyer, n int, now time.Time, seed uint64) input {
	random := rand.New(rand.NewPCG(seed, 2))
	var in input
	for order := 0; len(in.Events)-in.Repeats < n; order++ {
		b := buyers[order%len(buyers)]
		loud := tellable[b.Line][random.IntN(len(tellable[b.Line]))]
		steps := []string{"order_booked", loud, onTheRoad[b.Line]}
		switch {
		case b.Line == notify.TitleRegistration:
			steps = []string{loud}
		case loud == "delivered": // nothing comes after it
			steps = steps[:2]
		}
		first := len(in.Events)
		name := fmt.Sprintf("%s-%s-%d", badges[b.Line], run, order)
		for i, milestone := range steps[:min(len(steps), n-len(in.Events)+in.Repeats)] {
			at := now.Add(time.Duration(i-len(steps)) * time.Second).UTC().Truncate(time.Millisecond)
			e := &event{ID: fmt.Sprintf("e-%s-%d", name, i+1), Order: name, Buyer: b, Milestone: milestone, Sequence: int64(i + 1), At: at}
			e.Data = data(milestone, b, order, now)
			e.Data["tracking_url"] = e.link()
			in.Events = append(in.Events, e)
			in.Due = append(in.Due, e.due(milestone == loud)...)
		}
		for _, e := range slices.Clone(in.Events[first:]) { // after all of the order: a repeat is not always its newest
			if random.IntN(20) == 0 || in.Repeats == 0 { // at least one in every run
				in.Events = append(in.Events, e)
				in.Repeats++
			}
		}
	}
	return in
}

// due is who must be told of an event, by the buyer's addresses and wishes.
func (e *event) due(loud bool) []key {
	var due []key
	tell := func(ch notify.Channel, address string) { due = append(due, key{ch, address, e.Order, e.Sequence}) }
	if loud && e.Buyer.Phone != "" && !e.Buyer.NoTexts {
		tell(notify.SMS, e.Buyer.Phone)
	}
	if loud {
		for _, id := range e.Buyer.browsers {
			tell(notify.Push, id)
		}
	}
	if e.Buyer.Watches {
		tell(notify.WebSocket, e.Buyer.ID)
	}
	return due
}

// split cuts events into n parts of about the same size.
func split(es []*event, n int) [][]*event {
	var parts [][]*event
	for part := range slices.Chunk(es, max((len(es)+n-1)/n, 1)) {
		parts = append(parts, part)
	}
	return parts
}
