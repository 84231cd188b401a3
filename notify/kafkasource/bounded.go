package kafkasource

import (
	"context"
	"net"
	"time"
)

// bounded is a connection on which nothing waits for ever. kafka-go authenticates and asks for versions without a
// deadline, so a broker that accepts and then says nothing would hold a worker until the process ends. Where kafka-go sets
// no deadline, bounded sets answerTimeout from then. kafka-go does so before every request, so an idle connection is not
// harmed.
type bounded struct{ net.Conn }

func dialBounded(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	return bounded{conn}, nil
}

func (c bounded) SetDeadline(t time.Time) error      { return c.Conn.SetDeadline(within(t)) }
func (c bounded) SetReadDeadline(t time.Time) error  { return c.Conn.SetReadDeadline(within(t)) }
func (c bounded) SetWriteDeadline(t time.Time) error { return c.Conn.SetWriteDeadline(within(t)) }

func within(t time.Time) time.Time {
	if t.IsZero() {
		return time.Now().Add(answerTimeout)
	}
	return t
}

// sleep waits for d and tells whether ctx is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
