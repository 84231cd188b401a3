package redisstore

import (
	"context"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"onmyway/notify"
)

// How long things are remembered. Forgetting costs one SQL query.
const (
	seenFor    = 48 * time.Hour   // longer than a consumer group that is down over a weekend's end re-reads
	headFor    = 24 * time.Hour   // most orders move daily
	profileFor = 60 * time.Second // how long a change that did not reach Redis may go unseen
)

// perScript is how many values one script call compares and sets. Redis does nothing else meanwhile; a hundred take it
// about a third of a millisecond.
const perScript = 100

// What most values need, in bytes: a profile with one browser, a head without its facts.
const (
	usualProfile = 448
	usualHead    = 128
)

// setNewer sets each key to its value unless the key holds a higher version, which is the first 19 digits of a value.
// ARGV[1] is how many seconds to remember, ARGV[i+1] the value of KEYS[i].
var setNewer = redis.NewScript(`
for i, key in ipairs(KEYS) do
  local value = ARGV[i + 1]
  if redis.call('GETRANGE', key, 0, 18) <= string.sub(value, 1, 19) then
    redis.call('SET', key, value, 'EX', ARGV[1])
  end
end
return 0`)

func (s *Store) seenKey(id notify.ID) string        { return s.prefix + "e:" + string(id[:]) }
func (s *Store) profileKey(customer string) string  { return s.prefix + "c:" + customer }
func (s *Store) presenceKey(customer string) string { return s.prefix + "p:" + customer }
func (s *Store) headKey(o notify.OrderLine) string {
	return s.prefix + "o:" + string(o.Line) + ":" + o.OrderID
}

// Look asks for everything in one pipeline. On an error everything in l is a miss. While Redis is left alone after it
// did not answer, the error is ErrDown, at once.
func (s *Store) Look(ctx context.Context, l *notify.Look) error {
	forget(l)
	n := len(l.Events) + len(l.Customers) + len(l.Orders) + len(l.Present)
	if n == 0 {
		return nil
	}
	keys := make([]string, 0, n)
	for _, id := range l.Events {
		keys = append(keys, s.seenKey(id))
	}
	for _, c := range l.Customers {
		keys = append(keys, s.profileKey(c))
	}
	for _, o := range l.Orders {
		keys = append(keys, s.headKey(o))
	}
	for i := range l.Present {
		keys = append(keys, s.presenceKey(l.Customers[i]))
	}
	var found []any
	err := s.try(ctx, n, func(ctx context.Context) (err error) {
		found, err = s.client.MGet(ctx, keys...).Result()
		return err
	})
	if err != nil {
		return fmt.Errorf("look up %d keys in redis: %w", n, err)
	}
	if len(found) != n {
		return fmt.Errorf("look up %d keys in redis: got %d answers", n, len(found))
	}
	answer(l, found)
	return nil
}

// forget makes every answer of l a miss.
func forget(l *notify.Look) {
	clear(l.Seen)
	clear(l.Present)
	for i, id := range l.Customers {
		l.Profiles[i] = notify.Profile{Customer: notify.Customer{ID: id}}
	}
	for i, o := range l.Orders {
		l.Heads[i] = notify.Head{OrderID: o.OrderID, Line: o.Line}
	}
}

// answer fills l from what was found, in the order of the question. A value that cannot be read, or is about somebody
// else, is a miss.
func answer(l *notify.Look, found []any) {
	for i := range l.Events {
		l.Seen[i] = found[i] != nil
	}
	found = found[len(l.Events):]
	for i, id := range l.Customers {
		var p notify.Profile
		if value, ok := found[i].(string); ok && parseProfile(value, &p) && p.ID == id {
			l.Profiles[i] = p
		}
	}
	found = found[len(l.Customers):]
	for i, o := range l.Orders {
		var h notify.Head
		if value, ok := found[i].(string); ok && parseHead(value, &h) && h.OrderID == o.OrderID && h.Line == o.Line {
			l.Heads[i] = h
		}
	}
	found = found[len(l.Orders):]
	for i := range l.Present {
		l.Present[i] = found[i] != nil
	}
}

// Mark remembers m.Events as seen, and m.Profiles and m.Heads under their own ids, in one pipeline. A profile or head of
// version 0 is not stored in SQL and not remembered; of the same version the later one stays. Heads are simply set: a
// comparison costs Redis more than all the rest, and a wrong head costs one repeated decision.
func (s *Store) Mark(ctx context.Context, m *notify.Look) error {
	sets := s.newer(m.Profiles)
	n := len(m.Events) + len(m.Profiles) + len(m.Heads)
	if n == 0 {
		return nil
	}
	err := s.try(ctx, n, func(ctx context.Context) error {
		err := s.mark(ctx, m, sets, setNewer.EvalSha)
		if redis.HasErrorPrefix(err, "NOSCRIPT") {
			// A Redis that is new or was flushed does not know the script: send it whole. The rest is marked already.
			err = s.mark(ctx, &notify.Look{}, sets, setNewer.Eval)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("remember %d keys in redis: %w", n, err)
	}
	return nil
}

// PutProfile remembers what the API just wrote, so that the next event of the customer sees it.
func (s *Store) PutProfile(ctx context.Context, p notify.Profile) error {
	return s.Mark(ctx, &notify.Look{Profiles: []notify.Profile{p}})
}

// set is one call of setNewer.
type set struct {
	keys []string
	args []any // the seconds, then a value for every key
}

// newer sorts profiles into calls of perScript keys.
func (s *Store) newer(profiles []notify.Profile) []set {
	var sets []set
	for i := range profiles {
		p := &profiles[i]
		if p.Version == 0 {
			continue
		}
		if k := len(sets); k == 0 || len(sets[k-1].keys) == perScript {
			sets = append(sets, set{args: []any{int64(profileFor / time.Second)}})
		}
		last := &sets[len(sets)-1]
		last.keys = append(last.keys, s.profileKey(p.ID))
		last.args = append(last.args, appendProfile(make([]byte, 0, usualProfile), p))
	}
	return sets
}

type eval func(ctx context.Context, c redis.Scripter, keys []string, args ...any) *redis.Cmd

func (s *Store) mark(ctx context.Context, m *notify.Look, sets []set, run eval) error {
	pipe := s.client.Pipeline()
	for _, id := range m.Events {
		pipe.Set(ctx, s.seenKey(id), "", seenFor)
	}
	for i := range m.Heads {
		if h := &m.Heads[i]; h.Version > 0 {
			key := s.headKey(notify.OrderLine{OrderID: h.OrderID, Line: h.Line})
			pipe.Set(ctx, key, appendHead(make([]byte, 0, usualHead+len(h.Facts)), h), headFor)
		}
	}
	for _, set := range sets {
		run(ctx, pipe, set.keys, set.args...)
	}
	_, err := pipe.Exec(ctx) // the first error of all
	return err
}
