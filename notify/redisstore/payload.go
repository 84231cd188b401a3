package redisstore

import (
	"onmyway/notify"
)

// node names one Bus, so that it knows its own payloads.
type node [8]byte

// A payload is one byte for its layout and one for its kind, then the node that sent it, then for kindLive the
// publications: customer, order and data of each, with their lengths.
const (
	payloadLayout = 1
	kindLive      = 1 // publications
	kindGap       = 2 // nothing: the sender's publications may have been missed
	payloadHead   = 2 + len(node{})
)

func appendGap(b []byte, from node) []byte {
	b = append(b, payloadLayout, kindGap)
	return append(b, from[:]...)
}

func appendPublications(b []byte, from node, ps []notify.Publication) []byte {
	size := payloadHead
	for i := range ps {
		size += len(ps[i].Customer) + len(ps[i].OrderID) + len(ps[i].Data) + 8
	}
	if cap(b) < size {
		b = make([]byte, 0, size)
	}
	b = append(b, payloadLayout, kindLive)
	b = append(b, from[:]...)
	for i := range ps {
		b = appendString(b, ps[i].Customer)
		b = appendString(b, ps[i].OrderID)
		b = appendString(b, ps[i].Data)
	}
	return b
}

// parsePayload reads what a node sent: its publications, or none for a gap. ok is false for what cannot be read; from is
// then the node if at least that can be told.
func parsePayload(payload string) (from node, ps []notify.Publication, ok bool) {
	if len(payload) < payloadHead {
		return node{}, nil, false
	}
	copy(from[:], payload[2:payloadHead])
	p := pieces{rest: payload[payloadHead:]}
	switch {
	case payload[0] != payloadLayout:
		return from, nil, false
	case payload[1] == kindGap:
		return from, nil, p.done()
	case payload[1] != kindLive || p.done():
		return from, nil, false
	}
	for p.rest != "" {
		ps = append(ps, notify.Publication{Customer: p.string(), OrderID: p.string(), Data: p.bytes()})
	}
	if p.bad {
		return from, nil, false
	}
	return from, ps, true
}
