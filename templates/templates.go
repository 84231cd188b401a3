package templates

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"
)

// Template is the words of one milestone in one language.
type Template struct {
	Milestone string
	Line      string // the line of business that it is for; empty for all
	Locale    string // of the words, BCP 47
	Version   string // first 8 hex digits of the SHA-256 of the file
	File      string // "delivered/en.txt"
	Override  bool   // the file is of the operator's folder, not built in

	tag              language.Tag
	tongue           tongue
	sms, title, body section
}

// Subject is what words are asked for: a milestone of a line of business.
type Subject struct{ Line, Milestone string }

// Set is all templates, parsed. It is safe for concurrent use.
type Set struct {
	templates []*Template
	locales   map[string]table // by each locale that has a file, its own fallbacks worked in

	mu    sync.RWMutex
	asked map[string]table // by locales as customers have them; at most maxAsked
}

// key is what a table is read by.
type key struct{ line, milestone string }

// table is all templates as the customers of one locale get them.
type table map[key]*Template

// Bounds of what is remembered of the locales that customers have: a few hundred exist, and 35 characters are what RFC 5646
// section 4.4.1 asks systems to have room for.
const (
	maxAsked  = 1024
	maxLocale = 35
)

// fallback is the language of those whose own has no words.
const fallback = "en"

// Lookup finds the words of a milestone, falling back es-MX -> es -> en; in each language those of the line come before
// those for all lines. It is nil when the milestone has none.
func (s *Set) Lookup(line, milestone, locale string) *Template {
	return s.table(locale)[key{line, milestone}]
}

func (s *Set) table(locale string) table {
	if t, ok := s.locales[locale]; ok {
		return t
	}
	s.mu.RLock()
	t, ok := s.asked[locale]
	s.mu.RUnlock()
	if ok {
		return t
	}
	t = s.locales[s.nearest(locale)]
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.asked) < maxAsked && len(locale) <= maxLocale {
		s.asked[strings.Clone(locale)] = t
	}
	return t
}

// nearest is the first locale with words on the way from a customer's locale to its language.
func (s *Set) nearest(locale string) string {
	for _, l := range parents(locale) {
		if _, ok := s.locales[l]; ok {
			return l
		}
	}
	return fallback
}

// parents lists a locale and what it falls back to, as CLDR has it: es-MX, es-419, es. What is no locale has none.
func parents(locale string) []string {
	if len(locale) > maxLocale {
		return nil
	}
	tag, err := language.Parse(locale)
	if err != nil {
		return nil
	}
	var all []string
	for ; tag != language.Und; tag = tag.Parent() {
		all = append(all, tag.String())
	}
	return all
}

// Templates lists all templates, by milestone, then by file.
func (s *Set) Templates() []*Template { return slices.Clone(s.templates) }

// Names lists the milestones that have words.
func (s *Set) Names() []string {
	var names []string
	for _, t := range s.templates {
		names = append(names, t.Milestone)
	}
	return slices.Compact(names)
}

// Locales lists those that have words, in the order of the alphabet.
func (s *Set) Locales() []string { return slices.Sorted(maps.Keys(s.locales)) }

// newSet works out which words the customers of each locale and line get.
func newSet(templates []*Template) *Set {
	slices.SortFunc(templates, func(a, b *Template) int {
		return cmp.Or(cmp.Compare(a.Milestone, b.Milestone), cmp.Compare(a.File, b.File))
	})
	s := &Set{templates: templates, locales: map[string]table{}, asked: map[string]table{}}
	s.locales[fallback] = table{}
	for _, t := range templates {
		s.locales[t.Locale] = table{}
	}
	for locale, words := range s.locales {
		for _, l := range append(parents(locale), fallback) {
			words.fill(templates, l)
		}
	}
	return s
}

// fill adds the templates of a locale where there are none yet, those of one line first.
func (t table) fill(templates []*Template, locale string) {
	for _, tp := range templates {
		if _, taken := t[key{tp.Line, tp.Milestone}]; tp.Locale == locale && tp.Line != "" && !taken {
			t[key{tp.Line, tp.Milestone}] = tp
		}
	}
	for _, tp := range templates {
		if tp.Locale != locale || tp.Line != "" {
			continue
		}
		for _, line := range append([]string{""}, lines...) {
			if _, taken := t[key{line, tp.Milestone}]; !taken {
				t[key{line, tp.Milestone}] = tp
			}
		}
	}
}
