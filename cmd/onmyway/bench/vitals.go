package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// pulse is how often a service is looked at.
const pulse = 100 * time.Millisecond

// vitals are what was seen of a service from outside over some time.
type vitals struct {
	list   []vital
	health time.Duration // the slowest answer of /healthz
	fault  error         // why it could not be looked at, or did not answer
}

// vital is one look.
type vital struct {
	at     time.Time
	memory int64 // bytes
	stored int   // records
}

// vitals looks at the service until ctx ends. What is stored is not asked for any more once all is.
func (s *site) vitals(ctx context.Context, all int) (v vitals) {
	var looking sync.WaitGroup
	var unwell error
	looking.Go(func() { v.health, unwell = s.probed(ctx) })
	looking.Go(func() {
		for pausing(ctx, pulse) {
			now, err := s.look(ctx, &v, all)
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				v.fault = err
				return
			}
			v.list = append(v.list, now)
		}
	})
	looking.Wait()
	v.fault = errors.Join(v.fault, unwell)
	return v
}

func (s *site) look(ctx context.Context, v *vitals, all int) (now vital, err error) {
	now.stored = all
	if n := len(v.list); n == 0 || v.list[n-1].stored < all {
		if now.stored, err = s.rows.count(ctx, storedRecords); err != nil {
			return now, err
		}
	}
	now.at = time.Now()
	now.memory, err = s.memory()
	return now, err
}

// probed asks for /healthz all the time, each time as a stranger, and tells the slowest answer.
func (s *site) probed(ctx context.Context) (slowest time.Duration, err error) {
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for pausing(ctx, pulse/2) {
		began := time.Now()
		resp, err := client.Get(s.url + "/healthz") // not under ctx: the one under way is measured to its end
		if err != nil {
			return slowest, fmt.Errorf("ask for /healthz: %w", err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return slowest, fmt.Errorf("/healthz answers %s", resp.Status)
		}
		slowest = max(slowest, time.Since(began))
	}
	return slowest, nil
}

// pausing waits, and tells whether ctx goes on.
func pausing(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// flat is the most memory of the last third of a time against the most of its middle third.
func (v *vitals) flat(from, to time.Time) float64 {
	third := to.Sub(from) / 3
	middle, last := v.peak(from.Add(third), to.Add(-third)), v.peak(to.Add(-third), to)
	if middle == 0 {
		return 1
	}
	return float64(last) / float64(middle)
}

func (v *vitals) peak(from, to time.Time) (most int64) {
	for _, one := range v.list {
		if !one.at.Before(from) && one.at.Before(to) {
			most = max(most, one.memory)
		}
	}
	return most
}

// backlog is how many of all records waited at a time, and after how long none did any more.
func (v *vitals) backlog(at time.Time, all int) (waited int, gone time.Duration) {
	for _, one := range v.list {
		if one.at.Before(at) {
			continue
		}
		waited = max(waited, all-one.stored)
		if one.stored >= all {
			return waited, one.at.Sub(at)
		}
	}
	return waited, 0
}
