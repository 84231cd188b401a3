package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// selection is a metric in a query, with what its labels must be.
type selection struct {
	metric   string
	matchers []matcher
}

type matcher struct{ label, op, value string }

// query is what a PromQL expression asks for: enough to check it against what the service exports.
type query struct {
	selections []selection
	grouped    []string // labels after by, without, on, …
}

var (
	tokens    = regexp.MustCompile(`^(?:[a-zA-Z_:][a-zA-Z0-9_:]*|"(?:[^"\\]|\\.)*"|'[^']*'|[0-9.]+[a-z]*|[=!<>]=|[=!]~|\[[^\]]*\]|[-+*/%^(){},=<>])`)
	groupings = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
	operators = []string{"and", "or", "unless", "bool", "offset"}
	functions = []string{"sum", "min", "max", "avg", "count", "topk", "rate", "increase", "absent", "vector", "histogram_quantile"}
)

// readQuery reads the part of PromQL that our dashboard and rules use, and refuses the rest.
func readQuery(text string) (q query, err error) {
	var all []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		t := tokens.FindString(text)
		if t == "" {
			return q, fmt.Errorf("what is %q?", text)
		}
		all, text = append(all, t), text[len(t):]
	}
	depth := 0
	for i := 0; i < len(all); i++ {
		t, next := all[i], ""
		if i+1 < len(all) {
			next = all[i+1]
		}
		switch {
		case t == "(":
			depth++
		case t == ")":
			depth--
		case t == "{":
			return q, fmt.Errorf("a selector without a name")
		case !regexp.MustCompile(`^[a-zA-Z_]`).MatchString(t) || slices.Contains(operators, t):
		case slices.Contains(groupings, t):
			end := i + 1 + slices.Index(all[i+1:], ")")
			for _, l := range all[i+2 : max(end, i+2)] {
				if l != "," {
					q.grouped = append(q.grouped, l)
				}
			}
			i = end
		case next == "(" || slices.Contains(groupings, next):
			if !slices.Contains(functions, t) {
				return q, fmt.Errorf("%s is no function", t)
			}
		default:
			s := selection{metric: t}
			if next == "{" {
				end := i + 1 + slices.Index(all[i+1:], "}")
				if s.matchers, err = readMatchers(all[i+2 : max(end, i+2)]); err != nil {
					return q, fmt.Errorf("%s: %w", t, err)
				}
				i = end
			}
			q.selections = append(q.selections, s)
		}
	}
	if depth != 0 {
		return q, fmt.Errorf("parentheses do not close")
	}
	return q, nil
}

func readMatchers(tokens []string) (ms []matcher, err error) {
	for i := 0; i < len(tokens); i += 4 {
		if len(tokens) < i+3 || !slices.Contains([]string{"=", "!=", "=~", "!~"}, tokens[i+1]) || len(tokens) > i+3 && tokens[i+3] != "," {
			return nil, fmt.Errorf("matchers %q", tokens)
		}
		ms = append(ms, matcher{tokens[i], tokens[i+1], strings.Trim(tokens[i+2], `"'`)})
	}
	return ms, nil
}

func TestReadQuery(t *testing.T) {
	q, err := readQuery(`histogram_quantile(0.99, sum by (le, a) (rate(x_bucket{b="c", d!~"e|f"}[5m]))) > 0.5 * y and absent(z{})`)
	want := query{grouped: []string{"le", "a"}, selections: []selection{
		{"x_bucket", []matcher{{"b", "=", "c"}, {"d", "!~", "e|f"}}}, {metric: "y"}, {metric: "z"}}}
	if diff := cmp.Diff(want, q, cmp.AllowUnexported(query{}, selection{}, matcher{})); diff != "" || err != nil {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for _, wrong := range []string{`rat(x[5m])`, `sum(x`, `{a="b"}`, `x{a}`, `x{a="b" c="d"}`, `x ? y`} {
		if q, err := readQuery(wrong); err == nil {
			t.Errorf("%s is read as %v", wrong, q)
		}
	}
}
