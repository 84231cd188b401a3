package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The files that Write makes.
const (
	documentName = "performance.md"
	plotName     = "performance.svg"
)

// The part of the document between these marks is that of the last run; the rest is a person's.
const (
	measuredFrom = "<!-- measured: onmyway bench --write -->"
	measuredTo   = "<!-- end of measured -->"
)

// Write puts the report into a folder: a document, whose hand-written parts it keeps, and a plot.
func (r *Report) Write(folder string) error {
	path := filepath.Join(folder, documentName)
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("read the document of the results: %w", err)
	}
	if err := os.WriteFile(path, []byte(within(string(old), r.document())), 0o644); err != nil {
		return fmt.Errorf("write the document of the results: %w", err)
	}
	if err := os.WriteFile(filepath.Join(folder, plotName), []byte(r.plot()), 0o644); err != nil {
		return fmt.Errorf("write the plot of the results: %w", err)
	}
	return nil
}

// within replaces what stands between the marks; without marks it begins a document.
func within(old, measured string) string {
	measured = measuredFrom + "\n" + measured + measuredTo
	head, rest, found := strings.Cut(old, measuredFrom)
	_, tail, ended := strings.Cut(rest, measuredTo)
	if !found || !ended {
		return "# Performance\n\n" + measured + "\n"
	}
	return head + measured + tail
}

// document is the part that is measured.
func (r *Report) document() string {
	var b strings.Builder
	m := &r.Machine
	fmt.Fprintf(&b, "\nMeasured %s in %s on %d cores (%s", r.At.UTC().Format("2006-01-02"), r.Took.Round(time.Second), m.Cores, m.Processor)
	if m.MemoryGiB > 0 {
		fmt.Fprintf(&b, ", %d GiB", m.MemoryGiB)
	}
	fmt.Fprintf(&b, "), %s, %s.\n", m.System, m.Go)
	if r.Quick {
		b.WriteString("\n**A quick run: its rounds are too small for a verdict.**\n")
	}
	fmt.Fprintf(&b, "\n![How far each figure is on the good side of its goal](%s)\n\n", plotName)
	b.WriteString("| figure | value | baseline | ratio | goal | | rounds | spread |\n|---|--:|--:|--:|--:|---|--:|--:|\n")
	for i := range r.Results {
		res := &r.Results[i]
		value := number(res.Value) + " " + res.Unit
		if res.Error != "" {
			value = "-"
		}
		fmt.Fprintf(&b, "| **%s**: %s | %s | %s | %s | %s | %s | %d | %s |\n", res.Name, res.description(), strings.TrimSpace(value),
			maybe(res.BaselineValue), maybe(res.Ratio), sign(res.Goal), res.verdict(), res.Rounds, percent(res.Spread))
	}
	if len(r.Skipped) > 0 {
		b.WriteString("\nNot measured:\n\n")
		for _, s := range r.Skipped {
			fmt.Fprintf(&b, "- %s: %s\n", s.Name, s.Why)
		}
	}
	fmt.Fprintf(&b, "\nLibraries: %s.\n", strings.Join(m.Libraries, ", "))
	if len(m.Servers) > 0 {
		fmt.Fprintf(&b, "\nServers: %s.\n", strings.Join(m.Servers, ", "))
	}
	b.WriteByte('\n')
	return b.String()
}

func sign(goal string) string { return strings.NewReplacer(">=", "≥", "<=", "≤").Replace(goal) }

// The plot, in pixels. A bar ends at the most where the scale does.
const (
	plotWidth = 760
	barHeight = 18
	barGap    = 10
	barLeft   = 150
	barRoom   = 440.0 // of a bar at the end of the scale
	scaleEnd  = 4.0   // times as good as the goal
	plotTop   = 48
)

// plot draws a bar for each figure with a goal: how far it is on the good side. The line is the goal.
func (r *Report) plot() string {
	var bars []*Result
	for i := range r.Results {
		if res := &r.Results[i]; res.margin > 0 {
			bars = append(bars, res)
		}
	}
	height := plotTop + len(bars)*(barHeight+barGap) + 16
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="Figures against their goals" font-family="system-ui, sans-serif" font-size="13">`+"\n", plotWidth, height)
	b.WriteString(`<style>text{fill:#1f2933}.good{fill:#2f7d5b}.bad{fill:#b3452c}.goal{stroke:#1f2933;stroke-dasharray:3 3}` +
		`@media(prefers-color-scheme:dark){text{fill:#e4e7eb}.goal{stroke:#e4e7eb}}</style>` + "\n")
	at := barLeft + barRoom/scaleEnd
	fmt.Fprintf(&b, `<text x="%.0f" y="20" text-anchor="middle">goal</text><text x="%.0f" y="20" text-anchor="end">%g times as good</text>`+"\n", at, barLeft+barRoom, scaleEnd)
	for i, res := range bars {
		y := plotTop + i*(barHeight+barGap)
		class := "good"
		if res.margin < 1 {
			class = "bad"
		}
		width := barRoom * min(res.margin, scaleEnd) / scaleEnd
		fmt.Fprintf(&b, `<text x="%d" y="%d" text-anchor="end">%s</text>`, barLeft-10, y+13, res.Name)
		fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="%d" rx="2"/>`, class, barLeft, y, width, barHeight)
		fmt.Fprintf(&b, `<text x="%.0f" y="%d">%s</text>`+"\n", barLeft+width+8, y+13, escaped(res.shown()))
	}
	fmt.Fprintf(&b, `<line class="goal" x1="%.1f" x2="%.1f" y1="28" y2="%d"/>`+"\n</svg>\n", at, at, height-8)
	return b.String()
}

// shown is the number behind a bar, with what it should be.
func (r *Result) shown() string {
	if r.Ratio != nil {
		return number(*r.Ratio) + " ×, goal " + sign(r.Goal)
	}
	return strings.TrimSpace(number(r.Value)+" "+r.Unit) + ", goal " + sign(r.Goal)
}

func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
