package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// terminal tells in lines what goes out, and what does not and why.
type terminal struct {
	mu    sync.Mutex
	out   io.Writer
	color bool
}

func newTerminal(out io.Writer, color bool) *terminal { return &terminal{out: out, color: color} }

// The colours of ECMA-48 that are readable on light and dark.
const (
	plain  = ""
	faint  = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	cyan   = "36"
)

func (t *terminal) paint(color, text string) string {
	if !t.color || color == plain {
		return text
	}
	return "\x1b[" + color + "m" + text + "\x1b[0m"
}

// hello tells where everything is.
func (t *terminal) hello(w *world, page string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.out, `
  %s  %s
  REST   %s/v1, described at /openapi.json
  Kafka  %s, topic %s

  Try    curl -H 'Authorization: Bearer %s' '%s/v1/messages?limit=3'

  Ctrl-C ends all of it.

`, t.paint(green, "Open "), t.paint(green, page), w.REST.base, w.Brokers, w.Topic, APIKey, w.REST.base)
}

// The columns of a line.
const (
	toWidth   = 15
	textWidth = 64
)

// line tells of one message that went out.
func (t *terminal) line(channel, to, text, state string, took time.Duration) {
	color := map[string]string{"text": cyan, "push": yellow, "live": green}[channel]
	t.write(fmt.Sprintf("%s  %s  %s  %s %9s", t.paint(color, fit(channel, 4)), fit(to, toWidth), fit(text, textWidth),
		t.paint(faint, fit(state, 8)), inWords(took)))
}

// notSent tells why something did not go out.
func (t *terminal) notSent(to, words string) { t.aside(to, "not sent: "+words) }

// held tells why something waits, and until when.
func (t *terminal) held(to, words string) { t.aside(to, "held: "+words) }

func (t *terminal) aside(to, words string) {
	t.write(t.paint(faint, fmt.Sprintf("%s  %s  %s", fit("", 4), fit(to, toWidth), words)))
}

// alarm tells of the kill and the way back.
func (t *terminal) alarm(color, words string) { t.write(t.paint(color, words)) }

func (t *terminal) write(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintln(t.out, line)
}

// fit makes text exactly n characters wide, on one line.
func fit(text string, n int) string {
	runes := []rune(strings.NewReplacer("\n", " ", "\u00a0", " ").Replace(text))
	if len(runes) > n {
		return string(runes[:n-1]) + "…"
	}
	return string(runes) + strings.Repeat(" ", n-len(runes))
}
