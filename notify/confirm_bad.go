//go:build bad_redis_first

package notify

import "context"

// confirm believes the cache, and lets it remember events before SQL has them. The fault-injection harness must find out
// that a crash in between loses them.
func (b *round) confirm(ctx context.Context) error {
	b.work = b.work[:0]
	clear(b.taken)
	var l Look
	for i, seen := range b.look.Seen {
		if id := b.events[i].ID; !seen && !b.taken[id] {
			b.taken[id] = true
			b.work, l.Events = append(b.work, &b.events[i]), append(l.Events, id)
		}
	}
	_ = b.Cache.Mark(ctx, &l)
	return nil
}
