package api_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"onmyway/api"
)

// checked is an API whose readiness asks the given checks.
func checked(t *testing.T, checks map[string]func(context.Context) error) *fixture {
	return newFixture(t, func(_ *api.Config, d *api.Deps) { d.Checks = checks })
}

func TestHealth(t *testing.T) {
	f := checked(t, map[string]func(context.Context) error{"sql": func(context.Context) error { return errSecret }})
	w := f.do("GET /healthz", "", "Authorization", "")
	wantStatus(t, w, http.StatusOK)
	wantJSON(t, w, `{"status":"ok"}`)
}

func TestReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		f := checked(t, map[string]func(context.Context) error{
			"kafka": func(context.Context) error { return nil },
			"sql": func(context.Context) error {
				if broken.Load() {
					return errSecret
				}
				return nil
			},
		})
		w := f.do("GET /readyz", "", "Authorization", "")
		wantStatus(t, w, http.StatusOK)
		wantJSON(t, w, `{"status":"ok","checks":{"kafka":"ok","sql":"ok"}}`)

		broken.Store(true)
		wantStatus(t, f.do("GET /readyz", ""), http.StatusOK) // remembered
		time.Sleep(time.Second)
		w = f.do("GET /readyz", "")
		wantStatus(t, w, http.StatusServiceUnavailable)
		wantJSON(t, w, `{"status":"unavailable","checks":{"kafka":"ok","sql":"unavailable"}}`)
		time.Sleep(time.Second)
		f.do("GET /readyz", "")
		if n := strings.Count(f.log.String(), "not ready"); n != 1 || strings.Contains(w.Body.String(), "db-7") {
			t.Errorf("logged %d times; shown: %s", n, w.Body)
		}

		broken.Store(false)
		time.Sleep(time.Second)
		wantStatus(t, f.do("GET /readyz", ""), http.StatusOK)
		if !strings.Contains(f.log.String(), "ready again") {
			t.Error("the end is not logged")
		}
	})
}

// Checks run side by side and have one second, whoever asked first and however many ask.
func TestReadyDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		hang := func(ctx context.Context) error {
			asked.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}
		f := checked(t, map[string]func(context.Context) error{"kafka": hang, "redis": hang, "sql": hang})
		began := time.Now()
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { wantStatus(t, f.do("GET /readyz", ""), http.StatusServiceUnavailable) })
		}
		all.Wait()
		if took := time.Since(began); took != time.Second || asked.Load() != 3 {
			t.Errorf("took %v, asked %d times", took, asked.Load())
		}
	})
}
