package websocket

import (
	"sync"
	"time"
)

// outbox is what waits to be written to a socket. Its mutex also guards what both the reader and the wheel look at.
type outbox struct {
	mu      sync.Mutex
	frames  [][]byte // shared with other sockets: read only
	bytes   int      // of frames and of what is being written
	flying  int      // of what is being written
	writing bool     // a writer runs, or the caller who was told to start one will
	ending  bool     // the last frame is a close frame, or the connection is gone: nothing joins
	closed  bool     // our close frame has left
	left    bool     // the client's close frame has come
}

// closeGrace is how long a client may take to answer our close frame. Closing the connection at once could destroy the
// frame on its way and, with it, the code that tells the client not to come back.
const closeGrace = 2 * time.Second

// buffer joins the frames that leave in one write. 16 kB is about 32 publications: the cost of the system call is
// spread thin by then.
type buffer struct{ bytes *[16 << 10]byte }

var writeBuffers = sync.Pool{New: func() any { return new([16 << 10]byte) }}

// join copies the first frames together, as many as there is room for, and tells how many. A writer that has nothing to
// join never has a buffer.
func (b *buffer) join(frames [][]byte) (p []byte, n int) {
	if b.bytes == nil {
		b.bytes = writeBuffers.Get().(*[16 << 10]byte)
	}
	p = b.bytes[:0]
	for n < len(frames) && len(p)+len(frames[n]) <= len(b.bytes) {
		p = append(p, frames[n]...)
		n++
	}
	return p, n
}

func (b *buffer) free() {
	if b.bytes != nil {
		writeBuffers.Put(b.bytes)
	}
}

// queue puts a frame into the outbox and tells whether the caller must start write: it does so for the first frame after
// the outbox was empty. A socket whose outbox is full loses what waits and is disconnected.
func (s *socket) queue(frame []byte) (start bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ending {
		return false
	}
	if s.bytes+len(frame) > s.hub.cfg.QueueBytes {
		s.frames, s.bytes = nil, s.flying
		return s.end(slow)
	}
	return s.push(frame)
}

// send queues a frame and starts the writer.
func (s *socket) send(frame []byte) {
	if s.queue(frame) {
		go s.write()
	}
}

// disconnect closes the socket after what waits was written. Only the first call counts.
func (s *socket) disconnect(d disconnect) {
	s.mu.Lock()
	start := !s.ending && s.end(d)
	s.mu.Unlock()
	if start {
		go s.write()
	}
}

// end makes a close frame the last one. The caller holds the lock.
func (s *socket) end(d disconnect) (start bool) {
	s.ending = true
	s.why = d
	return s.push(d.frame())
}

// push appends a frame. The caller holds the lock. A writer is counted while its socket still is, so that Close waits
// for it.
func (s *socket) push(frame []byte) (start bool) {
	s.frames = append(s.frames, frame)
	s.bytes += len(frame)
	if s.writing {
		return false
	}
	s.writing = true
	s.hub.running.Add(1)
	return true
}

// write writes until nothing waits.
func (s *socket) write() {
	defer s.hub.running.Done()
	var b buffer
	defer b.free()
	for {
		p, last := s.batch(&b)
		if p == nil {
			return
		}
		err := s.conn.SetWriteDeadline(time.Now().Add(s.hub.cfg.WriteTimeout))
		if err == nil {
			_, err = s.conn.Write(p)
		}
		if err != nil {
			s.abandon()
			return
		}
		if last {
			s.linger()
			return
		}
	}
}

// batch takes the bytes of the next write out of the outbox: a single frame as it is, several joined in b. Last means
// that they end with our close frame.
func (s *socket) batch(b *buffer) (p []byte, last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes -= s.flying
	s.flying = 0
	if len(s.frames) == 0 {
		s.writing = false
		return nil, false
	}
	n := 1
	if len(s.frames) > 1 {
		p, n = b.join(s.frames)
	}
	if n <= 1 { // alone, or too big to be joined
		p, n = s.frames[0], 1
	}
	s.flying = len(p)
	s.shift(n)
	return p, s.ending && len(s.frames) == 0
}

// shift drops the first n frames. A queue that ran empty keeps room for few: most sockets are idle most of the time.
func (s *socket) shift(n int) {
	rest := copy(s.frames, s.frames[n:])
	clear(s.frames[rest:])
	s.frames = s.frames[:rest]
	if rest == 0 && cap(s.frames) > 4 {
		s.frames = nil
	}
}

// linger waits, in the reader, for the client's close frame, or closes when it has come.
func (s *socket) linger() {
	s.mu.Lock()
	s.closed = true
	left := s.left
	s.mu.Unlock()
	if left {
		s.conn.Close()
		return
	}
	if s.conn.SetReadDeadline(time.Now().Add(closeGrace)) != nil {
		s.conn.Close()
	}
}

// abandon gives the connection up. The reader notices.
func (s *socket) abandon() {
	s.mu.Lock()
	s.ending = true
	s.frames = nil
	s.mu.Unlock()
	s.conn.Close()
}
