package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"

	"onmyway/channels/outhttp"
	"onmyway/notify"
)

// spanExporter posts spans to a collector: OTLP 1.x over HTTP, Protobuf. OpenTelemetry's own exporter brings gRPC along even
// when it speaks HTTP, which costs this program 13 MB and a tenth of its compile time for one kind of request.
type spanExporter struct {
	address string
	headers map[string]string
	web     *http.Client
	outage  *notify.Outage
}

const (
	exportTimeout = 10 * time.Second // of one request
	exportTries   = 3
	exportPause   = time.Second // before the second try; then twice that
)

func newSpanExporter(address string, headers map[string]string, log *slog.Logger) *spanExporter {
	return &spanExporter{
		address: address, headers: headers,
		web:    outhttp.Client(outhttp.Guard{Private: true, Insecure: true}, exportTimeout),
		outage: &notify.Outage{Engine: "the trace collector", Log: log},
	}
}

// ExportSpans implements sdk.SpanExporter. What the collector does not take after some tries is lost, and the log says so
// once: spans are not worth waiting for.
func (x *spanExporter) ExportSpans(ctx context.Context, spans []sdk.ReadOnlySpan) error {
	body := appendRequest(nil, spans)
	pause := exportPause
	for try := 1; ; try++ {
		again, err := x.post(ctx, body)
		if err == nil {
			x.outage.Answered(time.Now())
			return nil
		}
		x.outage.Failed(err, time.Now())
		if !again || try == exportTries {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
			pause *= 2
		}
	}
}

// post makes one request. Again tells that the same request may succeed later: what the standard calls retryable.
func (x *spanExporter) post(ctx context.Context, body []byte) (again bool, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.address, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("tracing.endpoint is no URL")
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "onmyway/"+version)
	for name, value := range x.headers {
		req.Header.Set(name, value)
	}
	resp, err := x.web.Do(req)
	if err != nil {
		var without *url.Error // without the address, which may hold a key
		if errors.As(err, &without) {
			err = without.Err
		}
		return true, err
	}
	outhttp.Drain(resp)
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		return false, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, fmt.Errorf("it answers %d", resp.StatusCode)
	}
	return false, fmt.Errorf("it answers %d: look at tracing.endpoint and OTEL_EXPORTER_OTLP_HEADERS", resp.StatusCode)
}

// Shutdown implements sdk.SpanExporter.
func (x *spanExporter) Shutdown(context.Context) error {
	x.web.CloseIdleConnections()
	return nil
}
