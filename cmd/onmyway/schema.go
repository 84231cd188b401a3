package main

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"onmyway/notify"
)

func configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration file, for editors",
		Long: `Print the JSON Schema (draft 2020-12) of the configuration file.

Editors with a YAML language server complete and check keys with it when the file begins with
  # yaml-language-server: $schema=onmyway.schema.json`,
		Example: `  onmyway config schema > onmyway.schema.json`,
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return printJSON(cmd.OutOrStdout(), configSchema()) },
	}
}

// schema is a JSON Schema or a part of one.
type schema struct {
	Dialect     string             `json:"$schema,omitempty"`
	Title       string             `json:"title,omitempty"`
	Description string             `json:"description,omitempty"`
	Type        any                `json:"type,omitempty"` // a name or a list of names
	Properties  map[string]*schema `json:"properties,omitempty"`
	Closed      *bool              `json:"additionalProperties,omitempty"` // false: no other properties
	Required    []string           `json:"required,omitempty"`
	Items       *schema            `json:"items,omitempty"`
	Enum        []string           `json:"enum,omitempty"`
	Pattern     string             `json:"pattern,omitempty"`
	Minimum     *int               `json:"minimum,omitempty"`
	Default     any                `json:"default,omitempty"`
	Secret      bool               `json:"writeOnly,omitempty"`
}

// duration is how Go writes one: "1m30s".
const duration = `^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+$`

// configSchema describes the configuration file as Config does.
func configSchema() *schema {
	s := objectSchema(reflect.ValueOf(defaultConfig()), "")
	s.Dialect = "https://json-schema.org/draft/2020-12/schema"
	s.Title = "Configuration of Onmyway"
	return s
}

// objectSchema describes a struct of the configuration, whose keys begin with prefix. A section with nothing in it is
// allowed: people comment keys out.
func objectSchema(v reflect.Value, prefix string) *schema {
	no := false
	s := &schema{Type: []string{"object", "null"}, Properties: map[string]*schema{}, Closed: &no}
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		name := tag.Get("yaml")
		switch key := prefix + name; {
		case key == "routes":
			s.Properties[name] = routesSchema()
		case v.Field(i).Kind() == reflect.Struct:
			s.Properties[name] = objectSchema(v.Field(i), key+".")
		default:
			s.Properties[name] = keySchema(key, tag, v.Field(i).Interface())
			if slices.Contains(secrets, key) {
				s.Properties[name].Secret = true
				s.Properties[name+fileSuffix] = &schema{Type: "string", Description: "file that holds " + key}
			}
		}
	}
	return s
}

// keySchema describes one key.
func keySchema(key string, tag reflect.StructTag, value any) *schema {
	s := &schema{Description: tag.Get("help"), Default: value}
	switch v := value.(type) {
	case bool:
		s.Type = "boolean"
	case int:
		s.Type = "integer"
		if least, err := strconv.Atoi(tag.Get("min")); err == nil {
			s.Minimum = &least
		}
	case float64:
		s.Type = "number"
	case time.Duration:
		s.Type, s.Pattern, s.Default = "string", duration, v.String()
	case []string:
		s.Type, s.Items = "array", &schema{Type: "string"}
		if key == "defaults.off" {
			s.Items.Enum = offWords()
		}
		if len(v) == 0 {
			s.Default = nil
		}
	default:
		s.Type = "string"
		if v == "" {
			s.Default = nil
		}
		if words := tag.Get("enum"); words != "" {
			s.Enum = strings.Split(words, ",")
		}
		s.Pattern = tag.Get("pattern")
		if v == "" { // what may be left out may be said to be empty
			s.Enum, s.Pattern = orEmpty(s.Enum, s.Pattern)
		}
	}
	return s
}

func orEmpty(enum []string, pattern string) ([]string, string) {
	if enum != nil {
		enum = append(enum, "")
	}
	if pattern != "" {
		pattern = "^$|" + pattern
	}
	return enum, pattern
}

// offWords is what defaults.off may hold.
func offWords() (words []string) {
	for _, category := range notify.Categories {
		for _, channel := range notify.Channels {
			words = append(words, fmt.Sprintf("%s.%s", category, channel))
		}
	}
	return words
}

// routesSchema describes the routes as notify.CompileRoutes takes them.
func routesSchema() *schema {
	no := false
	route := &schema{Type: "object", Closed: &no, Required: []string{"name"}, Properties: map[string]*schema{
		"name":           {Type: "string", Pattern: ".", Description: "what support staff read of it"},
		"lines":          wordsSchema("only these lines; empty: all", wordsOf(notify.Lines)),
		"milestones":     wordsSchema("only these milestones; empty: all", milestoneNames()),
		"categories":     wordsSchema("only these categories; empty: all", wordsOf(notify.Categories)),
		"urgencies":      wordsSchema("only these urgencies; empty: all", wordsOf([]notify.Urgency{notify.Low, notify.Normal, notify.High})),
		"channels":       wordsSchema("the channels that what matches takes", wordsOf(notify.Channels)),
		"pierce_quiet":   {Type: "boolean", Description: "goes out in quiet hours too"},
		"sms":            escalationSchema(),
		"resend_unclear": {Type: "boolean", Description: "a text of which the provider can't tell whether it has it goes out again: rather twice than not at all"},
	}}
	return &schema{Type: "array", Items: route,
		Description: "which channels a milestone takes; the first route that matches wins. It replaces the built-in routes as a whole"}
}

// escalationSchema describes how a text waits for a screen.
func escalationSchema() *schema {
	no := false
	return &schema{Type: "object", Closed: &no, Required: []string{"after", "unless"},
		Description: "the text waits for the customer to see the news on a screen, if they have a browser with alerts or the live page open",
		Properties: map[string]*schema{
			"after":  {Type: "string", Pattern: duration, Description: "how long it waits, 1s to 10m; then it leaves"},
			"unless": {Type: "string", Enum: []string{notify.UnlessShown}, Description: "what spares it"},
		}}
}

func wordsSchema(description string, words []string) *schema {
	return &schema{Type: "array", Description: description, Items: &schema{Type: "string", Enum: words}}
}

// milestoneNames are those of all lines, each once.
func milestoneNames() (names []string) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			names = append(names, m.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
