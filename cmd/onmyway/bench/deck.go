package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"

	"onmyway/notify"
)

// deck is what a load publishes: events of many orders, shuffled, each order's own in their order.
type deck struct {
	records []kafka.Message
	order   []int32 // of each event
	place   []int32 // of each event among those of its order, from 0
	orders  int
	each    int // events of an order, at most
}

// deckTask says what a deck looks like.
type deckTask struct {
	Events int
	Orders int    // 0: one for each event
	People int    // customers that the orders belong to; 0: one for each order
	First  int    // number of the first customer
	Kind   string // liveOnly, byText, byPush or byTurns
	Run    string // part of all ids
	Seed   uint64
	Header string // of records, that names the customer; empty: none
}

// Kinds of events, by who must be told.
const (
	liveOnly = "live"
	byText   = "text"
	byPush   = "push"
	byTurns  = "turns" // quiet news and urgent ones, one after the other
)

// Milestones of the kinds. A quiet one shows on open pages and disturbs nobody.
const (
	quiet  = "in_transit"
	urgent = "driver_en_route_to_pickup"
)

// milestone is that of the event at a place of its order.
func (t *deckTask) milestone(place int) string {
	if t.Kind == liveOnly || t.Kind == byTurns && place%2 == 0 {
		return quiet
	}
	return urgent
}

// noon is the name of a time zone in which it is about noon, so that no text waits for the end of a night.
func noon(now time.Time) string {
	behind := now.UTC().Hour() - 12 // Etc/GMT+5 is five hours behind Greenwich
	if behind == 0 {
		return "Etc/GMT"
	}
	return fmt.Sprintf("Etc/GMT%+d", behind)
}

func (t *deckTask) fill() {
	if t.Orders == 0 {
		t.Orders = t.Events
	}
	if t.People == 0 {
		t.People = t.Orders
	}
}

// newDeck makes the same deck from the same task, but for the time.
func newDeck(t deckTask, now time.Time) (*deck, error) {
	t.fill()
	each := (t.Events + t.Orders - 1) / t.Orders
	d := &deck{orders: t.Orders, each: each, order: make([]int32, t.Events), place: make([]int32, t.Events), records: make([]kafka.Message, t.Events)}
	for i := range d.order {
		d.order[i] = int32(i % t.Orders)
	}
	random := rand.New(rand.NewPCG(t.Seed, 1))
	random.Shuffle(len(d.order), func(i, j int) { d.order[i], d.order[j] = d.order[j], d.order[i] })
	next, zone := make([]int32, t.Orders), noon(now)
	for i, o := range d.order {
		d.place[i] = next[o]
		next[o]++
		value, err := t.event(int(o), int(d.place[i]), zone, now)
		if err != nil {
			return nil, err
		}
		d.records[i] = kafka.Message{Key: []byte(t.orderID(int(o))), Value: value}
		if t.Header != "" {
			d.records[i].Headers = []kafka.Header{{Key: t.Header, Value: []byte("c-" + strconv.Itoa(t.customer(int(o))))}}
		}
	}
	return d, nil
}

func (t *deckTask) orderID(n int) string { return "CH-" + t.Run + "-" + strconv.Itoa(n) }

// customer is whose an order is. People who are more than the orders are taken from all over.
func (t *deckTask) customer(order int) int {
	return t.First + order*max(t.People/t.Orders, 1)%t.People
}

// page is the page that shows an order, if it is open: page n belongs to the customer of order n.
func (t *deckTask) page(order int) int { return order % min(t.People, t.Orders) }

// event is one as a line of business publishes it, about 500 bytes.
func (t *deckTask) event(order, place int, zone string, now time.Time) ([]byte, error) {
	customer := map[string]string{"name": "Dana Reyes", "locale": "en-US", "time_zone": zone}
	if t.Kind == byText {
		customer["phone"] = phone(t.customer(order))
	}
	value, err := json.Marshal(map[string]any{
		"id": fmt.Sprintf("evt-%s-%d-%d", t.Run, order, place), "order_id": t.orderID(order), "customer_id": "c-" + strconv.Itoa(t.customer(order)),
		"line": notify.CarHaul, "milestone": t.milestone(place), "sequence": place + 1,
		"occurred_at": now.Add(time.Duration(place-t.Events/t.Orders-1) * time.Second).UTC().Truncate(time.Millisecond), "customer": customer,
		"data": map[string]any{"driver_name": "Sam", "vehicle": "2021 Honda Civic", "location": "Reno, NV",
			"eta":          map[string]string{"start": now.Add(time.Hour).UTC().Format(time.RFC3339), "end": now.Add(2 * time.Hour).UTC().Format(time.RFC3339)},
			"tracking_url": "https://onmyway.example/t/" + strconv.Itoa(order)},
	})
	if err != nil {
		return nil, fmt.Errorf("write event %d of order %d: %w", place, order, err)
	}
	return value, nil
}

// phone is a number of the North American plan; none of them is ever called.
func phone(n int) string {
	return fmt.Sprintf("+1%s%07d", areas[n/4_000_000%len(areas)], 2_000_000+n%4_000_000)
}

var areas = []string{"212", "312", "404", "415", "602", "713"}

// slots is how many places there are for what is known of each event, and slot is that of one; -1 for none of this deck.
func (d *deck) slots() int { return d.orders * d.each }

func (d *deck) slot(order, place int) int {
	if order < 0 || order >= d.orders || place < 0 || place >= d.each {
		return -1
	}
	return order*d.each + place
}

var (
	orderMark    = []byte(`"order_id":"`)
	sequenceMark = []byte(`"sequence":`)
)

// readFact finds the order and the place of an event in a record or a frame, without parsing all of it: the load must not
// cost more than what it measures.
func readFact(text []byte) (order, place int, ok bool) {
	i := bytes.Index(text, orderMark)
	j := bytes.Index(text, sequenceMark)
	if i < 0 || j < 0 {
		return 0, 0, false
	}
	name := text[i+len(orderMark):]
	end := bytes.IndexByte(name, '"')
	if end < 0 {
		return 0, 0, false
	}
	name = name[:end]
	order, ok = leading(name[bytes.LastIndexByte(name, '-')+1:])
	place, found := leading(text[j+len(sequenceMark):])
	return order, place - 1, ok && found
}

// leading is the number that text begins with.
func leading(text []byte) (n int, ok bool) {
	for _, c := range text {
		if c < '0' || c > '9' || n > 1<<40 {
			break
		}
		n, ok = n*10+int(c-'0'), true
	}
	return n, ok
}
