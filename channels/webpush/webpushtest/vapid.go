package webpushtest

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"net/mail"
	"net/url"
	"strings"
	"time"
)

// maxLife is the longest life of a VAPID token (RFC 8292, section 2).
const maxLife = 24 * time.Hour

// errKey is a token of somebody else: push services answer 403 and not 401.
var errKey = errors.New("k is not the key that the subscription was made for")

// checkVAPID reads "vapid t=<JWT>, k=<key>" (RFC 8292): the key must be the pinned one, unless that is empty, and the
// token signed by it for this origin.
func checkVAPID(authorization, origin, pinned string, now time.Time) error {
	scheme, rest, _ := strings.Cut(authorization, " ")
	if !strings.EqualFold(scheme, "vapid") {
		return errors.New("the Authorization is not vapid")
	}
	params := map[string]string{}
	for p := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		params[name] = value
	}
	point, err := base64.RawURLEncoding.DecodeString(params["k"])
	if err != nil {
		return errors.New("k is not base64url")
	}
	if pinned != "" {
		if want, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(pinned, "=")); err != nil || !bytes.Equal(want, point) {
			return errKey
		}
	}
	key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return errors.New("k is not a P-256 point")
	}
	claims, err := verify(params["t"], key)
	if err != nil {
		return err
	}
	return checkClaims(claims, origin, now)
}

// verify checks the signature of a JWT with ES256 (RFC 7518, section 3.4) and returns its claims.
func verify(token string, key *ecdsa.PublicKey) ([]byte, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, errors.New("the token is no JWT")
	}
	var raw [3][]byte
	for i, p := range parts {
		b, err := base64.RawURLEncoding.DecodeString(p)
		if err != nil {
			return nil, errors.New("the token is no JWT")
		}
		raw[i] = b
	}
	var head struct{ Alg string }
	if json.Unmarshal(raw[0], &head) != nil || head.Alg != "ES256" {
		return nil, errors.New("the token is not signed with ES256")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	sig := raw[2]
	if len(sig) != 64 || !ecdsa.Verify(key, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return nil, errors.New("the signature does not fit")
	}
	return raw[1], nil
}

func checkClaims(raw []byte, origin string, now time.Time) error {
	var c struct {
		Aud string  `json:"aud"`
		Exp float64 `json:"exp"`
		Sub string  `json:"sub"`
	}
	if json.Unmarshal(raw, &c) != nil {
		return errors.New("the claims are not JSON")
	}
	exp := time.Unix(int64(c.Exp), 0)
	switch {
	case c.Aud != origin:
		return errors.New("aud is not our origin")
	case !exp.After(now):
		return errors.New("the token has expired")
	case exp.After(now.Add(maxLife)):
		return errors.New("exp is more than 24 hours away")
	case !isSubject(c.Sub):
		return errors.New("sub is not somebody whom one can write to")
	}
	return nil
}

// isSubject is as strict as Apple: one mailto: with a full address, or an https URL.
func isSubject(sub string) bool {
	if u, err := url.Parse(sub); err == nil && u.Scheme == "https" && u.Host != "" {
		return true
	}
	address, ok := strings.CutPrefix(sub, "mailto:")
	a, err := mail.ParseAddress(address)
	if !ok || err != nil || a.Address != address {
		return false
	}
	domain := address[strings.LastIndexByte(address, '@')+1:]
	return strings.Contains(domain, ".") && !strings.HasSuffix(domain, ".local")
}
