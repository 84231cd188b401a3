package api_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"onmyway/api"
)

// Whatever comes in, the answer says what is wrong and what to do, and nothing is written.
func TestBadInput(t *testing.T) {
	const put, patch, resend = "PUT /v1/customers/c-42", "PATCH /v1/customers/c-42", "POST /v1/messages/0199a3f2-7c00-7d6e-9f1b-2c5a8e4d7b10/resend"
	deep := strings.Repeat(`{"preferences":`, 40) + "1" + strings.Repeat("}", 40)
	tests := []struct {
		name, call, body, contentType string
		status                        int
		code, says                    string
	}{
		{"half an object", put, `{"name":"x"`, "application/json", 400, "bad_request", ""},
		{"two objects", put, `{} {}`, "application/json", 400, "bad_request", ""},
		{"not UTF-8", put, "{\"name\":\"\xff\"}", "application/json", 400, "bad_request", "not UTF-8"},
		{"the same name twice", put, `{"name":"x","name":"y"}`, "application/json", 400, "bad_request", `"name" comes twice`},
		{"the same name twice, inside", patch, `{"preferences":{"channels":{"sms":true,"sms":false}}}`, "application/json", 400, "bad_request", `"sms" comes twice`},
		{"very deep", put, deep, "application/json", 400, "bad_request", "more than 32"},
		{"other case", put, `{"Name":"x"}`, "application/json", 422, "invalid_request", `did you mean "name"?`},
		{"a form", put, `name=x`, "application/x-www-form-urlencoded", 415, "unsupported_media_type", "application/json"},
		{"text", resend, `{"reason":"x"}`, "text/plain", 415, "unsupported_media_type", "application/json"},
		{"a patch for PUT", put, `{}`, "application/merge-patch+json", 415, "unsupported_media_type", "application/json"},
		{"another patch", patch, `[]`, "application/json-patch+json", 415, "unsupported_media_type", "application/merge-patch+json"},
		{"nonsense type", put, `{}`, ";;", 415, "unsupported_media_type", "application/json"},
		{"no body", put, ``, "application/json", 400, "bad_request", ""},
		{"ten thousand events", "POST /v1/events", "[" + strings.Repeat("{},", 9999) + "{}]", "application/json", 422, "too_many_events", "1,000"},
		{"ten thousand choices", put, `{"preferences":{"channels":{` + many(9000) + `}}}`, "application/json", 413, "request_entity_too_large", ""},
		{"empty filter", "GET /v1/messages?order_id=", "", "", 422, "invalid_request", "is empty"},
		{"filter twice", "GET /v1/messages?order_id=a&order_id=b", "", "", 422, "invalid_request", "more than once"},
		{"filter that can't be read", "GET /v1/messages?order_id=100%", "", "", 422, "invalid_request", "%25"},
		{"filter behind a semicolon", "GET /v1/messages?limit=1;order_id=a", "", "", 422, "invalid_request", "%3B"},
		{"unknown filter", "GET /v1/audit?objekt=x", "", "", 422, "invalid_request", `did you mean "object"?`},
		{"a filter where none is", "GET /v1/customers/c-42?fields=name", "", "", 422, "invalid_request", "no such field"},
		{"page too large", "GET /v1/deadletters?limit=1000000", "", "", 422, "invalid_request", "100"},
		{"not a number", "GET /v1/audit?limit=ten", "", "", 422, "invalid_request", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t)
			w := f.do(tt.call, tt.body, "Content-Type", tt.contentType)
			p := wantProblem(t, w, tt.status, tt.code)
			said := p.Detail
			for _, e := range p.Errors {
				said += " " + e.Detail
			}
			if !strings.Contains(said, tt.says) || said == "" {
				t.Errorf("it says %q, not %q", said, tt.says)
			}
			if len(f.customers)+len(f.audit)+len(f.asked)+f.produceCalls > 0 {
				t.Error("something was written all the same")
			}
		})
	}
}

func many(n int) string {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf(`"c%d":true`, i)
	}
	return strings.Join(words, ",")
}

// What lies about its length, or has endless headers, gets an answer and holds nobody up.
func TestRequestsThatLie(t *testing.T) {
	f := newFixture(t)
	server := httptest.NewUnstartedServer(f.handler)
	server.Config.MaxHeaderBytes = 16 << 10
	server.Start()
	defer server.Close()
	head := "PUT /v1/customers/c-42 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + rootKey + "\r\nContent-Type: application/json\r\n"
	tests := []struct {
		name, request string
		status        int
	}{
		{"longer than its body", head + "Content-Length: 100\r\n\r\n{}", 400},
		{"shorter than its body", head + "Content-Length: 5\r\n\r\n{\"name\":\"x\"}", 400},
		{"no number", head + "Content-Length: many\r\n\r\n{}", 400},
		{"two lengths", head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", 400},
		{"longer than the limit", head + "Content-Length: 1000000000\r\n\r\n" + strings.Repeat("x", 70<<10), 413},
		{"a chunk that is none", head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
		{"a long header", head + "X-Long: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", 431},
		{"many headers", head + strings.Repeat("X-Many: 1\r\n", 3000) + "\r\n", 431},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", server.Listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			go func() { // the server may answer before it has read all
				_, _ = io.WriteString(conn, tt.request)
				_ = conn.(*net.TCPConn).CloseWrite()
			}()
			answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode != tt.status {
				t.Errorf("status %d, want %d", answer.StatusCode, tt.status)
			}
		})
	}
	if len(f.customers) > 0 {
		t.Errorf("stored %v", f.customers)
	}
}

func TestUnambiguous(t *testing.T) {
	for body, ok := range map[string]bool{
		`{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}`: true, `{"a":{"b":1},"b":2}`: true, `["a","a"]`: true, `"a"`: true, `{"a":"a","b":"a"}`: true,
		`{"a":[],"a":1}`: false, `{"a":{"a":1,"a":2}}`: false, `[{"a":1,"a":2}]`: false, `{"a":1,"\u0061":2}`: false, "\"\xff\"": false,
	} {
		if err := api.Unambiguous([]byte(body)); (err == nil) != ok {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// What is not ambiguous is read the same by whoever keeps the first of two names and whoever keeps the last.
func FuzzUnambiguous(f *testing.F) {
	for _, s := range []string{`{"a":1,"a":2}`, `{"a":{"b":[1,{"c":null}]}}`, `[[[]]]`, `{"a"`, `{"":1,"":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		err := api.Unambiguous(body)
		var m map[string]json.RawMessage
		if err != nil || json.Unmarshal(body, &m) != nil {
			return
		}
		dec := json.NewDecoder(strings.NewReader(string(body)))
		names, depth := 0, 0
		name := true
		for {
			token, err := dec.Token()
			if err != nil {
				break
			}
			switch d, isDelim := token.(json.Delim); {
			case isDelim && (d == '{' || d == '['):
				depth++
				name = true
			case isDelim:
				depth--
				name = true
			case depth == 1:
				if name {
					names++
				}
				name = !name
			}
		}
		if names != len(m) {
			t.Errorf("%q has %d names, and %d are read", body, names, len(m))
		}
	})
}

func TestTraceparent(t *testing.T) {
	const good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	event := `{"order_id":"CH-1","milestone":"delivered"}`
	for sent, want := range map[string]string{
		good: good, "": "", "nonsense": "", strings.ToUpper(good): "", good + "-x": "", strings.Repeat("0", 5000): "",
		"01" + good[2:] + "-what a later version adds": good,
	} {
		f := newFixture(t)
		wantStatus(t, f.do("POST /v1/events", "["+event+","+event+"]", "traceparent", sent), http.StatusAccepted)
		for _, r := range f.produced {
			got := ""
			for _, h := range r.Headers {
				got += h.Key + " " + string(h.Value)
			}
			if want != "" && got != "traceparent "+want || want == "" && got != "" {
				t.Errorf("%.80q: headers %q, want %q", sent, got, want)
			}
		}
	}
	f := newFixture(t)
	cloud := `{"specversion":"1.0","data":` + event + `}`
	wantStatus(t, f.do("POST /v1/events", cloud, "traceparent", good, "Content-Type", "application/cloudevents+json"), http.StatusAccepted)
	if r := f.produced[0]; len(r.Headers) != 2 {
		t.Errorf("headers %v", r.Headers)
	}
}

// A token that the audit does not know is not given out.
func TestTokenThatIsNotRecorded(t *testing.T) {
	f := newFixture(t)
	f.Fail["Record"] = errSecret
	w := f.do("POST /v1/customers/c-42/tokens", `{}`)
	wantProblem(t, w, http.StatusInternalServerError, "internal")
	if strings.Contains(w.Body.String(), "omw1") {
		t.Errorf("%s", w.Body)
	}
}
