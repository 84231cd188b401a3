package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"onmyway/cmd/torture/ledger"
)

// aim says how texts are judged.
type aim struct {
	latest bool // orders go on: older steps may be passed over; see ledger.Latest
}

// settle waits until every text is told or known to be unclear, and nothing is on its way any more. It gives up when
// nothing has moved for patience; the judgement then says what is missing.
func (w *world) settle(ctx context.Context, a aim, patience time.Duration) error {
	inputs, err := ledger.Read[ledger.Input](w.path("inputs.jsonl"))
	if err != nil {
		return err
	}
	began, moved, before, asked := time.Now(), time.Now(), -1, time.Now()
	for {
		missing := w.missing(inputs, a)
		if n := len(missing); n != before {
			before, moved = n, time.Now()
		}
		if len(missing) == 0 || time.Since(asked) > 2*time.Second && time.Since(moved) > time.Second {
			asked = time.Now()
			if done, err := w.quiet(ctx, missing); err != nil {
				return err
			} else if done {
				w.count("settled_seconds", time.Since(began).Round(time.Millisecond).Seconds())
				return nil
			}
		}
		if time.Since(moved) > patience {
			w.step("%d texts still missing, such as %v", len(missing), missing[:min(3, len(missing))])
			return nil
		}
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// missing are facts that must be told and are not.
func (w *world) missing(inputs []ledger.Input, a aim) (list []ledger.Fact) {
	told := w.sms.tally()
	last := map[string]int{}
	for i := range inputs {
		last[inputs[i].Order] = max(last[inputs[i].Order], inputs[i].Step)
	}
	for i := range inputs {
		f := inputs[i].Fact
		if a.latest && f.Step != last[f.Order] || w.silent[inputs[i].Customer] || w.excused[inputs[i].Customer] {
			continue
		}
		if told[f] == 0 {
			list = append(list, f)
		}
	}
	return list
}

// quiet tells whether nothing is on its way, and all that is missing is known to be unclear.
func (w *world) quiet(ctx context.Context, missing []ledger.Fact) (bool, error) {
	states := []string{"pending", "sending"}
	if w.settles() {
		states = append(states, "verify")
	}
	n, err := w.rest.busy(ctx, states...)
	if err != nil || n > 0 {
		return false, err
	}
	if len(missing) == 0 {
		return true, nil
	}
	unclear, err := w.rest.unclear(ctx)
	if err != nil {
		return false, err
	}
	return !slices.ContainsFunc(missing, func(f ledger.Fact) bool { return !unclear[f] }), nil
}

// judge reads the ledgers and writes the verdict into the result.
func (w *world) judge(ctx context.Context, a aim) error {
	unclear, err := w.rest.unclear(ctx)
	if err != nil {
		return err
	}
	inputs, err := ledger.Read[ledger.Input](w.path("inputs.jsonl"))
	texts, err2 := ledger.Read[ledger.Text](w.path("sms.jsonl"))
	pushes, err3 := ledger.Read[ledger.Push](w.path("push.jsonl"))
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	inputs, texts = w.withoutSilent(inputs, texts)
	v := ledger.Once(inputs, texts, unclear)
	if a.latest {
		v = ledger.Latest(inputs, texts, unclear)
	}
	v.Lost = w.withoutExcused(inputs, v.Lost)
	w.take("text", v)
	w.mu.Lock()
	w.result.Residual = len(unclear)
	w.mu.Unlock()
	if v.Strange > 0 {
		w.fail("%d texts answer no event", v.Strange)
	}
	notified, err := ledger.Notified(inputs, pushes, w.browsers, a.latest)
	if err != nil {
		return err
	}
	w.take("notification", notified)
	w.count("pushes", float64(len(pushes)))
	return w.look(ctx, inputs, a)
}

// withoutSilent leaves out customers who want no texts, and fails for each text to them.
func (w *world) withoutSilent(inputs []ledger.Input, texts []ledger.Text) ([]ledger.Input, []ledger.Text) {
	if len(w.silent) == 0 {
		return inputs, texts
	}
	phones := map[string]bool{}
	inputs = slices.DeleteFunc(inputs, func(in ledger.Input) bool {
		if w.silent[in.Customer] {
			phones[in.Phone] = true
		}
		return w.silent[in.Customer]
	})
	all := len(texts)
	texts = slices.DeleteFunc(texts, func(t ledger.Text) bool { return phones[t.To] })
	if n := all - len(texts); n > 0 {
		w.fail("%d texts to customers who had opted out", n)
	}
	w.count("opt_out_violations", float64(all-len(texts)))
	return inputs, texts
}

// withoutExcused leaves out what customers need not be told, because they opted out while it was on its way.
func (w *world) withoutExcused(inputs []ledger.Input, lost []ledger.Fact) []ledger.Fact {
	if len(w.excused) == 0 {
		return lost
	}
	whose := map[ledger.Fact]string{}
	for i := range inputs {
		whose[inputs[i].Fact] = inputs[i].Customer
	}
	return slices.DeleteFunc(lost, func(f ledger.Fact) bool { return w.excused[whose[f]] })
}

// look waits a moment for pages to show everything, then judges them.
func (w *world) look(ctx context.Context, inputs []ledger.Input, a aim) error {
	var customers []string
	for _, p := range w.pages {
		customers = append(customers, p.customer)
	}
	var v ledger.Verdict
	err := until(ctx, 15*time.Second, func() error {
		shown, err := ledger.Read[ledger.Live](w.path("live.jsonl"))
		if err != nil {
			return err
		}
		if v = ledger.Seen(inputs, shown, customers, a.latest); len(v.Lost) > 0 {
			return fmt.Errorf("%d messages are not on their pages", len(v.Lost))
		}
		return nil
	})
	if err != nil && len(v.Lost) == 0 {
		return err
	}
	w.take("message on a page", v)
	return nil
}

// take adds a verdict to the result.
func (w *world) take(what string, v ledger.Verdict) {
	w.mu.Lock()
	w.result.Lost += len(v.Lost)
	w.result.Doubled += len(v.Doubled)
	w.mu.Unlock()
	for _, finding := range []struct {
		how   string
		facts []ledger.Fact
	}{{"lost", v.Lost}, {"told twice", v.Doubled}, {"told after a later one", v.Fallen}} {
		if n := len(finding.facts); n > 0 {
			w.fail("%d × %s %s, such as %v", n, what, finding.how, finding.facts[:min(n, 5)])
		}
	}
}

// finish waits for the end, judges, and says how quickly texts went.
func (w *world) finish(ctx context.Context, a aim, patience time.Duration) error {
	if err := w.settle(ctx, a, patience); err != nil {
		return err
	}
	if err := w.judge(ctx, a); err != nil {
		return err
	}
	w.sms.mu.Lock()
	n, took := len(w.sms.accepted), w.sms.last.Sub(w.sms.first).Seconds()
	w.sms.mu.Unlock()
	if took > 0 {
		w.count("texts_per_second", float64(int(float64(n)/took)))
	}
	w.count("provider_requests", float64(w.sms.requests.Load()))
	return nil
}
