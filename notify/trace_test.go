package notify_test

import (
	"strings"
	"testing"

	"onmyway/notify"
)

const traceParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

func TestParseTraceParent(t *testing.T) {
	tests := []struct{ name, header, want string }{
		{"sampled", traceParent, traceParent},
		{"not sampled", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"},
		{"other flags", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-fe", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"},
		{"a later version", "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", traceParent},
		{"a later version that says more", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be", traceParent},
		{"empty", "", ""},
		{"short", traceParent[:54], ""},
		{"version 00 that says more", traceParent + "-x", ""},
		{"a later version that goes on", "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01x", ""},
		{"version ff", "ff" + traceParent[2:], ""},
		{"capitals", strings.ToUpper(traceParent), ""},
		{"no hex", strings.Replace(traceParent, "b7ad", "xyz0", 1), ""},
		{"trace of zeros", "00-00000000000000000000000000000000-b7ad6b7169203331-01", ""},
		{"span of zeros", "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", ""},
		{"no dashes", strings.ReplaceAll(traceParent, "-", "_"), ""},
		{"space around", " " + traceParent, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, ok := notify.ParseTraceParent(tt.header)
			if ok != (tt.want != "") || ok && p.String() != tt.want {
				t.Errorf("%q is %v, %s; want %q", tt.header, ok, p, tt.want)
			}
		})
	}
}

func FuzzParseTraceParent(f *testing.F) {
	f.Add([]byte(traceParent))
	f.Add([]byte("01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more"))
	f.Fuzz(func(t *testing.T, header []byte) {
		p, ok := notify.ParseTraceParent(header)
		if !ok {
			return
		}
		if again, ok := notify.ParseTraceParent(p.String()); !ok || again != p {
			t.Errorf("%q is %s, which is read as %v, %s", header, p, ok, again)
		}
	})
}
