package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"onmyway/notify"
)

var _ notify.Allowance = (*Store)(nil)

// reserve is the generic cell rate algorithm. Of a bucket it keeps one number: when it would be full again. The clock is that
// of Redis, because those of the processes differ. Times are in microseconds; as numbers they are exact up to 2^53.
// The number lives longer than it is needed: a Redis that expires keys a little early must not give a burst more.
var reserve = redis.NewScript(`
local gap, burst, want = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
full = math.min(full, now + burst * gap)
local room = now + burst * gap - full
local got = math.min(want, math.floor(room / gap))
if got < 1 then
	return {0, gap - room}
end
full = full + got * gap
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 60000)
return {got, 0}
`)

var errReserve = errors.New("redis did not answer as the script does")

// Reserve implements notify.Allowance. A limit that is asked for at another rate goes on from where it is. Redis that lost
// its data gives one burst more.
func (s *Store) Reserve(ctx context.Context, name string, r notify.Rate, n int) (got int, wait time.Duration, err error) {
	gap := max(r.Gap().Microseconds(), 1)
	err = s.try(ctx, 1, func(ctx context.Context) error {
		answer, err := reserve.Run(ctx, s.client, []string{s.prefix + "rate:" + name}, gap, r.Burst, n).Int64Slice()
		if err != nil {
			return err
		}
		if len(answer) != 2 {
			return errReserve
		}
		got, wait = int(answer[0]), time.Duration(answer[1])*time.Microsecond
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("reserve a part of the limit of %s: %w", name, err)
	}
	return got, wait, nil
}
