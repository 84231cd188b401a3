//go:build !bad_redis_first

package notify

import (
	"context"
	"fmt"
)

// confirm leaves out what SQL has already. The cache only says what is worth asking: it never drops an event by itself.
func (b *round) confirm(ctx context.Context) error {
	b.work = b.work[:0]
	var ids []ID
	for i, seen := range b.look.Seen {
		if seen {
			ids = append(ids, b.events[i].ID)
		}
	}
	known := make([]bool, len(ids))
	if len(ids) > 0 {
		err := again(ctx, b.SQL, b.Now, func() error { return b.Store.Known(ctx, ids, known) })
		if err != nil {
			return fmt.Errorf("confirm %d events: %w", len(ids), err)
		}
	}
	clear(b.taken)
	for i, seen := range b.look.Seen {
		have := seen && known[0]
		if seen {
			known = known[1:]
		}
		if id := b.events[i].ID; !have && !b.taken[id] { // a producer that retries puts one event twice into a batch
			b.taken[id] = true
			b.work = append(b.work, &b.events[i])
		}
	}
	return nil
}
