package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Resender sends a message again.
type Resender interface {
	// Resend returns the new message, or that of an earlier call with the same key. Errors: *notify.Refusal,
	// ErrNotFound, ErrKeyReused.
	Resend(ctx context.Context, now time.Time, r notify.ResendRequest) (notify.Entry, error)
}

type resendInput struct {
	MessagePath
	// Required, see resendDocs: huma itself would answer 422 for a missing header, and 400 is what the draft of the IETF
	// asks for (draft-ietf-httpapi-idempotency-key-header, section 2.7).
	Key  string `header:"Idempotency-Key" hidden:"true"`
	Body resendBody
}

type resendBody struct {
	Reason  string  `json:"reason" maxLength:"500" doc:"Why, in a few words: it is kept with the message" example:"customer changed phones"`
	Channel channel `json:"channel,omitempty" doc:"Another channel; absent: the same"`
	Force   bool    `json:"force,omitempty" doc:"Also when the text is no longer true"`
}

// Resolve checks the key and that there is a reason.
func (in *resendInput) Resolve(huma.Context) []error {
	if in.Key == "" || len(in.Key) > 200 || strings.Trim(in.Key, printable) != "" {
		whole := newProblem(http.StatusBadRequest, "idempotency_key_missing",
			"send the header Idempotency-Key with 1 to 200 printable characters, a new one for each message to send: the same key never sends twice")
		return []error{&wrong{whole: whole}}
	}
	fault := func(detail string) []error {
		return []error{&wrong{Problem: notify.Problem{Field: "reason", Detail: detail}}}
	}
	switch reason := strings.TrimSpace(in.Body.Reason); {
	case reason == "":
		return fault("is missing")
	case !oneLine(reason):
		return fault(notOneLine)
	}
	return nil
}

// printable is every ASCII character that can be seen.
var printable = func() string {
	b := make([]byte, 0, 94)
	for c := byte('!'); c <= '~'; c++ {
		b = append(b, c)
	}
	return string(b)
}()

// resendDocs says in the OpenAPI document what Resolve checks.
func resendDocs(op *huma.Operation) {
	op.Description = "The same Idempotency-Key gives the same message, however often it is sent. Nothing overrides an opt-out."
	one, most := 1, 200
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "Idempotency-Key", In: "header", Required: true,
		Description: "New for each message to send; a repeated request carries the same",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most},
	})
}

type resendOutput struct {
	Location string `header:"Location"`
	Body     messageBody
}

func (s *server) resend(ctx context.Context, in *resendInput) (*resendOutput, error) {
	id, err := in.message()
	if err != nil {
		return nil, err
	}
	hash, err := in.Body.hash(id)
	if err != nil {
		return nil, err
	}
	caller := requestOf(ctx).caller
	e, err := s.Resender.Resend(ctx, time.Now(), notify.ResendRequest{
		Of: id, Channel: notify.Channel(in.Body.Channel), Reason: strings.TrimSpace(in.Body.Reason), Force: in.Body.Force, By: caller,
		Idempotent: notify.Idempotent{Principal: caller, Key: in.Key, BodyHash: hash},
	})
	if err != nil {
		return nil, fmt.Errorf("resend message %s: %w", id, err)
	}
	return &resendOutput{Location: "/v1/messages/" + e.ID.String(), Body: showMessage(&e)}, nil
}

// hash is of what is asked, not of how it is written: spaces and the order of fields make no other request.
func (b *resendBody) hash(of notify.ID) ([32]byte, error) {
	asked, err := json.Marshal(struct {
		Of notify.ID
		resendBody
	}{of, *b})
	if err != nil {
		return [32]byte{}, fmt.Errorf("hash the request: %w", err)
	}
	return sha256.Sum256(asked), nil
}
