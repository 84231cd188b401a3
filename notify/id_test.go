package notify_test

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"onmyway/notify"
)

var noon = time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC)

func TestNewIDIsStableAndOrdered(t *testing.T) {
	id := notify.NewID(noon, "evt-1", "sms", "+14155550123", "0")
	if got, want := id.String(), "019aa7d2-9700-7e2a-a8bb-74d3f45ee0a0"; len(got) != len(want) {
		t.Errorf("id %q has not the form of a UUID", got)
	}
	if id != notify.NewID(noon, "evt-1", "sms", "+14155550123", "0") {
		t.Error("the same input gave two ids")
	}
	if ms := binary.BigEndian.Uint64(append(make([]byte, 2), id[:6]...)); int64(ms) != noon.UnixMilli() {
		t.Errorf("id carries the time %d, want %d", ms, noon.UnixMilli())
	}
	if later := notify.NewID(noon.Add(time.Millisecond), "a"); later.String() <= id.String() {
		t.Errorf("a later id %s does not sort after %s", later, id)
	}
	if v, variant := id[6]>>4, id[8]>>6; v != 7 || variant != 2 {
		t.Errorf("version %d variant %d, want 7 and 2", v, variant)
	}
}

func TestNewIDKeepsPartsApart(t *testing.T) {
	pairs := [][2][]string{
		{{"ab", "c"}, {"a", "bc"}},
		{{"a", ""}, {"a"}},
		{{"", "a"}, {"a", ""}},
		{{"a\x00b"}, {"a", "b"}},
	}
	for _, p := range pairs {
		if notify.NewID(noon, p[0]...) == notify.NewID(noon, p[1]...) {
			t.Errorf("%q and %q run together", p[0], p[1])
		}
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("019aa7d2-9700-7e2a-a8bb-74d3f45ee0a0")
	f.Add("")
	f.Add("019aa7d2-9700-7e2a-a8bb-74d3f45ee0g0")
	f.Fuzz(func(t *testing.T, s string) {
		id, err := notify.ParseID(s)
		if err != nil {
			if !errors.Is(err, notify.ErrID) {
				t.Fatalf("error %v is not ErrID", err)
			}
			return
		}
		again, err := notify.ParseID(id.String())
		if err != nil || again != id {
			t.Fatalf("%q -> %s does not read back: %v", s, id, err)
		}
	})
}

func TestFactTellsOccurrencesApart(t *testing.T) {
	e := func(key string, seq int64) int64 {
		ev := notify.Event{Key: key, Sequence: seq}
		return ev.Fact()
	}
	if got := e("evt-1", 7); got != 7 {
		t.Errorf("fact with a sequence is %d, want the sequence", got)
	}
	if a, b := e("evt-1", 0), e("evt-2", 0); a == b || a >= 0 || b >= 0 {
		t.Errorf("facts without a sequence are %d and %d, want two negative numbers", a, b)
	}
}
