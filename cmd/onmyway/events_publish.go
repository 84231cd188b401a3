package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"onmyway/notify"
	"onmyway/notify/mapping"
)

// What one call of POST /v1/events takes: 1,000 events and 4 MB, of which some is left.
const (
	maxBatchEvents = 1000
	maxBatchBytes  = 3 << 20
)

// published is what became of a file of events.
type published struct {
	Read          int         `json:"read"`
	Accepted      int         `json:"accepted"`
	Valid         int         `json:"valid,omitempty"` // of a dry run
	DryRun        bool        `json:"dry_run,omitempty"`
	RejectedCount int         `json:"rejected_count"`
	Rejected      []wrongLine `json:"rejected"` // the first 10,000
}

// eventBatch is what one call sends, and what was found wrong on the way to it.
type eventBatch struct {
	body  []byte // one event a line
	lines []int  // of the input, one for each event in body
	wrong []wrongLine
	at    int64 // bytes of the input up to here
}

// publishing is one run of events publish.
type publishing struct {
	client *restClient // nil for a dry run
	rate   int
	bar    *progress
	sum    published
	wrong  wrongLines
	began  time.Time
	sent   int
}

// publishEvents reads, checks and sends events, and answers.
func publishEvents(cmd *cobra.Command, client *restClient, in *input, o publishOptions) error {
	bar := newProgress(cmd.ErrOrStderr(), in.size)
	p := &publishing{client: client, rate: o.rate, bar: bar, wrong: wrongLines{bar: bar}, began: time.Now()}
	p.sum.DryRun = client == nil
	err := stopped(cmd.Context(), p.run(cmd.Context(), in))
	bar.clear()
	p.sum.Rejected, p.sum.RejectedCount = append([]wrongLine{}, p.wrong.list...), p.wrong.count
	if told := p.sum.print(cmd.OutOrStdout(), *o.output); told != nil {
		return errors.Join(err, told)
	}
	if err == nil && p.wrong.count > 0 {
		return fmt.Errorf("%s of %s events were rejected", thousands(p.wrong.count), thousands(p.sum.Read))
	}
	return err
}

func (s *published) print(w io.Writer, f format) error {
	if f == asJSON {
		return printJSON(w, s)
	}
	var err error
	if s.DryRun {
		_, err = fmt.Fprintf(w, "%s read, %s valid, %s rejected; nothing was sent\n", thousands(s.Read), thousands(s.Valid), thousands(s.RejectedCount))
	} else {
		_, err = fmt.Fprintf(w, "%s read, %s accepted, %s rejected\n", thousands(s.Read), thousands(s.Accepted), thousands(s.RejectedCount))
	}
	if err != nil {
		return fmt.Errorf("write the answer: %w", err)
	}
	return nil
}

// run sends one batch while the next one is read.
func (p *publishing) run(ctx context.Context, in *input) error {
	ctx, cancel := context.WithCancel(ctx)
	batches, broke := make(chan *eventBatch), make(chan error, 1)
	feed := eventFeed{
		r: newEventReader(in, in.lines), most: maxBatchEvents, eager: in.size == 0,
	}
	if p.rate > 0 {
		feed.most = min(feed.most, p.rate)
	}
	go func() {
		defer close(batches)
		broke <- feed.run(ctx, batches)
	}()
	err := p.take(ctx, batches)
	cancel()
	if err == nil {
		return <-broke
	}
	if in.file != nil { // a read of standard input can't be cut short: that goroutine ends with the process
		in.close()
		<-broke
	}
	return err
}

// take handles batches until there are no more.
func (p *publishing) take(ctx context.Context, batches <-chan *eventBatch) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case b, more := <-batches:
			if !more {
				return nil
			}
			if err := p.handle(ctx, b); err != nil {
				return err
			}
			p.bar.show(b.at, p.sum.Read, "events")
		}
	}
}

// handle tells what is wrong in a batch and sends the rest.
func (p *publishing) handle(ctx context.Context, b *eventBatch) error {
	p.sum.Read += len(b.lines) + len(b.wrong)
	for _, w := range b.wrong {
		p.wrong.add(w.Line, w.Problem.Code, w.Problem.Errors...)
	}
	switch {
	case len(b.lines) == 0:
		return nil
	case p.client == nil:
		p.sum.Valid += len(b.lines)
		return nil
	}
	if p.rate > 0 {
		due := p.began.Add(time.Duration(float64(p.sent) / float64(p.rate) * float64(time.Second)))
		if err := p.client.pause(ctx, time.Until(due)); err != nil {
			return err
		}
		p.sent += len(b.lines)
	}
	return p.send(ctx, b)
}

// send posts a batch. An answer that got lost makes another try: events are known by their id.
func (p *publishing) send(ctx context.Context, b *eventBatch) error {
	answer, err := p.client.call(ctx, restCall{
		method: http.MethodPost, path: "/v1/events", body: b.body,
		header: http.Header{"Content-Type": {"application/x-ndjson"}},
		also:   []int{http.StatusUnprocessableEntity}, // none of them was taken
	})
	first, last := b.lines[0], b.lines[len(b.lines)-1]
	var refused *restProblem
	switch {
	case errors.As(err, &refused) && refused.Status < http.StatusInternalServerError:
		return fmt.Errorf("lines %d to %d were not taken: %w", first, last, err)
	case err != nil:
		return fmt.Errorf("lines %d to %d may have arrived or not; publish the file again, nothing goes out twice: %w", first, last, err)
	}
	var said struct {
		Accepted int
		Rejected []struct {
			Index   int
			Problem restProblem
		}
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return fmt.Errorf("read the answer for lines %d to %d: %w", first, last, err)
	}
	if said.Accepted+len(said.Rejected) != len(b.lines) {
		return fmt.Errorf("the answer for lines %d to %d speaks of %d events and not of %d: is --url right?",
			first, last, said.Accepted+len(said.Rejected), len(b.lines))
	}
	p.sum.Accepted += said.Accepted
	for _, r := range said.Rejected {
		if r.Index < 0 || r.Index >= len(b.lines) {
			return fmt.Errorf("the answer for lines %d to %d speaks of another event: is --url right?", first, last)
		}
		p.wrong.add(b.lines[r.Index], r.Problem.Code, r.Problem.Errors...)
	}
	return nil
}

// eventFeed reads events, checks them and gathers them to batches.
type eventFeed struct {
	r     *eventReader
	most  int  // events in a batch
	eager bool // a batch is what is there: nobody knows when more comes
}

// run hands over batches until the input ends. The last one may have come before an error.
func (f *eventFeed) run(ctx context.Context, out chan<- *eventBatch) error {
	b := &eventBatch{}
	flush := func() error {
		if len(b.lines)+len(b.wrong) == 0 {
			return nil
		}
		b.at = f.r.at
		select {
		case <-ctx.Done():
			return ctx.Err()
		case out <- b:
			b = &eventBatch{}
			return nil
		}
	}
	for {
		value, line, err := f.r.next()
		if err == io.EOF {
			return flush()
		}
		if err != nil {
			return errors.Join(flush(), fmt.Errorf("read events: %w", err))
		}
		b.add(value, line)
		if len(b.lines)+len(b.wrong) >= f.most || len(b.body) >= maxBatchBytes || f.eager && f.r.idle() {
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

// add checks an event and takes it into the batch, on one line.
func (b *eventBatch) add(value []byte, line int) {
	var e notify.Event
	var invalid *notify.Invalid
	now := time.Now()
	if err := mapping.Decode(&notify.Record{Time: now, Value: value}, now, &e); errors.As(err, &invalid) {
		b.wrong = append(b.wrong, wrongLine{line, lineProblem{invalid.Reason, slices.Clone(invalid.Problems)}})
		return
	}
	b.lines = append(b.lines, line)
	for _, c := range value {
		if c == '\n' || c == '\r' { // between two parts of the JSON: no string has one
			c = ' '
		}
		b.body = append(b.body, c)
	}
	b.body = append(b.body, '\n')
}
