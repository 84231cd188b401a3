package main

import (
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"google.golang.org/protobuf/encoding/protowire"
)

// Field numbers of OTLP (opentelemetry-proto 1.x, trace/v1/trace.proto and what it imports). They are frozen.
const (
	requestResourceSpans = 1 // ExportTraceServiceRequest

	resourceSpansResource, resourceSpansScopeSpans = 1, 2
	resourceAttributes                             = 1
	scopeSpansScope, scopeSpansSpans               = 1, 2
	scopeName                                      = 1

	spanTraceID, spanID, spanParent, spanName, spanKind = 1, 2, 4, 5, 6
	spanStart, spanEnd, spanAttributes, spanStatus      = 7, 8, 9, 15
	spanFlags                                           = 16
	statusMessage, statusCode                           = 2, 3

	keyValueKey, keyValueValue                        = 1, 2
	valueString, valueBool, valueInt                  = 1, 2, 3
	statusOK, statusError                             = 1, 2
	flagsSampled, flagsKnowsRemote, flagsParentRemote = 0x1, 0x100, 0x200
)

// appendRequest appends an ExportTraceServiceRequest. All spans are of one process and one scope.
func appendRequest(b []byte, spans []sdk.ReadOnlySpan) []byte {
	if len(spans) == 0 {
		return b
	}
	return appendMessage(b, requestResourceSpans, func(b []byte) []byte {
		b = appendMessage(b, resourceSpansResource, func(b []byte) []byte {
			return appendAttributes(b, resourceAttributes, spans[0].Resource().Attributes())
		})
		return appendMessage(b, resourceSpansScopeSpans, func(b []byte) []byte {
			b = appendMessage(b, scopeSpansScope, func(b []byte) []byte {
				return appendString(b, scopeName, spans[0].InstrumentationScope().Name)
			})
			for _, s := range spans {
				b = appendMessage(b, scopeSpansSpans, func(b []byte) []byte { return appendSpan(b, s) })
			}
			return b
		})
	})
}

func appendSpan(b []byte, s sdk.ReadOnlySpan) []byte {
	at, parent := s.SpanContext(), s.Parent()
	traceID, id := at.TraceID(), at.SpanID()
	b = appendBytes(b, spanTraceID, traceID[:])
	b = appendBytes(b, spanID, id[:])
	flags := uint32(flagsSampled | flagsKnowsRemote)
	if parent.SpanID().IsValid() {
		id := parent.SpanID()
		b = appendBytes(b, spanParent, id[:])
		flags |= flagsParentRemote
	}
	b = appendString(b, spanName, s.Name())
	b = appendNumber(b, spanKind, uint64(s.SpanKind())) // the SDK's numbers are those of OTLP
	b = appendTime(b, spanStart, s.StartTime())
	b = appendTime(b, spanEnd, s.EndTime())
	b = appendAttributes(b, spanAttributes, s.Attributes())
	if status := s.Status(); status.Code != codes.Unset {
		b = appendMessage(b, spanStatus, func(b []byte) []byte {
			if status.Code == codes.Ok {
				return appendNumber(b, statusCode, statusOK)
			}
			b = appendString(b, statusMessage, status.Description)
			return appendNumber(b, statusCode, statusError)
		})
	}
	b = protowire.AppendTag(b, spanFlags, protowire.Fixed32Type)
	return protowire.AppendFixed32(b, flags)
}

func appendAttributes(b []byte, field protowire.Number, list []attribute.KeyValue) []byte {
	for _, kv := range list {
		b = appendMessage(b, field, func(b []byte) []byte {
			b = appendString(b, keyValueKey, string(kv.Key))
			return appendMessage(b, keyValueValue, func(b []byte) []byte { return appendValue(b, kv.Value) })
		})
	}
	return b
}

func appendValue(b []byte, v attribute.Value) []byte {
	switch v.Type() {
	case attribute.STRING:
		return appendString(b, valueString, v.AsString())
	case attribute.BOOL:
		return appendNumber(b, valueBool, protowire.EncodeBool(v.AsBool()))
	case attribute.INT64:
		return appendNumber(b, valueInt, uint64(v.AsInt64()))
	default: // lists and fractions are in no attribute of ours, and at most in OTEL_RESOURCE_ATTRIBUTES
		return appendString(b, valueString, fmt.Sprint(v.AsInterface()))
	}
}

func appendMessage(b []byte, field protowire.Number, inner func([]byte) []byte) []byte {
	return appendBytes(b, field, inner(nil))
}

func appendBytes(b []byte, field protowire.Number, v []byte) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendBytes(b, v)
}

func appendString(b []byte, field protowire.Number, v string) []byte {
	b = protowire.AppendTag(b, field, protowire.BytesType)
	return protowire.AppendString(b, v)
}

func appendNumber(b []byte, field protowire.Number, v uint64) []byte {
	b = protowire.AppendTag(b, field, protowire.VarintType)
	return protowire.AppendVarint(b, v)
}

func appendTime(b []byte, field protowire.Number, t time.Time) []byte {
	b = protowire.AppendTag(b, field, protowire.Fixed64Type)
	return protowire.AppendFixed64(b, uint64(t.UnixNano()))
}
