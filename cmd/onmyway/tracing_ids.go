package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"go.opentelemetry.io/otel/trace"

	"onmyway/notify"
)

// place is where a span stands: in which trace, under which parent and by which id.
type place struct {
	trace  trace.TraceID
	parent trace.SpanID // zero for the root of a trace
	span   trace.SpanID
}

// sampler says which events and calls that belong to no trace start one of their own.
type sampler struct {
	bound uint64 // of 63 bits of a trace's id
}

func newSampler(part float64) sampler {
	if part >= 1 {
		return sampler{bound: math.MaxUint64}
	}
	return sampler{bound: uint64(part * (1 << 63))}
}

// takes tells whether a trace of ours is sampled. It follows from its id, so all processes agree.
func (s sampler) takes(id trace.TraceID) bool { return binary.BigEndian.Uint64(id[8:])>>1 < s.bound }

// event is where the span of an event stands. The ids follow from the event, so whoever sends its messages, and be it
// another process a day later, finds the same place without being told.
func (s sampler) event(id notify.ID, traceParent string) (p place, sampled bool) {
	parent, of := notify.ParseTraceParent(traceParent)
	if of && !parent.Sampled || !of && s.bound == 0 { // nearly all: it costs nothing
		return place{}, false
	}
	sum := sha256.Sum256(append([]byte("onmyway event "), id[:]...))
	copy(p.span[:], sum[16:])
	if of {
		p.trace, p.parent = parent.Trace, parent.Span
		return p, true
	}
	copy(p.trace[:], sum[:16])
	return p, s.takes(p.trace)
}

// under is a new span below another.
func under(p place) place {
	return place{trace: p.trace, parent: p.span, span: newSpanID()}
}

// call is where the span of a REST call stands.
func (s sampler) call(parent notify.TraceParent, of bool) (p place, sampled bool) {
	p = place{trace: parent.Trace, parent: parent.Span, span: newSpanID()}
	if of {
		return p, parent.Sampled
	}
	_, _ = rand.Read(p.trace[:]) // never fails
	return p, s.takes(p.trace)
}

func newSpanID() (id trace.SpanID) {
	for !id.IsValid() {
		_, _ = rand.Read(id[:]) // never fails
	}
	return id
}

// givenIDs gives a span the ids that its context carries: they were fixed before the span is made.
type givenIDs struct{}

type placeKey struct{}

// context is one in which the SDK begins a span at p.
func (p place) context() context.Context {
	ctx := context.WithValue(context.Background(), placeKey{}, p)
	if !p.parent.IsValid() {
		return ctx
	}
	return trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: p.trace, SpanID: p.parent, TraceFlags: trace.FlagsSampled, Remote: true,
	}))
}

// NewIDs implements the SDK's IDGenerator for the root of a trace.
func (givenIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	p := ctx.Value(placeKey{}).(place)
	return p.trace, p.span
}

// NewSpanID implements the SDK's IDGenerator for a span with a parent.
func (givenIDs) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	return ctx.Value(placeKey{}).(place).span
}
