package kafkasource_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/segmentio/kafka-go"

	"onmyway/notify/kafkasource"
)

// A process that was killed does not leave the group. Whoever knows that it is dead frees its partitions at once.
func TestDismissFreesThePartitionsOfTheDead(t *testing.T) {
	each(t, func(t *testing.T, cfg kafkasource.Config) {
		k := open(t, cfg)
		haunt(t, cfg, "onmyway/dead")
		cfg.Member = "alive"
		alive := read(t, open(t, cfg))
		began := time.Now()
		if err := k.Dismiss(t.Context(), []string{"dead", "never was"}); err != nil {
			t.Fatal(err)
		}
		alive.until(t, "all partitions", func() bool { return len(alive.parts) == 3 })
		if d := time.Since(began); d > 5*time.Second { // the session timeout is 6 s
			t.Errorf("the partitions came after %s, as if nobody had been dismissed", d)
		}
		if err := k.Dismiss(t.Context(), []string{"dead"}); err != nil {
			t.Errorf("dismissing again: %v", err)
		}
		alive.stop(t)
	})
}

// haunt joins the group as a client that then vanishes without a word.
func haunt(t *testing.T, cfg kafkasource.Config, client string) {
	t.Helper()
	var mu sync.Mutex
	var conns []net.Conn
	dead := false
	dial := func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if dead {
			return nil, errors.New("dead")
		}
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err == nil {
			conns = append(conns, c)
		}
		return c, err
	}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: cfg.Group, Brokers: cfg.Brokers, Topics: cfg.Topics, JoinGroupBackoff: 100 * time.Millisecond,
		SessionTimeout: 6 * time.Second, Dialer: &kafka.Dialer{ClientID: client, DialFunc: dial},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for _, err = group.Next(ctx); err != nil && ctx.Err() == nil; { // a new broker refuses the first join
		_, err = group.Next(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	dead = true
	for _, c := range conns {
		c.Close()
	}
	mu.Unlock()
	_ = group.Close() // it can't leave: its way is cut
}
