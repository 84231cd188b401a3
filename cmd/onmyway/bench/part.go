package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// Part is the hidden command that this program runs as a process of its own: engines, load, baselines, providers.
const Part = "part"

// line is how a part talks with the process that started it: JSON values, one after the other.
type line struct {
	in  *json.Decoder
	out *json.Encoder
}

// hear waits for what is said next. more is false when nobody will say anything any more: the part should end.
func (l *line) hear(v any) (more bool) { return l.in.Decode(v) == nil }

func (l *line) say(v any) error {
	if err := l.out.Encode(v); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// wait returns when nobody listens any more.
func (l *line) wait() {
	var ignored any
	for l.hear(&ignored) {
	}
}

// parts are all that can run by name. Each reads first what it shall do.
var parts = map[string]func(context.Context, *line) error{
	"engines":  runEngines,
	"load":     runLoad,
	"crowd":    runCrowd,
	"relay":    runRelay,
	"consumer": runConsumer,
	"writer":   runWriter,
	"stub":     runStub,
	"twilio":   runTwilioLoop,
	"webpush":  runWebPushLoop,
	"allocs":   runAllocs,
}

// RunPart runs a part until in ends. It is not for people.
func RunPart(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	run, known := parts[name]
	if !known {
		return fmt.Errorf("%q is no part of the benchmark", name)
	}
	return run(ctx, &line{json.NewDecoder(in), json.NewEncoder(out)})
}
