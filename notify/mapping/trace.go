package mapping

import (
	"strings"

	"onmyway/notify"
)

// The headers that say which trace a record belongs to: that of the standard, which every hop rewrites, and that of the
// CloudEvents extension for distributed tracing, which keeps where the event was made. The first is nearer to us.
const (
	traceHeader      = "traceparent"
	cloudTraceHeader = "ce_traceparent"
)

// trace finds the traceparent of a record; empty for none. One that breaks the standard counts as none, and so do two that
// differ: nobody could tell which is meant. What is wrong with it is no reason to refuse an event.
func trace(headers []notify.Header, attribute string) string {
	for _, name := range []string{traceHeader, cloudTraceHeader} {
		if p, ok := traceIn(headers, name); ok {
			return p.String()
		}
	}
	if p, ok := notify.ParseTraceParent(attribute); ok {
		return p.String()
	}
	return ""
}

func traceIn(headers []notify.Header, name string) (found notify.TraceParent, ok bool) {
	for _, h := range headers {
		if len(h.Key) != len(name) || !strings.EqualFold(h.Key, name) {
			continue
		}
		p, valid := notify.ParseTraceParent(h.Value)
		if !valid || ok && p != found {
			return notify.TraceParent{}, false
		}
		found, ok = p, true
	}
	return found, ok
}
