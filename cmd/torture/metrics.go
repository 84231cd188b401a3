package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// figure names samples of a metric: those of its name that have all of some labels.
type figure struct {
	metric string
	labels []string // such as `reason="stale"`
}

func (f figure) matches(line string) bool {
	if !strings.HasPrefix(line, f.metric+"{") && !strings.HasPrefix(line, f.metric+" ") {
		return false
	}
	return !slices.ContainsFunc(f.labels, func(l string) bool { return !strings.Contains(line, l) })
}

// The figures that the rare paths of scenarios leave behind.
var (
	repeats    = figure{"onmyway_events_total", []string{`outcome="repeated"`}}
	stale      = figure{"onmyway_messages_total", []string{`reason="stale"`, `state="suppressed"`}}
	superseded = figure{"onmyway_messages_total", []string{`reason="superseded"`, `state="suppressed"`}}
	confirmed  = figure{"onmyway_settlements_total", []string{`state="accepted"`}}
	reported   = figure{"onmyway_settlements_total", nil}
	returned   = figure{"onmyway_settlements_total", []string{`state="pending"`}}
	heapInUse  = figure{"go_memstats_heap_inuse_bytes", nil}
	goroutines = figure{"go_goroutines", nil}
	openFiles  = figure{"process_open_fds", nil}
	resident   = figure{"process_resident_memory_bytes", nil}
)

// carried are the figures that a process takes along when it is killed: the harness asks for them just before.
var carried = []figure{repeats, stale, confirmed, reported, returned}

// metricsPage reads all metrics of the process.
func (n *node) metricsPage(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.private()+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := prober.Do(req)
	if err != nil {
		return "", fmt.Errorf("ask for metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return "", fmt.Errorf("read metrics: %w", err)
	}
	return string(b), nil
}

// sum adds up the samples of a figure.
func (f figure) sum(page string) (sum float64) {
	for line := range strings.Lines(page) {
		if f.matches(line) {
			v, _ := strconv.ParseFloat(strings.TrimSpace(line[strings.LastIndexByte(line, ' ')+1:]), 64)
			sum += v
		}
	}
	return sum
}

// metric reads a figure of this life of the process; 0 when it does not answer.
func (n *node) metric(ctx context.Context, f figure) float64 {
	page, err := n.metricsPage(ctx)
	if err != nil {
		return 0
	}
	return f.sum(page)
}

// remember keeps what the process has counted, before it dies.
func (n *node) remember() {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	page, err := n.metricsPage(ctx)
	if err != nil {
		return
	}
	for i, f := range carried {
		n.past[i] += f.sum(page)
	}
}

// metrics adds up a figure over all processes: of those that run now, and of former lives where it is among carried.
func (w *world) metrics(ctx context.Context, f figure) (sum float64) {
	for _, n := range w.nodes {
		for i := range carried {
			if carried[i].metric == f.metric && slices.Equal(carried[i].labels, f.labels) {
				sum += n.past[i]
			}
		}
		if n.running() {
			sum += n.metric(ctx, f)
		}
	}
	return sum
}
