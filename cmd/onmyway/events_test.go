package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// goodEvent is a canonical event on one line.
func goodEvent(id string) string {
	return fmt.Sprintf(`{"id":%q,"order_id":"CH-1","customer_id":"c-1","line":"car_haul","milestone":"picked_up","occurred_at":"2026-11-21T19:00:00Z"}`, id)
}

// counter takes events like POST /v1/events and notes their ids, batch by batch.
type counter struct {
	batches [][]string
	refuse  map[string]bool               // ids
	answers []func(w http.ResponseWriter) // before it takes any; nil is to take
}

func (in *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/v1/events" || r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/x-ndjson" {
		answer(w, 415, `{"title":"wrong call","status":415}`)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var ids, bad []string
	for i, line := range bytes.Split(bytes.TrimSpace(body), []byte("\n")) {
		var e struct{ ID string }
		if err := json.Unmarshal(line, &e); err != nil {
			panic(err)
		}
		ids = append(ids, e.ID)
		if in.refuse[e.ID] {
			bad = append(bad, fmt.Sprintf(`{"index":%d,"problem":{"code":"unknown_milestone","errors":[{"field":"milestone","detail":"is unknown"}]}}`, i))
		}
	}
	in.batches = append(in.batches, ids)
	if n := len(in.batches); n <= len(in.answers) && in.answers[n-1] != nil {
		in.answers[n-1](w)
		return
	}
	status := 202
	if len(bad) == len(ids) {
		status = 422
	}
	answer(w, status, fmt.Sprintf(`{"accepted":%d,"rejected":[%s]}`, len(ids)-len(bad), strings.Join(bad, ",")))
}

func TestEventsPublish(t *testing.T) {
	in := &counter{refuse: map[string]bool{"refused": true}}
	s := serveREST(t, in.ServeHTTP)
	text := goodEvent("a") + "\n" + strings.Replace(goodEvent("b"), "picked_up", "picked_upp", 1) + "\n{broken\n" + goodEvent("refused") + "\n" +
		strings.ReplaceAll(goodEvent("c"), ",", ",\r") + "\n"
	path := fileWith(t, "orders.ndjson", text)
	v := invoke(t, restTo(s), "", "events", "publish", path)
	v.want(t, 1, "5 read, 2 accepted, 3 rejected\n", "line 2: milestone ", `picked_up`, "line 3: ", "line 4: milestone is unknown\n", "3 of 5 events were rejected")
	if diff := cmp.Diff([][]string{{"a", "refused", "c"}}, in.batches); diff != "" {
		t.Errorf("sent (-want +got):\n%s", diff)
	}
	v = invoke(t, restTo(s), "", "events", "publish", "-o", "json", path)
	var sum published
	if err := json.Unmarshal([]byte(v.out), &sum); err != nil {
		t.Fatal(err)
	}
	lines := []int{}
	for _, r := range sum.Rejected {
		lines = append(lines, r.Line)
	}
	if sum.Read != 5 || sum.Accepted != 2 || sum.RejectedCount != 3 || !cmp.Equal(lines, []int{2, 3, 4}) || sum.Rejected[2].Problem.Code != "unknown_milestone" {
		t.Errorf("%+v", sum)
	}
	in.batches = nil
	v = invoke(t, nil, text, "events", "publish", "--dry-run")
	v.want(t, 1, "5 read, 3 valid, 2 rejected; nothing was sent")
	if len(in.batches) != 0 {
		t.Errorf("a dry run sent %v", in.batches)
	}
}

// TestEventsBatches: a file goes out in batches of 1,000, in its order, whatever its form.
func TestEventsBatches(t *testing.T) {
	var list []string
	for i := range 2500 {
		list = append(list, goodEvent(fmt.Sprint(i)))
	}
	for name, text := range map[string]string{
		"orders.ndjson": strings.Join(list, "\n"), "orders.json": "[\n" + strings.Join(list, ",\n") + "\n]\n",
		"pretty.json": strings.ReplaceAll(strings.Join(list, "\n"), ",", ",\n  "),
	} {
		t.Run(name, func(t *testing.T) {
			in := &counter{answers: []func(http.ResponseWriter){nil, cut}} // the answer to the second batch gets lost
			v := invoke(t, restTo(serveREST(t, in.ServeHTTP)), "", "events", "publish", fileWith(t, name, text))
			v.want(t, 0, "2,500 read, 2,500 accepted, 0 rejected")
			var sizes []int
			for _, b := range in.batches {
				sizes = append(sizes, len(b))
			}
			if diff := cmp.Diff([]int{1000, 1000, 1000, 500}, sizes); diff != "" {
				t.Fatalf("batches (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(in.batches[1], in.batches[2]); diff != "" {
				t.Errorf("the repeated batch is another one:\n%s", diff)
			}
			n := 0
			for i, b := range in.batches {
				for _, id := range b {
					if i != 2 && id != fmt.Sprint(n) {
						t.Fatalf("event %d is %s", n, id)
					}
					if i != 2 {
						n++
					}
				}
			}
		})
	}
}

func TestEventsPublishFails(t *testing.T) {
	many := ""
	for i := range 1500 {
		many += goodEvent(fmt.Sprint(i)) + "\n"
	}
	forbidden := after("", 403, `{"title":"The API key may not do this","status":403}`)
	tests := []struct {
		name    string
		answers []func(http.ResponseWriter)
		stdin   string
		args    []string
		code    int
		says    []string
	}{
		{"refused", []func(http.ResponseWriter){nil, forbidden}, many, []string{}, 1,
			[]string{"lines 1001 to 1500 were not taken: The API key may not do this", "1,000 accepted"}},
		{"our fault", []func(http.ResponseWriter){nil, after("", 500, "")}, many, []string{}, 1, []string{"lines 1001 to 1500 may have arrived or not", "1,000 accepted"}},
		{"another service", []func(http.ResponseWriter){func(w http.ResponseWriter) { answer(w, 200, "{}") }}, many, []string{}, 1, []string{"is --url right?"}},
		{"not JSON", []func(http.ResponseWriter){func(w http.ResponseWriter) { answer(w, 200, "ok") }}, many, []string{}, 1, []string{"read the answer"}},
		{"cut off", nil, "[" + goodEvent("a"), []string{}, 1, []string{"the array is not closed", "1 accepted"}},
		{"no such file", nil, "", []string{"/nowhere.ndjson"}, 2, []string{"/nowhere.ndjson"}},
		{"a folder", nil, "", []string{"/"}, 2, []string{"is a folder"}},
		{"two files", nil, "", []string{"a", "b"}, 2, []string{`"b" is too many`}},
		{"rate", nil, "", []string{"--rate", "-1"}, 2, []string{"--rate"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := &counter{answers: tt.answers}
			s := serveREST(t, in.ServeHTTP)
			args := append([]string{"events", "publish"}, tt.args...)
			if tt.stdin != "" {
				args = append(args, fileWith(t, "x", tt.stdin))
			}
			invoke(t, restTo(s), "", args...).want(t, tt.code, tt.says...)
		})
	}
}

// TestWrongLinesAreBounded: a file that is wrong throughout fills neither screen nor memory.
func TestWrongLinesAreBounded(t *testing.T) {
	v := invoke(t, nil, strings.Repeat("x\n", 12_000), "events", "publish", "--dry-run", "-o", "json")
	var sum published
	if err := json.Unmarshal([]byte(v.out), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.RejectedCount != 12_000 || len(sum.Rejected) != maxListed || strings.Count(v.err, "\n") > maxShown+5 {
		t.Errorf("%d counted, %d listed; stderr:\n%s", sum.RejectedCount, len(sum.Rejected), v.err)
	}
}

// TestEventsFromAPipe: what comes is sent as it comes, and an interrupt does not wait for more.
func TestEventsFromAPipe(t *testing.T) {
	arrived := make(chan struct{}, 1)
	in := &counter{}
	s := serveREST(t, func(w http.ResponseWriter, r *http.Request) {
		in.ServeHTTP(w, r)
		arrived <- struct{}{}
	})
	r, w := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		_, _ = io.WriteString(w, goodEvent("a")+"\n")
		<-arrived
		cancel()
	}()
	v := invokeWith(ctx, t, restTo(s), r, "events", "publish", "-")
	if err := w.CloseWithError(errors.New("over")); err != nil {
		t.Fatal(err)
	}
	v.want(t, 1, "1 read, ", errStopped.Error())
}

// TestEventsRate: the pause before each batch is what the rate asks for.
func TestEventsRate(t *testing.T) {
	in := &counter{}
	s := serveREST(t, in.ServeHTTP)
	var waits []time.Duration
	p := &publishing{client: client(s, &waits), rate: 2, bar: newProgress(io.Discard, 0), began: time.Now()}
	text := strings.Join([]string{goodEvent("a"), goodEvent("b"), goodEvent("c"), goodEvent("d"), goodEvent("e")}, "\n")
	if err := p.run(t.Context(), &input{Reader: strings.NewReader(text), size: int64(len(text))}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]string{{"a", "b"}, {"c", "d"}, {"e"}}, in.batches); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for i, want := range []time.Duration{0, time.Second, 2 * time.Second} {
		if len(waits) != 3 || waits[i] > want || waits[i] < want-time.Second/2 {
			t.Errorf("waits %v", waits)
			break
		}
	}
}
