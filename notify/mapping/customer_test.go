package mapping_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"onmyway/notify/mapping"
)

func TestE164(t *testing.T) {
	tests := []struct{ in, want string }{
		{"+14155552671", "+14155552671"},
		{"+14155550123", "+14155550123"}, // numbers of films, and area codes of tomorrow, can exist
		{"(415) 555-2671", "+14155552671"},
		{"415.555.2671", "+14155552671"},
		{"1 415 555 2671", "+14155552671"},
		{"001 44 20 7946 0958", ""},
		{"011 44 20 7946 0958", "+442079460958"},
		{"+44 20 7946 0958", "+442079460958"},
		{"+52 55 5555 1234", "+525555551234"},
		{"020 7946 0958", ""},
		{"(415) 555-2671 x12", ""},
		{"+1 015 555 2671", ""},
		{"+200000000000", ""}, // read as +20000000000, and that as +2000000000
		{"+20 0100 123 4567", "+201001234567"},
		{"555-2671", ""},
		{"911", ""},
		{"", ""},
		{"call me", ""},
		{strings.Repeat("1", 41), ""},
	}
	for _, tt := range tests {
		got, ok := mapping.E164(tt.in)
		if ok != (tt.want != "") || ok && got != tt.want {
			t.Errorf("%q: %q, %t; want %q", tt.in, got, ok, tt.want)
		}
	}
}

// TestNorthAmerican: the quick way to read a number finds what the long one finds.
func TestNorthAmerican(t *testing.T) {
	for _, s := range []string{"(415) 555-0123", "415.555.0123", "+1 415 555 0123", "1-415-555-0123", "4155550123"} {
		if got, ok := mapping.NorthAmerican(s); !ok || got != "+14155550123" {
			t.Errorf("%s: %q", s, got)
		}
	}
	for _, shape := range []string{`\+?[ (]{0,2}1?[-. ]?\(?[0-9]{2,4}[)-. ]{0,2}[0-9]{3}[-. ]?[0-9]{3,5}`, `\+?1?([-. ()]{0,3}[2-9]){10}[-. ()]{0,2}`} {
		rapid.Check(t, func(t *rapid.T) {
			s := rapid.StringMatching(shape).Draw(t, "number")
			if got, ok := mapping.NorthAmerican(s); ok {
				if long, valid := mapping.Possible(s); !valid || long != got {
					t.Fatalf("%q: %s, and %q %v the long way", s, got, long, valid)
				}
			}
		})
	}
}

// What was read is read again as the same: an event and a person who searches for it mean one number.
func FuzzE164(f *testing.F) {
	for _, s := range []string{"+14155552671", "(415) 555-2671", "+44 20 7946 0958", "tel:+1-415", "\u0661\u0662\u0663"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		number, ok := mapping.E164(s)
		if !ok {
			return
		}
		if number[0] != '+' || len(number) > 20 || strings.Trim(number[1:], "0123456789") != "" {
			t.Fatalf("%q is read as %q", s, number)
		}
		if again, ok := mapping.E164(number); !ok || again != number {
			t.Errorf("%q is read as %q, and that as %q, %t", s, number, again, ok)
		}
	})
}
