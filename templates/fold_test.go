package templates_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"onmyway/templates"
)

func TestFold(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"words", "Sam is here", "Sam is here"},
		{"Spanish", "¡Qué día! ¿Mañana, señor Núñez? Él está aquí: ÁÍÓÚ", "¡Qué dia! ¿Mañana, señor Nuñez? Él esta aqui: AIOU"},
		{"what GSM-7 has stays", "é ñ ü Ñ É ¿ ¡ à è ù ì ò Ç ß å Ø € [x] {y} ~", "é ñ ü Ñ É ¿ ¡ à è ù ì ò Ç ß å Ø € [x] {y} ~"},
		{"quotes and dashes", "“Sí” ‘no’ — a–b", `"Si" 'no' - a-b`},
		{"dots", "espere…", "espere..."},
		{"spaces that do not break", "2:30\u00A0PM\u202FPST", "2:30 PM PST"},
		{"an accent of its own", "a\u0301 e\u0301 n\u0303 x\u0301", "a é ñ x"},
		{"letters that are two", "Œuvre, ﬁn, Łódź, straße, þ", "OEuvre, fin, Lodz, straße, th"},
		{"signs", "½ № ™ ©", "1/2 No TM (c)"},
		{"full width", "Ａ１", "A1"},
		{"no twin stays", "á 😀 ж 漢", "a 😀 ж 漢"},
		{"an accent of a letter without twin stays", "й", "й"},
		{"what is not to be seen", "a\u200Bá", "aa"},
		{"it would cost more", strings.Repeat("…", 70), strings.Repeat("…", 70)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := templates.Fold(tt.in); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestFoldKeepsTheAlphabet reads the table of the standard: no character of it changes, and those of the extension table
// count double.
func TestFoldKeepsTheAlphabet(t *testing.T) {
	for _, r := range gsmBasic + gsmExtended {
		if got := templates.Fold(string(r) + "á"); got != string(r)+"a" {
			t.Errorf("%q becomes %q", r, got)
		}
	}
	for _, r := range gsmExtended {
		if n, ucs := templates.Segments(templates.Fold(strings.Repeat(string(r), 80) + "á")); n != 2 || ucs {
			t.Errorf("80 of %q and a letter: %d segments, UCS-2 %t", r, n, ucs)
		}
	}
}

// TestFoldNeverCostsMore holds for any text: as many segments or fewer, nothing new to fold, valid text.
func TestFoldNeverCostsMore(t *testing.T) {
	letters := []rune("aáéíóúñüçÁÉ“”—–…œßł½€[]😀ж漢\u0301\u00A0 .x")
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.SampledFrom(letters), 0, 200).Draw(t, "text"))
		checkFold(t, text)
	})
}

func FuzzFold(f *testing.F) {
	f.Add("¡Qué día! “—…” ﷺ \xff e\u0301")
	f.Fuzz(func(t *testing.T, text string) { checkFold(t, text) })
}

func checkFold(t interface{ Errorf(string, ...any) }, text string) {
	folded := templates.Fold(text)
	before, _ := templates.Segments(text)
	after, ucs := templates.Segments(folded)
	if after > before {
		t.Errorf("%q: %d segments become %d", text, before, after)
	}
	if again := templates.Fold(folded); again != folded && ucs == false {
		t.Errorf("%q is folded again to %q", folded, again)
	}
	if utf8.ValidString(text) && !utf8.ValidString(folded) {
		t.Errorf("%q becomes no text: %q", text, folded)
	}
}
