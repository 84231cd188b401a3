package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// loadTask is what the load does.
type loadTask struct {
	Deck     deckTask
	Brokers  string
	Topic    string // empty: the usual one
	Group    string // to read with, of a bare consumer
	Socket   string // ws://…: open pages receive; empty: nobody does, or a bare consumer
	Sockets  int    // open pages, see deckTask.page; what no page shows is received by nobody
	Consumer bool   // a bare kafka-go consumer receives
	Warm     int    // the first events of the deck, before the clock starts
	Rate     int    // events a second; 0: as fast as it goes
	Each     bool   // the answer tells of each event
}

// patience is after how long without anything the rest counts as lost.
const patience = 20 * time.Second

// ready is what it says when it could begin.
type ready struct{ Sockets int }

// loadAnswer is what came of one run through the deck.
type loadAnswer struct {
	Began     time.Time // the first event was about to be published
	Published time.Time // Kafka had all of them
	Last      time.Time // the last one was received
	Lost      int
	Doubled   int
	Strays    int // came to the wrong socket, or is nobody's
	Reversed  int // older news after newer ones
	P50, P99  float64
	Each      []passage // of the measured events that were received, if the task asks for it
}

// passage is the way of one event to who receives it.
type passage struct {
	Sent time.Time
	Took float64 // ms
}

// check says what is wrong with a run.
func (a *loadAnswer) check() error {
	if a.Lost+a.Doubled+a.Strays+a.Reversed == 0 {
		return nil
	}
	return fmt.Errorf("the receivers got it wrong: %d lost, %d doubled, %d at the wrong place, %d in the wrong order", a.Lost, a.Doubled, a.Strays, a.Reversed)
}

// load publishes a deck, and sees what receivers get of it.
type load struct {
	task   loadTask
	deck   *deck
	sent   []atomic.Int64 // by slot: when, in nanoseconds; 0: not yet
	took   []atomic.Int64 // by slot: nanoseconds; 0: not received
	newest []atomic.Int32 // by order: the place of the newest that was received, from 1

	got, doubled, strays, reversed atomic.Int64
	again                          atomic.Int64 // what pages got once more: few, or something shows all of it twice
	last                           atomic.Int64 // when something was received last
}

// runLoad is the part that publishes and receives. Each "go" it hears is one run through the deck.
func runLoad(ctx context.Context, l *line) error {
	var task loadTask
	l.hear(&task)
	task.Deck.fill()
	d, err := newDeck(task.Deck, time.Now())
	if err != nil {
		return err
	}
	ld := &load{task: task, deck: d}
	ld.reset()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	receivers, ctx := errgroup.WithContext(ctx)
	opened, err := ld.receive(ctx, receivers)
	if err == nil {
		err = ld.serve(ctx, l, opened)
	}
	cancel()
	return errors.Join(err, receivers.Wait())
}

// serve answers every "go" until nobody listens.
func (ld *load) serve(ctx context.Context, l *line, opened int) error {
	if err := ld.publish(ctx, 0, ld.task.Warm); err != nil {
		return err
	}
	if !ld.await(ctx, ld.due(ld.task.Warm)) {
		return errors.New("the first events did not arrive")
	}
	if err := l.say(ready{opened}); err != nil {
		return err
	}
	var word string
	for l.hear(&word) {
		a, err := ld.run(ctx)
		if err != nil {
			return err
		}
		if err := l.say(a); err != nil {
			return err
		}
	}
	return nil
}

// run publishes the deck and waits for what is due.
func (ld *load) run(ctx context.Context) (a loadAnswer, err error) {
	a.Began = time.Now()
	if err := ld.publish(ctx, ld.task.Warm, ld.task.Deck.Events); err != nil {
		return a, err
	}
	a.Published = time.Now()
	if !ld.receives() {
		a.Last = a.Published
		return a, nil
	}
	due := ld.due(ld.task.Deck.Events)
	ld.await(ctx, due)
	a.Last = time.Unix(0, ld.last.Load())
	time.Sleep(200 * time.Millisecond) // in which a second one of something would come
	each := ld.passages()
	took := latencies(each)
	a.P50, a.P99 = percentile(took, 0.5), percentile(took, 0.99)
	if ld.task.Each {
		a.Each = each
	}
	a.Lost = due - int(ld.got.Load())
	a.Doubled, a.Strays, a.Reversed = int(ld.doubled.Load()), int(ld.strays.Load()), int(ld.reversed.Load())
	return a, nil
}

// passages are those of the measured events that were received.
func (ld *load) passages() (list []passage) {
	d := ld.deck
	for i := ld.task.Warm; i < len(d.order); i++ {
		slot := d.slot(int(d.order[i]), int(d.place[i]))
		if ns := ld.took[slot].Load(); ns > 0 {
			list = append(list, passage{time.Unix(0, ld.sent[slot].Load()), float64(ns) / 1e6})
		}
	}
	return list
}

// latencies are how long they took, in milliseconds, sorted.
func latencies(list []passage) []float64 {
	ms := make([]float64, len(list))
	for i := range list {
		ms[i] = list[i].Took
	}
	slices.Sort(ms)
	return ms
}

func (ld *load) reset() {
	n := ld.deck.slots()
	ld.sent, ld.took, ld.newest = make([]atomic.Int64, n), make([]atomic.Int64, n), make([]atomic.Int32, ld.deck.orders)
}

func (ld *load) receives() bool { return ld.task.Consumer || ld.task.Socket != "" }

// due is how many of the first n events of the deck are received by somebody.
func (ld *load) due(n int) (due int) {
	for _, order := range ld.deck.order[:n] {
		if ld.task.Consumer || ld.task.Deck.page(int(order)) < ld.task.Sockets {
			due++
		}
	}
	return due
}

// await returns when n events have been received in all; not all of them when nothing has come for long.
func (ld *load) await(ctx context.Context, n int) bool {
	since, before := time.Now(), int64(-1)
	for ld.got.Load() < int64(n) {
		if now := ld.got.Load(); now != before {
			since, before = time.Now(), now
		}
		if ctx.Err() != nil || time.Since(since) > patience {
			return false
		}
		time.Sleep(time.Millisecond)
	}
	return true
}

// lines takes a frame apart, of which some services make one out of several publications.
func (ld *load) lines(page int, text []byte) {
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		if bytes.Contains(line, orderMark) { // else it is a welcome or a ping
			ld.arrived(page, line)
		}
	}
}

// everything is the receiver that gets all events.
const everything = -1

// arrived notes that an event has arrived at a page, or at the receiver of everything.
func (ld *load) arrived(page int, text []byte) {
	now := time.Now().UnixNano()
	order, place, ok := readFact(text)
	slot := ld.deck.slot(order, place)
	if !ok || slot < 0 || page != everything && ld.task.Deck.page(order) != page || ld.sent[slot].Load() == 0 {
		ld.strays.Add(1)
		return
	}
	if !ld.took[slot].CompareAndSwap(0, max(now-ld.sent[slot].Load(), 1)) {
		if page == everything || ld.again.Add(1) > int64(ld.task.Deck.Events/100) { // a page shows an id once: what was stored late is sent to it again
			ld.doubled.Add(1)
		}
		return
	}
	if before := ld.newest[order].Swap(int32(place) + 1); before > int32(place) {
		ld.reversed.Add(1)
	}
	ld.last.Store(now)
	ld.got.Add(1)
}

// receive opens whatever receives, and returns when all of it is open.
func (ld *load) receive(ctx context.Context, g *errgroup.Group) (opened int, err error) {
	switch {
	case ld.task.Consumer:
		g.Go(func() error {
			return consume(ctx, ld.task.Brokers, ld.task.Group, func(text []byte) { ld.arrived(everything, text) })
		})
		return 0, nil
	case ld.task.Socket == "":
		return 0, nil
	}
	var opening errgroup.Group
	opening.SetLimit(32)
	var mu sync.Mutex
	for i := range ld.task.Sockets {
		opening.Go(func() error {
			p, err := openPage(ctx, ld.task.Socket, ld.task.Deck.customer(i))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			opened++
			g.Go(func() error { return p.read(ctx, func(text []byte) { ld.lines(i, text) }) })
			return nil
		})
	}
	if err := opening.Wait(); err != nil {
		return opened, fmt.Errorf("open live sockets: %w", err)
	}
	return opened, nil
}

// brokers is the list behind "host:port,host:port".
func brokers(list string) []string { return strings.Split(list, ",") }
