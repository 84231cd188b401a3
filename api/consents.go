package api

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Consents is the ledger of what customers said about being texted.
type Consents interface {
	// AddConsent adds what a customer said and returns it as stored. Without At it was said just now. Again tells that the
	// key was used before, for the same. Errors: ErrNotFound for a customer who is not stored, ErrKeyReused.
	AddConsent(ctx context.Context, act notify.Act, r notify.ConsentRecord, key notify.Idempotent) (added notify.ConsentRecord, again bool, err error)
	// Consents lists what a customer said, the newest row first: only rows before a number, unless it is 0.
	Consents(ctx context.Context, customerID string, before int64, limit int) ([]notify.ConsentRecord, error)
}

type addConsentInput struct {
	CustomerPath
	Key  string `header:"Idempotency-Key" maxLength:"200" pattern:"^[!-~]*$" patternDescription:"up to 200 printable characters" doc:"The same key adds one row, however often it is sent within a week (retention.idempotency); an empty one is none" example:"form-4711"`
	Body consentBody
}

// consentBody is what a customer said, as somebody records it.
type consentBody struct {
	Channel  consentChannel `json:"channel" doc:"sms: alerts are allowed in the browser itself" example:"sms"`
	Given    bool           `json:"given" doc:"false: the customer withdrew it, or said no"`
	At       time.Time      `json:"at,omitzero" nullable:"true" doc:"When the customer said it; absent: just now" example:"2026-11-21T19:00:00Z"`
	Source   string         `json:"source" minLength:"1" maxLength:"40" pattern:"^[A-Za-z][A-Za-z ()/_-]*$" patternDescription:"a few words without digits, such as web form" doc:"How it was said" example:"web form"`
	Evidence string         `json:"evidence,omitempty" nullable:"true" maxLength:"500" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" doc:"What proves it: where the form is kept, the number of the call" example:"form 2026-11-4711"`
}

// consentChannel is a channel on which consent is asked for.
type consentChannel string

// Schema is what huma asks of a type with a schema of its own.
func (consentChannel) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: words(notify.ConsentChannels)}
}

// machines are the sources that are not a person who tells what a customer said.
var machines = []string{notify.ConsentByEvent, notify.ConsentByImport}

// clockSlack is how far a caller's clock may be ahead of ours.
const clockSlack = time.Minute

// Resolve checks what the schema can't.
func (b *consentBody) Resolve(huma.Context) (faults []error) {
	fault := func(field, detail string) {
		faults = append(faults, &wrong{Problem: notify.Problem{Field: field, Detail: detail}})
	}
	switch {
	case b.At.After(time.Now().Add(clockSlack)):
		fault("at", "lies in the future: send when the customer said it, with its offset from UTC")
	case !b.At.IsZero() && b.At.Year() < 2000:
		fault("at", "lies before the year 2000: send when the customer said it")
	}
	if slices.Contains(machines, strings.ToLower(strings.TrimSpace(b.Source))) {
		fault("source", `is how order events and imports say it: name how the customer told you, such as "phone call"`)
	}
	if !oneLine(b.Evidence) {
		fault("evidence", notOneLine)
	}
	return faults
}

// consentShown is one row of the ledger.
type consentShown struct {
	No         int64          `json:"no" doc:"Grows from row to row"`
	Channel    notify.Channel `json:"channel" example:"sms"`
	Given      bool           `json:"given"`
	At         time.Time      `json:"at" doc:"When the customer said it"`
	Source     string         `json:"source" doc:"How: in the words of who recorded it, or order event, or import" example:"web form"`
	By         string         `json:"by" doc:"Who recorded it: the name of the API key, \"command line\" or \"event\"" example:"support-desk"`
	RecordedAt time.Time      `json:"recorded_at"`
	Evidence   string         `json:"evidence,omitempty" example:"form 2026-11-4711"`
}

func showConsent(r *notify.ConsentRecord) consentShown {
	return consentShown{r.No, r.Channel, r.Given, shown(r.At), r.Source, r.By, shown(r.RecordedAt), r.Evidence}
}

// consentsShown are the newest answers, by channel.
type consentsShown map[string]consentNow

type consentNow struct {
	Given  bool      `json:"given"`
	At     time.Time `json:"at"`
	Source string    `json:"source" example:"web form"`
}

func showConsents(c notify.Consents) consentsShown {
	shows := consentsShown{}
	for ch, said := range c {
		shows[string(ch)] = consentNow{said.Given, shown(said.At), said.Source}
	}
	return shows
}

type addConsentOutput struct{ Body consentShown }

func (s *server) addConsent(ctx context.Context, in *addConsentInput) (*addConsentOutput, error) {
	asks := act(ctx)
	key := notify.Idempotent{}
	if in.Key != "" {
		asked, err := json.Marshal(struct {
			Of string
			consentBody
		}{in.ID, in.Body})
		if err != nil {
			return nil, fmt.Errorf("hash the request: %w", err)
		}
		key = notify.Idempotent{Principal: asks.By, Key: in.Key, BodyHash: sha256.Sum256(asked)}
	}
	at := in.Body.At
	if at.After(asks.At) { // only now: the hash is over what was sent, whenever that comes again
		at = asks.At
	}
	r, _, err := s.Consents.AddConsent(ctx, asks, notify.ConsentRecord{
		CustomerID: in.ID, Channel: notify.Channel(in.Body.Channel), Evidence: strings.TrimSpace(in.Body.Evidence),
		Consent: notify.Consent{Given: in.Body.Given, At: at, Source: strings.TrimSpace(in.Body.Source)},
	}, key)
	if isNotFound(err) {
		return nil, notFound("there is no customer with this id: PUT /v1/customers/{id} writes one")
	}
	if err != nil {
		return nil, fmt.Errorf("add consent: %w", err)
	}
	s.remember(ctx, in.ID)
	return &addConsentOutput{showConsent(&r)}, nil
}

// consentDocs says what a row does.
func consentDocs(op *huma.Operation) {
	op.Description = "Adds what the customer said to the ledger, whose rows are never changed. What they said last holds: a withdrawal suppresses, " +
		"in the same moment, every text that has not left (`no_consent`), and nothing overrides it but a newer consent. An order event and an " +
		"import never lift a withdrawal that was recorded here."
}

type listConsentsInput struct {
	CustomerPath
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" minLength:"1" maxLength:"200" doc:"next of the page before"`

	before int64 // 0: the newest
}

// Resolve reads the cursor.
func (in *listConsentsInput) Resolve(huma.Context) []error {
	return whole(readNo(in.asked(), in.Cursor, &in.before))
}

func (in *listConsentsInput) asked() query { return queryOf("consents", in.ID) }

// readNo reads a cursor whose place is the number of a row; an empty one is the beginning.
func readNo(q query, cursor string, dst *int64) *problem {
	if cursor == "" {
		return nil
	}
	place, bad := q.read(cursor, 8)
	if bad == nil {
		*dst = int64(binary.BigEndian.Uint64(place))
	}
	return bad
}

// cursorAt is the cursor of a page that ends with a row.
func (q query) cursorAt(no int64) string {
	return q.cursor(binary.BigEndian.AppendUint64(nil, uint64(no)))
}

type listConsentsOutput struct {
	Body struct {
		Items []consentShown `json:"items" nullable:"false"`
		Next  string         `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

func (s *server) listConsents(ctx context.Context, in *listConsentsInput) (*listConsentsOutput, error) {
	if _, err := s.customer(ctx, in.ID); err != nil {
		return nil, err
	}
	rows, err := s.Consents.Consents(ctx, in.ID, in.before, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	out := &listConsentsOutput{}
	out.Body.Items = make([]consentShown, len(rows))
	for i := range rows {
		out.Body.Items[i] = showConsent(&rows[i])
	}
	if len(rows) == in.Limit {
		out.Body.Next = in.asked().cursorAt(rows[len(rows)-1].No)
	}
	return out, nil
}
