package websocket

import (
	"errors"
	"io"
	"math"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/gobwas/ws"
)

// messages are the buffers of messages that are being read: an idle socket has none.
var messages = sync.Pool{New: func() any { return new([]byte) }}

// chunk is how much memory a frame gets ahead of its bytes: the length that a client announces is not believed.
const chunk = 4 << 10

// read reads messages and answers them until the connection ends (stay) or the client must be disconnected.
func (s *socket) read() disconnect {
	var parts *[]byte // of a fragmented message
	defer func() {
		if parts != nil {
			messages.Put(parts)
		}
	}()
	for {
		// The goroutine spends its life in this line. From here it fits into a stack of 2 kB; four calls deeper, where a
		// header is read, it would not, and stacks of 4 kB never shrink.
		if _, err := s.in.Peek(ws.MinHeaderSize); err != nil {
			return stay
		}
		h, d := s.header(parts != nil)
		if d != stay || h.OpCode == endOfInput {
			return d
		}
		if h.OpCode.IsControl() {
			if d := s.control(h); d != stay {
				return d
			}
			continue
		}
		if parts == nil {
			parts = messages.Get().(*[]byte)
			*parts = (*parts)[:0]
		}
		if d, ok := s.payload(h, parts, s.hub.cfg.MaxFrame); !ok {
			return d
		}
		if !h.Fin {
			continue
		}
		d = s.message(*parts)
		messages.Put(parts)
		parts = nil
		if d != stay {
			return d
		}
	}
}

// endOfInput stands for an opcode when the connection has ended.
const endOfInput ws.OpCode = 0xff

// header reads and checks the head of a frame.
func (s *socket) header(fragmented bool) (ws.Header, disconnect) {
	h, err := s.frameHeader()
	if errors.Is(err, ws.ErrHeaderLengthMSB) {
		return h, protocolError
	}
	if err != nil {
		h.OpCode = endOfInput
		return h, stay
	}
	state := ws.StateServerSide
	if fragmented {
		state = state.Set(ws.StateFragmented)
	}
	switch {
	case ws.CheckHeader(h, state) != nil:
		return h, protocolError
	case !s.spend(time.Now()):
		return h, tooManyRequests
	case h.OpCode.IsData() && h.OpCode != ws.OpContinuation && h.OpCode != s.codec.opcode():
		return h, badRequest
	}
	return h, stay
}

// frameHeader reads the head of a frame. Behind one that announces a length beyond all reason, nothing is a frame any more.
func (s *socket) frameHeader() (ws.Header, error) {
	h, err := ws.ReadHeaderBuffer(s.in, s.head[:])
	s.unread = h.Length
	if errors.Is(err, ws.ErrHeaderLengthMSB) {
		s.unread = math.MaxInt64
	}
	return h, err
}

// payload appends the payload of a frame to dst, unmasked. It is not ok when the connection ended (stay) or dst would
// grow beyond limit.
func (s *socket) payload(h ws.Header, dst *[]byte, limit int) (d disconnect, ok bool) {
	if h.Length > int64(limit-len(*dst)) {
		return tooBig, false
	}
	start := len(*dst)
	for rest := int(h.Length); rest > 0; {
		n, at := min(rest, chunk), len(*dst)
		*dst = append(*dst, make([]byte, n)...)
		if _, err := io.ReadFull(s.in, (*dst)[at:]); err != nil {
			return stay, false
		}
		rest -= n
	}
	s.unread = 0
	ws.Cipher((*dst)[start:], h.Mask, 0)
	return stay, true
}

// control answers a control frame.
func (s *socket) control(h ws.Header) disconnect {
	p := messages.Get().(*[]byte)
	defer messages.Put(p)
	*p = (*p)[:0]
	if d, ok := s.payload(h, p, ws.MaxControlFramePayloadSize); !ok {
		return d // a broken connection shows itself again at the next frame
	}
	switch h.OpCode {
	case ws.OpPing:
		s.send(ws.MustCompileFrame(ws.NewPongFrame(*p)))
	case ws.OpClose:
		return s.goodbye(*p)
	}
	return stay
}

// goodbye is how we answer the close frame of the client: with its own code, if that is one that may be sent.
func (s *socket) goodbye(payload []byte) disconnect {
	s.leaves()
	if len(payload) == 0 {
		return farewell
	}
	code, reason := ws.ParseCloseFrameData(payload)
	if len(payload) < 2 || ws.CheckCloseFrameData(code, reason) != nil {
		return protocolError
	}
	return disconnect{code, farewell.reason}
}

// message answers a message. A pong is taken at once; anything else is handled in a goroutine of its own, because a
// deep call would leave this one, which stays, with a large stack.
func (s *socket) message(p []byte) (d disconnect) {
	if s.ended() {
		return stay
	}
	if s.codec.isPong(p) {
		return s.ponged()
	}
	if s.codec.opcode() == ws.OpText && !utf8.Valid(p) {
		return invalidText
	}
	done := make(chan disconnect)
	go func() { done <- s.handle(p) }()
	return <-done
}
