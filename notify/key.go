package notify

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"time"
)

// APIKey is who may call, as stored: never the key itself.
type APIKey struct {
	ID         string   // 16 hex digits; stands in the key
	Name       string   // unique among keys that are not revoked; stands in the audit
	Scopes     []string // "messages:read", …; "*" is all
	Hash       [32]byte // SHA-256 of the whole key: it has 256 random bits, so a slow hash adds nothing
	CreatedAt  time.Time
	CreatedBy  string
	ExpiresAt  time.Time // zero: never
	LastUsedAt time.Time // to the minute; zero: never
	RevokedAt  time.Time // zero: not
}

// ErrKeyName means that a key of that name exists.
var ErrKeyName = errors.New("there is a key with this name: revoke it first or take another name")

// keyShape is "omw_<id>_<secret>". The prefix lets scanners for leaked secrets find it.
var keyShape = regexp.MustCompile(`^omw_([0-9a-f]{16})_[A-Z2-7]{52}$`)

// NewAPIKey makes a key. The secret is what callers send; it is shown once and stored nowhere.
func NewAPIKey(name string, scopes []string, act Act, expires time.Time) (k APIKey, secret string) {
	var id [8]byte
	rand.Read(id[:]) // never fails, see crypto/rand
	k = APIKey{ID: hex.EncodeToString(id[:]), Name: name, Scopes: scopes, CreatedAt: act.At, CreatedBy: act.By, ExpiresAt: expires}
	secret = "omw_" + k.ID + "_" + rand.Text() + rand.Text()
	k.Hash = sha256.Sum256([]byte(secret))
	return k, secret
}

// APIKeyID is the id in a key, or false for what is no key of ours.
func APIKeyID(secret string) (id string, ok bool) {
	m := keyShape.FindStringSubmatch(secret)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// Matches tells whether secret is the key, in constant time.
func (k *APIKey) Matches(secret string) bool {
	sum := sha256.Sum256([]byte(secret))
	return subtle.ConstantTimeCompare(sum[:], k.Hash[:]) == 1
}

// Expired tells whether the key has run out.
func (k *APIKey) Expired(now time.Time) bool {
	return !k.ExpiresAt.IsZero() && !now.Before(k.ExpiresAt)
}

// May tells whether the key has a scope.
func (k *APIKey) May(scope string) bool {
	return slices.Contains(k.Scopes, "*") || slices.Contains(k.Scopes, scope)
}
