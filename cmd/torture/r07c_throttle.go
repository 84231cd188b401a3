package main

import (
	"context"
	"fmt"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/cmd/torture/ledger"
)

var throttleScenario = scenario{
	id: "R7c", events: 600, gate: 0.4, within: 6 * time.Minute,
	promise: "a provider that asks for patience is not pressed, and no text is given up for it",
	faults:  "429 to everything for 60 s, with a limit of 5 texts a second per sender",
	knobs:   knobs{quiet: true},
	run:     runThrottle,
}

// perSecond is the limit of the sender, for all processes together.
const perSecond = 5

// pressed is how many requests a second are too many for a provider that refuses all of them.
const pressed = 4

func runThrottle(ctx context.Context, w *world) error {
	if !w.set("SMS__RATE_PER_SECOND", fmt.Sprint(perSecond)) {
		return skip("this program has no limit of texts per second")
	}
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	refusing := max(time.Duration(float64(time.Minute)*w.options.scale), 6*time.Second)
	until := time.Now().Add(refusing)
	w.sms.set(func(twiliotest.Request) twiliotest.Fault {
		if time.Now().Before(until) {
			return twiliotest.Fault{Kind: twiliotest.TooMany, RetryAfter: "1"}
		}
		return twiliotest.Fault{}
	})
	n := w.scaled(w.scenario.events, 50)
	if err := w.pour(ctx, single(n, n), 0); err != nil {
		return err
	}
	w.result.Faults = 1
	if err := w.finish(ctx, aim{}, 2*time.Minute); err != nil { // its last pause may be a minute long
		return err
	}
	requests, err := ledger.Read[ledger.Text](w.path("requests.jsonl"))
	if err != nil {
		return err
	}
	refused := 0
	for _, r := range requests {
		if r.At.Before(until) {
			refused++
		}
	}
	w.count("requests_refused", float64(refused))
	if float64(refused) > pressed*refusing.Seconds() {
		w.fail("a provider that refused everything was asked %d times in %s", refused, refusing)
	}
	took := requests[len(requests)-1].At.Sub(requests[0].At).Seconds()
	most := took*perSecond*1.1 + perSecond // the bucket may be full at the beginning
	w.count("requests", float64(len(requests)))
	w.count("requests_allowed", float64(int(most)))
	if float64(len(requests)) > most {
		w.fail("%d requests in %.0f s, want %.0f at most", len(requests), took, most)
	}
	return nil
}
