package demo

import (
	"fmt"
	"time"

	"onmyway/notify"
)

// Every so many events something goes as it does in real life.
const (
	twiceEvery = 9  // an event is published twice
	lateEvery  = 13 // an event comes after its successor
)

// telling is an event that is published, with what is odd about it.
type telling struct {
	*event
	words string // the milestone as people say it
	again bool   // it was published before
}

// order is an order on its way through its story.
type order struct {
	name  string
	no    int
	buyer *buyer
	step  int // the next one
}

// narrator plays orders through their stories. The buyers who have a phone on the page hear something every other time.
type narrator struct {
	prefix string // of the names of orders
	orders []*order
	turn   int
	made   int
	told   int
}

// starts are where the first orders of the phones on the page stand: at something worth a message.
var starts = map[string]string{"c-dana": "driver_assigned", "c-luis": "submitted_to_dmv", "c-priya": "driver_at_vehicle"}

func newNarrator(prefix string, buyers []*buyer) *narrator {
	n := &narrator{prefix: prefix}
	for i, b := range buyers {
		o := n.open(b)
		for o.step = range stories[b.Line] {
			if stories[b.Line][o.step].milestone == starts[b.ID] || starts[b.ID] == "" && o.step == i%4 {
				break
			}
		}
		n.orders = append(n.orders, o)
	}
	return n
}

// open begins an order.
func (n *narrator) open(b *buyer) *order {
	n.made++
	return &order{name: fmt.Sprintf("%s-%s%d", badges[b.Line], n.prefix, 1000+n.made), no: n.made, buyer: b}
}

// next is what is published now: one event, an event and the same again, or an event and the one before it, late.
func (n *narrator) next(now time.Time) []telling {
	i := n.whose()
	o := n.orders[i]
	n.told++
	t := n.tell(o, now)
	tellings := []telling{t}
	switch {
	case n.told%lateEvery == 0 && o.step < len(stories[o.buyer.Line]):
		tellings = []telling{n.tell(o, now), t} // the older one has the older sequence and time
		tellings[1].At = tellings[1].At.Add(-time.Second)
	case n.told%twiceEvery == 0:
		t.again = true
		tellings = append(tellings, t)
	}
	if o.step == len(stories[o.buyer.Line]) {
		n.orders[i] = n.open(o.buyer)
	}
	return tellings
}

// whose turn it is: every other time one of the first three.
func (n *narrator) whose() int {
	const phones = 3
	n.turn++
	if n.turn <= phones {
		return n.turn - 1
	}
	if half := n.turn / 2; n.turn%2 == 0 {
		return half % phones
	} else {
		return phones + half%(len(n.orders)-phones)
	}
}

// tell makes the event of an order's next step.
func (n *narrator) tell(o *order, now time.Time) telling {
	s := stories[o.buyer.Line][o.step]
	o.step++
	e := &event{
		ID: fmt.Sprintf("%s.%d", o.name, o.step), Order: o.name, Buyer: o.buyer, Milestone: s.milestone,
		Sequence: int64(o.step), At: now.UTC().Truncate(time.Millisecond),
	}
	e.Data = data(s.milestone, o.buyer, o.no, now)
	e.Data["tracking_url"] = e.link()
	return telling{event: e, words: s.words}
}

// textID is the id that the text of an event has, so that the ledger's lines find their event.
func (e *event) textID() string {
	return notify.MessageID(&notify.Event{Key: e.ID, OccurredAt: e.At}, notify.SMS, e.Buyer.Phone, 0).String()
}
