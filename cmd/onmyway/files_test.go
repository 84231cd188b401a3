package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestShareFiles: what is asked for is given while it fits, and nobody's share is ever empty.
func TestShareFiles(t *testing.T) {
	tests := map[string]struct {
		allowed int
		want    fileShares
	}{
		"as many as anybody wants": {1 << 20, fileShares{1 << 20, 1<<20 - 292, 10_000, 32}},
		"exactly enough":           {10_792, fileShares{10_792, 10_500, 10_000, 32}},
		"one too few":              {10_791, fileShares{10_791, 10_499, 9_999, 32}},
		"a usual limit":            {1024, fileShares{1024, 732, 549, 32}},
		"few":                      {128, fileShares{128, 64, 48, 16}},
		"very few":                 {16, fileShares{16, 8, 6, 2}},
	}
	cfg := defaultConfig()
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, shareFiles(tt.allowed, &cfg), cmp.AllowUnexported(fileShares{})); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
	if need := filesFor(&cfg); shareFiles(need, &cfg).sockets != cfg.HTTP.MaxSockets || shareFiles(need-1, &cfg).sockets == cfg.HTTP.MaxSockets {
		t.Errorf("%d files are said to be needed", need)
	}
}
