package main

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/channels/webpush/webpushtest"
	"onmyway/cmd/torture/ledger"
)

var matrixScenario = scenario{
	id: "R7", events: 12_000, gate: 0.1, within: 6 * time.Minute,
	promise: "whatever a provider answers, a text is accepted at most once, and none that it can't take is tried again",
	faults:  "16 answers of the SMS provider, 10 of the push service, callbacks lost, tripled and reversed",
	knobs:   knobs{latency: jitter, env: map[string]string{"SMS__BREAKER": "0", "PUSH__BREAKER": "0"}}, // more than half fails
	run:     runMatrix,
}

// reply is an answer of the SMS provider to the first request for a text, and what must come of it.
type reply struct {
	name     string
	fault    twiliotest.Fault
	always   bool          // to later requests too
	texts    int           // that the provider accepts in the end
	requests int           // at most; 0 for any number
	after    time.Duration // until the second request, at least
	unclear  bool          // the sender can't tell what became of it
}

// replies are the table. What is unclear may end untold while the service does not ask the provider.
var replies = []reply{
	{name: "201", texts: 1, requests: 1},
	{name: "429 with seconds", fault: twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: "2"}, texts: 1, after: 2 * time.Second},
	{name: "429 without", fault: twiliotest.Fault{Kind: twiliotest.TooMany}, texts: 1},
	{name: "429 with nonsense", fault: twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: "soon"}, texts: 1},
	{name: "500", fault: twiliotest.Fault{Kind: twiliotest.ServerError}, texts: 1, unclear: true},
	{name: "500 after acceptance", fault: twiliotest.Fault{Kind: twiliotest.LateError}, texts: 1, requests: 1, unclear: true},
	{name: "cut before acceptance", fault: twiliotest.Fault{Kind: twiliotest.Dropped}, texts: 1, unclear: true},
	{name: "cut after acceptance", fault: twiliotest.Fault{Kind: twiliotest.LateDrop}, texts: 1, requests: 1, unclear: true},
	{name: "no answer", fault: twiliotest.Fault{Kind: twiliotest.Hang}, texts: 1, unclear: true},
	{name: "no answer after acceptance", fault: twiliotest.Fault{Kind: twiliotest.LateHang}, texts: 1, requests: 1, unclear: true},
	{name: "200 with a web page", fault: twiliotest.Fault{Kind: twiliotest.HTML}, texts: 1, unclear: true},
	{name: "half an answer", fault: twiliotest.Fault{Kind: twiliotest.Truncated}, texts: 1, requests: 1, unclear: true},
	{name: "400 no number", fault: twiliotest.Fault{Kind: twiliotest.Refused, Code: 21211}, always: true, requests: 1},
	{name: "400 no mobile", fault: twiliotest.Fault{Kind: twiliotest.Refused, Code: 21614}, always: true, requests: 1},
	{name: "400 unsubscribed", fault: twiliotest.Fault{Kind: twiliotest.Refused, Code: 21610}, always: true, requests: 1},
	{name: "400 too long", fault: twiliotest.Fault{Kind: twiliotest.Refused, Code: 21617}, always: true, requests: 1},
}

func runMatrix(ctx context.Context, w *world) error {
	n := w.scaled(w.scenario.events, 320)
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	asked := &requests{at: map[ledger.Fact][]time.Time{}}
	w.sms.set(asked.fault)
	canary, err := openCanary()
	if err != nil {
		return err
	}
	defer canary.close()
	hard, err := w.hardBrowsers(ctx, canary)
	if err != nil {
		return err
	}
	if err := w.watch(ctx, customerID(0), customerID(1)); err != nil {
		return err
	}
	if err := w.pour(ctx, single(n, n), time.Duration(n/400)*time.Second); err != nil {
		return err
	}
	refusedOnly := func() { // the rest of the settling must not wait for what can't be told
		for i := range n {
			if replies[i%len(replies)].texts == 0 {
				w.excused[customerID(i)] = true
			}
		}
	}
	refusedOnly()
	for browser := range hard {
		delete(w.browsers, browser) // they get nothing, or are not there any more
	}
	if err := w.finish(ctx, aim{}, 30*time.Second); err != nil {
		return err
	}
	w.result.Faults = int(w.sms.hits.Load())
	asked.check(w, n)
	w.count("calls_after_a_redirect", float64(canary.hits()))
	if canary.hits() > 0 {
		w.fail("%d requests followed a redirect of a push service", canary.hits())
	}
	w.sometimes("redirects", float64(hard.redirects()))
	if w.settles() {
		w.sometimes("callbacks_taken", float64(w.front.hooks.Load()))
		w.sometimes("callbacks_before_the_answer", float64(w.sms.early.Load()))
		w.settlements(ctx)
	}
	return nil
}

// requests notes when each text was asked for.
type requests struct {
	mu sync.Mutex
	at map[ledger.Fact][]time.Time
}

// fault gives the answer that the table has for a text.
func (r *requests) fault(q twiliotest.Request) twiliotest.Fault {
	f, ok := ledger.Text{Body: q.Body}.Fact()
	if !ok {
		return twiliotest.Fault{}
	}
	r.mu.Lock()
	r.at[f] = append(r.at[f], time.Now())
	first := len(r.at[f]) == 1
	r.mu.Unlock()
	if a := replyTo(f); first || a.always {
		return a.fault
	}
	return twiliotest.Fault{}
}

func replyTo(f ledger.Fact) reply {
	var i int
	for _, c := range f.Order[len("CH-"):] {
		i = i*10 + int(c-'0')
	}
	return replies[i%len(replies)]
}

// check compares what the provider was asked for with the table.
func (r *requests) check(w *world, n int) {
	told := w.sms.tally()
	r.mu.Lock()
	defer r.mu.Unlock()
	wrong := map[string]int{}
	for i := range n {
		f := ledger.Fact{Order: orderID(i), Step: 1}
		a, at := replyTo(f), r.at[f]
		switch {
		case len(at) == 0:
			wrong[a.name+": never asked for"]++
		case told[f] > a.texts, told[f] < a.texts && !(a.unclear && !w.settles()):
			wrong[a.name+": accepted another number of times"]++
		case a.requests > 0 && len(at) > a.requests:
			wrong[a.name+": asked for again"]++
		case a.after > 0 && len(at) > 1 && at[1].Sub(at[0]) < a.after*9/10:
			wrong[a.name+": asked for again too soon"]++
		}
	}
	for what, times := range wrong {
		w.fail("%d × %s", times, what)
	}
	w.count("answers_in_the_table", float64(len(replies)))
}

// hardBrowsers are subscriptions whose push service answers badly, by the answer.
type hardBrowsers map[string]*webpushtest.Fault

func (h hardBrowsers) redirects() (n int) {
	for _, f := range h {
		if f.Status/100 == 3 {
			n++
		}
	}
	return n
}

// hardBrowsers gives ten customers browsers with bad push services, and ten others good ones.
func (w *world) hardBrowsers(ctx context.Context, c *canary) (hardBrowsers, error) {
	faults := []webpushtest.Fault{
		{Status: 404}, {Status: 410}, {Status: 413}, {Status: 400}, {Status: 403}, {Drop: true}, {Status: 500}, {Hang: true},
		{Status: http.StatusTemporaryRedirect, Header: http.Header{"Location": {c.url}}},
		{Status: http.StatusFound, Header: http.Header{"Location": {c.url}}},
	}
	if err := w.audience(ctx, len(faults), 0); err != nil {
		return nil, err
	}
	hard := hardBrowsers{}
	for browser := range w.browsers {
		hard[browser] = &faults[len(hard)]
	}
	w.push.set(func(r webpushtest.Request) webpushtest.Fault {
		if f := hard[r.Subscription]; f != nil {
			return *f
		}
		return webpushtest.Fault{}
	})
	var errs error
	for c := range 10 {
		errs = errors.Join(errs, w.browse(ctx, customerID(len(faults)+c)))
	}
	return hard, errs
}
