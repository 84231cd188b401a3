package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// Scope is what a key may be allowed to do.
type Scope string

// The scopes. AllScopes stands for every one, also of later versions: it is for the bootstrap key.
const (
	EventsWrite    Scope = "events:write"
	MessagesRead   Scope = "messages:read"
	MessagesResend Scope = "messages:resend"
	CustomersRead  Scope = "customers:read"
	CustomersWrite Scope = "customers:write"
	TokensWrite    Scope = "tokens:write"
	AllScopes      Scope = "*"

	// Public marks a call that needs no key. No key carries it.
	Public Scope = ""
)

// Key is an API key as it is stored. The key itself is 128 random bits or more, which is why a plain hash protects it.
type Key struct {
	Name   string
	Hash   [32]byte // SHA-256 of the key
	Scopes []string
}

// allows tells whether the key carries the scope.
func (k *Key) allows(s string) bool {
	return slices.Contains(k.Scopes, s) || slices.Contains(k.Scopes, string(AllScopes))
}

// authorize lets a call through when it is public or its key carries the scope. An operation that names no scope, and is
// not marked public by an empty list, is refused.
func (s *server) authorize(ctx huma.Context, next func(huma.Context)) {
	security := ctx.Operation().Security
	if security != nil && len(security) == 0 {
		next(ctx)
		return
	}
	r, w := humachi.Unwrap(ctx)
	key := s.keyOf(r)
	if key == nil {
		writeProblem(w, newProblem(http.StatusUnauthorized, "unauthorized", "send the header Authorization: Bearer <API key>").
			with("WWW-Authenticate", `Bearer realm="onmyway"`))
		return
	}
	requestOf(r.Context()).caller = key.Name
	scope := ""
	if len(security) == 1 && len(security[0][keyScheme]) == 1 {
		scope = security[0][keyScheme][0]
	}
	if scope == "" || !key.allows(scope) {
		writeProblem(w, newProblem(http.StatusForbidden, "missing_scope", `this API key lacks the scope "`+scope+`"`).
			with("WWW-Authenticate", `Bearer realm="onmyway", error="insufficient_scope", scope="`+scope+`"`))
		return
	}
	if s.rates.key.OnLimit(w, r, key.Name) {
		writeProblem(w, tooFast("this API key"))
		return
	}
	next(ctx)
}

// keyOf finds the key of a request, or nil. Every stored key is compared, each in constant time.
func (s *server) keyOf(r *http.Request) *Key {
	sent := r.Header.Values("Authorization")
	if len(sent) != 1 {
		return nil
	}
	scheme, secret, _ := strings.Cut(sent[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil
	}
	sum := sha256.Sum256([]byte(secret))
	var found *Key
	for i := range s.Keys {
		if subtle.ConstantTimeCompare(sum[:], s.Keys[i].Hash[:]) == 1 {
			found = &s.Keys[i]
		}
	}
	return found
}
