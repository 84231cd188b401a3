package templates_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"onmyway/templates"
)

func TestSegments(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		count   int
		unicode bool
	}{
		{"nothing", "", 0, false},
		{"one letter", "a", 1, false},
		{"160 letters fit", strings.Repeat("a", 160), 1, false},
		{"161 letters", strings.Repeat("a", 161), 2, false},
		{"two full pieces", strings.Repeat("a", 306), 2, false},
		{"one more", strings.Repeat("a", 307), 3, false},
		{"a euro costs two", "€" + strings.Repeat("a", 158), 1, false},
		{"and is too much", "€" + strings.Repeat("a", 159), 2, false},
		{"80 euros", strings.Repeat("€", 80), 1, false},
		{"no euro on a border", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), 3, false},
		{"no euro on the second border", strings.Repeat("a", 305) + "€" + strings.Repeat("a", 152), 4, false},
		{"accents of GSM-7", "èéùìòÇØøÅåÆæßÉÄÖÑÜ§¿äöñüà¡£¥¤@$_", 1, false},
		{"Greek capitals of GSM-7", "ΔΦΓΛΩΠΨΣΘΞ", 1, false},
		{"line ends", "a\nb\r\nc", 1, false},
		{"extension table", "^{}\\[~]|\f", 1, false},
		{"Spanish accents are not in it", "á", 1, true},
		{"nor the small c with cedilla", "ç", 1, true},
		{"nor the backtick", "`", 1, true},
		{"nor the no-break space", "2:30\u00A0PM", 1, true},
		{"70 accents fit", strings.Repeat("ó", 70), 1, true},
		{"71 accents", strings.Repeat("ó", 71), 2, true},
		{"134 accents", strings.Repeat("ó", 134), 2, true},
		{"135 accents", strings.Repeat("ó", 135), 3, true},
		{"brackets cost one in UCS-2", "ж" + strings.Repeat("]", 69), 1, true},
		{"35 faces", strings.Repeat("😀", 35), 1, true},
		{"no face on a border", strings.Repeat("😀", 67), 3, true},
		{"66 faces", strings.Repeat("😀", 66), 2, true},
		{"bytes that are no text", "\xff\xfe", 1, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			count, unicode := templates.Segments(tt.text)
			if count != tt.count || unicode != tt.unicode {
				t.Errorf("got %d segments, unicode %v; want %d, %v", count, unicode, tt.count, tt.unicode)
			}
		})
	}
}

// TestSegmentsOfSamples reads cases that the calculators of providers agree about.
func TestSegmentsOfSamples(t *testing.T) {
	var cases []struct {
		Name, Before, Piece, Alphabet string
		Times, Segments               int
	}
	readJSON(t, "testdata/segments.json", &cases)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			count, ucs := templates.Segments(c.Before + strings.Repeat(c.Piece, c.Times))
			if count != c.Segments || ucs != (c.Alphabet == "UCS-2") {
				t.Errorf("%d segments, UCS-2 %t; want %d of %s", count, ucs, c.Segments, c.Alphabet)
			}
		})
	}
}

func readJSON(t *testing.T, file string, v any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// The alphabet as the standard prints it, for the slow reference.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// slowSegments lays the characters out one by one.
func slowSegments(text string) (int, bool) {
	runes := []rune(text)
	whole, piece, unicode := 160, 153, false
	for _, r := range runes {
		if !strings.ContainsRune(gsmBasic+gsmExtended, r) {
			whole, piece, unicode = 70, 67, true
		}
	}
	var sizes []int
	total := 0
	for _, r := range runes {
		n := 1
		if unicode {
			n = len(utf16.Encode([]rune{r}))
		} else if strings.ContainsRune(gsmExtended, r) {
			n = 2
		}
		sizes = append(sizes, n)
		total += n
	}
	if total <= whole {
		return min(total, 1), unicode
	}
	segments := [][]int{nil}
	left := piece
	for _, n := range sizes {
		if n > left {
			segments, left = append(segments, nil), piece
		}
		last := len(segments) - 1
		segments[last] = append(segments[last], n)
		left -= n
	}
	return len(segments), unicode
}

func FuzzSegments(f *testing.F) {
	f.Add(strings.Repeat("a", 152) + "€" + strings.Repeat("€", 200))
	f.Add(strings.Repeat("😀", 67))
	f.Add("\xff\u00A0ç")
	f.Fuzz(func(t *testing.T, text string) {
		count, unicode := templates.Segments(text)
		wantCount, wantUnicode := slowSegments(text)
		if count != wantCount || unicode != wantUnicode {
			t.Errorf("got %d, %v; want %d, %v for %q", count, unicode, wantCount, wantUnicode, text)
		}
	})
}
