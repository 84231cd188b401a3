package embedded

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/alicebob/miniredis/v2/proto"
)

// How keys expire. miniredis walks over all keys for that, and answers nobody meanwhile: 0.1 s for 100,000. So it walks the less often
// the more there are, and stands still for a two-hundredth of the time. A key may go as much too early or too late as lies between two
// walks: 20 s at most, less than anything that is kept can spare.
const (
	tick        = time.Second
	keysPerTick = 5_000
	// mostKeys are kept. Of more those are forgotten that have longest to live, which SQL is asked for then.
	mostKeys = 100_000
	keptLong = time.Hour
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
			switch keys, ok := count(inside); {
			case !ok: // it is asked again
			case keys > mostKeys:
				r.forget()
			case walks(keys, now.Sub(last)):
				r.redis.FastForward(now.Sub(last))
				last = now
			}
		}
	}
}

// forget deletes what would live long. What is kept for a moment is about who is there now, and how much was sent.
func (r *RedisServer) forget() {
	for _, key := range r.redis.Keys() {
		if r.redis.TTL(key) > keptLong {
			r.redis.Del(key)
		}
	}
}

// walks tells whether it is time for a walk over so many keys, so long after the last one.
func walks(keys int, since time.Duration) bool { return since >= tick*time.Duration(keys)/keysPerTick }

// count is how many keys there are.
func count(inside *proto.Client) (keys int, ok bool) {
	answer, err := inside.Do("DBSIZE")
	if err != nil {
		return 0, false
	}
	parsed, err := proto.Parse(answer)
	keys, ok = parsed.(int)
	return keys, ok && err == nil
}

// Close stops the server and cuts its clients off.
func (r *RedisServer) Close() {
	r.once.Do(func() {
		close(r.stop)
		r.ticker.Wait()
		r.redis.Close()
	})
}
