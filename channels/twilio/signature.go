package twilio

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
)

// bodyHash is the query parameter in which Twilio signs a body that is no form.
const bodyHash = "bodySHA256"

// signatures checks that Twilio made a callback: X-Twilio-Signature is the HMAC-SHA1, keyed by the auth token, of the URL and
// the form (twilio.com/docs/usage/webhooks/webhooks-security). twilio-go's RequestValidator does the same for forms without
// repeated parameters; of those it takes the first value only, where Twilio signs each.
type signatures struct {
	tokens []string // during a rotation the new and the old one; none: nothing is valid
	bases  []string // what may stand before path and query: none where no public URL is known
}

// newSignatures reads tokens and public URL. What a proxy says about itself (Host, X-Forwarded-…) has no part in it: a
// forger can write those.
func newSignatures(cfg Config) *signatures {
	s := &signatures{bases: bases(cfg.PublicURL)}
	for _, token := range []string{cfg.AuthToken, cfg.AuthTokenOld} {
		if token != "" {
			s.tokens = append(s.tokens, token)
		}
	}
	return s
}

// bases lists how Twilio may have written the public URL: it signs some callbacks with the port and others without.
func bases(public string) []string {
	public = strings.TrimSuffix(public, "/")
	u, err := url.Parse(public)
	if err != nil || u.Host == "" {
		return nil
	}
	scheme, rest, _ := strings.Cut(public, "://")
	path := strings.TrimPrefix(rest, u.Host)
	port := u.Port()
	host := strings.TrimSuffix(u.Host, ":"+port)
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	with := net.JoinHostPort(strings.Trim(host, "[]"), port)
	return []string{scheme + "://" + host + path, scheme + "://" + with + path}
}

// valid tells that signature is Twilio's for a request to target, which is path and query as they came, with this form.
func (s *signatures) valid(target string, form url.Values, signature string) bool {
	got, err := base64.StdEncoding.Strict().DecodeString(signature)
	if err != nil || len(got) != sha1.Size || len(signature) != base64.StdEncoding.EncodedLen(sha1.Size) {
		return false
	}
	signed := target + canonical(form)
	ok := false
	for _, token := range s.tokens {
		for _, base := range s.bases {
			mac := hmac.New(sha1.New, []byte(token))
			_, _ = io.WriteString(mac, base)
			_, _ = io.WriteString(mac, signed)
			ok = hmac.Equal(mac.Sum(nil), got) || ok
		}
	}
	return ok
}

// canonical writes a form as Twilio signs it: names in order, each with its value; of several values each different one, in
// order, with its name.
func canonical(form url.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range slices.Compact(slices.Sorted(slices.Values(form[name]))) {
			b.WriteString(name)
			b.WriteString(value)
		}
	}
	return b.String()
}

// hashed tells that the query, which is signed, holds the SHA-256 of the body, once.
func hashed(query url.Values, body []byte) bool {
	if len(query[bodyHash]) != 1 {
		return false
	}
	want, err := hex.DecodeString(query.Get(bodyHash))
	sum := sha256.Sum256(body)
	return err == nil && hmac.Equal(want, sum[:])
}
