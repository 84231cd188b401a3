package templates

import (
	"iter"
	"strings"
	"time"
)

// sample is what an event could say.
type sample struct {
	name    string // "with all facts", "without eta": as the end of a sentence
	vars    Vars
	hostile bool
}

// maxCombined is how many facts are combined in every way: 1,024 samples. Of more, each is left out alone and said alone.
const maxCombined = 10

// lintZone is where the customers of the samples live.
var lintZone = time.FixedZone("PST", -8*3600)

// samples are all events that could make a difference to a section.
func samples(t *Template, s *section, line string) iter.Seq[sample] {
	used := usedBy(s)
	usual := Facts{}
	if all, err := ParseFacts(Example(t.Milestone)); err == nil {
		usual = all
	}
	return func(yield func(sample) bool) {
		for _, values := range []struct {
			name string
			of   func(*Declaration) Facts
		}{{"", usual.about}, {"long ", long}} {
			for mask := range combinations(len(used)) {
				if !yield(combined(used, mask, values.name, values.of, line)) {
					return
				}
			}
		}
		for i, d := range used {
			for _, odd := range variants(d) {
				for _, mask := range []uint64{1<<len(used) - 1, 1 << i} {
					of := func(other *Declaration) Facts {
						if other == d {
							return odd
						}
						return usual.about(other)
					}
					if !yield(combined(used, mask, "odd ", of, line)) {
						return
					}
				}
			}
		}
		for _, value := range hostile {
			of := func(d *Declaration) Facts {
				if d.Kind == KindURL && isLink(value) {
					return usual.about(d) // where a link of the right form leads is for those who send the events
				}
				return Facts{{d.Name, value}, {d.Name + ".start", value}, {d.Name + ".amount", value}}
			}
			s := combined(used, 1<<len(used)-1, "hostile ", of, line)
			s.vars.OrderID, s.vars.Customer, s.hostile = value, value, true
			if !yield(s) {
				return
			}
		}
	}
}

// combined is a sample with those of the used facts whose bit is set.
func combined(used []*Declaration, mask uint64, kind string, of func(*Declaration) Facts, line string) sample {
	s := sample{vars: Vars{Line: line, Zone: lintZone, Now: ExampleTime, OrderID: "CH-1001"}}
	var with, without []string
	for i, d := range used {
		if mask&(1<<i) == 0 {
			without = append(without, d.Name)
			if d.Name == "order_id" {
				s.vars.OrderID = ""
			}
			continue
		}
		with = append(with, d.Name)
		if d.Name == "customer_name" {
			s.vars.Customer = "Dana Reyes"
		}
		s.vars.Facts = append(s.vars.Facts, of(d)...)
	}
	switch {
	case len(used) == 0:
		s.name = "with any facts"
	case len(without) == 0:
		s.name = "with all " + kind + "facts"
	case len(with) == 0:
		s.name = "with no facts"
	case len(with) <= len(without):
		s.name = "with " + kind + strings.Join(with, ", ") + " alone"
	default:
		s.name = "with " + kind + "facts but no " + strings.Join(without, ", ")
	}
	return s
}

// combinations are the sets of n facts as bits: all of them, or of many those in which one is missing or alone.
func combinations(n int) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		all := uint64(1)<<n - 1
		if n <= maxCombined {
			for mask := all; yield(mask) && mask > 0; mask-- {
			}
			return
		}
		if !yield(all) || !yield(0) {
			return
		}
		for i := range n {
			if !yield(all&^(1<<i)) || !yield(1<<i) {
				return
			}
		}
	}
}

// usedBy lists the facts that a section reads, in the order of the declarations; at most 63.
func usedBy(s *section) []*Declaration {
	names := map[string]bool{}
	s.names(s.nodes, names)
	var used []*Declaration
	for i := range declared {
		if names[declared[i].Name] && declared[i].Name != "line" && len(used) < 63 {
			used = append(used, &declared[i])
		}
	}
	return used
}

func (s *section) names(nodes []node, names map[string]bool) {
	add := func(f fact) {
		whole, _, _ := strings.Cut(f.name, ".")
		names[whole] = true
	}
	for _, n := range nodes {
		if n.field != nil {
			add(n.field.fact)
		}
		for _, b := range n.branches {
			for _, t := range b.when.terms {
				add(t.fact)
			}
			s.names(b.nodes, names)
		}
	}
}

// about are the facts that belong to a declaration: its own and its parts.
func (f Facts) about(d *Declaration) Facts {
	var own Facts
	for _, fact := range f {
		if whole, _, _ := strings.Cut(fact.Name, "."); whole == d.Name {
			own = append(own, fact)
		}
	}
	return own
}

// Values that are as long as honest ones get: texts as long as they are written, a link of 40 characters, a window on
// another day around noon, a date of next year.
const (
	longText = "Longfellow Featherstone Cholmondeley Wolverhampton Kensington Knightsbridge Marylebone Paddington Bloomsbury " +
		"Whitechapel"
	longURL  = "https://notify.example.com/t/8fQ2w7Lk3Zr"
	longList = `["front and back of the insurance card","a power of attorney","the bill of sale","proof of address",` +
		`"driver license","smog certificate","odometer statement"]`
)

func long(d *Declaration) Facts {
	if len(d.Values) > 0 {
		return Facts{{d.Name, d.Values[0]}}
	}
	switch d.Kind {
	case KindURL:
		return Facts{{d.Name, longURL}}
	case KindPhone:
		return Facts{{d.Name, "+1 (415) 555-0103"}}
	case KindList:
		return Facts{{d.Name, longList}}
	case KindMoney:
		return Facts{{d.Name, "12184.50"}}
	case KindCount:
		return Facts{{d.Name, "128114"}}
	case KindTime, KindDate:
		return Facts{{d.Name, "2027-09-29T20:45:00Z"}}
	case KindWindow:
		return Facts{{d.Name + ".start", "2026-11-25T18:30:00Z"}, {d.Name + ".end", "2026-11-25T20:15:00Z"}}
	}
	return Facts{{d.Name, longText[:d.Max]}}
}

// variants are the values of a fact that are written in another way than the usual one.
func variants(d *Declaration) (all []Facts) {
	for _, v := range d.Values {
		all = append(all, Facts{{d.Name, v}})
	}
	switch d.Kind {
	case KindCount:
		for _, n := range []string{"0", "1", "2", "1000000"} {
			all = append(all, Facts{{d.Name, n}})
		}
	case KindList:
		all = append(all, Facts{{d.Name, `["bill of sale"]`}}, Facts{{d.Name, "[]"}})
	case KindWindow:
		for _, end := range []string{"2026-11-25T18:30:00Z", "2026-11-26T09:00:00Z", "2026-11-28T01:00:00Z"} {
			all = append(all, Facts{{d.Name + ".start", "2026-11-25T18:30:00Z"}, {d.Name + ".end", end}})
		}
	}
	return all
}

// hostile are values that somebody sends who means no good.
var hostile = []string{
	"\u202e\u2066evil\u200b\u2069\u202c\ufeff", "a\r\n\r\nb\x00\x1b[31m\u2028c\u0085", "{{ order_id }}{% if x %}", "`{}`",
	"https://evil.example/pay", "HTTPS://evil。example", "pay.evil\u200b.com/x", "javascript:alert(1)", "tel:+19005550100", "192.168.1.1/x",
	"https://onmyway.example@evil.example/", "https://оnmyway.example", strings.Repeat("A", 10_000), strings.Repeat("\u200b", 500),
	strings.Repeat("😀 ", 500), "a" + strings.Repeat("\u0301", 500), strings.Repeat("[", 10_000), "[\"evil.com\",{\"a\":1}", "\xff\xfe", "",
}
