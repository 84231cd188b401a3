package templates

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Report is what Lint found.
type Report struct {
	Templates  int       `json:"templates"`  // files that were read, with those that are broken
	Locales    []string  `json:"locales"`    // that have files
	Milestones int       `json:"milestones"` // that were asked for
	Texts      int       `json:"texts"`      // written and checked
	Findings   []Finding `json:"findings"`   // by file and line
}

// Finding is one thing that is wrong with a file.
type Finding struct {
	File    string `json:"file"` // "delivered/en.txt"; it may be missing
	Line    int    `json:"line"` // from 1; 0 for the whole file
	Problem string `json:"problem"`
	Fix     string `json:"fix,omitempty"` // what to do about it
}

// String is "file:line: problem. Fix".
func (f Finding) String() string {
	text := (&Error{f.File, f.Line, f.Problem}).Error()
	if f.Fix != "" {
		text += ": " + f.Fix
	}
	return text
}

// Lint checks all templates, the built-in ones and over them those of dir; nil for none. Wanted are the milestones that
// customers are told, each line of business with its own. Every text is written from everything that an event could
// say: each combination of the facts that it reads, with usual values and with long ones, and values that somebody sends
// to break it. The error is one of reading dir; what is wrong with a file is a finding.
func Lint(dir fs.FS, wanted []Subject) (Report, error) {
	l := &linter{wanted: wanted, found: map[string]bool{}, Report: Report{Findings: []Finding{}}}
	texts, wrong := readBoth(dir)
	all, broken := parsedOf(texts)
	for _, err := range append(wrong, broken...) {
		var e *Error
		if !errors.As(err, &e) {
			return Report{}, err
		}
		problem, fix := divideDetail(e.Detail)
		l.add(Finding{e.File, e.Line, problem, fix})
	}
	set := newSet(all)
	l.Templates, l.Milestones = len(texts), len(wanted)
	l.Locales = set.Locales()
	l.coverage(set, texts)
	for _, t := range set.templates {
		l.source = texts[t.File].text
		l.template(t)
	}
	slices.SortFunc(l.Findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Problem, b.Problem))
	})
	return l.Report, nil
}

type linter struct {
	Report
	wanted []Subject
	source []byte          // of the template that is checked
	found  map[string]bool // what was said already
}

func (l *linter) add(f Finding) {
	if key := f.String(); !l.found[key] {
		l.found[key] = true
		l.Findings = append(l.Findings, f)
	}
}

// divideDetail cuts what is wrong from what to do: `unknown fact "x", did you mean "y"?`, "not a template: want …".
func divideDetail(detail string) (problem, fix string) {
	if problem, fix, ok := strings.Cut(detail, ", did you mean "); ok {
		return problem, "did you mean " + fix
	}
	for _, mark := range []string{"want ", "write ", "start with ", "nest two"} {
		if problem, fix, ok := strings.Cut(detail, ": "+mark); ok {
			return problem, mark + fix
		}
	}
	return detail, "`onmyway templates --help` names the document that has the language"
}

// coverage finds milestones without words, and words for nobody.
func (l *linter) coverage(set *Set, texts map[string]source) {
	for _, locale := range l.Locales {
		if len(parents(locale)) > 1 {
			continue // es-MX has what differs from es
		}
		for _, w := range l.wanted {
			file := w.Milestone + "/" + locale + ".txt"
			_, broken := texts[file]
			if t := set.Lookup(w.Line, w.Milestone, locale); !broken && (t == nil || t.Locale != locale) {
				l.add(Finding{file, 0, fmt.Sprintf("no words in %s for %s of %s", locale, w.Milestone, w.Line), "write this file"})
			}
		}
	}
	for _, t := range set.templates {
		if len(l.linesOf(t)) == 0 {
			l.add(Finding{t.File, 0, "customers are told nothing of that name", l.nearest(t)})
		}
	}
}

func (l *linter) nearest(t *Template) string {
	var names []string
	for _, w := range l.wanted {
		if t.Line == "" || t.Line == w.Line {
			names = append(names, w.Milestone)
		}
	}
	if near, ok := Nearest(t.Milestone, names); ok {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "`onmyway templates list` names the milestones that have words"
}

// linesOf are the lines of business whose customers read t.
func (l *linter) linesOf(t *Template) (lines []string) {
	for _, w := range l.wanted {
		if w.Milestone == t.Milestone && (t.Line == "" || t.Line == w.Line) {
			lines = append(lines, w.Line)
		}
	}
	return lines
}

// template writes everything that t can say and checks it.
func (l *linter) template(t *Template) {
	sections := []struct {
		name string
		at   int
		s    *section
		size size
	}{{"SMS", t.sms.line, &t.sms, smsSize}, {"title", t.title.line, &t.title, titleSize}, {"body", t.body.line, &t.body, bodySize}}
	for _, line := range l.linesOf(t) {
		for _, s := range sections {
			c := check{linter: l, template: t, name: s.name, at: s.at, size: s.size}
			for sample := range samples(t, s.s, line) {
				l.Texts++
				text, err := t.write(s.s, &sample.vars, s.size)
				c.text(sample, text, err)
			}
			c.tooLong()
		}
	}
}
