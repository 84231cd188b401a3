package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify/mapping"
)

// cutEvents reads everything that an eventReader finds, as "line: value".
func cutEvents(t *testing.T, r *eventReader) (found []string, err error) {
	t.Helper()
	for {
		value, line, err := r.next()
		if err == io.EOF {
			return found, nil
		}
		if err != nil {
			return found, err
		}
		found = append(found, fmt.Sprintf("%d: %s", line, value))
		if len(found) > 1e6 {
			t.Fatal("it never ends")
		}
	}
}

func TestEventReader(t *testing.T) {
	tests := []struct {
		name, in string
		want     []string
		fails    string
	}{
		{name: "nothing", in: ""},
		{name: "space", in: " \n\n"},
		{name: "lines", in: "{\"a\":1}\n\n  {\"b\":2}  \r\n{\"c\":3}", want: []string{`1: {"a":1}`, `3: {"b":2}`, `4: {"c":3}`}},
		{name: "one, without an end of line", in: `{"a":1}`, want: []string{`1: {"a":1}`}},
		{name: "byte order mark", in: "\ufeff{\"a\":1}\n{\"b\":2}\n", want: []string{`1: {"a":1}`, `2: {"b":2}`}},
		{name: "a broken line is one event", in: "{\"a\":1}\n{\"b\":\n{\"c\":3}\n", want: []string{`1: {"a":1}`, `2: {"b":`, `3: {"c":3}`}},
		{name: "the first line is broken", in: "{\"a\":1\n{\"b\":2}\n{\"c\":3}\n", want: []string{"1: {\"a\":1\n", `2: {"b":2}`, `3: {"c":3}`}},
		{name: "the first line has an open string", in: "{\"a\":\"x\n{\"b\":2}\n", want: []string{"1: {\"a\":\"x\n", `2: {"b":2}`}},
		{name: "no JSON at all", in: "hello\nworld\n", want: []string{"1: hello", "2: world"}},
		{name: "over several lines", in: "{\n \"a\": {\n  \"b\": \"}\\\"{\" }\n}\n{\n}", want: []string{"1: {\n \"a\": {\n  \"b\": \"}\\\"{\" }\n}", "5: {\n}"}},
		{name: "two on a line", in: `{"a":1} {"b":2}{"c":3}`, want: []string{`1: {"a":1}`, `1: {"b":2}`, `1: {"c":3}`}},
		{name: "brace on its own line", in: "{\"a\":\n{\"b\":1}}\n{}", want: []string{"1: {\"a\":\n{\"b\":1}}", "3: {}"}},
		{name: "array", in: " [ {\"a\":1},\n{\"b\":[1,2]} ,\n 3 ] \n", want: []string{`1: {"a":1}`, `2: {"b":[1,2]}`, `3: 3 `}},
		{name: "empty array", in: "[ ]"},
		{name: "array that is cut off", in: "[{\"a\":1},\n{\"b\":2}\n", want: []string{`1: {"a":1}`, `2: {"b":2}`}, fails: "line 3: the array is not closed"},
		{name: "array cut off in an event", in: "[{\"a\":1},\n{\"b\":", want: []string{`1: {"a":1}`, `2: {"b":`}, fails: "the array is not closed"},
		{name: "comma missing", in: "[{\"a\":1}\n{\"b\":2}]", fails: "line 2: a comma is missing"},
		{name: "comma too many", in: "[{\"a\":1},]", want: []string{`1: {"a":1}`}, fails: "an event is missing around the comma"},
		{name: "more after the array", in: "[{\"a\":1}]\n{}", want: []string{`1: {"a":1}`}, fails: "line 2: something follows the array"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in))} {
				found, err := cutEvents(t, newEventReader(in, false))
				if diff := cmp.Diff(tt.want, found); diff != "" {
					t.Errorf("%s (-want +got):\n%s", how, diff)
				}
				if tt.fails == "" && err != nil || tt.fails != "" && (err == nil || !strings.Contains(err.Error(), tt.fails)) {
					t.Errorf("%s: %v, want %q", how, err, tt.fails)
				}
			}
		})
	}
}

// TestEventReaderMemory: an event that never ends is cut, and what follows a line of it is read.
func TestEventReaderMemory(t *testing.T) {
	long := `{"x":"` + strings.Repeat("x", 4*mapping.MaxSize)
	for name, in := range map[string]string{"line": "{}\n" + long + "\n{}\n", "array": "[{}," + long + `"},{}]`} {
		r := newEventReader(strings.NewReader(in), false)
		var sizes []int
		for {
			value, _, err := r.next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			sizes = append(sizes, len(value))
		}
		if diff := cmp.Diff([]int{2, mapping.MaxSize + 1, 2}, sizes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if cap(r.value) > 3*mapping.MaxSize {
			t.Errorf("%s: %d bytes are held", name, cap(r.value))
		}
	}
}

func FuzzEventReader(f *testing.F) {
	for _, s := range []string{"", "[]", "[{},{}]", "{}\n{}", "{\n}", "{\"a\":\"\\\"\"}", "\ufeff[1]", "[{]}", "]\n}", "{\"a\":1\n{}", "\"\n[", "[,"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, in string, lines bool) {
		r := newEventReader(strings.NewReader(in), lines)
		last := 0
		for n := 0; ; n++ {
			value, line, err := r.next()
			if err != nil {
				break
			}
			if len(value) == 0 || line < last || line > 1+strings.Count(in, "\n") || n > len(in) {
				t.Fatalf("value %d: %q on line %d after %d", n, value, line, last)
			}
			last = line
		}
		if r.at > int64(len(in)) {
			t.Errorf("%d bytes of %d", r.at, len(in))
		}
		// What one JSON document holds is found, whole.
		var items []json.RawMessage
		if json.Unmarshal([]byte(strings.TrimPrefix(in, "\ufeff")), &items) == nil && items != nil && !lines {
			found, err := cutEvents(t, newEventReader(strings.NewReader(in), false))
			if err != nil || len(found) != len(items) {
				t.Errorf("an array of %d: %d, %v", len(items), len(found), err)
			}
		}
	})
}
