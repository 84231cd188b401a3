package bench

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// progress tells which round of what runs: one rewritten line on a terminal, else a line for each round.
type progress struct {
	out  io.Writer
	bar  bool
	wide int // of the line as it stands
}

func (p *progress) show(name string, round, rounds int) {
	line := fmt.Sprintf("%s: round %d of %d", name, round, rounds)
	if !p.bar {
		fmt.Fprintln(p.out, line)
		return
	}
	wide := utf8.RuneCountInString(line)
	fmt.Fprintf(p.out, "\r%s%s", line, strings.Repeat(" ", max(0, p.wide-wide)))
	p.wide = wide
}

// say tells something on a line of its own.
func (p *progress) say(words string) {
	p.end()
	fmt.Fprintln(p.out, words)
}

// end takes the rewritten line away.
func (p *progress) end() {
	if p.wide > 0 {
		fmt.Fprintf(p.out, "\r%s\r", strings.Repeat(" ", p.wide))
		p.wide = 0
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
