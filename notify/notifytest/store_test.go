package notifytest_test

import (
	"errors"
	"testing"
	"time"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func TestStoreInMemory(t *testing.T) {
	notifytest.TestStore(t, func(t *testing.T) notifytest.Nodes {
		first := notifytest.NewStore()
		started := false
		return func(*testing.T) notifytest.Truth {
			if started {
				return first.Peer()
			}
			started = true
			return first
		}
	})
}

func TestStoreFails(t *testing.T) {
	s := notifytest.NewStore()
	broken := errors.New("broken")
	s.Fail = func(method string) error {
		if method == "Add" {
			return broken
		}
		return nil
	}
	if err := s.Add(t.Context(), &notify.Batch{Topic: "t", Next: 1, Now: time.Unix(1, 0)}); !errors.Is(err, broken) {
		t.Errorf("Add: %v, want the injected error", err)
	}
	if _, known, err := s.Position(t.Context(), "t", 0); known || err != nil {
		t.Errorf("position: known %v, %v; want nothing stored", known, err)
	}
}
