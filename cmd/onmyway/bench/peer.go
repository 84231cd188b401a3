package bench

import (
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
)

// peering compares latency with another program that brings records from Kafka to pages, such as Centrifugo.
//
// A peer is any program, most often a few lines of shell around one. It is told in its environment where Kafka is
// (ONMYWAY_BENCH_KAFKA) and which topic to read (ONMYWAY_BENCH_TOPIC), and says on a line of its standard output where a
// page connects, {customer} being whose it is, and in which header of a record it wants to read that:
//
//	{"url":"ws://127.0.0.1:8000/connection/uni_websocket?customer={customer}","header":"centrifugo-channels"}
//
// It ends when its standard input does. Pages say nothing to it: each record's value must come in one text frame.
type peering struct {
	lab        *lab
	name, path string
}

// hereIsCustomer stands in the address of a page for the customer.
const hereIsCustomer = "{customer}"

type peerAnswer struct {
	URL    string `json:"url"`
	Header string `json:"header"`
}

// peerTrials are one for each peer.
func peerTrials(peers map[string]string) (list []trial) {
	for _, name := range sortedKeys(peers) {
		list = append(list, trial{
			open: func(l *lab) rounder { return &peering{l, name, peers[name]} },
			lacks: func(*lab) string {
				if _, err := exec.LookPath(peers[name]); err != nil {
					return "its program is not there: " + err.Error()
				}
				return ""
			},
			figures: []figure{
				{"p50-" + name, "ms", "produced to shown at 1,000 events/s, half of them", name, goal{}},
				{"p99-" + name, "ms", "produced to shown at 1,000 events/s, 99 of 100", name, goal{}},
			},
		})
	}
	return list
}

func (p *peering) close() error { return nil }

func (p *peering) round(ctx context.Context, n int) (readings, error) {
	s := &steady{p.lab}
	theirs, err := s.beside(ctx, func(brokers string) (calm, error) { return p.measure(ctx, s, brokers, n) })
	if err != nil {
		return nil, err
	}
	ours, err := s.product(ctx, n)
	if err != nil {
		return nil, err
	}
	return readings{"p50-" + p.name: {ours.p50, theirs.p50}, "p99-" + p.name: {ours.p99, theirs.p99}}, nil
}

func (p *peering) measure(ctx context.Context, s *steady, brokers string, n int) (c calm, err error) {
	env := append(bare(), "ONMYWAY_BENCH_KAFKA="+brokers, "ONMYWAY_BENCH_TOPIC="+topic)
	peer, err := p.lab.launch(ctx, "peer-"+p.name, []string{p.path}, env)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, peer.close()) }()
	var at peerAnswer
	if err := peer.hear(&at); err != nil {
		return c, err
	}
	if !strings.Contains(at.URL, hereIsCustomer) {
		return c, errors.New("the peer's address of a page has no " + hereIsCustomer)
	}
	deck := s.deck(n)
	deck.Header = at.Header
	return s.run(ctx, loadTask{Deck: deck, Brokers: brokers, Socket: at.URL, Sockets: pages}, nil)
}

// pageURL is where a customer's page connects. A silent page says nothing and waits for no welcome.
func pageURL(url string, customer int) (at string, silent bool) {
	name := "c-" + strconv.Itoa(customer)
	if strings.Contains(url, hereIsCustomer) {
		return strings.ReplaceAll(url, hereIsCustomer, name), true
	}
	return url + "?customer=" + name, false
}
