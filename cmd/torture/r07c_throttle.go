package main

import (
	"context"
	"fmt"
	"time"

	"onmyway/channels/twilio/twiliotest"
	"onmyway/cmd/torture/ledger"
)

var throttleScenario = scenario{
	id: "R7c", events: 600, within: 6 * time.Minute,
	promise: "a provider that asks for patience is not pressed, and no text is given up for it",
	faults:  "429 to everything for 60 s, with a limit of 5 texts a second per sender",
	knobs:   knobs{quiet: true},
	run:     runThrottle,
}

// limitKeys are the keys of the configuration under which the limit of texts per second may stand.
var limitKeys = []string{"SMS__PER_SECOND", "SMS__RATE", "SMS__RATE_PER_SECOND", "SMS__LIMITS__PER_SECOND", "SMS__PER_SENDER"}

const perSecond = 5

func runThrottle(ctx context.Context, w *world) error {
	limited := false
	for _, key := range limitKeys {
		limited = limited || w.set(key, fmt.Sprint(perSecond))
	}
	if !limited {
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
	if err := w.finish(ctx, aim{}, 90*time.Second); err != nil {
		return err
	}
	requests, err := ledger.Read[ledger.Text](w.path("requests.jsonl"))
	if err != nil {
		return err
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
