package main

import (
	"errors"
	"fmt"
	"time"

	"onmyway/notify"
)

// leastKept is for how long dead letters and idempotency keys must be kept at least: somebody has to find the one, and a
// caller to try again with the other.
const leastKept = 24 * time.Hour

// check names everything that is wrong.
func (c *RetentionConfig) check() error {
	var errs []error
	for _, k := range []struct {
		key         string
		keep, least time.Duration
		why         string
	}{
		{"retention.messages", c.Messages, notify.LeastKept, "an event that comes from Kafka again after its row has left must be too old to be told again"},
		{"retention.dead_letters", c.DeadLetters, leastKept, "somebody has to find them"},
		{"retention.idempotency", c.Idempotency, leastKept, "a caller that tries again must not send twice"},
	} {
		if k.keep != 0 && k.keep < k.least {
			errs = append(errs, fmt.Errorf("%s must be 0, for ever, or at least %gh: %s", k.key, k.least.Hours(), k.why))
		}
	}
	return errors.Join(errs...)
}

// keep is how long the rows of each table stay.
func (c *RetentionConfig) keep() map[notify.Kept]time.Duration {
	return map[notify.Kept]time.Duration{
		notify.KeptMessages: c.Messages, notify.KeptEvents: c.Messages,
		notify.KeptLetters: c.DeadLetters, notify.KeptAnswers: c.Idempotency,
	}
}

// newRetention lets old rows leave.
func (s *service) newRetention(hooks *notify.Hooks) *notify.Retention {
	return &notify.Retention{
		Store: s.engines.store, Keep: s.cfg.Retention.keep(), Hooks: hooks, Log: s.log, SQL: s.engines.outages.sql, Now: time.Now,
	}
}
