package redisstore

import (
	"context"
	"fmt"
	"time"
)

// presentFor is how long a customer counts as looking at a page after it was last said: a hub says so every 20 seconds, and
// one repeat may get lost. It is also how long a page that was closed may still hold a text back.
const presentFor = 45 * time.Second

// Here remembers that customers have a live page open, in one pipeline. Look tells it to all nodes.
func (s *Store) Here(ctx context.Context, customers []string) error {
	if len(customers) == 0 {
		return nil
	}
	err := s.try(ctx, len(customers), func(ctx context.Context) error {
		pipe := s.client.Pipeline()
		for _, c := range customers {
			pipe.Set(ctx, s.presenceKey(c), "", presentFor)
		}
		_, err := pipe.Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("remember %d open pages in redis: %w", len(customers), err)
	}
	return nil
}
