package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	checkDeadline = time.Second
	// checkAge is how long an answer is used again, so that probes and curious callers cost the engines one check a
	// second at most.
	checkAge = time.Second
)

// healthz tells that the process answers. It looks at no engine: a restart would not mend one.
func healthz(w http.ResponseWriter, _ *http.Request) {
	writeHealth(w, http.StatusOK, health{Status: "ok"})
}

// health is the body of /healthz and /readyz. It names engines and says no more of them: why one fails is in the log.
type health struct {
	Status string            `json:"status"` // ok, or unavailable when an engine is
	Checks map[string]string `json:"checks,omitempty"`
}

func writeHealth(w http.ResponseWriter, status int, h health) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(h) // an error means that the caller is gone
}

// readiness asks all engines at once and remembers the answer for a moment.
type readiness struct {
	checks map[string]func(context.Context) error
	log    *slog.Logger

	turn chan struct{} // holds one token: who has it may ask, and use what follows
	at   time.Time
	last map[string]error // the answers; nil means that the engine is well
}

func newReadiness(checks map[string]func(context.Context) error, log *slog.Logger) *readiness {
	c := &readiness{checks: checks, log: log, turn: make(chan struct{}, 1)}
	c.turn <- struct{}{}
	return c
}

func (c *readiness) serve(w http.ResponseWriter, r *http.Request) {
	h, status := health{Status: "ok", Checks: map[string]string{}}, http.StatusOK
	for engine, err := range c.ask(r.Context()) {
		h.Checks[engine] = "ok"
		if err != nil {
			h.Checks[engine], h.Status, status = "unavailable", "unavailable", http.StatusServiceUnavailable
		}
	}
	writeHealth(w, status, h)
}

// ask returns what is remembered or asks again. Those who come meanwhile wait for the same answer.
func (c *readiness) ask(ctx context.Context) map[string]error {
	token := <-c.turn // comes within checkDeadline
	defer func() { c.turn <- token }()
	if c.last != nil && time.Since(c.at) < checkAge {
		return c.last
	}
	// The answer is everybody's: it does not end with the request that happened to ask first.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), checkDeadline)
	defer cancel()
	answers := make(map[string]error, len(c.checks))
	var got sync.Mutex
	var all sync.WaitGroup
	for engine, check := range c.checks {
		all.Go(func() {
			err := check(ctx)
			got.Lock()
			answers[engine] = err
			got.Unlock()
		})
	}
	all.Wait()
	c.tell(answers)
	c.last, c.at = answers, time.Now()
	return answers
}

// tell logs engines whose answer has changed.
func (c *readiness) tell(answers map[string]error) {
	for engine, err := range answers {
		switch before := c.last[engine]; {
		case err != nil && before == nil:
			c.log.Warn("not ready", "engine", engine, "error", err)
		case err == nil && before != nil:
			c.log.Info("ready again", "engine", engine)
		}
	}
}
