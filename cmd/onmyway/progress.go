package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	redrawEvery = 100 * time.Millisecond // of a bar: quicker than the eye needs
	tellEvery   = 5 * time.Second        // of lines where nobody can rewrite one
	barWidth    = 30
)

// progress tells how far a long command is: one rewritten line on a terminal, else a line every few seconds. Methods must
// not be called at the same time.
type progress struct {
	out   io.Writer
	bar   bool  // out is a terminal
	total int64 // bytes of the input; 0 when nobody knows
	began time.Time
	last  time.Time
	wide  int // of the line as it stands
}

func newProgress(out io.Writer, total int64) *progress {
	now := time.Now()
	return &progress{out: out, bar: terminal(out) && os.Getenv("TERM") != "dumb", total: total, began: now, last: now}
}

// show tells how many bytes of the input are done and how many things that were: "events".
func (p *progress) show(done int64, n int, things string) {
	now := time.Now()
	every := tellEvery
	if p.bar {
		every = redrawEvery
	}
	if now.Sub(p.last) < every {
		return
	}
	p.last = now
	line := p.line(now.Sub(p.began), done, n, things)
	if !p.bar {
		fmt.Fprintln(p.out, line)
		return
	}
	wide := utf8.RuneCountInString(line)
	fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.wide-wide)))
	p.wide = wide
}

func (p *progress) line(took time.Duration, done int64, n int, things string) string {
	rate := float64(n) / max(took.Seconds(), 0.001)
	text := fmt.Sprintf("%s %s, %s a second", thousands(n), things, thousands(int(rate)))
	if p.total <= 0 || done <= 0 {
		return text
	}
	part := min(float64(done)/float64(p.total), 1)
	left := time.Duration(float64(took) * (1 - part) / part).Round(time.Second)
	text = fmt.Sprintf("%3.0f %%  %s, %s left", 100*part, text, left)
	if !p.bar {
		return text
	}
	full := int(part * barWidth)
	return "[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] " + text
}

// say tells something on a line of its own.
func (p *progress) say(words string) {
	p.clear()
	fmt.Fprintln(p.out, oneLine(words))
}

// clear takes the rewritten line away. Call it before anything else is written to a terminal.
func (p *progress) clear() {
	if p.wide > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.wide))
		p.wide = 0
	}
}

// thousands writes 12345 as "12,345".
func thousands(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
