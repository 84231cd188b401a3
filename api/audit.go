package api

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Audit is where it stands who did what.
type Audit interface {
	// Audit lists what was done to objects, or to any for none, the newest first.
	Audit(ctx context.Context, objects []string, limit int) ([]notify.AuditRow, error)
}

type listAuditInput struct {
	Object string `query:"object" minLength:"1" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f-\\x9f�]*$" patternDescription:"one line without control characters" doc:"What it was done to: customer:<id>, message:<id> or key:<name>" example:"customer:c-42"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" minLength:"1" maxLength:"200" doc:"next of the page before, with the same object"`

	before int64 // 0: the newest
}

// Resolve reads the cursor.
func (in *listAuditInput) Resolve(huma.Context) []error {
	if in.Cursor == "" {
		return nil
	}
	place, bad := in.asked().read(in.Cursor, 8)
	if bad == nil {
		in.before = int64(binary.BigEndian.Uint64(place))
	}
	return whole(bad)
}

func (in *listAuditInput) asked() query { return queryOf("audit", in.Object) }

type listAuditOutput struct {
	Body struct {
		Items []auditBody `json:"items" nullable:"false"`
		Next  string      `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one, and after the newest 20,000 rows"`
	}
}

// auditBody is one thing that was done.
type auditBody struct {
	No      int64     `json:"no" doc:"1, 2, 3, … without gaps"`
	At      time.Time `json:"at"`
	By      string    `json:"by" doc:"The name of the API key, or \"command line\"" example:"support-desk"`
	Request string    `json:"request,omitempty" doc:"The X-Request-Id of the call"`
	Did     string    `json:"did" example:"customer.write"`
	Object  string    `json:"object" example:"customer:c-42"`
	Detail  detail    `json:"detail" doc:"An object; never a name, a number, a key or a text"`
	Hash    string    `json:"hash" doc:"SHA-256 over the row before and this one, in hex"`
}

// detail is a JSON object as it is stored.
type detail json.RawMessage

// MarshalJSON writes it as it is.
func (d detail) MarshalJSON() ([]byte, error) { return json.RawMessage(d).MarshalJSON() }

// Schema is any object.
func (detail) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeObject, AdditionalProperties: true}
}

// deepestAudit bounds how many rows are read to find a page.
const deepestAudit = 20_000

func (s *server) listAudit(ctx context.Context, in *listAuditInput) (*listAuditOutput, error) {
	rows, err := s.auditBefore(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	out := &listAuditOutput{}
	out.Body.Items = make([]auditBody, len(rows))
	for i := range rows {
		out.Body.Items[i] = showAudit(&rows[i])
	}
	if len(rows) == in.Limit {
		out.Body.Next = in.asked().cursor(binary.BigEndian.AppendUint64(nil, uint64(rows[len(rows)-1].No)))
	}
	return out, nil
}

// auditBefore reads one page. The store reads from the newest row on, so a later page reads the earlier ones again, and
// more each time until it has enough.
func (s *server) auditBefore(ctx context.Context, in *listAuditInput) ([]notify.AuditRow, error) {
	var objects []string
	if in.Object != "" {
		objects = []string{in.Object}
	}
	for ask := in.Limit; ; ask = min(ask*4, deepestAudit) {
		rows, err := s.Audit.Audit(ctx, objects, ask)
		if err != nil {
			return nil, err
		}
		whole := len(rows) < ask || ask == deepestAudit
		for len(rows) > 0 && in.before > 0 && rows[0].No >= in.before {
			rows = rows[1:]
		}
		if len(rows) >= in.Limit || whole {
			return rows[:min(in.Limit, len(rows))], nil
		}
	}
}

func showAudit(r *notify.AuditRow) auditBody {
	with := detail(r.Detail)
	if len(with) == 0 {
		with = detail("{}")
	}
	return auditBody{
		No: r.No, At: shown(r.At), By: r.By, Request: r.Request, Did: r.Did, Object: r.Object, Detail: with,
		Hash: fmt.Sprintf("%x", r.Hash),
	}
}
