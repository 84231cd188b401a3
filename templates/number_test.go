package templates_test

import (
	"strconv"
	"strings"
	"testing"

	"onmyway/templates"
)

// TestPlurals holds the categories of whole numbers to the samples of CLDR.
func TestPlurals(t *testing.T) {
	var samples map[string]map[string][]string
	readJSON(t, "testdata/plurals.json", &samples)
	for locale, categories := range samples {
		tp := parsed(t, `{{ photos | plural: "one", "other", "many" }}`, locale)
		for category, numbers := range categories {
			for _, n := range spread(t, numbers) {
				v := someone(t, "car_haul")
				v.Facts = templates.Facts{{Name: "photos", Value: n}}
				got, err := tp.SMS(v)
				if _, word, _ := strings.Cut(got, " "); err != nil || word != category {
					t.Errorf("%s: %s is %q, %v; want %q", locale, n, got, err, category)
				}
			}
		}
	}
}

// spread writes "2~16" as the numbers that it means.
func spread(t *testing.T, ranges []string) (all []string) {
	t.Helper()
	for _, r := range ranges {
		from, to, isRange := strings.Cut(r, "~")
		if !isRange {
			all = append(all, r)
			continue
		}
		first, err1 := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || last <= first {
			t.Fatalf("no range: %s", r)
		}
		for n := first; n <= last; n++ {
			all = append(all, strconv.Itoa(n))
		}
	}
	return all
}

func TestNumbers(t *testing.T) {
	const photos = `{{ photos | plural: "photo", "photos" | default: "photos" }}`
	const fotos = `{{ photos | plural: "foto", "fotos" | default: "fotos" }}`
	const papers = `{{ documents | plural: "paper", "papers" | default: "papers" }}`
	const late = `{{ delay_minutes | duration | default: "a while" }}`
	const call = `{{ support_phone | default: "us" }}`
	tests := []struct{ name, text, fact, value, locale, want string }{
		{"one photo", photos, "photos", "1", "en", "1 photo"},
		{"no photo", photos, "photos", "0", "en", "0 photos"},
		{"zeros before it", photos, "photos", "0001", "en", "1 photo"},
		{"a million", photos, "photos", "1000000", "en", "1,000,000 photos"},
		{"a million in Spanish", fotos, "photos", "1000000", "es", "1,000,000 de fotos"},
		{"two million in Spanish", fotos, "photos", "2000000", "es", "2,000,000 de fotos"},
		{"a million and one in Spanish", fotos, "photos", "1000001", "es", "1,000,001 fotos"},
		{"one in Spanish", fotos, "photos", "1", "es", "1 foto"},
		{"no number", photos, "photos", "some", "en", "photos"},
		{"a broken number", photos, "photos", "1.5", "en", "photos"},
		{"a list of one", papers, "documents", `["a"]`, "en", "1 paper"},
		{"a list of two and nothing", papers, "documents", `["a","","b"]`, "en", "2 papers"},
		{"an empty list", papers, "documents", `[]`, "en", "papers"},
		{"a minute", late, "delay_minutes", "1", "en", "1 minute"},
		{"an hour", late, "delay_minutes", "60", "en", "1 hour"},
		{"an hour and a half", late, "delay_minutes", "90", "en", "1 hour 30 minutes"},
		{"an hour and a half in Spanish", late, "delay_minutes", "90", "es", "1 hora 30 minutos"},
		{"minutes do not matter any more", late, "delay_minutes", "629", "en", "10 hours"},
		{"two days", late, "delay_minutes", "2880", "en", "2 days"},
		{"two days in Spanish", late, "delay_minutes", "2880", "es", "2 días"},
		{"another language", late, "delay_minutes", "90", "de", "1 h 30 min"},
		{"no time at all", late, "delay_minutes", "0", "en", "a while"},
		{"a telephone number", call, "support_phone", "+1 (415) 555-0103", "en", "+1 (415) 555-0103"},
		{"words for a telephone number", call, "support_phone", "call evil", "en", "us"},
		{"too many digits", call, "support_phone", "1234567890123456", "en", "us"},
		{"an address of numbers", call, "support_phone", "192.168.1.1", "en", "us"},
		{"dots in a telephone number", call, "support_phone", "415.555.0103", "en", "415.555.0103"},
		{"a plus inside", call, "support_phone", "1+2345", "en", "us"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v := someone(t, "car_haul")
			v.Facts = templates.Facts{{Name: tt.fact, Value: tt.value}}
			if got, err := parsed(t, tt.text, tt.locale).SMS(v); err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
