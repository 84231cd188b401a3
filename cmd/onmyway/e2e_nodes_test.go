package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// twoNodes starts two processes that share real engines.
func twoNodes(t *testing.T, options twiliotest.Options) (w *world, a, b *node) {
	t.Helper()
	w = newWorld(t, realServers(t), options)
	return w, w.node().start(), w.node().start()
}

// TestKeysOnTwoNodes: a key that is revoked or has expired is refused by both nodes, at the next call.
func TestKeysOnTwoNodes(t *testing.T) {
	w, a, b := twoNodes(t, twiliotest.Options{})
	create := func(name string, more ...string) (k shownKey) {
		t.Helper()
		args := append([]string{"keys", "create", "--name", name, "--scopes", "messages:read", "-o", "json", "--log.level", "error"}, more...)
		code, out := program(t, w.env, args...)
		if err := json.Unmarshal([]byte(out), &k); code != 0 || err != nil {
			t.Fatalf("exit code %d, %v: %s", code, err, out)
		}
		return k
	}
	with := func(n *node, k shownKey) string {
		t.Helper()
		status, answer, err := n.try(http.MethodGet, "/v1/messages", nil, "Authorization", "Bearer "+k.Key)
		var problem struct{ Code string }
		if err = errors.Join(err, json.Unmarshal(answer, &problem)); err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(fmt.Sprint(status, " ", problem.Code))
	}
	desk, guest := create("desk"), create("guest", "--expires", "12s")
	for _, n := range []*node{a, b} {
		if got := with(n, desk); got != "200" {
			t.Errorf("a good key: %s", got)
		}
	}
	if code, out := program(t, w.env, "keys", "revoke", "desk"); code != 0 {
		t.Fatalf("exit code %d: %s", code, out)
	}
	for _, n := range []*node{a, b} {
		if got := with(n, desk); got != "401 key_revoked" {
			t.Errorf("a revoked key: %s", got)
		}
	}
	good := map[string]int{}
	for _, n := range []*node{a, b} {
		within(t, 30*time.Second, "the key expires", func() error {
			began := time.Now()
			got := with(n, guest)
			good[got]++
			switch {
			case got == "200" && began.After(guest.ExpiresAt), got != "200" && time.Now().Before(guest.ExpiresAt):
				t.Fatalf("%s, %s before its end", got, guest.ExpiresAt.Sub(began))
			case got == "200":
				return errors.New("it is good")
			}
			return nil
		})
	}
	if good["401 key_expired"] != 2 {
		t.Errorf("answers: %v", good)
	}
}

// oldCache is what Redis held of a customer at some moment.
type oldCache struct {
	redis  *redis.Client
	values map[string]string
}

// shelve keeps what Redis has of a customer. A busy Redis may have missed the write: remember makes the service write again.
func (w *world) shelve(customer string, remember func()) *oldCache {
	w.t.Helper()
	s := &oldCache{redis: redis.NewClient(w.redis), values: map[string]string{}}
	w.t.Cleanup(func() { _ = s.redis.Close() })
	ctx := context.Background()
	within(w.t, 10*time.Second, "Redis has what was decided on", func() error {
		keys, err := s.redis.Keys(ctx, "*c:"+customer).Result()
		for i := 0; i < len(keys) && err == nil; i++ {
			s.values[keys[i]], err = s.redis.Get(ctx, keys[i]).Result()
		}
		if err == nil && len(keys) == 0 {
			remember()
			err = errors.New("it has nothing of " + customer)
		}
		return err
	})
	return s
}

// putBack is a Redis that took no write since.
func (s *oldCache) putBack(t *testing.T) {
	t.Helper()
	for key, value := range s.values {
		if err := s.redis.Set(context.Background(), key, value, time.Minute).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// news makes events of one customer, each of an order of its own.
type news struct {
	customer int
	made     int
}

func (n *news) next() event {
	n.made++
	return onTheWay(n.customer+n.made*10, 10)
}

func (n *news) id() string { return fmt.Sprintf("c-%d", n.customer) }

// wants turns texts on or off.
func (n *news) wants(through *node, texts bool) {
	through.call(http.StatusOK, nil, http.MethodPut, "/v1/customers/"+n.id()+"/preferences",
		map[string]any{"channels": map[string]bool{"sms": texts}})
}

// followsWithin is how soon a change holds for decisions on every node.
const followsWithin = time.Second

// TestChoicesOnTwoNodes: what a customer turns off through one node is followed by the next decision on both, and what they
// turn on as well, also when Redis is emptied or holds what was before.
func TestChoicesOnTwoNodes(t *testing.T) {
	w, a, b := twoNodes(t, twiliotest.Options{})
	nothing := func(*oldCache) {}
	for i, tt := range []struct {
		redis string
		spoil func(before *oldCache)
	}{
		{"works", nothing},
		{"is emptied", func(*oldCache) { w.forget() }},
		{"has what was before", func(before *oldCache) { before.putBack(t) }},
	} {
		n := &news{customer: i}
		w.told(a, n.next())
		on := w.shelve(n.id(), func() { n.wants(a, true) })
		n.wants(a, false)
		off := time.Now()
		var after []event
		var at []time.Duration // since the change
		for since := time.Duration(0); since < followsWithin+500*time.Millisecond; since = time.Since(off) {
			tt.spoil(on)
			e := n.next()
			after, at = append(after, e), append(at, since)
			w.produce(20*time.Second, e)
		}
		last := w.lastTexted(b, after, at)
		t.Logf("Redis %s: %d events after the change, the last that was texted came %s after it", tt.redis, len(after), last)
		if last > followsWithin {
			t.Errorf("Redis %s: a text for news that came %s after the change", tt.redis, last)
		}

		n.wants(a, false) // changes nothing, but Redis gets it again
		was := w.shelve(n.id(), func() { n.wants(a, false) })
		n.wants(b, true)
		texts := len(w.sms.Accepted())
		for range 12 { // more than there are partitions: both nodes decide
			tt.spoil(was)
			e := n.next()
			w.produce(20*time.Second, e)
			within(t, 20*time.Second, "the text is accepted", func() error { return w.accepted(a, e.OrderID, 1) })
		}
		if got := len(w.sms.Accepted()) - texts; got != 12 {
			t.Errorf("Redis %s: %d texts after texts were turned on, want 12", tt.redis, got)
		}
	}
	for _, n := range []*node{a, b} {
		if n.metric(`onmyway_events_total{outcome="stored"`) == 0 {
			t.Error("a node has decided nothing: the test has seen one node only")
		}
	}
}

// lastTexted waits until events are decided and returns when, of those that were texted, the last one came; 0 for none.
func (w *world) lastTexted(n *node, events []event, at []time.Duration) (last time.Duration) {
	w.t.Helper()
	for i, e := range events {
		var live []message
		within(w.t, 20*time.Second, e.OrderID+" is decided", func() (err error) {
			if live, err = n.tryMessages("channel=websocket&order_id=" + e.OrderID); err == nil && len(live) != 1 {
				err = fmt.Errorf("%d live messages", len(live))
			}
			return err
		})
		optedOut := false
		for _, no := range live[0].NotSent {
			optedOut = optedOut || no.Channel == notify.SMS && no.Reason == notify.OptedOut
		}
		if !optedOut {
			last = at[i]
		}
	}
	return last
}

// TestBrowserBehindTheCache: a browser that subscribed while Redis did not take the write gets the next news, from both nodes.
func TestBrowserBehindTheCache(t *testing.T) {
	w, a, b := twoNodes(t, twiliotest.Options{})
	n := &news{customer: 3}
	w.told(b, n.next())
	before := w.shelve(n.id(), func() { n.wants(b, true) })
	browser := w.subscribe(a, n.id())
	for i := range 12 {
		before.putBack(t)
		w.produce(20*time.Second, n.next())
		within(t, 20*time.Second, "the browser is notified", func() error { return w.pushed(browser, i+1) })
	}
}

// TestWhatWaitsIsSuppressed: a text that waits when texts are turned off does not leave, and staff read why.
func TestWhatWaitsIsSuppressed(t *testing.T) {
	busy := twiliotest.Options{Faults: func(r twiliotest.Request) twiliotest.Fault {
		if r.N == 1 {
			return twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: "4"}
		}
		return twiliotest.Fault{}
	}}
	w, a, b := twoNodes(t, busy)
	n := &news{customer: 4}
	e := n.next()
	w.produce(20*time.Second, e)
	within(t, 20*time.Second, "the provider is busy", func() error {
		if w.sms.Requests() == 0 {
			return errors.New("nobody asked it")
		}
		return nil
	})
	n.wants(a, false)
	var text message
	within(t, 20*time.Second, "the text is suppressed", func() error {
		ms, err := b.tryMessages("channel=sms&order_id=" + e.OrderID)
		if err == nil && (len(ms) != 1 || ms[0].State != notify.Suppressed || ms[0].Reason != notify.OptedOut) {
			err = fmt.Errorf("%+v", ms)
		}
		if err == nil {
			text = ms[0]
		}
		return err
	})
	var shown struct{ Why string }
	b.call(http.StatusOK, &shown, http.MethodGet, "/v1/messages/"+text.ID, nil)
	t.Logf("why: %s", strings.ReplaceAll(shown.Why, canary, "Dana"))
	if !strings.Contains(shown.Why, "turned SMS off") {
		t.Errorf("why: %q", shown.Why)
	}
	n.wants(b, true)
	w.told(a, n.next())
	if got := len(w.sms.Accepted()); got != 1 {
		t.Errorf("%d texts, want that of the second event", got)
	}
}
