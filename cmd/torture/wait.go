package main

import (
	"context"
	"time"
)

// wait lets time pass, and is an error when the scenario is over before.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// until asks until there is no error, and returns the last one when d or the scenario is over. It spends a fifth of the
// time on asking.
func until(ctx context.Context, d time.Duration, ask func() error) error {
	late := time.Now().Add(d)
	for {
		began := time.Now()
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(late) || ctx.Err() != nil {
			return err
		}
		if wait(ctx, max(25*time.Millisecond, 4*time.Since(began))) != nil {
			return err
		}
	}
}
