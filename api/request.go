package api

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"onmyway/notify"
)

// request is what the log says of a request besides its route.
type request struct {
	id     string
	caller string // the name of the key; empty until it is known
}

type requestKey struct{}

// requestOf finds the request; an empty one outside of a request.
func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// identify gives every request an id, that of the caller where it is a plain word, and says it in the answer.
func (s *server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if !plainWord(id) {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		ctx := context.WithValue(r.Context(), requestKey{}, &request{id: id})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// plainWord tells whether an id from outside may be written into a log: 1 to 64 letters, digits, dots, dashes.
func plainWord(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return s != "" && len(s) <= 64 && strings.Trim(s, letters) == ""
}

// headers are those of every answer: nothing here is a page, and nothing may be kept.
func (s *server) headers(next http.Handler) http.Handler {
	https := strings.HasPrefix(s.PublicURL, "https://")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		if https {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// accessLog writes one line per request. It names the route and not the path or the query, which carry ids of customers
// and phone numbers.
func (s *server) accessLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			level := slog.LevelInfo
			route := chi.RouteContext(r.Context()).RoutePattern()
			if route == "/healthz" || route == "/readyz" {
				level = slog.LevelDebug
			}
			s.log.LogAttrs(r.Context(), level, "request",
				slog.String("method", r.Method), slog.String("route", route),
				slog.Int("status", cmp.Or(seen.Status(), http.StatusOK)), slog.Int("bytes", seen.BytesWritten()),
				slog.Float64("took_ms", float64(time.Since(began).Microseconds())/1000), slog.String("key", requestOf(r.Context()).caller),
				slog.String("client", middleware.GetClientIP(r.Context())), slog.String("request_id", requestOf(r.Context()).id))
		}()
		next.ServeHTTP(seen, r)
	})
}

// recoverPanic answers 500 for a handler that panics. What the panic says is logged only when the runtime said it: any
// other value may carry what the customer wrote.
func (s *server) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			err, _ := v.(error)
			if errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			said := fmt.Sprintf("%T", v)
			if fault, ok := v.(runtime.Error); ok {
				said = fault.Error()
			}
			s.log.ErrorContext(r.Context(), "call panicked", "panic", said, "stack", string(debug.Stack()),
				"request_id", requestOf(r.Context()).id)
			if seen, ok := w.(middleware.WrapResponseWriter); ok && seen.Status() != 0 {
				panic(http.ErrAbortHandler) // half an answer is out: cut the connection, so that nobody takes it for a whole one
			}
			writeProblem(w, newProblem(http.StatusInternalServerError, "internal", "the request id is in the X-Request-Id header"))
		}()
		next.ServeHTTP(w, r)
	})
}

// methodNotAllowed answers 405 and names the methods that the path has.
func methodNotAllowed(routes chi.Routes) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var allowed []string
		for _, m := range []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete} {
			if routes.Match(chi.NewRouteContext(), m, r.URL.Path) {
				allowed = append(allowed, m)
			}
		}
		allow := strings.Join(allowed, ", ")
		writeProblem(w, newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "this path has "+allow).with("Allow", allow))
	}
}

// plainQuery refuses a query that says less than it seems to. A filter without a value (an unset variable in somebody's
// script) would find everything, so would one that can't be read, and of a filter that comes twice only one would count.
func (s *server) plainQuery(ctx huma.Context, next func(huma.Context)) {
	at := ctx.URL()
	var faults []notify.Problem
	query, err := url.ParseQuery(at.RawQuery)
	if err != nil { // it may repeat a phone number: its text stays here
		faults = append(faults, notify.Problem{Field: "query", Detail: "can't be read: write %, ; and + in a value as %25, %3B and %2B"})
	}
	for name, values := range query {
		switch {
		case len(values) > 1:
			faults = append(faults, notify.Problem{Field: name, Detail: "comes more than once: send it once"})
		case values[0] == "" && isParameter(ctx.Operation(), name):
			faults = append(faults, notify.Problem{Field: name, Detail: "is empty: give it a value, or leave it out"})
		}
	}
	if len(faults) > 0 {
		_, w := humachi.Unwrap(ctx)
		writeProblem(w, invalidFields(faults))
		return
	}
	next(ctx)
}

func isParameter(op *huma.Operation, name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.In == "query" && p.Name == name })
}
