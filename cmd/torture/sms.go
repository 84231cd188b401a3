package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/cmd/torture/ledger"
)

// provider is the simulated SMS provider with its two ledgers: what it was asked, and what it took.
type provider struct {
	*twiliotest.Server
	url      string
	taken    *ledger.File
	asked    *ledger.File
	hits     atomic.Int64 // requests that were unclear to the sender
	early    atomic.Int64 // callbacks that came before our own answer
	requests atomic.Int64

	mu       sync.Mutex
	accepted map[ledger.Fact]int
	first    time.Time
	last     time.Time
	decide   func(twiliotest.Request) twiliotest.Fault
}

// mixM is what a bad day of a provider looks like; what is left to 1 goes well.
var mixM = map[twiliotest.Kind]float64{
	twiliotest.TooMany: 0.03, twiliotest.ServerError: 0.03, twiliotest.LateError: 0.02, twiliotest.LateDrop: 0.05, twiliotest.LateHang: 0.01,
}

// jitter is the latency of mix M, at most.
const jitter = 12 * time.Millisecond

func openProvider(w *world) (p *provider, err error) {
	p = &provider{accepted: map[ledger.Fact]int{}}
	if p.taken, err = ledger.Open(w.path("sms.jsonl")); err != nil {
		return nil, err
	}
	if p.asked, err = ledger.Open(w.path("requests.jsonl")); err != nil {
		return nil, err
	}
	k := w.scenario.knobs
	mix := twiliotest.Mix(w.seed, k.mix)
	random := &dice{rand: rand.New(rand.NewPCG(w.seed, 11))}
	p.Server = twiliotest.New(twiliotest.Options{
		Ledger: p, Seed: w.seed, Lag: lag, StatusCallbacks: !k.quiet && w.settles(),
		Delivery: func(twiliotest.Message) twiliotest.Delivery { return p.delivery(random.float()) },
		Faults: func(r twiliotest.Request) twiliotest.Fault {
			p.ask(r)
			if k.latency > 0 {
				time.Sleep(time.Duration(random.float() * float64(k.latency)))
			}
			f := mix(r)
			if decide := p.decision(); decide != nil {
				f = decide(r)
			}
			if f.Kind != twiliotest.None && f.Kind != twiliotest.TooMany && f.Kind != twiliotest.Refused {
				p.hits.Add(1)
			}
			return f
		},
	})
	if p.url, err = p.Listen("127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start the SMS provider: %w", err)
	}
	return p, nil
}

// delivery draws how a text's callbacks are made: most are lost, as the provider may; the others come early, three times,
// or the last one first.
func (p *provider) delivery(x float64) twiliotest.Delivery {
	switch {
	case x < 0.30:
		return twiliotest.Delivery{}
	case x < 0.35:
		p.early.Add(1)
		return twiliotest.Delivery{Early: true}
	case x < 0.40:
		return twiliotest.Delivery{Times: 3}
	case x < 0.45:
		return twiliotest.Delivery{Reverse: true}
	}
	return twiliotest.Delivery{Drop: true}
}

// set makes f decide on every new text; nil goes back to the mix.
func (p *provider) set(f func(twiliotest.Request) twiliotest.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = f
}

func (p *provider) decision() func(twiliotest.Request) twiliotest.Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.decide
}

func (p *provider) ask(r twiliotest.Request) {
	p.requests.Add(1)
	_ = p.asked.Add(ledger.Text{At: time.Now(), To: r.To, Body: r.Body})
}

// Write takes a line of the ledger of accepted texts.
func (p *provider) Write(line []byte) (int, error) {
	var t ledger.Text
	if err := json.Unmarshal(line, &t); err != nil {
		return 0, err
	}
	f, _ := t.Fact()
	p.mu.Lock()
	if p.first.IsZero() {
		p.first = t.At
	}
	p.accepted[f]++
	p.last = t.At
	p.mu.Unlock()
	return p.taken.Write(line)
}

// told is how many facts were accepted, and when the last one was.
func (p *provider) told() (n int, last time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.accepted), p.last
}

func (p *provider) tally() map[ledger.Fact]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.accepted)
}

func (p *provider) close() {
	if p == nil {
		return
	}
	_ = p.Server.Close()
	_ = p.taken.Close()
	_ = p.asked.Close()
}

// dice is a source of random numbers for many goroutines. Its sequence follows from the seed; who gets which number does
// not, because requests race.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func (d *dice) float() float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.Float64()
}
