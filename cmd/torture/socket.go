package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/gobwas/ws"
)

// socket is a client of the live page, with just as much of the protocol as that takes.
type socket struct {
	conn net.Conn
	in   *bufio.Reader
}

// openSocket opens a socket at a process and proves who it is.
func openSocket(ctx context.Context, dialer ws.Dialer, url, token string) (*socket, error) {
	conn, early, _, err := dialer.Dial(ctx, strings.Replace(url, "http", "ws", 1)+"/connection/websocket")
	if err != nil {
		return nil, err
	}
	s := &socket{conn, early}
	if err := s.say(fmt.Sprintf(`{"id":1,"connect":{"token":%q}}`, token)); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

func (s *socket) say(line string) error {
	return ws.WriteFrame(s.conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(line))))
}

// listen hands over every line that the service says, and answers its pings, until the socket ends or hear fails.
func (s *socket) listen(hear func(line string) error) error {
	if s.in == nil {
		s.in = bufio.NewReaderSize(s.conn, 2048)
	}
	for {
		header, err := ws.ReadHeader(s.in)
		if err != nil {
			return err
		}
		frame := make([]byte, header.Length) // of our own service
		if _, err := io.ReadFull(s.in, frame); err != nil {
			return err
		}
		if header.OpCode == ws.OpClose {
			return errors.New("closed by the service")
		}
		for line := range strings.Lines(string(frame)) {
			if strings.TrimSpace(line) == "{}" {
				err = s.say("{}")
			} else {
				err = hear(line)
			}
			if err != nil {
				return err
			}
		}
	}
}
