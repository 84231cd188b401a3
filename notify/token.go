package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Tokens signs and checks the tokens that let a buyer see their own orders: on the live socket and on the tracker.
type Tokens struct {
	Secret []byte // 32 bytes or more, the same on every node
}

// Grant is what a token allows.
type Grant struct {
	CustomerID string    `json:"c"`
	OrderID    string    `json:"o,omitempty"` // empty: all orders of the customer
	Expires    time.Time `json:"e"`
}

// Why a token is not accepted.
var (
	ErrTokenInvalid = errors.New("the token is not one of ours")
	ErrTokenExpired = errors.New("the token has expired")
)

const (
	tokenPrefix = "omw1."
	maxToken    = 2048 // bytes: longer ones are not even decoded
)

// Sign makes a token of g: "omw1.<claims>.<HMAC-SHA256>", both parts base64url.
func (t Tokens) Sign(g Grant) (string, error) {
	g.Expires = g.Expires.UTC().Truncate(time.Second)
	claims, err := json.Marshal(g)
	if err != nil {
		return "", fmt.Errorf("sign token: %w", err)
	}
	body := tokenPrefix + base64.RawURLEncoding.EncodeToString(claims)
	return body + "." + base64.RawURLEncoding.EncodeToString(t.sum(body)), nil
}

// Check returns what the token allows. Errors: ErrTokenInvalid, ErrTokenExpired.
func (t Tokens) Check(token string, now time.Time) (Grant, error) {
	dot := strings.LastIndexByte(token, '.')
	if len(token) > maxToken || !strings.HasPrefix(token, tokenPrefix) || dot < len(tokenPrefix) {
		return Grant{}, ErrTokenInvalid
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(token[dot+1:])
	if err != nil || !hmac.Equal(sum, t.sum(token[:dot])) {
		return Grant{}, ErrTokenInvalid
	}
	claims, err := base64.RawURLEncoding.Strict().DecodeString(token[len(tokenPrefix):dot])
	if err != nil {
		return Grant{}, ErrTokenInvalid
	}
	var g Grant
	if err := json.Unmarshal(claims, &g); err != nil || g.CustomerID == "" {
		return Grant{}, ErrTokenInvalid
	}
	if !now.Before(g.Expires) {
		return Grant{}, ErrTokenExpired
	}
	return g, nil
}

const (
	beaconPrefix = "shown1." // signed with it, never sent: no other token of ours begins so
	beaconSum    = 16        // bytes of the sum: an address in a push message has little room
)

// SignShown makes what a browser proves with that it has shown a push message: "<id>.<HMAC-SHA256>", the first 16 bytes of
// the sum in base64url. It does not expire: all that it can do is to spare a text.
func (t Tokens) SignShown(id ID) string {
	return id.String() + "." + base64.RawURLEncoding.EncodeToString(t.sum(beaconPrefix + id.String())[:beaconSum])
}

// CheckShown returns the message that a token of SignShown names. Errors: ErrTokenInvalid.
func (t Tokens) CheckShown(token string) (ID, error) {
	name, proof, _ := strings.Cut(token, ".")
	if len(token) > maxToken {
		return ID{}, ErrTokenInvalid
	}
	id, err := ParseID(name)
	if err != nil || id.String() != name { // one token has one spelling
		return ID{}, ErrTokenInvalid
	}
	sum, err := base64.RawURLEncoding.Strict().DecodeString(proof)
	if err != nil || !hmac.Equal(sum, t.sum(beaconPrefix + name)[:beaconSum]) {
		return ID{}, ErrTokenInvalid
	}
	return id, nil
}

func (t Tokens) sum(body string) []byte {
	mac := hmac.New(sha256.New, t.Secret)
	mac.Write([]byte(body))
	return mac.Sum(nil)
}
