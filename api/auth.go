package api

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"

	"onmyway/notify"
)

// Scope is what a key may be allowed to do.
type Scope string

// The scopes. AllScopes stands for every one, also of later versions: it is for the bootstrap key.
const (
	EventsWrite     Scope = "events:write"
	OrdersRead      Scope = "orders:read"
	MessagesRead    Scope = "messages:read"
	MessagesResend  Scope = "messages:resend"
	CustomersRead   Scope = "customers:read"
	CustomersWrite  Scope = "customers:write"
	TokensWrite     Scope = "tokens:write"
	DeadLettersRead Scope = "deadletters:read"
	AuditRead       Scope = "audit:read"
	AllScopes       Scope = "*"

	// Public marks a call that needs no key. No key carries it.
	Public Scope = ""
)

// Scopes lists what a key may be given by name, besides AllScopes.
var Scopes = []Scope{
	EventsWrite, OrdersRead, MessagesRead, MessagesResend, CustomersRead, CustomersWrite, TokensWrite, DeadLettersRead, AuditRead,
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
	key, refused := s.keyOf(r)
	if refused != nil {
		writeProblem(w, refused)
		return
	}
	requestOf(r.Context()).caller = key.Name
	scope := ""
	if len(security) == 1 && len(security[0][keyScheme]) == 1 {
		scope = security[0][keyScheme][0]
	}
	if scope == "" || !key.May(scope) {
		writeProblem(w, newProblem(http.StatusForbidden, "missing_scope", `this API key lacks the scope "`+scope+`": use another key, or ask the operator for one that has it`).
			with("WWW-Authenticate", `Bearer realm="onmyway", error="insufficient_scope", scope="`+scope+`"`))
		return
	}
	if s.rates.key.OnLimit(w, r, key.Name) {
		writeProblem(w, tooFast("this API key"))
		return
	}
	next(ctx)
}

// keyOf finds the key of a request, or says why it is refused.
func (s *server) keyOf(r *http.Request) (*notify.APIKey, *problem) {
	sent := r.Header.Values("Authorization")
	if len(sent) != 1 {
		return nil, unauthorized("unauthorized", "send one header Authorization: Bearer <API key>")
	}
	scheme, secret, _ := strings.Cut(sent[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || secret == "" {
		return nil, unauthorized("unauthorized", "send the header as Authorization: Bearer <API key>")
	}
	if s.Bootstrap != nil && s.Bootstrap.Matches(secret) {
		return s.Bootstrap, nil
	}
	return s.keys.find(r.Context(), secret)
}

func unauthorized(code, detail string) *problem {
	return newProblem(http.StatusUnauthorized, code, detail).with("WWW-Authenticate", `Bearer realm="onmyway"`)
}

// act is who makes a request, for what it writes.
func act(ctx context.Context) notify.Act {
	r := requestOf(ctx)
	return notify.Act{At: time.Now(), By: r.caller, Request: r.id}
}
