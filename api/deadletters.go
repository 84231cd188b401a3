package api

import (
	"context"
	"encoding/base64"
	"fmt"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// DeadLetters is where records are kept that became no event.
type DeadLetters interface {
	// DeadLetters lists those before an id, which is zero for the newest; newest first.
	DeadLetters(ctx context.Context, before notify.ID, limit int) ([]notify.DeadLetter, error)
}

type listDeadLettersInput struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" minLength:"1" maxLength:"200" doc:"next of the page before"`

	before notify.ID
}

var deadLetterQuery = queryOf("deadletters")

// Resolve reads the cursor.
func (in *listDeadLettersInput) Resolve(huma.Context) []error {
	if in.Cursor == "" {
		return nil
	}
	return whole(readID(deadLetterQuery, in.Cursor, &in.before))
}

type listDeadLettersOutput struct {
	Body struct {
		Items []deadLetterBody `json:"items" nullable:"false"`
		Next  string           `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// deadLetterBody is a record that became no event. Its value is shown as it came: it may hold names and numbers.
type deadLetterBody struct {
	ID         string           `json:"id"`
	Reason     string           `json:"reason" doc:"A stable code" example:"unknown_milestone"`
	Problems   []notify.Problem `json:"problems" nullable:"false" doc:"Everything that is wrong with it"`
	At         time.Time        `json:"at" doc:"When it was found"`
	Topic      string           `json:"topic" example:"order-events"`
	Partition  int              `json:"partition"`
	Offset     int64            `json:"offset"`
	RecordedAt time.Time        `json:"recorded_at,omitzero" doc:"When the producer wrote it"`
	Key        valueBody        `json:"key"`
	Value      valueBody        `json:"value"`
}

// valueBody is the bytes of a record, at most 4 KiB of them.
type valueBody struct {
	Encoding string `json:"encoding" enum:"text,base64"`
	Shown    string `json:"shown" doc:"At most 4,096 bytes"`
	Size     int    `json:"size" doc:"How many bytes there are"`
}

// mostShown is how many bytes of a value are shown, and how long a text of them can be.
const mostShown = 4 << 10

func (s *server) listDeadLetters(ctx context.Context, in *listDeadLettersInput) (*listDeadLettersOutput, error) {
	found, err := s.DeadLetters.DeadLetters(ctx, in.before, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	out := &listDeadLettersOutput{}
	out.Body.Items = make([]deadLetterBody, len(found))
	for i := range found {
		out.Body.Items[i] = showDeadLetter(&found[i])
	}
	if len(found) == in.Limit {
		out.Body.Next = deadLetterQuery.cursor(found[len(found)-1].ID[:])
	}
	return out, nil
}

func showDeadLetter(d *notify.DeadLetter) deadLetterBody {
	r := &d.Record
	return deadLetterBody{
		ID: d.ID.String(), Reason: d.Reason, Problems: append([]notify.Problem{}, d.Problems...), At: shown(d.At),
		Topic: r.Topic, Partition: r.Partition, Offset: r.Offset, RecordedAt: shown(r.Time),
		Key: showValue(r.Key), Value: showValue(r.Value),
	}
}

// showValue shows text as text and anything else as base64. A text is cut before a character, not within one.
func showValue(b []byte) valueBody {
	v := valueBody{Encoding: "text", Size: len(b)}
	cut := b[:min(len(b), mostShown)]
	for i := 0; len(cut) < len(b) && i < utf8.UTFMax-1 && len(cut) > 0 && !utf8.RuneStart(b[len(cut)]); i++ {
		cut = cut[:len(cut)-1]
	}
	v.Shown = string(cut)
	if !isText(v.Shown) {
		v.Encoding, v.Shown = "base64", base64.StdEncoding.EncodeToString(b[:min(len(b), mostShown)])
	}
	return v
}

// isText tells whether a person can read it.
func isText(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
	}
	return true
}
