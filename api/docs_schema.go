package api

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// field is one row of a table of fields.
type field struct {
	Name, Type, Means, Example string
	Required                   bool
	Depth                      int
}

// deepest is how many levels of fields a table shows, and an example has.
const deepest = 4

// resolved follows references.
func resolved(r huma.Registry, s *huma.Schema) *huma.Schema {
	for s.Ref != "" {
		s = r.SchemaFromRef(s.Ref)
	}
	return s
}

// fieldsIn lists the fields of an object, or of the objects in an array, with those inside below each.
func fieldsIn(r huma.Registry, s *huma.Schema) []field { return below(r, s, 0) }

func below(r huma.Registry, s *huma.Schema, depth int) (rows []field) {
	s = resolved(r, s)
	for s.Items != nil || len(s.OneOf) > 0 {
		if s.Items != nil {
			s = resolved(r, s.Items)
			continue
		}
		s = resolved(r, s.OneOf[0])
	}
	if depth > deepest {
		return nil
	}
	for _, name := range properties(s) {
		rows = append(rows, fieldOf(r, name, s.Properties[name], slices.Contains(s.Required, name), depth))
		rows = append(rows, below(r, s.Properties[name], depth+1)...)
	}
	return rows
}

func fieldOf(r huma.Registry, name string, s *huma.Schema, required bool, depth int) field {
	f := field{Name: name, Means: s.Description, Required: required, Depth: depth}
	s = resolved(r, s)
	f.Type = typeOf(r, s)
	f.Means = cmp.Or(f.Means, s.Description)
	if len(s.Examples) > 0 {
		f.Example = exampleText(s.Examples[0])
	}
	return f
}

// properties are the names of an object's fields: id first, then as the alphabet has them.
func properties(s *huma.Schema) []string {
	names := slices.Sorted(maps.Keys(s.Properties))
	slices.SortStableFunc(names, func(a, b string) int {
		switch {
		case a == "id":
			return -1
		case b == "id":
			return 1
		}
		return 0
	})
	return names
}

// typeOf says in words what a value may be.
func typeOf(r huma.Registry, s *huma.Schema) string {
	said := s.Type
	switch {
	case len(s.OneOf) > 0:
		said = "one or several"
	case s.Items != nil:
		said = "array of " + typeOf(r, resolved(r, s.Items)) + "s"
	case s.Format == "date-time":
		said = "time"
	case len(s.Enum) > 12:
		said = fmt.Sprintf("one of %d words", len(s.Enum))
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			words[i] = fmt.Sprint(w)
		}
		said = strings.Join(words, ", ")
	}
	if s.MaxLength != nil {
		said += fmt.Sprintf(", at most %d characters", *s.MaxLength)
	}
	if s.Minimum != nil && s.Maximum != nil {
		said += fmt.Sprintf(", %.0f to %.0f", *s.Minimum, *s.Maximum)
	}
	if s.Default != nil {
		said += fmt.Sprintf(", %v when absent", s.Default)
	}
	if s.Nullable {
		said += ", or null"
	}
	return said
}

// exampleTime is the moment of all examples.
var exampleTime = time.Date(2026, 11, 21, 19, 0, 0, 0, time.UTC).Format(time.RFC3339)

// exampleOf makes a value that fits a schema of the examples of its fields.
func exampleOf(r huma.Registry, s *huma.Schema, depth int) any {
	s = resolved(r, s)
	switch {
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.OneOf) > 0:
		return exampleOf(r, s.OneOf[0], depth)
	case s.Format == "date-time":
		return exampleTime
	}
	switch s.Type {
	case huma.TypeObject:
		return exampleObject(r, s, depth)
	case huma.TypeArray:
		if depth > deepest {
			return []any{}
		}
		return []any{exampleOf(r, s.Items, depth+1)}
	case huma.TypeBoolean:
		return false
	case huma.TypeInteger, huma.TypeNumber:
		return 1
	}
	return "…"
}

func exampleObject(r huma.Registry, s *huma.Schema, depth int) any {
	var fields ordered
	if depth <= deepest {
		for _, name := range properties(s) {
			fields = append(fields, member{name, exampleOf(r, s.Properties[name], depth+1)})
		}
	}
	return fields
}

// exampleText is an example within a line of text.
func exampleText(example any) string {
	if s, ok := example.(string); ok {
		return s
	}
	text, err := json.Marshal(example)
	if err != nil {
		return ""
	}
	return string(text)
}

// ordered is an object whose members stand in the order of its table.
type ordered []member

type member struct {
	name  string
	value any
}

// MarshalJSON writes the members in their order.
func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}
