package notify_test

import (
	"testing"

	"onmyway/notify"
)

func TestKeywordOf(t *testing.T) {
	for text, want := range map[string]notify.Keyword{
		"STOP": notify.KeywordStop, "stop": notify.KeywordStop, " Stop. ": notify.KeywordStop, "STOP ALL!": notify.KeywordStop,
		"stopall": notify.KeywordStop, "Unsubscribe": notify.KeywordStop, "CANCEL": notify.KeywordStop, "End": notify.KeywordStop,
		"quit": notify.KeywordStop, "Revoke": notify.KeywordStop, "Opt-out": notify.KeywordStop, "opt out": notify.KeywordStop,
		"ALTO": notify.KeywordStop, "¡Alto!": notify.KeywordStop, "Parar": notify.KeywordStop, "\u200bSTOP\r\n": notify.KeywordStop,
		"START": notify.KeywordStart, "yes": notify.KeywordStart, "Unstop": notify.KeywordStart,
		"HELP": notify.KeywordHelp, "info?": notify.KeywordHelp, "Ayuda": notify.KeywordHelp,
		"": notify.NoKeyword, "please don't stop": notify.NoKeyword, "stop by tomorrow": notify.NoKeyword, "nonstop": notify.NoKeyword,
		"The driver should stop at the gate and then please come to the second door": notify.NoKeyword,
	} {
		if got := notify.KeywordOf(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

func FuzzKeywordOf(f *testing.F) {
	f.Add("STOP")
	f.Add("¡Alto!")
	f.Fuzz(func(t *testing.T, text string) {
		word := notify.KeywordOf(text)
		if len(text) < 60 && notify.KeywordOf(" "+text+".") != word {
			t.Errorf("blanks around %q make it another word", text)
		}
	})
}
