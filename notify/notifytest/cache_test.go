package notifytest_test

import (
	"errors"
	"testing"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

func TestMemoryCache(t *testing.T) {
	notifytest.TestCache(t, func(*testing.T) notify.Cache { return &notifytest.Cache{} })
}

func TestMemoryCacheFails(t *testing.T) {
	down := errors.New("down")
	var asked []string
	c := &notifytest.Cache{Fail: func(method string) error { asked = append(asked, method); return down }}
	l := &notify.Look{Events: make([]notify.ID, 1), Seen: []bool{true}}
	if err := c.Look(t.Context(), l); !errors.Is(err, down) || l.Seen[0] {
		t.Errorf("look: %v, seen %v; want the error and a miss", err, l.Seen)
	}
	if err := c.Mark(t.Context(), l); !errors.Is(err, down) {
		t.Errorf("mark: %v", err)
	}
	if len(asked) != 2 || asked[0] != "Look" || asked[1] != "Mark" {
		t.Errorf("Fail was asked %v", asked)
	}
	c.Fail = nil
	if err := c.Mark(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	c.Forget()
	if err := c.Look(t.Context(), l); err != nil || l.Seen[0] {
		t.Errorf("after Forget: %v, seen %v", err, l.Seen)
	}
}
