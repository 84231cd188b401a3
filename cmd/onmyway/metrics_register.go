package main

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// describe notes a metric for docs/metrics.md. One that differs from another in the value of a label only is the same.
func (m *metrics) describe(kind, name, unit, help string, labels []string) {
	if !slices.ContainsFunc(m.described, func(d described) bool { return d.name == name }) {
		m.described = append(m.described, described{name, kind, unit, help, labels})
	}
}

func (m *metrics) counter(name, unit, help string, labels ...string) *prometheus.CounterVec {
	m.describe("counter", name, unit, help, labels)
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *metrics) gauge(name, unit, help string, labels ...string) *prometheus.GaugeVec {
	m.describe("gauge", name, unit, help, labels)
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *metrics) histogram(name, unit, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	m.describe("histogram", name, unit, help, labels)
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

// reading is a gauge that is read when Prometheus asks.
func (m *metrics) reading(name, unit, help string, read func() float64) {
	m.describe("gauge", name, unit, help, nil)
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// readingOf is a reading of one channel.
func (m *metrics) readingOf(name, unit, help, channel string, read func() float64) {
	m.describe("gauge", name, unit, help, []string{"channel"})
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: name, Help: help, ConstLabels: prometheus.Labels{"channel": channel},
	}, read))
}
