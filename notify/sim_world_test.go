package notify_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// world is what surrounds the processes of a simulation: Kafka, Redis, SQL, the providers, and what goes wrong with them. All
// that it decides follows from its seed and the name of the place where it is decided, so a seed gives the same faults again.
type world struct {
	seed   uint64
	faults faults
	truth  *notifytest.Store // of a process that never dies: callbacks and the test itself use it
	cache  *notifytest.Cache
	log    *simLog
	live   *page
	dead   *graveyard
	sms    *carrier
	push   *carrier
	rules  *notify.Rules
	nodes  []*node
	limit  int            // texts to one number in an hour; 0: none
	calm   atomic.Bool    // nothing goes wrong any more
	sqlOff atomic.Bool    // SQL answers nobody
	heard  atomic.Int64   // texts to us so far
	flying sync.WaitGroup // requests, callbacks and ends of processes that are under way

	mu       sync.Mutex
	drawn    map[string]uint64
	problems []string
	known    map[notify.ID]notify.Message // as last looked at
	happened map[string]int               // what went wrong how often: a simulation without faults proves nothing
}

// faults are the chances of what goes wrong, each per occasion.
type faults struct {
	sqlFails, answerLost  float64 // of a statement; of a commit that took effect
	crash                 float64 // at a point between two steps
	cacheFails, cacheLies float64
	commitFails           float64
	refused, unreachable  float64 // what a provider does with a request
	lostBefore, lostAfter float64 // the connection ends before it takes the text, and after
	slow                  float64 // it answers later than anybody waits
	badNumber             float64
	callbackLost          float64
	callbackTwice         float64
	findFails             float64
	clocks                time.Duration // how far the clocks of processes are apart, and jump
}

// mayhem is what a simulation has by default.
var mayhem = faults{
	sqlFails: 0.01, answerLost: 0.02, crash: 0.0008, cacheFails: 0.05, cacheLies: 0.05, commitFails: 0.05,
	refused: 0.05, unreachable: 0.05, lostBefore: 0.04, lostAfter: 0.04, slow: 0.03, badNumber: 0.01,
	callbackLost: 0.15, callbackTwice: 0.15, findFails: 0.1,
}

var errDead = errors.New("the process is dead")

func newWorld(r *notify.Rules, seed uint64, f faults) *world {
	w := &world{
		seed: seed, faults: f, truth: notifytest.NewStore(), cache: &notifytest.Cache{}, live: &page{}, dead: &graveyard{}, rules: r,
		drawn: map[string]uint64{}, known: map[notify.ID]notify.Message{}, happened: map[string]int{},
	}
	if seed%5 == 0 { // held texts wait for an hour, which takes long to play
		w.limit = 1
	}
	w.log = newSimLog(w, 4)
	w.sms, w.push = newCarrier(w, notify.SMS), newCarrier(w, notify.Push)
	return w
}

// draw is a number in [0,1) for a place, another one at each visit.
func (w *world) draw(place string) float64 {
	h := fnv.New64a()
	h.Write([]byte(place))
	w.mu.Lock()
	n := w.drawn[place]
	w.drawn[place]++
	w.mu.Unlock()
	return rand.New(rand.NewPCG(w.seed, h.Sum64()+n*0x9e3779b97f4a7c15)).Float64()
}

// chance tells whether something happens at a place.
func (w *world) chance(what, place string, p float64) bool {
	if p == 0 || w.calm.Load() || w.draw(what+" at "+place) >= p {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happened[what]++
	return true
}

// upTo is a time below d. It has nanoseconds, so that hardly two things happen at the same moment: who comes first is decided
// by the seed.
func (w *world) upTo(place string, d time.Duration) time.Duration {
	return time.Duration(w.draw("wait at "+place) * float64(d))
}

// yield lets others go first, for up to 5 ms.
func (w *world) yield(place string) { time.Sleep(w.upTo(place, 5*time.Millisecond)) }

// blame notes a violation.
func (w *world) blame(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// wrong is the first violation; empty for none.
func (w *world) wrong() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.problems) == 0 {
		return ""
	}
	return fmt.Sprintf("%s (of %d violations)", w.problems[0], len(w.problems))
}

// watch compares all messages with what they were when it looked last.
func (w *world) watch() {
	taken := w.sms.counts()
	for _, m := range w.truth.Messages() {
		old, there := w.known[m.ID]
		w.known[m.ID] = m
		switch {
		case !there:
		case old.State.Outranks(m.State):
			w.blame("I4: message %s was %s and is %s", m.ID, old.State, m.State)
		case m.Attempt < old.Attempt:
			w.blame("I9: message %s was at attempt %d and is at %d", m.ID, old.Attempt, m.Attempt)
		case old.State == notify.Verify && m.Attempt == old.Attempt && !afterVerify(&m):
			w.blame("I8: message %s went from verify to %s (%s)", m.ID, m.State, m.Reason)
		}
		if m.Channel == notify.SMS && m.State == notify.Pending && taken[m.ID] > 0 {
			w.blame("I3: text %s waits to be sent, and the provider has it", m.ID)
		}
		if m.State == notify.Pending && !w.calm.Load() {
			continue
		}
		if needsReason(m.State) && m.Reason == "" {
			w.blame("G8: message %s is %s and nothing says why", m.ID, m.State)
		}
	}
}

// afterVerify tells whether a text may be where it is after it was unclear, at the same attempt.
func afterVerify(m *notify.Message) bool {
	switch m.State {
	case notify.Sending:
		return false
	case notify.Suppressed:
		return slices.Contains([]notify.Reason{notify.Stopped, notify.Superseded, notify.Expired, notify.OptedOut}, m.Reason)
	}
	return true
}

func needsReason(s notify.State) bool {
	return s == notify.Suppressed || s == notify.Failed || s == notify.Undelivered || s == notify.Verify || s == notify.Unknown
}

// heal ends all faults, lets everybody go on and time pass until nothing waits any more.
func (w *world) heal() {
	w.calm.Store(true)
	w.sqlOff.Store(false)
	for _, n := range w.nodes {
		n.resume()
		n.offset.Store(0)
	}
	for range 6 * 60 * 26 { // a day and two hours: the longest that a text is true here
		w.replace(1)
		time.Sleep(10 * time.Second)
		if w.settled() {
			break
		}
	}
	w.watch()
}

// settled tells whether nothing waits any more.
func (w *world) settled() bool {
	if !w.log.done() {
		return false
	}
	for _, m := range w.truth.Messages() {
		if m.State == notify.Pending || m.State == notify.Sending || m.State == notify.Verify {
			return false
		}
	}
	return true
}

// judge says what is wrong in the end.
func (w *world) judge() {
	if !w.log.done() {
		w.blame("G1: Kafka is not read to its end")
	}
	for _, m := range w.truth.Messages() {
		switch m.State {
		case notify.Pending, notify.Sending, notify.Verify:
			w.blame("liveness: message %s is still %s (%s), attempt %d, due %s", m.ID, m.State, m.Reason, m.Attempt, m.DueAt)
		}
	}
	w.log.lost()
}

// end stops all processes and waits for what is under way.
func (w *world) end() {
	w.calm.Store(true)
	w.sqlOff.Store(false)
	for _, n := range w.nodes {
		n.resume()
		n.halt()
	}
	w.flying.Wait()
}

// stopNumber commits a STOP, and tells the providers from when on it holds.
func (w *world) stopNumber(number string) {
	if _, _, err := w.truth.Stop(context.Background(), time.Now(), w.reply(number, "STOP")); err != nil {
		w.blame("STOP was not committed: %v", err)
		return
	}
	w.sms.stopped(number, time.Now())
}

// startNumber lifts it.
func (w *world) startNumber(number string) {
	w.sms.stopped(number, time.Time{})
	if _, _, err := w.truth.Start(context.Background(), time.Now(), w.reply(number, "START")); err != nil {
		w.blame("START was not committed: %v", err)
	}
}

// reply is a text to us. Each has a name of its own, also of those that come at the same moment.
func (w *world) reply(number, text string) notify.Inbound {
	return notify.Inbound{From: number, Text: text, ProviderID: fmt.Sprintf("SM-in-%d", w.heard.Add(1))}
}

// cachedRules reads the words once for all simulations: a bubble of time has better things to do.
var cachedRules = struct {
	once  sync.Once
	rules *notify.Rules
}{}

func simRules(t *testing.T) *notify.Rules {
	t.Helper()
	cachedRules.once.Do(func() { cachedRules.rules = rules(t) })
	return cachedRules.rules
}
