package api

import (
	"encoding/json"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
)

// keyScheme is the name of the API key in the OpenAPI document.
const keyScheme = "key"

const welcome = "Tells the customers of a vehicle-logistics company where their order is.\n\n" +
	"Every error is a problem (RFC 9457) with a stable `code`, a sentence that says what to do, and one entry for every wrong field. " +
	"Times are RFC 3339 in UTC. Lists come in pages, newest first: send `next` of a page as `cursor` of the following call, with the same filters."

// description is the head of the OpenAPI document and the behaviour of huma.
func description(publicURL string) huma.Config {
	c := huma.DefaultConfig("Onmyway", "1")
	c.Info.Description = welcome
	c.CreateHooks = nil                   // no "$schema" in every body
	c.RejectUnknownQueryParameters = true // a filter with a typo would otherwise find everything
	format := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: readJSON}
	c.Formats = map[string]huma.Format{"application/json": format, "json": format}
	c.DefaultFormat = "application/json"
	// Served by us: the handlers of huma build the document in the first request, without a lock, and its page of
	// documents loads scripts from somebody else.
	c.OpenAPIPath, c.DocsPath, c.SchemasPath = "", "", ""
	c.Components.SecuritySchemes = map[string]*huma.SecurityScheme{
		keyScheme: {Type: "http", Scheme: "bearer", Description: "An API key. Each call names the scope that the key needs."},
	}
	c.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	c.Servers = []*huma.Server{{URL: "/"}}
	if publicURL != "" {
		c.Servers = []*huma.Server{{URL: publicURL}}
	}
	return c
}

// schemaName names a type in the document as a reader knows the thing.
func schemaName(t reflect.Type, hint string) string {
	switch t {
	case reflect.TypeFor[notify.Problem]():
		return "WrongField" // beside Problem, the whole answer
	case reflect.TypeFor[problem]():
		return "Problem"
	}
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "Body")
}

// failures are the statuses of problems that a call may answer, besides 422 and 500, which huma adds.
func failures(op *huma.Operation, scope Scope, body, list bool) []int {
	all := []int{http.StatusTooManyRequests, http.StatusServiceUnavailable}
	if scope != Public {
		all = append(all, http.StatusUnauthorized, http.StatusForbidden)
	}
	if body || list {
		all = append(all, http.StatusBadRequest, http.StatusUnprocessableEntity)
	}
	if body {
		all = append(all, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if strings.Contains(op.Path, "{") {
		all = append(all, http.StatusNotFound)
	}
	slices.Sort(all)
	return all
}

// complete says of every answer what it means and which headers it has.
func complete(doc *huma.OpenAPI) {
	doc.Tags = tags
	defer linked(doc)
	defer refusedDocs(doc)
	for _, path := range doc.Paths {
		for _, op := range operationsOf(path) {
			for status, answer := range op.Responses {
				if code, err := strconv.Atoi(status); err == nil && code >= 400 {
					describe(op, answer, code)
				}
				if answer.Headers == nil {
					answer.Headers = map[string]*huma.Header{}
				}
				answer.Headers["X-Request-Id"] = header("Names this request in the service's log")
			}
		}
	}
}

// describe says which problems have a status.
func describe(op *huma.Operation, answer *huma.Response, status int) {
	answer.Headers = map[string]*huma.Header{}
	if codes := codesOf(status); len(codes) > 0 && len(codes) <= 5 {
		answer.Description = http.StatusText(status) + ": " + strings.Join(codes, ", ")
	}
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		answer.Headers["WWW-Authenticate"] = header("How to prove who calls, and the scope that is missing")
	case http.StatusTooManyRequests:
		answer.Headers["Retry-After"] = header("Seconds to wait")
	case http.StatusConflict:
		answer.Description = "Refused: " + strings.Join(conflictsOf(op), ", ")
	}
}

// refusals is where an operation keeps the codes with which it refuses.
const refusals = "refusals"

// refuses documents that a call refuses, with one of these codes.
func refuses(op *huma.Operation, codes ...string) {
	op.Errors = append(op.Errors, http.StatusConflict)
	op.Metadata[refusals] = codes
}

// conflictsOf are the codes with which a call refuses.
func conflictsOf(op *huma.Operation) []string {
	codes, _ := op.Metadata[refusals].([]string)
	return codes
}

// linked says which calls take what an answer gives.
func linked(doc *huma.OpenAPI) {
	link := func(answer *huma.Response, call string, parameters map[string]any) {
		if answer.Links == nil {
			answer.Links = map[string]*huma.Link{}
		}
		answer.Links[call] = &huma.Link{OperationID: call, Parameters: parameters}
	}
	list := doc.Paths["/v1/messages"].Get.Responses["200"]
	link(list, "get-message", map[string]any{"id": "$response.body#/items/0/id"})
	link(list, "resend-message", map[string]any{"id": "$response.body#/items/0/id"})
	link(list, "get-order-timeline", map[string]any{"id": "$response.body#/items/0/order_id"})
	link(doc.Paths["/v1/orders/{id}"].Get.Responses["200"], "get-customer", map[string]any{"id": "$response.body#/customers/0/id"})
	link(doc.Paths["/v1/customers/{id}/push-subscriptions"].Post.Responses["201"], "remove-push-subscription",
		map[string]any{"id": "$request.path.id", "sid": "$response.body#/id"})
}

func header(doc string) *huma.Header {
	return &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
}

// tags are the chapters of the document.
var tags = []*huma.Tag{
	{Name: "events", Description: "Producers publish what happened."},
	{Name: "orders", Description: "One view of an order over all lines of business."},
	{Name: "messages", Description: "What customers were told, why or why not, and once more."},
	{Name: "customers", Description: "Who is told, in which words, and what they want."},
	{Name: "stopped-numbers", Description: "Who gets no texts, and who said so."},
	{Name: "deadletters", Description: "Records that could not be understood."},
	{Name: "audit", Description: "Who did what."},
	{Name: "push-key", Description: "What a browser needs to subscribe."},
}

func operationsOf(path *huma.PathItem) (ops []*huma.Operation) {
	for _, op := range []*huma.Operation{path.Get, path.Put, path.Post, path.Patch, path.Delete} {
		if op != nil {
			ops = append(ops, op)
		}
	}
	return ops
}

// openAPI serves the document, which is complete once all calls are registered.
func (s *server) openAPI() http.HandlerFunc {
	return document(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) })
}

// openAPI30 serves the document in the older form, which some generators of clients still need.
func (s *server) openAPI30() http.HandlerFunc {
	return document(func() ([]byte, error) { return s.api.OpenAPI().Downgrade() })
}

// document serves what is written once, when somebody first asks.
func document(write func() ([]byte, error)) http.HandlerFunc {
	doc := sync.OnceValue(func() []byte {
		b, err := write()
		if err != nil {
			panic("the OpenAPI document can't be written: " + err.Error()) // made of constants only
		}
		return b
	})
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc()) // an error means that the caller is gone
	}
}
