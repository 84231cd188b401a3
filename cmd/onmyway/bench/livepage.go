package bench

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"

	"github.com/gobwas/ws"

	"onmyway/notify"
)

// page is one live page that somebody has open.
type page struct {
	conn net.Conn
	in   *bufio.Reader
	text []byte // of the frame that was read last
}

// openPage opens the page of customer c-<n> and returns when the service has welcomed it.
func openPage(ctx context.Context, url string, n int) (*page, error) {
	customer := "c-" + strconv.Itoa(n)
	token, err := notify.Tokens{Secret: []byte(tokenSecret)}.Sign(notify.Grant{CustomerID: customer, Expires: time.Now().Add(time.Hour)})
	if err != nil {
		return nil, err
	}
	dialer := ws.Dialer{Timeout: 20 * time.Second, ReadBufferSize: 1024, WriteBufferSize: 1024}
	at, silent := pageURL(url, n)
	conn, early, _, err := dialer.Dial(ctx, at)
	if err != nil {
		return nil, fmt.Errorf("open the live socket: %w", err)
	}
	p := &page{conn: conn, in: early}
	if p.in == nil {
		p.in = bufio.NewReaderSize(conn, 1024)
	}
	if silent {
		return p, nil
	}
	welcome, err := p.hello(token)
	if err != nil || !bytes.Contains(welcome, []byte(`"connect"`)) {
		_ = conn.Close() // the refusal says more
		return nil, fmt.Errorf("the live socket does not welcome: %q: %w", welcome, err)
	}
	return p, nil
}

func (p *page) hello(token string) ([]byte, error) {
	if err := p.say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token)); err != nil {
		return nil, err
	}
	_, text, err := p.frame()
	return text, err
}

// read hands on what comes, but for pings, until ctx ends or the service closes. The text is good until heard returns.
func (p *page) read(ctx context.Context, heard func(text []byte)) error {
	defer context.AfterFunc(ctx, func() { _ = p.conn.Close() })()
	defer func() { _ = p.conn.Close() }()
	for {
		op, text, err := p.frame()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return fmt.Errorf("read a live socket: %w", err)
		case op == ws.OpClose:
			return fmt.Errorf("the service closed a live socket: %q", text)
		case op == ws.OpText && string(text) == "{}": // a ping of the protocol
			if err := p.say("{}"); err != nil {
				return err
			}
		case op == ws.OpText:
			heard(text)
		}
	}
}

// frame reads the next one, whole. The service masks nothing and cuts nothing into pieces. It makes no garbage, because
// others count theirs in the same process.
func (p *page) frame() (ws.OpCode, []byte, error) {
	head, err := p.in.Peek(2)
	if err != nil {
		return 0, nil, err
	}
	op, length, more := ws.OpCode(head[0]&0x0f), uint64(head[1]), 0
	switch length {
	case 126:
		more = 2
	case 127:
		more = 8
	}
	if more > 0 {
		if head, err = p.in.Peek(2 + more); err != nil {
			return 0, nil, err
		}
		length = 0
		for _, b := range head[2:] {
			length = length<<8 | uint64(b)
		}
	}
	if length > 1<<20 {
		return 0, nil, fmt.Errorf("a frame of %d bytes is too large", length)
	}
	if uint64(cap(p.text)) < length {
		p.text = make([]byte, length)
	}
	p.text = p.text[:length]
	_, _ = p.in.Discard(2 + more) // it was peeked at
	_, err = io.ReadFull(p.in, p.text)
	return op, p.text, err
}

func (p *page) say(line string) error {
	if err := ws.WriteFrame(p.conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(line)))); err != nil {
		return fmt.Errorf("write to a live socket: %w", err)
	}
	return nil
}
