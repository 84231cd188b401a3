package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Resender sends a message again.
type Resender interface {
	// Resend returns the new message, or that of an earlier call with the same key. Errors: *notify.Refusal,
	// ErrNotFound, ErrKeyReused.
	Resend(ctx context.Context, r notify.ResendRequest) (notify.Entry, error)
}

type resendInput struct {
	MessagePath
	// Required, see resendDocs: huma itself would answer 422 for a missing header, and 400 is what the draft of the IETF
	// asks for (draft-ietf-httpapi-idempotency-key-header, section 2.7).
	Key  string `header:"Idempotency-Key" hidden:"true"`
	Body resendBody
}

type resendBody struct {
	Reason  reason  `json:"reason" doc:"Why, in a few words: it is kept with the message" example:"customer changed phones"`
	Channel channel `json:"channel,omitempty" nullable:"true" doc:"Another channel; absent: the same"`
	Force   bool    `json:"force,omitempty" nullable:"true" doc:"Also when the text is no longer true, or when it left moments ago"`
}

// Resolve checks the key.
func (in *resendInput) Resolve(huma.Context) []error {
	if in.Key == "" || len(in.Key) > 200 || strings.Trim(in.Key, printable) != "" {
		whole := newProblem(http.StatusBadRequest, "idempotency_key_missing",
			"send the header Idempotency-Key with 1 to 200 printable characters, a new one for each message to send: the same key sends nothing twice for a week (retention.idempotency)")
		return []error{&wrong{whole: whole}}
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

// resendDocs says in the OpenAPI document what Resolve checks, and why a resend may be refused.
func resendDocs(op *huma.Operation) {
	var refused strings.Builder
	for _, code := range notify.Refusals {
		refused.WriteString("\n- `" + code + "`: " + problemTypes[code].Means)
	}
	op.Description = "Makes a new message from the stored facts as they are now, on the same way as any other: quiet hours and opt-outs count. " +
		"The same Idempotency-Key gives the same message, however often it is sent within a week (`retention.idempotency`). " +
		"The new message says who asked (`resend_by`) and " +
		"why (`resend_reason`).\n\n409 refuses, with one of these codes:" + refused.String()
	refuses(op, notify.Refusals...)
	one, most := 1, 200
	op.Parameters = append(op.Parameters, &huma.Param{
		Name: "Idempotency-Key", In: "header", Required: true, Example: "call-4711",
		Description: "New for each message to send; a repeated request carries the same",
		Schema:      &huma.Schema{Type: huma.TypeString, MinLength: &one, MaxLength: &most, Pattern: "^[!-~]+$"},
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
	asks := act(ctx)
	e, err := s.Resender.Resend(ctx, notify.ResendRequest{
		Of: id, Channel: notify.Channel(in.Body.Channel), Reason: in.Body.Reason.words(), Force: in.Body.Force, Act: asks,
		Idempotent: notify.Idempotent{Principal: asks.By, Key: in.Key, BodyHash: hash},
	})
	if err != nil {
		return nil, fmt.Errorf("resend message %s: %w", id, err)
	}
	shows, err := s.oneMessage(ctx, &e)
	if err != nil {
		return nil, err
	}
	return &resendOutput{Location: "/v1/messages/" + e.ID.String(), Body: shows.Body}, nil
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
