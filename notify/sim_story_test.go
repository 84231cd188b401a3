package notify_test

import (
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// story is what happens in a world: orders that go their way, and accidents.
type story struct {
	lasts     time.Duration
	orders    int
	customers int
	nodes     int
	accidents int // of each kind
}

// deed is something that happens at a time.
type deed struct {
	at time.Duration
	do func()
}

// steps of an order that make texts; none of them waits for an answer.
var steps = []string{"carrier_assigned", "driver_assigned", "driver_en_route_to_pickup", "driver_arriving_pickup", "picked_up",
	"driver_en_route_to_delivery", "driver_arriving_delivery", "delivered"}

// tell lets a story happen.
func (w *world) tell(s story) {
	began := time.Now()
	for i := range s.customers {
		if i%2 == 0 {
			sub := notify.Subscription{ID: fmt.Sprintf("browser-%d", i), CustomerID: customer(i), CreatedAt: began}
			if err := w.truth.Subscribe(ctxOfStory, notifytest.By("ann", began), sub); err != nil {
				w.blame("subscribe: %v", err)
			}
		}
	}
	for i := range s.nodes {
		w.start(fmt.Sprintf("node%d", i))
	}
	deeds := slices.Concat(w.orders(&s, began), w.accidents(&s))
	slices.SortStableFunc(deeds, func(a, b deed) int { return int(a.at - b.at) })
	looked := began
	for _, d := range deeds {
		time.Sleep(time.Until(began.Add(d.at)))
		d.do()
		w.replace(s.nodes)
		if time.Since(looked) > s.lasts/100 {
			w.watch()
			looked = time.Now()
		}
	}
}

// orders are the events of all orders: some come twice, some late, some under another key.
func (w *world) orders(s *story, began time.Time) (deeds []deed) {
	for o := range s.orders {
		name := fmt.Sprintf("CH-%d", o)
		at := w.upTo("start of "+name, s.lasts*3/4)
		for step, milestone := range steps[:2+int(w.draw("length of "+name)*float64(len(steps)-1))] {
			place := fmt.Sprintf("%s step %d", name, step)
			if w.draw("pace of "+place) < 0.3 { // close behind
				at += w.upTo("gap before "+place, 3*time.Second)
			} else {
				at += w.upTo("gap before "+place, s.lasts/10)
			}
			e := stepOf(o, step, milestone, began.Add(at), o%s.customers)
			delay := time.Duration(0)
			if w.draw("late "+place) < 0.1 {
				delay = w.upTo("delay of "+place, s.lasts/20)
			}
			deeds = append(deeds, deed{at + delay, func() { w.log.produce(e) }})
			if w.draw("twice "+place) < 0.15 {
				deeds = append(deeds, deed{at + delay + w.upTo("second "+place, s.lasts/10), func() { w.log.produce(e) }})
			}
		}
	}
	return deeds
}

func customer(i int) string { return fmt.Sprintf("c-%d", i) }
func number(i int) string   { return fmt.Sprintf("+1415555%04d", i) }

// stepOf is an event of an order.
func stepOf(order, step int, milestone string, at time.Time, who int) notify.Event {
	e := notify.Event{
		Key: fmt.Sprintf("evt-%d-%d", order, step), OrderID: fmt.Sprintf("CH-%d", order), CustomerID: customer(who),
		Line: notify.CarHaul, Milestone: notify.MilestoneOf(notify.CarHaul, milestone), Sequence: int64(step + 1), OccurredAt: at,
		Customer: &notify.Contact{Name: "Dana", Phone: number(who), Locale: "en-US", TimeZone: "America/Los_Angeles"},
		Origin:   notify.Origin{Time: at},
	}
	e.ID = notify.NewID(e.OccurredAt, e.Key)
	return e
}

// accidents happen to processes, engines and people.
func (w *world) accidents(s *story) (deeds []deed) {
	for kind, happen := range map[string]func(place string){
		"kill":       func(place string) { w.any(place).crash() },
		"stop":       func(place string) { n := w.any(place); w.flying.Go(func() { w.inTime(n) }) },
		"sleep":      func(place string) { w.any(place).sleep(w.upTo("sleep "+place, 30*time.Second)) },
		"lock lost":  func(place string) { w.any(place).loseLock(w.upTo("without lock "+place, 4*time.Second)) },
		"cache lost": func(string) { w.cache.Forget() },
		"SQL away":   func(place string) { w.sqlAway(w.upTo("SQL away "+place, 20*time.Second)) },
		"STOP":       func(place string) { w.stopNumber(number(int(w.draw("who "+place) * float64(s.customers)))) },
		"START":      func(place string) { w.startNumber(number(int(w.draw("who "+place) * float64(s.customers)))) },
		"clock":      func(place string) { w.any(place).turn(w.upTo("clock "+place, 2*w.faults.clocks) - w.faults.clocks) },
		"alerts off": func(place string) { w.alerts(customer(int(w.draw("who "+place)*float64(s.customers))), false) },
		"alerts on":  func(place string) { w.alerts(customer(int(w.draw("who "+place)*float64(s.customers))), true) },
	} {
		for i := range s.accidents {
			place := fmt.Sprintf("%s %d", kind, i)
			deeds = append(deeds, deed{w.upTo("time of "+place, s.lasts), func() {
				w.mu.Lock()
				w.happened[kind]++
				w.mu.Unlock()
				happen(place)
			}})
		}
	}
	return deeds
}

// any is some process that lives.
func (w *world) any(place string) *node {
	var living []*node
	for _, n := range w.nodes {
		if !n.dead.Load() {
			living = append(living, n)
		}
	}
	if len(living) == 0 {
		return w.start("spare")
	}
	return living[int(w.draw("who "+place)*float64(len(living)))]
}

// replace starts processes in place of those that have gone.
func (w *world) replace(want int) {
	living := 0
	for _, n := range w.nodes {
		if !n.dead.Load() && !n.ending.Load() {
			living++
		}
	}
	for ; living < want; living++ {
		w.start("next")
	}
}

// inTime stops a process and demands that it takes no longer than 20 s.
func (w *world) inTime(n *node) {
	if took := n.halt(); took > 20*time.Second && !n.sleptSince(time.Now().Add(-took)) {
		w.blame("S4: a stop took %s", took)
	}
}

func (w *world) sqlAway(d time.Duration) {
	w.sqlOff.Store(true)
	w.flying.Go(func() { time.Sleep(d); w.sqlOff.Store(false) })
}

// alerts turns all channels but the live page on or off for a customer.
func (w *world) alerts(id string, on bool) {
	_, err := w.truth.EditCustomer(ctxOfStory, notifytest.By("ann", time.Now()), id, func(c *notify.Customer) error {
		c.Preferences.Channels = map[notify.Channel]bool{notify.SMS: on, notify.Push: on}
		return nil
	})
	if err != nil {
		w.blame("write the preferences of %s: %v", id, err)
	}
}
