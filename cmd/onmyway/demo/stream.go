package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// update is one change of the page: a region and its new HTML or values.
type update struct {
	Region string `json:"region"`
	ID     string `json:"id,omitempty"` // of the card, for region "card"
	HTML   string `json:"html,omitempty"`
	Kind   string `json:"kind,omitempty"` // of the note, for region "note"
	Values any    `json:"values,omitempty"`
}

const (
	mostViewers = 32  // pages open at once
	viewerQueue = 256 // updates that may wait for one page: a slower one is cut, comes back and gets everything anew
	aliveEvery  = 15 * time.Second
)

// stream hands updates to all open pages, as server-sent events.
type stream struct {
	mu      sync.Mutex
	viewers map[chan []byte]bool
}

func newStream() *stream { return &stream{viewers: map[chan []byte]bool{}} }

// emit encodes an update once for all pages.
func (s *stream) emit(u update) {
	b := encode(u)
	s.mu.Lock()
	defer s.mu.Unlock()
	for v := range s.viewers {
		select {
		case v <- b:
		default:
			delete(s.viewers, v)
			close(v)
		}
	}
}

func encode(u update) []byte {
	b, err := json.Marshal(u)
	if err != nil {
		panic("demo: an update is made of strings and numbers: " + err.Error())
	}
	return fmt.Appendf(nil, "data: %s\n\n", b)
}

// join adds a page; nil when there are too many.
func (s *stream) join() chan []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.viewers) >= mostViewers {
		return nil
	}
	v := make(chan []byte, viewerQueue)
	s.viewers[v] = true
	return v
}

func (s *stream) leave(v chan []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.viewers[v] {
		delete(s.viewers, v)
		close(v)
	}
}

// serve sends first, which is everything as it is now, and then every update until the page goes. join must have come
// before first was made, so that nothing is missing between them.
func serveStream(w http.ResponseWriter, r *http.Request, v chan []byte, first []update) {
	w.Header().Set("Content-Type", "text/event-stream")
	rc := http.NewResponseController(w)
	for _, u := range first {
		if _, err := w.Write(encode(u)); err != nil {
			return
		}
	}
	alive := time.NewTicker(aliveEvery)
	defer alive.Stop()
	for rc.Flush() == nil {
		var b []byte
		var open bool
		select {
		case <-r.Context().Done():
			return
		case <-alive.C:
			b = []byte(":\n\n")
		case b, open = <-v:
			if !open {
				return
			}
		}
		if _, err := w.Write(b); err != nil {
			return
		}
	}
}
