package twilio

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestSameText(t *testing.T) {
	const ours = "Dana’s driver – “Sam” – is 5 min away… café №4 ½"
	for _, tt := range []struct {
		name, ours, copied string
		want               bool
	}{
		{"the same", ours, ours, true},
		{"plain characters", ours, `Dana's driver - "Sam" - is 5 min away... café No4 1/2`, true},
		{"decomposed", "café", "cafe\u0301", true},
		{"accents gone", "café", "cafe", true},
		{"no-break blanks", "5\u00a0min\u202faway", "5 min away", true},
		{"line ends", "a\r\nb", "a\nb", true},
		{"blanks at the ends", " a b\n", "a b", true},
		{"what cannot be seen", "a\u200bb\ufeff", "ab", true},
		{"trial account", "Your driver", "Sent from your Twilio trial account - Your driver", true},
		{"another word", "Your driver", "Your drivers", false},
		{"another number", "in 5 min", "in 6 min", false},
		{"upper case", "a", "A", false},
		{"another beginning", "Your driver", "Reply STOP - Your driver", false},
		{"nothing", "Your driver", "", false},
		{"emoji", "🚗 a", "🚙 a", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := sameText(tt.ours, tt.copied); got != tt.want {
				t.Errorf("got %t; %q and %q", got, plain(tt.ours), plain(tt.copied))
			}
		})
	}
}

// Folding is stable, and no text is taken for another one of plain letters.
func TestPlain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		if p := plain(text); plain(p) != p {
			t.Fatalf("%q folds to %q and then to %q", text, p, plain(p))
		}
		a, b := rapid.StringMatching(`[a-zA-Z0-9]{0,9}`).Draw(t, "a"), rapid.StringMatching(`[a-zA-Z0-9]{0,9}`).Draw(t, "b")
		if sameText(a, b) != (a == b) {
			t.Fatalf("%q and %q", a, b)
		}
		if !sameText(text, strings.TrimSpace(text)) {
			t.Fatalf("%q is not the same without blanks at the ends", text)
		}
	})
}
