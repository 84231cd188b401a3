package sqlstore_test

import (
	"testing"
	"time"
)

// TestInspect asks databases before and after their schema is made.
func TestInspect(t *testing.T) {
	for name, newDatabase := range engines {
		t.Run(name, func(t *testing.T) {
			s := open(t, newDatabase(t))
			seen, err := s.Inspect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !seen.Writable || seen.Version == "" || seen.Took <= 0 {
				t.Errorf("saw %+v", seen)
			}
			if name == "sqlite" && (seen.Engine != "SQLite" || !seen.Clock.IsZero() || seen.Free != -1) {
				t.Errorf("SQLite has neither a clock nor connections: %+v", seen)
			}
			if name == "postgres" && (seen.Engine != "PostgreSQL" || time.Since(seen.Clock).Abs() > time.Minute || seen.Free < 0) {
				t.Errorf("saw %+v", seen)
			}
		})
	}
}
