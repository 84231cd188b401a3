package notify_test

import (
	"testing"

	"onmyway/notify"
)

func TestParseLocale(t *testing.T) {
	for in, want := range map[string]string{
		"en-US": "en-US", "en_us": "en-US", "ES": "es", "zh-hant-tw": "zh-Hant-TW", "es-419": "es-419",
		"": "", "und": "", "x": "", "english": "", "e n": "", "en-": "",
	} {
		got, ok := notify.ParseLocale(in)
		if got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}

func TestIsTimeZone(t *testing.T) {
	for in, want := range map[string]bool{
		"America/Los_Angeles": true, "UTC": true, "Asia/Kathmandu": true,
		"": false, "Local": false, "America/Nowhere": false, "../etc/passwd": false, "/etc/passwd": false, "PST8": false,
	} {
		if got := notify.IsTimeZone(in); got != want {
			t.Errorf("%q: %v", in, got)
		}
	}
}

func TestFirstName(t *testing.T) {
	for in, want := range map[string]string{"Dana Reyes": "Dana", "  Dana": "Dana", "Dana": "Dana", "": "", " ": ""} {
		if got := (&notify.Contact{Name: in}).FirstName(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
