package demo

import "context"

// Play x
func Play(ctx context.Context, o Options) error { return nil }
