package api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"onmyway/notify"
)

// problem is the one shape of every error (RFC 9457). It is an error, and what huma writes.
type problem struct {
	Type   string           `json:"type" doc:"Stable and relative to this service: /problems/<code>" example:"/problems/not_found"`
	Title  string           `json:"title" doc:"The same for every problem of this type"`
	Status int              `json:"status" doc:"HTTP status"`
	Code   string           `json:"code" doc:"Stable, for programs" example:"not_found"`
	Detail string           `json:"detail,omitempty" doc:"What is wrong this time and what to do about it"`
	Errors []notify.Problem `json:"errors,omitempty" nullable:"false" doc:"Everything that is wrong with the request, by field"`

	header http.Header
}

// Error, GetStatus, GetHeaders and ContentType are what huma asks of an error.
func (p *problem) Error() string             { return p.Code + ": " + p.Detail }
func (p *problem) GetStatus() int            { return p.Status }
func (p *problem) GetHeaders() http.Header   { return p.header }
func (p *problem) ContentType(string) string { return problemJSON }

const problemJSON = "application/problem+json"

func newProblem(status int, code, detail string) *problem {
	return &problem{
		Type: "/problems/" + code, Title: cmp.Or(problemTypes[code].Title, http.StatusText(status), "Problem"),
		Status: status, Code: code, Detail: detail,
	}
}

func notFound(detail string) *problem { return newProblem(http.StatusNotFound, "not_found", detail) }

// with adds a header to the answer.
func (p *problem) with(name, value string) *problem {
	if p.header == nil {
		p.header = http.Header{}
	}
	p.header.Set(name, value)
	return p
}

func (p *problem) retryAfter(d time.Duration) *problem {
	return p.with("Retry-After", strconv.Itoa(int(d.Seconds())))
}

// writeProblem answers outside of huma.
func writeProblem(w http.ResponseWriter, p *problem) {
	for name, values := range p.header {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", problemJSON)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // an error means that the caller is gone
}

// problemOf turns the error of a handler into what the caller may know. What it does not know is ours: it is logged here,
// once, and nothing of it is shown.
func (s *server) problemOf(ctx context.Context, err error) *problem {
	var (
		p       *problem
		refusal *notify.Refusal
		invalid *notify.Invalid
	)
	switch {
	case errors.As(err, &p):
		return p
	case errors.As(err, &refusal):
		return newProblem(http.StatusConflict, refusal.Code, refusal.Detail)
	case errors.As(err, &invalid):
		return invalidFields(invalid.Problems)
	case errors.Is(err, notify.ErrNotFound):
		return notFound("there is nothing with this id")
	case errors.Is(err, notify.ErrKeyReused):
		return newProblem(http.StatusUnprocessableEntity, "idempotency_key_reused",
			"this Idempotency-Key came before with another body: use a new key for a new request")
	case errors.Is(ctx.Err(), context.Canceled): // the caller is gone: nobody reads the answer
		return newProblem(statusClientGone, "client_gone", "the caller closed the connection")
	}
	s.log.ErrorContext(ctx, "call failed", "error", err, "request_id", requestOf(ctx).id)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return newProblem(http.StatusServiceUnavailable, "timeout", "no answer in time: send the same request again").retryAfter(comeBack)
	case notify.Down(err):
		return newProblem(http.StatusServiceUnavailable, "database_unavailable", "the database does not answer: send the same request again").retryAfter(comeBack)
	}
	return newProblem(http.StatusInternalServerError, "internal", "the request id is in the X-Request-Id header: it finds the cause in our log")
}

// comeBack is when to try again what an engine could not do now.
const comeBack = 5 * time.Second

// statusClientGone is the status that nginx logs for a caller who did not wait. It is never read.
const statusClientGone = 499

// invalidFields lists all wrong fields, one entry for each, by name.
func invalidFields(fields []notify.Problem) *problem {
	p := newProblem(http.StatusUnprocessableEntity, "invalid_request", "mend the fields in errors and send it again")
	p.Errors = slices.Clone(fields)
	slices.SortStableFunc(p.Errors, func(a, b notify.Problem) int { return strings.Compare(a.Field, b.Field) })
	p.Errors = slices.CompactFunc(p.Errors, func(a, b notify.Problem) bool { return a.Field == b.Field })
	return p
}

// wrong is one field that a Resolve found wrong.
type wrong struct {
	notify.Problem
	whole *problem // what the answer is then as a whole; nil for invalidFields
}

func (w *wrong) Error() string { return w.Field + " " + w.Detail }

// init gives the errors that huma itself finds our shape, and makes names count letter by letter. huma has package
// variables for that and nothing else.
func init() {
	huma.ValidateStrictCasing = true // "Phone" is no field of ours
	huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
		return foundByHuma(nil, status, msg, errs)
	}
	huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
		return foundByHuma(ctx, status, msg, errs)
	}
}

func foundByHuma(ctx huma.Context, status int, msg string, errs []error) *problem {
	fields := make([]notify.Problem, 0, len(errs))
	for _, err := range errs {
		var w *wrong
		switch {
		case !errors.As(err, &w):
			fields = append(fields, fieldProblem(ctx, err))
		case w.whole != nil:
			return w.whole
		default:
			fields = append(fields, w.Problem)
		}
	}
	p := invalidFields(fields)
	switch status {
	case http.StatusUnprocessableEntity:
		return p
	case http.StatusInternalServerError: // huma's word for a body that ended early
		status, msg = http.StatusBadRequest, "the body ended too early"
	}
	whole := newProblem(status, strings.ReplaceAll(strings.ToLower(http.StatusText(status)), " ", "_"), msg)
	if status == http.StatusBadRequest {
		whole.Errors = p.Errors
	}
	return whole
}

// fieldProblem says in our words what huma found. The value itself, which huma would show, is left out: it may be a
// phone number.
func fieldProblem(ctx huma.Context, err error) notify.Problem {
	var d huma.ErrorDetailer
	if !errors.As(err, &d) {
		return notify.Problem{Detail: "can't be read"}
	}
	e := d.ErrorDetail()
	_, field, _ := strings.Cut(e.Location, ".") // "body.phone", "query.limit"
	before, after, _ := strings.Cut(validation.MsgExpectedRequiredProperty, "%s")
	if name, ok := strings.CutPrefix(e.Message, before); ok {
		name = strings.TrimSuffix(name, after)
		return notify.Problem{Field: strings.TrimPrefix(field+"."+name, "."), Detail: "is missing"}
	}
	if e.Message == validation.MsgUnexpectedProperty || strings.HasPrefix(e.Location, "query.") && e.Message == "unknown query parameter" {
		return notify.Problem{Field: field, Detail: unknownField(ctx, field)}
	}
	return notify.Problem{Field: field, Detail: e.Message}
}
