package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"onmyway/channels/twilio/twiliotest"
)

var failpointScenario = scenario{
	id: "R1f", events: 20 * 15, within: 8 * time.Minute, database: "postgres",
	promise: "a process that dies between any two steps loses nothing and repeats no text",
	faults:  "SIGKILL at 15 points of an event's way, as its engines and the provider see them",
	knobs:   knobs{cutRedis: true, cutSQL: true, plainSQL: true},
	run:     runFailpoints,
}

// point is a moment in the life of a batch that somebody outside can see.
type point struct {
	name string
	arm  func(w *world, t *trap)
}

// trap kills a process once, at its point.
type trap struct {
	node *node
	once sync.Once
	shut chan struct{} // closed when it has sprung
}

// spring kills the process before it returns. It is true the first time.
func (t *trap) spring() (first bool) {
	t.once.Do(func() {
		first = true
		_ = t.node.signal(syscall.SIGKILL)
		close(t.shut)
	})
	return first
}

// defuse makes a trap that was not reached do nothing when it is.
func (t *trap) defuse() { t.once.Do(func() {}) }

// points are in the order of an event's way.
var points = []point{
	{"records asked for", onKafka(1)},
	{"Redis asked", onRedis("mget", cutBefore)},
	{"Redis has answered", onRedis("mget", cutAfter)},
	{"transaction begun", onSQL("begin", cutBefore)},
	{"before the commit", onSQL("commit\x00", cutBefore)},
	{"commit without an answer", onSQL("commit\x00", cutAfter)},
	{"before Redis is marked", onRedis("\r\nset\r\n", cutBefore)},
	{"Redis is marked", onRedis("\r\nset\r\n", cutAfter)},
	{"offset committed", onKafka(8)},
	{"before sending is durable", onSQL("set state = 'sending'", cutBefore)},
	{"sending is durable", onSQL("set state = 'sending'", cutAfter)},
	{"request at the provider", onRequest(twiliotest.Dropped, 0)},
	{"text accepted", onRequest(twiliotest.LateDrop, 0)},
	{"text accepted and answered", onRequest(twiliotest.None, 3*time.Millisecond)},
	{"before the outcome is stored", onRequest(twiliotest.None, 0)},
}

func onRedis(command string, v verdictOnPiece) func(*world, *trap) {
	return func(w *world, t *trap) { w.cutRedis.set(spoil{request: catch(t, command, v)}, false) }
}

func onSQL(command string, v verdictOnPiece) func(*world, *trap) {
	return func(w *world, t *trap) {
		if w.cutSQL != nil {
			w.cutSQL.set(spoil{request: catch(t, command, v)}, false)
		}
	}
}

// catch springs the trap when a client says something: before it is heard, or when it was answered.
func catch(t *trap, command string, v verdictOnPiece) func([]byte) verdictOnPiece {
	return func(piece []byte) verdictOnPiece {
		if !bytes.Contains(bytes.ToLower(piece), []byte(command)) {
			return pass
		}
		if v == cutAfter { // the engine hears it; the process does not live to see the answer
			time.AfterFunc(time.Millisecond, func() { t.spring() })
			return cutAfter
		}
		t.spring()
		return cutBefore
	}
}

// onKafka kills at a request of the consumer: 1 is a fetch, 8 a commit of offsets.
func onKafka(key int16) func(*world, *trap) {
	return func(w *world, t *trap) {
		if w.kafka.fake == nil {
			return
		}
		w.kafka.fake.ControlKey(key, func(kmsg.Request) (kmsg.Response, error, bool) {
			t.spring()
			return nil, nil, false
		})
	}
}

// onRequest kills when the provider has a request, some time after the answer when that is not 0.
func onRequest(kind twiliotest.Kind, later time.Duration) func(*world, *trap) {
	return func(w *world, t *trap) {
		w.sms.set(func(twiliotest.Request) twiliotest.Fault {
			select {
			case <-t.shut:
				return twiliotest.Fault{}
			default:
			}
			if later > 0 {
				time.AfterFunc(later, func() { t.spring() })
				return twiliotest.Fault{}
			}
			if t.spring() {
				return twiliotest.Fault{Kind: kind}
			}
			return twiliotest.Fault{}
		})
	}
}

func runFailpoints(ctx context.Context, w *world) error {
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 10, 5); err != nil {
		return err
	}
	each := w.scaled(20, 5)
	events := single(each*len(points), each)
	var missed []string
	for i, p := range points {
		sprung, err := w.dieAt(ctx, p, events[i*each:(i+1)*each])
		if err != nil {
			return err
		}
		if !sprung {
			missed = append(missed, p.name)
		}
	}
	w.sometimes("points_reached", float64(len(points)-len(missed)))
	for _, name := range missed {
		if w.cutSQL != nil && w.kafka.fake != nil {
			w.mishap("not exercised: %q was never reached", name)
		} else {
			w.step("not reached with these engines: %s", name)
		}
	}
	return w.finish(ctx, aim{}, 30*time.Second)
}

// dieAt lets events flow into a trap, and starts the process again.
func (w *world) dieAt(ctx context.Context, p point, events []event) (sprung bool, err error) {
	n := w.nodes[0]
	t := &trap{node: n, shut: make(chan struct{})}
	p.arm(w, t)
	for i := range events {
		events[i].OccurredAt = time.Now().UTC()
	}
	if err := w.produce(ctx, events...); err != nil {
		return false, err
	}
	select {
	case <-t.shut:
		sprung = true
	case <-time.After(15 * time.Second): // a member that was killed may be missed by its group for ten
		t.defuse()
	}
	w.disarm()
	w.step("%s: %v", p.name, sprung)
	if !sprung {
		return false, nil
	}
	w.faulted()
	<-n.exited
	if err := n.start(ctx); err != nil {
		return true, err
	}
	return true, until(ctx, 30*time.Second, func() error {
		busy, err := w.rest.busy(ctx, "pending", "sending")
		if err == nil && busy > 0 {
			err = errors.New("texts are still on their way")
		}
		if err != nil {
			return fmt.Errorf("after %q: %w", p.name, err)
		}
		return nil
	})
}

func (w *world) disarm() {
	w.cutRedis.set(spoil{}, false)
	if w.cutSQL != nil {
		w.cutSQL.set(spoil{}, false)
	}
	w.sms.set(nil)
	if w.kafka.fake != nil {
		w.kafka.fake.DropControl()
		for _, key := range []int16{1, 8} { // a control that waits is taken by the next request
			w.kafka.fake.ControlKey(key, func(kmsg.Request) (kmsg.Response, error, bool) { return nil, nil, false })
		}
	}
}
