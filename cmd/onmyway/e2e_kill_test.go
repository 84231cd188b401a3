package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

// killEvents is how many events flow: 2,000, or what ONMYWAY_TEST_KILL_EVENTS says for a longer look.
var killEvents = max(2000/slower, eventsWanted())

func eventsWanted() int {
	n, err := strconv.Atoi(os.Getenv("ONMYWAY_TEST_KILL_EVENTS"))
	if err != nil {
		return 0
	}
	return n
}

const (
	killCustomers = 100
	kills         = 20
	killsWithin   = 30 * time.Second // then the rest is left out
	leastKills    = 3
)

// TestKill kills a process with SIGKILL again and again while events flow, then asks those who received: each text was
// accepted once, or is shown as unclear; every browser and every page has every event.
func TestKill(t *testing.T) {
	// A provider that takes its time has requests in hand at every moment.
	overEngines(t, twiliotest.Options{Latency: 20 * time.Millisecond}, func(t *testing.T, w *world) {
		victim := w.node().start()
		nodes := []*node{victim}
		if w.forget != nil { // real engines: a second process shares the work
			nodes = append(nodes, w.node().start())
		}
		last := nodes[len(nodes)-1]
		events := manyOnTheWay(killEvents, killCustomers)
		var pages []*viewer
		browsers := map[string]string{}
		for i := range 5 {
			customer := events[i].CustomerID
			pages = append(pages, watch(t, customer, nodes...))
			browsers[customer] = w.subscribe(last, customer)
		}
		w.producer() // opened while somebody answers

		done := make(chan struct{})
		go func() { // events come evenly, over most of the time of the kills
			defer close(done)
			for batch := range slices.Chunk(events, max(10, killEvents/400)) {
				w.produce(50*time.Second, batch...)
				pause(slower * 50 * time.Millisecond)
			}
		}()
		killed := w.killAtWork(victim)
		<-done
		within(t, 45*time.Second+time.Duration(killEvents)*5*time.Millisecond, "everything has arrived", func() error {
			err := w.arrived(last, events)
			for _, v := range pages {
				err = errors.Join(err, v.saw(events), w.notified(browsers[v.customer], v.customer, events))
			}
			return err
		})
		unclear := last.messages("channel=sms&state=verify")
		t.Logf("%d kills, %d of %d texts accepted, %d unclear", killed, len(w.sms.Accepted()), killEvents, len(unclear))
		if n := len(w.sms.Accepted()); n > killEvents || n+len(unclear) < killEvents {
			t.Errorf("%d texts accepted, %d unclear", n, len(unclear))
		}
		if killed < leastKills {
			t.Errorf("only %d kills", killed)
		}
	})
}

// killAtWork kills the process at moments when texts flow: some texts after they began to flow again. The patience is for
// groups that wait for a dead member.
func (w *world) killAtWork(victim *node) (killed int) {
	w.t.Helper()
	late := time.Now().Add(killsWithin)
	for killed < kills && time.Now().Before(late) {
		from, some := len(w.sms.Accepted()), 1+rand.IntN(60)
		patience := time.Now().Add(12 * time.Second)
		for len(w.sms.Accepted()) < from+some && time.Now().Before(patience) {
			pause(time.Millisecond)
		}
		pause(rand.N(20 * time.Millisecond))
		victim.kill()
		killed++
		victim.start()
	}
	return killed
}

// pause lets real time pass between two things that a test does to another process.
func pause(d time.Duration) { <-time.After(d) }

// notified is an error until a browser has got a notification of each order of its customer. One may come twice: its tag
// makes the browser show it once.
func (w *world) notified(browser, customer string, events []event) error {
	got := map[string]bool{}
	for _, d := range w.push.Delivered() {
		if d.Subscription == browser {
			got[orderOf(d.Payload)] = true
		}
	}
	for _, e := range events {
		if e.CustomerID == customer && !got[e.OrderID] {
			return fmt.Errorf("the browser of %s has no notification of %s", customer, e.OrderID)
		}
	}
	return nil
}

// TestStop: a process that is told to stop under load finishes what it has in hand and leaves nothing half done; the next
// one takes over.
func TestStop(t *testing.T) {
	const events = 1000 / slower
	overEngines(t, twiliotest.Options{Latency: 50 * time.Millisecond}, func(t *testing.T, w *world) {
		first := w.node().start()
		sent := manyOnTheWay(events, 100)
		w.produce(20*time.Second, sent...)
		within(t, 20*time.Second, "it is at work", func() error {
			if len(w.sms.Accepted()) < 50 {
				return errors.New("it is not")
			}
			return nil
		})
		took := first.stop()
		after := len(w.sms.Accepted())
		if n := w.count(`SELECT count(*) FROM messages WHERE state IN ('sending', 'verify')`); n != 0 {
			t.Errorf("%d messages are neither sent nor waiting", n)
		}
		if n := w.count(`SELECT count(*) FROM messages WHERE channel = 'sms' AND state = 'accepted'`); n != after {
			t.Errorf("%d texts are known to be accepted, the provider has %d", n, after)
		}
		second := w.node().start()
		within(t, 40*time.Second, "the next process does the rest", func() error { return w.arrived(second, sent) })
		if n := len(w.sms.Accepted()); n != events {
			t.Errorf("%d texts accepted, want %d", n, events)
		}
		t.Logf("stopped within %s with %d of %d texts out", took.Round(time.Millisecond), after, events)
	})
}

// TestStopWithIdleConnections: connections that browsers open in advance and never use do not hold up a stop for long, and
// make no failure of it.
func TestStopWithIdleConnections(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a stop takes 5 s")
	}
	t.Parallel()
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node().start()
	for _, url := range []string{n.url, n.ops} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
	}
	if took := n.stop(); took > httpDrain+5*time.Second {
		t.Errorf("it took %s", took)
	}
}

// TestProviderFaults: whatever the provider answers, it accepts a text at most once, and staff see which ones are unclear.
func TestProviderFaults(t *testing.T) {
	const events = 300
	mix := map[twiliotest.Kind]float64{
		twiliotest.TooMany: 0.15, twiliotest.ServerError: 0.05, twiliotest.LateDrop: 0.05, twiliotest.Dropped: 0.05,
		twiliotest.LateError: 0.02, twiliotest.Truncated: 0.02, twiliotest.LateHang: 0.005,
	}
	overEngines(t, twiliotest.Options{Faults: twiliotest.Mix(7, mix)}, func(t *testing.T, w *world) {
		n := w.node().start()
		sent := manyOnTheWay(events, 60)
		w.produce(20*time.Second, sent...)
		within(t, 50*time.Second, "all texts have come to an end", func() error {
			return errors.Join(w.arrived(n, sent), w.idle(n))
		})
		states := map[string]int{}
		for _, m := range n.messages("channel=sms") {
			states[string(m.State)]++
		}
		known, unclear, accepted := states["accepted"]+states["delivered"], states["verify"], len(w.sms.Accepted())
		t.Logf("%d accepted, %d of them known to be, %d unclear", accepted, known, unclear)
		if known+unclear != events || accepted < known || unclear == 0 {
			t.Errorf("of %d texts %d are known to be accepted and %d unclear; the provider has %d", events, known, unclear, accepted)
		}
	})
}

// idle is an error while texts wait or are on their way.
func (w *world) idle(n *node) error {
	for _, state := range []string{"pending", "sending"} {
		ms, err := n.tryMessages("channel=sms&state=" + state)
		if err != nil || len(ms) > 0 {
			return errors.Join(err, fmt.Errorf("%d texts are %s", len(ms), state))
		}
	}
	return nil
}
