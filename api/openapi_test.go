package api_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"onmyway/api"
	"onmyway/notify"
)

// document is what clients are made from.
type document struct {
	OpenAPI    string
	Paths      map[string]map[string]operation
	Components struct{ Schemas map[string]json.RawMessage }
}

type operation struct {
	OperationID string `json:"operationId"`
	Summary     string
	Security    []map[string][]string
	Parameters  []struct {
		Name, In, Description string
		Schema                map[string]any
	}
	RequestBody struct{ Content map[string]json.RawMessage }
	Responses   map[string]struct {
		Description string
		Content     map[string]struct{ Schema map[string]any }
	}
}

func (f *fixture) document(t *testing.T, path string) (doc document) {
	t.Helper()
	w := f.do("GET "+path, "", "Authorization", "")
	wantStatus(t, w, http.StatusOK)
	if err := json.Unmarshal(w.Body.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

// Every call says what may go wrong, in the one form, and every list and header that it takes.
func TestDocumentSaysEverything(t *testing.T) {
	for _, path := range []string{"/openapi.json", "/openapi-3.0.json"} {
		doc := newFixture(t).document(t, path)
		ids := map[string]bool{}
		for route, methods := range doc.Paths {
			for method, op := range methods {
				at := path + " " + method + " " + route
				if op.OperationID == "" || ids[op.OperationID] || op.Summary == "" {
					t.Errorf("%s: name %q, summary %q", at, op.OperationID, op.Summary)
				}
				ids[op.OperationID] = true
				want := []string{"429", "500", "503"}
				if len(op.Security) > 0 && len(op.Security[0]) > 0 {
					want = append(want, "401", "403")
				}
				if strings.Contains(route, "{") {
					want = append(want, "404", "422")
				}
				if len(op.RequestBody.Content) > 0 {
					want = append(want, "400", "408", "413", "415", "422")
				}
				for _, status := range want {
					if op.Responses[status].Content["application/problem+json"].Schema == nil {
						t.Errorf("%s does not say what %s looks like", at, status)
					}
				}
				for status, answer := range op.Responses {
					if answer.Description == "" {
						t.Errorf("%s says nothing about %s", at, status)
					}
				}
			}
		}
		if len(ids) != 23 {
			t.Errorf("%s has %d calls", path, len(ids))
		}
	}
}

// What a program decides by is explained where it looks.
func TestEveryProblemIsExplained(t *testing.T) {
	f := newFixture(t)
	codes := api.ProblemCodes()
	for _, code := range notify.Refusals {
		if !strings.Contains(f.do("GET /openapi.json", "").Body.String(), "`"+code+"`:") {
			t.Errorf("the document does not explain the refusal %s", code)
		}
		codes = append(codes, code)
	}
	for _, code := range codes {
		w := f.do("GET /problems/"+code, "", "Accept", "application/json", "Authorization", "")
		var said struct {
			Code, Title, Means string
			Status             int
		}
		if err := json.Unmarshal(w.Body.Bytes(), &said); err != nil && code != "client_gone" {
			t.Errorf("%s: %d %s", code, w.Code, w.Body)
		}
		if code != "client_gone" && (said.Code != code || said.Status < 400 || said.Means == "" || !strings.HasSuffix(said.Means, ".")) {
			t.Errorf("%+v", said)
		}
	}
	for _, r := range notify.Reasons {
		if w := f.do("GET /reasons/"+string(r.Code), ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), string(r.Code)) {
			t.Errorf("%s: %d", r.Code, w.Code)
		}
	}
	wantProblem(t, f.do("GET /problems/nothing", ""), http.StatusNotFound, "not_found")
	wantProblem(t, f.do("GET /reasons/nothing", ""), http.StatusNotFound, "not_found")
}

// The pages are complete without script and load nothing from anybody else.
func TestPages(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{"/docs", "/problems", "/problems/not_found", "/reasons", "/reasons/opted_out"} {
		w := f.do("GET "+path, "", "Authorization", "", "Accept", "text/html,*/*")
		wantStatus(t, w, http.StatusOK)
		html := w.Body.String()
		if got := w.Header().Get("Content-Type"); got != "text/html; charset=utf-8" {
			t.Errorf("%s is %s", path, got)
		}
		if got := w.Header().Get("Content-Security-Policy"); got != "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" {
			t.Errorf("%s: %s", path, got)
		}
		for _, bad := range []string{"<script", "style=", "onclick", "javascript:", "ZgotmplZ", "<no value>"} {
			if strings.Contains(html, bad) {
				t.Errorf("%s has %q", path, bad)
			}
		}
		for _, link := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(html, -1) {
			u, err := url.Parse(link[1])
			switch {
			case err != nil || u.Host != "":
				t.Errorf("%s links to %s", path, link[1])
			case u.Path == "":
				if !strings.Contains(html, `id="`+u.Fragment+`"`) {
					t.Errorf("%s links to %s, which it has not", path, link[1])
				}
			case f.do("GET "+u.Path, "").Code != http.StatusOK:
				t.Errorf("%s links to %s, which is not there", path, link[1])
			}
		}
	}
	w := f.do("GET /docs/style.css", "", "Authorization", "")
	if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "url(") || strings.Contains(w.Body.String(), "@import") {
		t.Errorf("the style: %d", w.Code)
	}
}

// The page has every call with its scope and a command, and the commands carry every header that is needed.
func TestDocsShowEveryCall(t *testing.T) {
	f := newFixture(t)
	html := f.do("GET /docs", "").Body.String()
	for route, methods := range f.document(t, "/openapi.json").Paths {
		for _, op := range methods {
			if !strings.Contains(html, `id="`+op.OperationID+`"`) || !strings.Contains(html, "<code>"+route+"</code>") {
				t.Errorf("%s is not on the page", op.OperationID)
			}
		}
	}
	for _, scope := range api.Scopes {
		if strings.Count(html, `<span class="badge">`+string(scope)+"</span>") < 2 {
			t.Errorf("no call of the page has the scope %s", scope)
		}
	}
	for _, says := range []string{"Idempotency-Key: call-4711", "https://track.example.com/v1/orders/CH-1001/timeline", "Authorization: Bearer $KEY"} {
		if !strings.Contains(html, says) && !strings.Contains(html, strings.ReplaceAll(says, "+", "&#43;")) {
			t.Errorf("the page does not say %q", says)
		}
	}
}

// docs/reasons.md says what /reasons says.
func TestReasonsDocument(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Reasons\n\nWhy a message was not sent, waits or failed: the `reason` of a message and of what was not sent. The codes are stable.\n" +
		"The service itself explains them at `/reasons`. This file is made from `notify/reason.go` by `go test ./api -run TestReasonsDocument -update`.\n\n" +
		"| reason | means | what to do |\n|---|---|---|\n")
	for _, r := range notify.Reasons {
		b.WriteString("| `" + string(r.Code) + "` | " + r.Means + " | " + r.Todo + " |\n")
	}
	if _, err := os.Stat("../docs"); err != nil {
		t.Skip("docs/ is not beside the code")
	}
	golden(t, "../docs/reasons.md", b.String())
}
