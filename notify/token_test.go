package notify_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"onmyway/notify"
)

func TestTokens(t *testing.T) {
	tokens := notify.Tokens{Secret: []byte("0123456789abcdef0123456789abcdef")}
	grant := notify.Grant{CustomerID: "c-42", OrderID: "CH-1001", Expires: noon.Add(time.Hour)}
	token, err := tokens.Sign(grant)
	if err != nil {
		t.Fatal(err)
	}
	got, err := tokens.Check(token, noon)
	if err != nil || got != grant {
		t.Fatalf("Check = %+v, %v; want %+v", got, err, grant)
	}
	other := notify.Tokens{Secret: []byte("another secret of at least 32 byte")}
	tests := []struct {
		name   string
		tokens notify.Tokens
		token  string
		now    time.Time
		want   error
	}{
		{"expired to the second", tokens, token, grant.Expires, notify.ErrTokenExpired},
		{"signed by somebody else", other, token, noon, notify.ErrTokenInvalid},
		{"empty", tokens, "", noon, notify.ErrTokenInvalid},
		{"only the prefix", tokens, "omw1.", noon, notify.ErrTokenInvalid},
		{"no signature", tokens, token[:strings.LastIndex(token, ".")+1], noon, notify.ErrTokenInvalid},
		{"endless", tokens, token + strings.Repeat("A", 4000), noon, notify.ErrTokenInvalid},
	}
	for _, tt := range tests {
		if _, err := tt.tokens.Check(tt.token, tt.now); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func FuzzTokens(f *testing.F) {
	tokens := notify.Tokens{Secret: []byte("0123456789abcdef0123456789abcdef")}
	good, err := tokens.Sign(notify.Grant{CustomerID: "c-42", Expires: noon})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)-1])
	f.Add("omw1..")
	f.Fuzz(func(t *testing.T, s string) {
		if _, err := tokens.Check(s, noon.Add(-time.Second)); err == nil && s != good {
			t.Fatalf("%q was accepted and is not the one that was signed", s)
		}
	})
}
