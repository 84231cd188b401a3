package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gobwas/ws"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify"
)

// canaryPhone is in requests that are right and in all kinds that are wrong.
const canaryPhone = "+14155550171"

// personal is what may be in the database and nowhere else: on top of what no log may hold, the number in other spellings,
// and what only wrong requests carry.
var personal = regexp.MustCompile(forbidden.String() + `|415\D{0,3}555\D{0,2}0171|c\.anary@|Kanarenvogel`)

// fraction is a measured value: among enough digits of seconds there is any number one day.
var fraction = regexp.MustCompile(` \d+\.\d+(e[+-]?\d+)?\s*$`)

// withoutSample leaves out the number that explanations show as a model, and what a line measures.
func withoutSample(s string) string {
	return fraction.ReplaceAllString(strings.ReplaceAll(s, "+14155550123", ""), "")
}

// cage is a run in which everything carries something personal.
type cage struct {
	*world
	n       *node
	spans   *collector
	secrets []string // API keys that were made
	letters int      // dead letters that were made
}

// TestCanary: after a run of everything with a marked name, number, token, key, endpoint and text, at log level debug, none of
// them is in logs, metrics, audit, spans or the headers of dead letters; and no API key is in the database.
func TestCanary(t *testing.T) {
	var met sync.Map
	moody := twiliotest.Options{Faults: func(r twiliotest.Request) twiliotest.Fault {
		kinds := []twiliotest.Kind{twiliotest.Refused, twiliotest.TooMany, twiliotest.ServerError, twiliotest.HTML, twiliotest.LateDrop}
		if _, before := met.LoadOrStore(r.To, true); before || r.N > len(kinds) {
			return twiliotest.Fault{}
		}
		return twiliotest.Fault{Kind: kinds[r.N-1], RetryAfter: "1"}
	}}
	overEngines(t, moody, func(t *testing.T, w *world) {
		met.Clear()
		c := &cage{world: w, spans: newCollector(t)}
		c.n = w.node("ONMYWAY_LOG__LEVEL=debug", "ONMYWAY_TRACING__ENDPOINT="+c.spans.URL, "ONMYWAY_TRACING__SAMPLE=1", "OTEL_BSP_SCHEDULE_DELAY=50",
			"ONMYWAY_HTTP__PUBLIC_URL=https://notify.example").start()
		c.commands()
		c.tell()
		c.staff()
		c.wrong()
		c.bury()
		c.search()
	})
}

// commands make keys and import customers, of whom some lines are wrong.
func (c *cage) commands() {
	c.t.Helper()
	for _, name := range []string{"desk", "gone"} {
		code, out := program(c.t, c.env, "keys", "create", "--name", name, "--scopes", "*")
		secret := regexp.MustCompile(`omw_[0-9a-f]{16}_[A-Z2-7]{52}`).FindString(out)
		if code != 0 || secret == "" {
			c.t.Fatalf("exit code %d: %s", code, out)
		}
		c.secrets = append(c.secrets, secret)
	}
	if code, out := program(c.t, c.env, "keys", "revoke", "gone"); code != 0 {
		c.t.Fatalf("exit code %d: %s", code, out)
	}
	file := fileWith(c.t, "customers.csv", "id,name,phone\nc-71,"+canary+","+canaryPhone+"\nc-72,"+canary+","+canaryPhone+"99999999\n")
	code, out := program(c.t, c.env, "customers", "import", "--log.level", "debug", file)
	if code != 1 || personal.MatchString(withoutSample(out)) {
		c.t.Errorf("customers import: exit code %d:\n%s", code, out)
	}
}

// tell sends events on every channel, to a provider and a push service that fail in their ways.
func (c *cage) tell() {
	c.t.Helper()
	live := watch(c.t, "c-1", c.n)
	gone, browser := c.subscribe(c.n, "c-1"), c.subscribe(c.n, "c-1")
	c.push.Expire(gone)
	events := manyOnTheWay(12, 6)
	c.produce(20*time.Second, events[:8]...)
	c.n.call(http.StatusAccepted, nil, http.MethodPost, "/v1/events", events[8:])
	within(c.t, 40*time.Second, "all texts have come to an end", func() error {
		if err := live.saw(events); err != nil {
			return err
		}
		return c.idle(c.n)
	})
	within(c.t, 20*time.Second, "the browser is notified", func() error { return c.pushed(browser, 2) })
}

// staff search, resend, change and read.
func (c *cage) staff() {
	c.t.Helper()
	key := []string{"Authorization", "Bearer " + c.secrets[0]}
	var found struct{ Items []message }
	c.n.call(http.StatusOK, &found, http.MethodGet, "/v1/messages?channel=sms&phone="+url.QueryEscape("+14155550001"), nil, key...)
	for _, m := range c.n.messages("channel=sms") {
		_, _, err := c.n.try(http.MethodPost, "/v1/messages/"+m.ID+"/resend",
			map[string]any{"reason": canary + " has " + canaryPhone + " now", "force": true}, append(key, "Idempotency-Key", canaryPhone+m.ID)...)
		if err != nil {
			c.t.Fatal(err)
		}
	}
	customer := "/v1/customers/c-71"
	c.n.call(http.StatusOK, nil, http.MethodPut, customer, map[string]any{"name": canary, "phone": canaryPhone}, key...)
	c.n.call(http.StatusOK, nil, http.MethodPatch, customer, map[string]any{"name": "Kanarenvogel", "phone": "(415) 555-0172"}, key...)
	c.n.call(http.StatusOK, nil, http.MethodPut, customer+"/preferences", map[string]any{"channels": map[string]bool{"sms": false}}, key...)
	c.n.call(http.StatusOK, nil, http.MethodGet, customer+"/preferences", nil, key...)
	c.n.call(http.StatusCreated, nil, http.MethodPost, customer+"/tokens", map[string]any{}, key...)
	c.n.call(http.StatusOK, nil, http.MethodGet, "/v1/orders/CH-00001/timeline", nil, key...)
}

// wrong makes requests that are refused, each with something personal in path, query, header or body.
func (c *cage) wrong() {
	c.t.Helper()
	phone, broken := url.QueryEscape(canaryPhone), url.QueryEscape(canaryPhone+"123456")
	for _, r := range []struct{ method, path, body string }{
		{"GET", "/v1/" + phone, ""}, {"GET", "/" + canary + "/" + phone, ""}, {"DELETE", "/v1/customers/" + phone, ""},
		{"GET", "/v1/customers/" + phone, ""}, {"GET", "/v1/orders/" + phone, ""}, {"GET", "/v1/messages/" + phone, ""},
		{"GET", "/v1/messages?phone=" + broken, ""}, {"GET", "/v1/messages?phone=" + phone + "&phone=" + phone, ""},
		{"GET", "/v1/messages?cursor=" + phone, ""}, {"GET", "/v1/messages?state=" + canary, ""}, {"GET", "/v1/messages?" + phone + "=1", ""},
		{"GET", "/v1/messages?since=" + phone, ""}, {"GET", "/v1/messages?%zz" + phone, ""},
		{"PUT", "/v1/customers/c-73", `{"phone":"` + canaryPhone + `123456"}`}, {"PUT", "/v1/customers/c-73", `{"` + canaryPhone + `":"` + canary + `"}`},
		{"PUT", "/v1/customers/c-73", `{"name":"` + canary + strings.Repeat("x", 5000) + `"}`}, {"PUT", "/v1/customers/c-73", canaryPhone},
		{"PUT", "/v1/customers/c-73", `{"locale":"` + canary + `","time_zone":"` + canaryPhone + `"}`},
		{"POST", "/v1/events", `{"order_id":"o","customer":{"phone":"` + canaryPhone + `123"},"milestone":"` + canary + `"}`},
		{"POST", "/v1/events", `{"` + canaryPhone + `":1}`}, {"POST", "/v1/events", canaryPhone},
		{"POST", "/v1/customers/c-1/push-subscriptions", `{"endpoint":"http://169.254.1.1/push/Kanarenvogel","keys":{"p256dh":"Kanarenvogel","auth":"Kanarenvogel"}}`},
		{"POST", "/v1/customers/c-1/tokens", `{"ttl":"` + canaryPhone + `"}`},
		{"POST", "/hooks/twilio/inbound", "From=" + phone + "&Body=Kanarenvogel"}, {"POST", "/hooks/twilio/status/" + phone, "To=" + phone},
	} {
		var body any
		if r.body != "" {
			body = []byte(r.body)
		}
		status, answer, err := c.n.try(r.method, r.path, body, "User-Agent", canary, "Traceparent", canaryPhone)
		if err != nil || status/100 != 4 {
			c.t.Errorf("%s %s: %d %s, %v", r.method, r.path, status, answer, err)
		}
	}
	for _, secret := range append(c.secrets, "Kanarenvogel", c.secrets[0]+"X") {
		if _, _, err := c.n.try(http.MethodGet, "/v1/messages", nil, "Authorization", "Bearer "+secret); err != nil {
			c.t.Error(err)
		}
	}
	c.wrongToken("omw1.Kanarenvogel.Kanarenvogel")
}

// wrongToken opens a live socket with a token that is none.
func (c *cage) wrongToken(token string) {
	c.t.Helper()
	conn, _, _, err := ws.Dialer{Timeout: 5 * time.Second}.Dial(c.t.Context(), strings.Replace(c.n.url, "http", "ws", 1)+"/connection/websocket")
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	hello := fmt.Sprintf(`{"id":1,"connect":{"token":%q,"name":%q,"data":{"phone":%q}}}`, token, canary, canaryPhone)
	if err := ws.WriteFrame(conn, ws.MaskFrameInPlace(ws.NewTextFrame([]byte(hello)))); err != nil {
		c.t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, _ = io.Copy(io.Discard, conn) // until it is closed
}

// bury writes records that become no events, with something personal wherever it can stand.
func (c *cage) bury() {
	c.t.Helper()
	const rest = `"order_id":"o","customer_id":"c","line":"car_haul","milestone":"picked_up","occurred_at":"2026-01-02T03:04:05Z"`
	var records []notify.Record
	for _, value := range []string{
		canaryPhone, `{"` + canaryPhone + `":1,` + rest + `}`, `{"id":"x",` + rest + `,"customer":{"phone":"` + canaryPhone + `123456"}}`,
		`{"id":"x",` + rest + `,"customer":{"name":["` + canaryPhone + `"]}}`, `{"id":"x",` + rest + `,"customer":{"locale":"` + canary + `"}}`,
		`{"id":"x",` + rest + `,"customer":{"time_zone":"` + canary + `"}}`, `{"id":"x",` + rest + `,"sequence":"` + canaryPhone + `"}`,
		`{"id":"x",` + strings.Replace(rest, "picked_up", canary, 1) + `}`, `{"id":"x",` + strings.Replace(rest, "car_haul", canary, 1) + `}`,
		`{"id":"x",` + strings.Replace(rest, "2026-01-02", canaryPhone, 1) + `}`, `{"id":"x","id":"` + canaryPhone + `",` + rest + `}`,
		`{"id":"x",` + rest + `,"data":{"` + canaryPhone + `":"\u0000"}}`, `{"id":"x","order_id":"` + canaryPhone + strings.Repeat("9", 200) + `"}`,
	} {
		records = append(records, notify.Record{Key: []byte(canaryPhone), Value: []byte(value)})
	}
	c.letters = len(records)
	c.write(20*time.Second, records)
	within(c.t, 20*time.Second, "the dead letters are stored", func() error {
		if got := c.count(`SELECT count(*) FROM dead_letters`); got != c.letters {
			return fmt.Errorf("%d dead letters, want %d", got, c.letters)
		}
		return nil
	})
}

// search looks everywhere.
func (c *cage) search() {
	c.t.Helper()
	resp, err := c.n.web.Get(c.n.ops + "/metrics")
	if err != nil {
		c.t.Fatal(err)
	}
	metrics, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		c.t.Fatal(err)
	}
	var graves bytes.Buffer
	for _, r := range c.deadLetters(c.letters) {
		for _, h := range r.Headers {
			fmt.Fprintf(&graves, "%s: %s\n", h.Key, h.Value)
		}
	}
	c.n.stop()
	log, err := os.ReadFile(c.n.log)
	if err != nil {
		c.t.Fatal(err)
	}
	audit := strings.Join(c.dump("audit"), "\n")
	for where, text := range map[string][]byte{
		"log": log, "metrics": metrics, "spans": c.spans.raw, "headers of dead letters": graves.Bytes(), "audit": []byte(audit),
	} {
		if len(text) == 0 {
			c.t.Errorf("%s: there is nothing to search", where)
		}
		hits := 0
		for line := range bytes.Lines(text) {
			hit := personal.Find([]byte(withoutSample(string(line))))
			for _, secret := range c.secrets {
				if hit == nil && bytes.Contains(line, []byte(secret[22:])) {
					hit = []byte("an API key")
				}
			}
			if hit == nil {
				continue
			}
			if hits++; hits <= 5 {
				c.t.Errorf("%s: %q in %.400s", where, hit, line)
			}
		}
		c.t.Logf("%s: %d bytes, %d hits", where, len(text), hits)
	}
	c.searchDatabase()
}

// searchDatabase looks for API keys, as they are and as hex, in every row of every table.
func (c *cage) searchDatabase() {
	c.t.Helper()
	rows, hits := 0, 0
	for _, table := range c.tables() {
		for _, row := range c.dump(table) {
			rows++
			for _, secret := range append(c.secrets, apiKey) {
				if strings.Contains(row, secret) || strings.Contains(row, secret[len(secret)-16:]) || strings.Contains(row, fmt.Sprintf("%x", secret)) {
					hits++
					c.t.Errorf("table %s holds an API key", table)
				}
			}
		}
	}
	c.t.Logf("database: %d rows, %d hits", rows, hits)
	if rows == 0 {
		c.t.Error("the database is empty")
	}
}
