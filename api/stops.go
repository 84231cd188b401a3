package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// Numbers is where it stands which numbers get no texts.
type Numbers interface {
	StoppedNumber(ctx context.Context, phone string) (why notify.StoppedNumber, stopped bool, err error)
	// Stops lists the stops that hold, the newest first; of one number, also those that were lifted. Only those before a
	// number are listed, unless it is 0.
	Stops(ctx context.Context, phone string, before int64, limit int) ([]notify.NumberStop, error)
	// StopNumber stops a number because staff say so. One that staff have stopped stays as it is. It returns their stop.
	StopNumber(ctx context.Context, act notify.Act, phone, why string) (notify.StoppedNumber, error)
	// AllowNumber lifts what StopNumber did; again, within notify.LiftedLately, without effect. Errors: ErrNotStaffs when
	// somebody else stopped the number, ErrNotFound when nobody did.
	AllowNumber(ctx context.Context, act notify.Act, phone, why string) error
}

// NumberStopped says that a number gets no texts, in the answer about a customer or a message. It is exported because huma
// looks only into such embedded structs.
type NumberStopped struct {
	Source notify.StopSource `json:"source" doc:"reply: the recipient answered STOP. provider: they opted out there. staff: staff stopped it" example:"reply"`
	Since  time.Time         `json:"since"`
	By     string            `json:"by,omitempty" doc:"The name of the API key, for staff" example:"support-desk"`
	Reason string            `json:"reason,omitempty" doc:"Why, in the words of staff" example:"wrong number"`
}

// stopped tells why a number gets no texts; nil when it does.
func (s *server) stopped(ctx context.Context, phone string) (*NumberStopped, error) {
	if phone == "" {
		return nil, nil
	}
	n, stopped, err := s.Numbers.StoppedNumber(ctx, phone)
	if err != nil {
		return nil, fmt.Errorf("ask whether a number is stopped: %w", err)
	}
	if !stopped {
		return nil, nil
	}
	return showStopped(&n), nil
}

func showStopped(n *notify.StoppedNumber) *NumberStopped {
	shows := NumberStopped{Source: n.Source, Since: shown(n.Since), Reason: n.Why}
	if n.Source == notify.StoppedByStaff {
		shows.By = n.By
	}
	return &shows
}

type listStopsInput struct {
	Phone  string `query:"phone" minLength:"1" maxLength:"100" doc:"Only this number, in any usual spelling: with what was lifted" example:"(415) 555-2671"`
	Limit  int    `query:"limit" minimum:"1" maximum:"100" default:"50"`
	Cursor string `query:"cursor" minLength:"1" maxLength:"200" doc:"next of the page before, with the same phone"`

	before int64
	e164   string
}

// Resolve reads the number and the cursor.
func (in *listStopsInput) Resolve(ctx huma.Context) []error {
	if in.Phone != "" {
		var ok bool
		if in.e164, ok = readPhone(ctx, unescapedPlus(in.Phone)); !ok {
			return []error{&wrong{Problem: notify.Problem{Field: "phone", Detail: notAPhone}}}
		}
	}
	return whole(readNo(in.asked(), in.Cursor, &in.before))
}

func (in *listStopsInput) asked() query { return queryOf("stopped-numbers", in.e164) }

// unescapedPlus gives a number back the "+" that was not escaped in a query.
func unescapedPlus(spelled string) string {
	if strings.HasPrefix(spelled, " ") {
		return "+" + spelled[1:]
	}
	return spelled
}

type listStopsOutput struct {
	Body struct {
		Items []stopShown `json:"items" nullable:"false"`
		Next  string      `json:"next,omitempty" doc:"The cursor of the next page; absent on the last one"`
	}
}

// stopShown is one stop of a number.
type stopShown struct {
	Phone string `json:"phone" doc:"Masked" example:"+1415•••2671"`
	NumberStopped
	Lifted *liftShown `json:"lifted,omitempty" doc:"Who took it back; absent while it holds"`
}

type liftShown struct {
	At     time.Time `json:"at"`
	By     string    `json:"by" doc:"The name of the API key, or \"recipient\"" example:"support-desk"`
	Reason string    `json:"reason,omitempty" doc:"Why, in the words of staff"`
}

func (s *server) listStops(ctx context.Context, in *listStopsInput) (*listStopsOutput, error) {
	stops, err := s.Numbers.Stops(ctx, in.e164, in.before, in.Limit)
	if err != nil {
		return nil, fmt.Errorf("list stopped numbers: %w", err)
	}
	out := &listStopsOutput{}
	out.Body.Items = make([]stopShown, len(stops))
	for i := range stops {
		n := &stops[i]
		out.Body.Items[i] = stopShown{Phone: masked(n.Phone), NumberStopped: *showStopped(&n.StoppedNumber)}
		if !n.Lifted.At.IsZero() {
			out.Body.Items[i].Lifted = &liftShown{shown(n.Lifted.At), n.Lifted.By, n.Lifted.Why}
		}
	}
	if len(stops) == in.Limit {
		out.Body.Next = in.asked().cursorAt(stops[len(stops)-1].No)
	}
	return out, nil
}

// NumberPath is the part of the path that names a phone number. It is exported because huma looks only into such fields.
type NumberPath struct {
	Phone string `path:"phone" minLength:"1" maxLength:"100" doc:"In any usual spelling" example:"+14155552671"`

	e164 string
}

// Resolve reads the number.
func (p *NumberPath) Resolve(ctx huma.Context) []error {
	var ok bool
	if p.e164, ok = readPhone(ctx, p.Phone); !ok {
		return []error{&wrong{Problem: notify.Problem{Field: "phone", Detail: notAPhone}}}
	}
	return nil
}

type stopInput struct {
	NumberPath
	Body struct {
		Reason reason `json:"reason" doc:"Why, in a few words: it is kept with the number" example:"wrong number"`
	}
}

type stopOutput struct{ Body stopShown }

func (s *server) stopNumber(ctx context.Context, in *stopInput) (*stopOutput, error) {
	held, err := s.Numbers.StopNumber(ctx, act(ctx), in.e164, in.Body.Reason.words())
	if err != nil {
		return nil, fmt.Errorf("stop a number: %w", err)
	}
	return &stopOutput{stopShown{Phone: masked(in.e164), NumberStopped: *showStopped(&held)}}, nil
}

type liftInput struct {
	NumberPath
	Reason reason `query:"reason" required:"true" doc:"Why, in a few words: it is kept with the number" example:"the owner of the number asked"`
}

type liftOutput struct {
	Body struct {
		Phone   string         `json:"phone" doc:"Masked" example:"+1415•••2671"`
		Stopped *NumberStopped `json:"stopped,omitempty" doc:"Who else stopped the number, which therefore stays stopped; absent: it gets texts again"`
	}
}

func (s *server) liftStop(ctx context.Context, in *liftInput) (*liftOutput, error) {
	err := s.Numbers.AllowNumber(ctx, act(ctx), in.e164, in.Reason.words())
	switch {
	case errors.Is(err, notify.ErrNotStaffs):
		return nil, newProblem(http.StatusConflict, "recipient_only", "only the recipient can lift it, by answering START")
	case isNotFound(err):
		return nil, notFound("nobody has stopped this number")
	case err != nil:
		return nil, fmt.Errorf("lift a stop: %w", err)
	}
	out := &liftOutput{}
	out.Body.Phone = masked(in.e164)
	out.Body.Stopped, err = s.stopped(ctx, in.e164)
	return out, err
}

// liftDocs says who may lift what.
func liftDocs(op *huma.Operation) {
	op.Description = "Lifts what staff set, and nothing else: 409 `recipient_only` for a number whose recipient opted out. What was suppressed " +
		"meanwhile stays so. Within a day the same call may be sent again: it gets the same answer and changes nothing."
	refuses(op, "recipient_only")
}
