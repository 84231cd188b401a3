package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"onmyway/notify"
)

const (
	examplePath = "../../deploy/onmyway.example.yaml"
	schemaPath  = "../../deploy/onmyway.schema.json"
)

// TestSchemaIsShipped keeps deploy/onmyway.schema.json what "config schema" prints: run it with -update after a change.
func TestSchemaIsShipped(t *testing.T) {
	v := invoke(t, nil, "", "config", "schema")
	v.want(t, 0)
	if *update {
		if err := os.WriteFile(schemaPath, []byte(v.out), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(schemaPath); err != nil || string(got) != v.out {
		t.Errorf("%s is not up to date (%v): go test ./cmd/onmyway -run Shipped -update", schemaPath, err)
	}
}

// TestSchemaKnowsEveryKey: what loadConfig takes the schema names, and nothing else.
func TestSchemaKnowsEveryKey(t *testing.T) {
	var named []string
	var walk func(s *schema, prefix string)
	walk = func(s *schema, prefix string) {
		for name, p := range s.Properties {
			if p.Properties == nil {
				named = append(named, prefix+name)
			} else {
				walk(p, prefix+name+".")
			}
		}
	}
	walk(configSchema(), "")
	known := knownKeys()
	for _, key := range named {
		if !known[key] {
			t.Errorf("the schema names %s, which is no key", key)
		}
		delete(known, key)
	}
	if len(known) > 0 {
		t.Errorf("the schema leaves out %v", known)
	}
}

// TestSchemaKnowsEveryFieldOfARoute: routes are written by hand in the schema.
func TestSchemaKnowsEveryFieldOfARoute(t *testing.T) {
	named := maps.Clone(configSchema().Properties["routes"].Items.Properties)
	for field := range reflect.TypeFor[notify.Route]().Fields() {
		key := field.Tag.Get("yaml")
		if named[key] == nil {
			t.Errorf("the schema leaves out %s", key)
		}
		delete(named, key)
	}
	if len(named) > 0 {
		t.Errorf("the schema names %v, which no route has", named)
	}
}

// TestExampleFits: the shipped example, the defaults and the built-in routes fit the schema; files with mistakes do not,
// and serve refuses those too.
func TestExampleFits(t *testing.T) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"the example": string(example), "the built-in routes": string(defaultRoutes),
		"an empty section": "sms:\nkafka:\n  tls:\n"} {
		if wrong := fits(t, text); len(wrong) > 0 {
			t.Errorf("%s: %v", name, wrong)
		}
	}
	tests := []struct{ name, file string }{
		{"unknown key", "http: {adr: ':1'}"},
		{"unknown section", "htp: {}"},
		{"number of the wrong kind", "kafka: {partitions: six}"},
		{"too small", "kafka: {partitions: 0}"},
		{"word that is none of them", "kafka: {sasl: {mechanism: gssapi, user: a, password: b}}"},
		{"log level", "log: {level: loud}"},
		{"address", "http: {addr: localhost}"},
		{"duration", "sms: {timeout: soon}"},
		{"database", "database: {url: 'mysql://h'}"},
		{"category", "defaults: {off: [progress.fax]}"},
		{"route without a name", "routes: [{channels: [sms]}]"},
		{"milestone", "routes: [{name: a, milestones: [picked_in]}]"},
		{"channel", "routes: [{name: a, channels: [fax]}]"},
		{"field of a route", "routes: [{name: a, chanels: [sms]}]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if len(fits(t, tt.file)) == 0 {
				t.Error("the schema takes it")
			}
			// What an engine refuses only when it is opened is no matter of the configuration.
			if v := invoke(t, nil, "", "config", "check", "--config", write(t, "a.yaml", tt.file)); v.code != 2 && tt.name != "database" {
				t.Errorf("serve takes it:\n%s", v.out)
			}
		})
	}
}

// TestExampleLoads: serve takes the shipped example once its secrets are there.
func TestExampleLoads(t *testing.T) {
	example, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, name := range regexp.MustCompile(`/run/secrets/(\w+)`).FindAllStringSubmatch(string(example), -1) {
		if err := os.WriteFile(filepath.Join(dir, name[1]), []byte(strings.Repeat("s", 40)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := configure(t, strings.ReplaceAll(string(example), "/run/secrets", dir), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range cfg.warnings() {
		t.Errorf("the example is not fit for production: %s %s", w.Key, w.Text)
	}
}

// fits checks a YAML text against the schema as JSON writes it, and names what does not fit.
func fits(t *testing.T, text string) (wrong []string) {
	t.Helper()
	var value any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(configSchema())
	if err != nil {
		t.Fatal(err)
	}
	var s map[string]any
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	return misfits(s, value, "")
}

// misfits is as much of JSON Schema as configSchema uses. A word of the schema that it does not know is a misfit.
func misfits(s map[string]any, value any, at string) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, at+": "+fmt.Sprintf(format, args...)) }
	object, _ := value.(map[string]any)
	list, _ := value.([]any)
	text, isText := value.(string)
	for word, said := range s {
		switch word {
		case "type":
			kinds, several := said.([]any)
			if !several {
				kinds = []any{said}
			}
			if !slices.ContainsFunc(kinds, func(kind any) bool { return isA(value, kind.(string)) }) {
				bad("%v is no %v", value, said)
			}
		case "properties":
			for name, v := range object {
				if p, there := said.(map[string]any)[name]; there {
					wrong = append(wrong, misfits(p.(map[string]any), v, at+"/"+name)...)
				} else if s["additionalProperties"] == false {
					bad("%s is not known", name)
				}
			}
		case "required":
			for _, name := range said.([]any) {
				if _, there := object[name.(string)]; !there {
					bad("%s is missing", name)
				}
			}
		case "items":
			for i, v := range list {
				wrong = append(wrong, misfits(said.(map[string]any), v, fmt.Sprintf("%s/%d", at, i))...)
			}
		case "enum":
			if !slices.Contains(said.([]any), value) {
				bad("%v is none of %v", value, said)
			}
		case "pattern":
			if isText && !regexp.MustCompile(said.(string)).MatchString(text) {
				bad("%q does not match %s", text, said)
			}
		case "minimum":
			if n, isNumber := value.(int); isNumber && float64(n) < said.(float64) {
				bad("%d is less than %v", n, said)
			}
		case "$schema", "title", "description", "default", "writeOnly", "additionalProperties":
		default:
			bad("the test does not know the word %s", word)
		}
	}
	return wrong
}

func isA(value any, kind string) bool {
	if value == nil {
		return kind == "null"
	}
	switch kind {
	case "object":
		return reflect.TypeOf(value).Kind() == reflect.Map
	case "array":
		return reflect.TypeOf(value).Kind() == reflect.Slice
	case "integer":
		f, isFloat := value.(float64)
		_, isInt := value.(int)
		return isInt || isFloat && f == math.Trunc(f)
	case "number":
		return isA(value, "integer") || reflect.TypeOf(value).Kind() == reflect.Float64
	case "string":
		_, is := value.(string)
		return is
	case "boolean":
		_, is := value.(bool)
		return is
	}
	return false
}
