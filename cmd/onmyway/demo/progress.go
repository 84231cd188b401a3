package demo

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// sayEvery is how often progress is told where it is not a line that is written over.
const sayEvery = 2 * time.Second

// progress tells how far a run is: a bar on a terminal, else a line now and then.
type progress struct {
	out  io.Writer
	bar  bool
	last time.Time
	wide int // of the bar as it stands; 0 for none
}

func newProgress(out io.Writer, bar bool) *progress {
	return &progress{out: out, bar: bar, last: time.Now()}
}

// say tells something on a line of its own.
func (p *progress) say(words string) {
	p.end()
	fmt.Fprintln(p.out, words)
}

// show tells that n of all have arrived.
func (p *progress) show(n, all int) {
	now := time.Now()
	switch {
	case p.bar && now.Sub(p.last) >= checkEvery, p.bar && n == all:
		const width = 40
		done := width
		if all > 0 {
			done = width * n / all
		}
		line := fmt.Sprintf("\r[%s%s] %d of %d arrived", strings.Repeat("#", done), strings.Repeat(".", width-done), n, all)
		fmt.Fprintf(p.out, "%-*s", p.wide, line)
		p.wide, p.last = len(line), now
	case !p.bar && now.Sub(p.last) >= sayEvery:
		fmt.Fprintf(p.out, "%d of %d messages arrived\n", n, all)
		p.last = now
	}
}

// end ends a line that is written over.
func (p *progress) end() {
	if p.wide > 0 {
		fmt.Fprintln(p.out)
		p.wide = 0
	}
}
