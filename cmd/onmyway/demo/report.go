package demo

import (
	"fmt"
	"io"
	"math"
	"slices"
	"text/tabwriter"
	"time"

	"onmyway/notify"
)

// Report is what Once found. Its JSON is for programs.
type Report struct {
	Events   int `json:"events"`  // published, each counted once
	Repeats  int `json:"repeats"` // of them, published again
	Messages struct {
		SMS struct {
			Accepted int `json:"accepted"`
		} `json:"sms"`
		Push struct {
			Accepted int `json:"accepted"`
		} `json:"push"`
		WebSocket struct {
			Sent int `json:"sent"`
		} `json:"websocket"`
	} `json:"messages"`
	Lost       int                        `json:"lost"`
	Doubled    int                        `json:"doubled"`
	Unexpected int                        `json:"unexpected"`       // messages to somebody who should not have got them
	Verify     int                        `json:"verify,omitempty"` // texts that are held: whether they went out is not clear
	Kills      int                        `json:"kills,omitempty"`
	Latency    map[notify.Channel]Latency `json:"latency_ms"`
	Seconds    float64                    `json:"seconds"`

	verdict verdict
}

// Latency is the time from publishing an event until its message arrived, in milliseconds.
type Latency struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// OK tells whether everything that should arrive arrived exactly once, and nothing else did.
func (r *Report) OK() bool { return r.verdict.ok() }

// Table writes the report for people.
func (r *Report) Table(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 4, 3, ' ', tabwriter.AlignRight)
	fmt.Fprintf(w, "\tarrived\tp50 ms\tp99 ms\t\n")
	for _, row := range []struct {
		name    string
		channel notify.Channel
		n       int
	}{
		{"texts", notify.SMS, r.Messages.SMS.Accepted},
		{"push", notify.Push, r.Messages.Push.Accepted},
		{"live pages", notify.WebSocket, r.Messages.WebSocket.Sent},
	} {
		l := r.Latency[row.channel]
		fmt.Fprintf(w, "%s\t%d\t%.1f\t%.1f\t\n", row.name, row.n, l.P50, l.P99)
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	fmt.Fprintf(out, "\n%d events and %d repeats of them in %.1f s", r.Events, r.Repeats, r.Seconds)
	if r.Kills > 0 {
		fmt.Fprintf(out, ", with %d kills", r.Kills)
	}
	fmt.Fprintf(out, "\nlost %d, doubled %d", r.Lost, r.Doubled)
	if r.Unexpected > 0 {
		fmt.Fprintf(out, ", unexpected %d", r.Unexpected)
	}
	if _, err := fmt.Fprintln(out); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return r.unclear(out)
}

// unclear explains texts that neither arrived nor are lost.
func (r *Report) unclear(out io.Writer) error {
	if r.Verify == 0 {
		return nil
	}
	texts, them := "1 text was", "it"
	if r.Verify > 1 {
		texts, them = fmt.Sprintf("%d texts were", r.Verify), "them"
	}
	_, err := fmt.Fprintf(out, `
%s being sent when the service was killed. The service does not guess whether they left: it asks the
provider, and sends %s again only if the provider has none. That takes a minute (sms.verify_grace), for which
this command does not wait.
`, texts, them)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// mostNamed bounds how many of each kind Complain names.
const mostNamed = 10

// Complain names what was lost, doubled or unexpected.
func (r *Report) Complain(out io.Writer) {
	for _, kind := range []struct {
		word string
		keys []key
	}{{"lost", r.verdict.Lost}, {"doubled", r.verdict.Doubled}, {"unexpected", r.verdict.Strays}} {
		for k := range slices.Values(kind.keys[:min(len(kind.keys), mostNamed)]) {
			fmt.Fprintf(out, "%s: %s\n", kind.word, k)
		}
		if more := len(kind.keys) - mostNamed; more > 0 {
			fmt.Fprintf(out, "%s: and %d more\n", kind.word, more)
		}
	}
}

func inMillis(d time.Duration) float64 { return rounded(float64(d) / float64(time.Millisecond)) }

// rounded has one decimal.
func rounded(f float64) float64 { return math.Round(f*10) / 10 }
