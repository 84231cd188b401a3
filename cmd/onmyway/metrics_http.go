package main

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"
)

// unmatched is the route of a request that has none.
const unmatched = "unmatched"

// watchCalls counts and traces what the handler answers, by the route that it took. Live connections are left alone: their hub
// takes them over and counts by itself.
func (m *metrics) watchCalls(next http.Handler, t *tracer) http.Handler {
	routes := next.(chi.Routes) // api.New says so
	known := routesOf(routes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/connection/") {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		traced := func(string, int, time.Time) {}
		if t != nil && strings.HasPrefix(r.URL.Path, "/v1/") {
			traced = t.called(r)
		}
		way := chi.NewRouteContext() // ours, so that it can be read when the answer is out
		way.Routes = routes
		seen := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		next.ServeHTTP(seen, r.WithContext(context.WithValue(r.Context(), chi.RouteCtxKey, way)))
		route, status := way.RoutePattern(), seen.Status()
		if !known[route] {
			route = unmatched
		}
		if status == 0 { // net/http writes it when the handler has written nothing
			status = http.StatusOK
		}
		m.calls.WithLabelValues(httpMethod(r.Method), route, httpClass(status)).Inc()
		m.callSeconds.WithLabelValues(route).Observe(time.Since(began).Seconds())
		traced(route, status, began)
	})
}

// routesOf are all routes of a handler.
func routesOf(handler chi.Routes) values {
	known := values{}
	_ = chi.Walk(handler, func(_, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		known[strings.ReplaceAll(route, "/*/", "/")] = true
		return nil
	})
	delete(known, "/*")
	return known
}
