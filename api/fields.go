package api

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
)

// fieldNames is where an operation keeps the names that its input knows.
const fieldNames = "fields"

// unknownField says that a field does not exist and which one may be meant.
func unknownField(ctx huma.Context, field string) string {
	const unknown = "there is no such field"
	if ctx == nil || ctx.Operation() == nil {
		return unknown
	}
	known, _ := ctx.Operation().Metadata[fieldNames].([]string)
	last := field[strings.LastIndexByte(field, '.')+1:]
	if name := nearest(last, known); name != "" {
		return unknown + `: did you mean "` + name + `"?`
	}
	return unknown
}

// fieldsOf lists all names in the query and body of I, at any depth.
func fieldsOf[I any]() []string {
	var names []string
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		if t.Kind() != reflect.Struct || seen[t] {
			return
		}
		seen[t] = true
		for i := range t.NumField() {
			f := t.Field(i)
			if !f.IsExported() && !f.Anonymous {
				continue
			}
			for _, tag := range []string{"json", "query"} {
				if name, _, _ := strings.Cut(f.Tag.Get(tag), ","); name != "" && name != "-" {
					names = append(names, name)
				}
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[I]())
	slices.Sort(names)
	return slices.Compact(names)
}

// notOneLine says what oneLine asks for.
const notOneLine = "has line breaks or other control characters: write it on one line"

// oneLine tells whether a text can be stored and shown as it is. PostgreSQL takes no zero byte and only UTF-8.
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}

// nearest finds the name that is at most two letters away from word, or a third of it; empty for none.
func nearest(word string, names []string) string {
	best, at := "", max(2, len(word)/3)+1
	for _, n := range names {
		if d := distance(strings.ToLower(word), n); d < at && d < len(n) {
			best, at = n, d
		}
	}
	return best
}

// distance counts the letters to add, take away or change (Levenshtein), with one row of the table.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
