package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
)

// tick is how often keys expire. miniredis can follow the clock by itself, but then it walks over all keys with a time
// to live at every command.
const tick = time.Second

// RedisServer is a Redis in this process. It forgets everything when it ends.
type RedisServer struct {
	Addr   string // host:port
	redis  *miniredis.Miniredis
	stop   chan struct{}
	ticker sync.WaitGroup
	once   sync.Once
}

// Redis starts a server on a loopback address; port 0 takes a free one.
func Redis(ctx context.Context, addr string) (*RedisServer, error) {
	at, err := loopback(ctx, addr)
	if err != nil {
		return nil, fmt.Errorf("the embedded Redis: %w", err)
	}
	m := miniredis.NewMiniRedis()
	if err := m.StartAddr(at.String()); err != nil {
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	r := &RedisServer{Addr: m.Addr(), redis: m, stop: make(chan struct{})}
	r.ticker.Go(r.expire)
	return r, nil
}

// expire lets times to live run: miniredis stops its clock unless somebody moves it.
func (r *RedisServer) expire() {
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case <-t.C:
			now := time.Now()
			r.redis.FastForward(now.Sub(last))
			last = now
		}
	}
}

// Close stops the server and cuts its clients off.
func (r *RedisServer) Close() {
	r.once.Do(func() {
		close(r.stop)
		r.ticker.Wait()
		r.redis.Close()
	})
}
