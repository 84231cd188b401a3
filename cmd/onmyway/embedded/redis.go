package embedded

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/proto"
)

// How times to live run. miniredis walks over all keys for that, sorted, and answers nobody meanwhile: 100,000 of them take it 0.1 s.
// So it walks the less often the more there are, and stands still for a five-hundredth of the time at most.
const (
	tick       = time.Second
	walkedOver = 2_000 // keys in each tick
	// mostKeys are kept. Of more all are forgotten, as by a Redis that is full: what is there can be lost.
	mostKeys = 100_000
)

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
	inside, err := m.Dial()
	if err != nil {
		m.Close()
		return nil, fmt.Errorf("start the embedded Redis: %w", err)
	}
	r := &RedisServer{Addr: m.Addr(), redis: m, stop: make(chan struct{})}
	r.ticker.Go(func() { r.expire(proto.NewClient(inside)) })
	return r, nil
}

// expire lets times to live run: miniredis stops its clock unless somebody moves it. It can follow the clock by itself, but then it
// walks at every command.
func (r *RedisServer) expire(inside *proto.Client) {
	defer inside.Close()
	t := time.NewTicker(tick)
	defer t.Stop()
	last := time.Now()
	for {
		select {
		case <-r.stop:
			return
		case now := <-t.C:
			keys := count(inside)
			if keys > mostKeys {
				r.redis.FlushAll()
			}
			if now.Sub(last) >= tick*time.Duration(keys)/walkedOver {
				r.redis.FastForward(now.Sub(last))
				last = now
			}
		}
	}
}

// count is how many keys there are; 0 when that can't be told.
func count(inside *proto.Client) int {
	answer, err := inside.Do("DBSIZE")
	if err != nil {
		return 0
	}
	n, _ := strconv.Atoi(strings.Trim(answer, ":\r\n"))
	return n
}

// Close stops the server and cuts its clients off.
func (r *RedisServer) Close() {
	r.once.Do(func() {
		close(r.stop)
		r.ticker.Wait()
		r.redis.Close()
	})
}
