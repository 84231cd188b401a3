package api

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"

	"onmyway/notify"
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
	if name, ok := notify.Nearest(last, known); ok {
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
		switch t {
		case reflect.TypeFor[choices]():
			names = append(names, plain(notify.Channels)...)
		case reflect.TypeFor[categories]():
			names = append(names, plain(notify.Categories)...)
		}
		for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			walk(t.Elem())
			return
		}
		if seen[t] {
			return
		}
		if t.Kind() != reflect.Struct {
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

// phoneReader is where an operation keeps Deps.Phone: a Resolve has no other way to it.
const phoneReader = "phone"

// notAPhone says what readPhone asks for. It does not repeat the number.
const notAPhone = `not a phone number: write it with its country code, such as "+14155550123"`

// readPhone reads a phone number in the usual spellings and writes it as E.164.
func readPhone(ctx huma.Context, spelled string) (e164 string, ok bool) {
	read := ctx.Operation().Metadata[phoneReader].(func(string) (string, bool))
	return read(spelled)
}

// channel is a notify.Channel in a request; huma refuses other words.
type channel string

// Schema is what huma asks of a type with a schema of its own.
func (channel) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: words(notify.Channels)}
}

// state is a notify.State in a request; huma refuses other words.
type state string

// Schema is what huma asks of a type with a schema of its own.
func (state) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Enum: words(notify.States)}
}

// reason is why somebody does something, in their words: one line with at least one character that can be seen.
type reason string

// Unseen are control characters and what stands for a broken one; blank are those that show nothing by themselves. They stand in the
// pattern as they are: no way to escape them is read in the same way by all who read patterns.
const (
	unseen = "\\x00-\\x1f\\x7f-\\x9f\ufffd"
	blank  = " \u00a0\u00ad\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
)

// Schema is what huma asks of a type with a schema of its own.
func (reason) Schema(huma.Registry) *huma.Schema {
	one, most := 1, 500
	s := &huma.Schema{
		Type: huma.TypeString, MinLength: &one, MaxLength: &most,
		Pattern:            "^[^" + unseen + "]*[^" + unseen + blank + "][^" + unseen + "]*$",
		PatternDescription: "one line of words, without control characters",
	}
	s.PrecomputeMessages()
	return s
}

// words is the reason without the blanks around it.
func (r reason) words() string { return strings.TrimSpace(string(r)) }

// plain are words as strings.
func plain[S ~string](list []S) []string {
	all := make([]string, len(list))
	for i, w := range list {
		all[i] = string(w)
	}
	return all
}

// words are the values of an enum in a schema.
func words[S ~string](list []S) []any {
	values := make([]any, len(list))
	for i, w := range list {
		values[i] = string(w)
	}
	return values
}

// notOneLine says what oneLine asks for.
const notOneLine = "has line breaks or other control characters: write it on one line"

// oneLine tells whether a text can be stored and shown as it is. PostgreSQL takes no zero byte and only UTF-8.
func oneLine(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl)
}
