package redisstore

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"onmyway/notify"
)

func TestPiecesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		raw := rapid.SliceOf(rapid.Byte()).Draw(t, "raw")
		at := time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "sec"), rapid.Int64Range(0, 999_999_999).Draw(t, "nsec")).UTC()
		yes := rapid.Bool().Draw(t, "yes")
		b := appendBool(appendTime(appendString(appendString(nil, text), raw), at), yes)
		p := pieces{rest: string(b)}
		if got := p.string(); got != text {
			t.Errorf("text %q became %q", text, got)
		}
		if got := p.bytes(); string(got) != string(raw) {
			t.Errorf("bytes %x became %x", raw, got)
		}
		if got := p.time(); !got.Equal(at) {
			t.Errorf("time %v became %v", at, got)
		}
		if got := p.bool(); got != yes || !p.done() {
			t.Errorf("bool %v became %v, done %v", yes, got, p.done())
		}
	})
}

func TestVersionsCompareAsText(t *testing.T) {
	versions := []int64{1, 9, 10, 99, 1 << 31, 1 << 53, 1<<53 + 1, math.MaxInt64}
	for i, low := range versions {
		for _, high := range versions[i+1:] {
			a, b := appendVersion(nil, low)[:versionDigits], appendVersion(nil, high)[:versionDigits]
			if string(a) >= string(b) {
				t.Errorf("%d is written as %s, %d as %s", low, a, high, b)
			}
		}
	}
}

func FuzzValue(f *testing.F) {
	p := notify.Profile{Customer: notify.Customer{ID: "c", Version: 1}, Subscriptions: []notify.Subscription{{ID: "s"}}}
	p.Preferences.Channels = map[notify.Channel]bool{notify.SMS: true}
	p.Preferences.Categories = map[notify.Category]map[notify.Channel]bool{notify.Delays: {notify.Push: false}}
	p.Preferences.Quiet = &notify.QuietHours{Start: 1, End: 2}
	p.Consents = notify.Consents{notify.SMS: {Given: true, At: time.UnixMilli(1).UTC(), Source: "web form"}}
	f.Add(string(appendProfile(nil, &p)))
	f.Add(string(appendHead(nil, &notify.Head{OrderID: "o", Line: notify.CarHaul, Version: 2, Facts: []byte("{}")})))
	f.Add(strings.Repeat("0", 18) + "1\x01" + strings.Repeat("\xff", 20))
	f.Fuzz(func(t *testing.T, value string) {
		var p notify.Profile
		if parseProfile(value, &p) {
			var again notify.Profile
			if !parseProfile(string(appendProfile(nil, &p)), &again) {
				t.Fatal("a profile that was read cannot be written and read again")
			}
			if diff := cmp.Diff(p, again); diff != "" {
				t.Fatal(diff)
			}
		}
		var h notify.Head
		if parseHead(value, &h) {
			var again notify.Head
			if !parseHead(string(appendHead(nil, &h)), &again) {
				t.Fatal("a head that was read cannot be written and read again")
			}
			if diff := cmp.Diff(h, again); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}

func FuzzPayload(f *testing.F) {
	from := node{1, 2, 3}
	f.Add(string(appendGap(nil, from)))
	f.Add(string(appendPublications(nil, from, []notify.Publication{{Customer: "c", OrderID: "o", Data: []byte("{}")}, {}})))
	f.Add("")
	f.Add("\x01\x0112345678\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
	f.Fuzz(func(t *testing.T, payload string) {
		from, ps, ok := parsePayload(payload)
		if !ok {
			if ps != nil {
				t.Fatal("publications of a payload that cannot be read")
			}
			return
		}
		size := 0
		for _, p := range ps {
			size += len(p.Customer) + len(p.OrderID) + len(p.Data)
		}
		if size > len(payload) {
			t.Fatalf("%d bytes became %d", len(payload), size)
		}
		again := appendGap(nil, from)
		if len(ps) > 0 {
			again = appendPublications(nil, from, ps)
		}
		from2, ps2, ok := parsePayload(string(again))
		if !ok || from2 != from {
			t.Fatal("a payload that was read cannot be written and read again")
		}
		if diff := cmp.Diff(ps, ps2); diff != "" {
			t.Fatal(diff)
		}
	})
}
