package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is the folder of the module as seen from this package.
const root = "../.."

// documents are the README and everything in docs, by their path from the root.
func documents(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	names := []string{"README.md"}
	for _, path := range list {
		names = append(names, "docs/"+filepath.Base(path))
	}
	return names
}

func readDocument(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestDocuments does what the documents tell people to do: it runs the commands of every document from top to bottom, as
// one person at one shell would, and reads its data. A block that can't be run says so itself, with the reason:
//
//	```sh not-run="needs a container engine"
func TestDocuments(t *testing.T) {
	needTools(t)
	var ran, left, data int
	for _, name := range documents(t) {
		blocks, err := readBlocks(readDocument(t, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for i := range blocks {
			switch b := &blocks[i]; {
			case b.notRun != "":
				left++
				t.Logf("not run: %s:%d: %s", name, b.line, b.notRun)
			case b.runs():
				ran++
			default:
				data++
			}
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i := range blocks {
				checkData(t, &blocks[i])
			}
			if slices.ContainsFunc(blocks, func(b block) bool { return b.runs() }) {
				followDocument(t, blocks)
			}
		})
	}
	t.Logf("%d blocks of commands are run, %d are not, %d hold data", ran, left, data)
}

func TestReadBlocks(t *testing.T) {
	const fence = "```"
	tests := []struct {
		name string
		text string
		want string // the first block, or the error
	}{
		{"commands", fence + "sh\na\nb\n" + fence, `sh 2 "a\nb\n"`},
		{"in a list", "1. Do:\n   " + fence + "sh\n   a\n     b\n   " + fence, `sh 3 "a\n  b\n"`},
		{"not run", fence + "sh not-run=\"needs it\"\na\n" + fence, `sh 2 "a\n" not run: needs it`},
		{"expected to fail", fence + "sh exit=\"2\"\na\n" + fence, `sh 2 "a\n" exit 2`},
		{"in the background", fence + "sh background until=\"is ready\"\na\n" + fence, `sh 2 "a\n" until is ready`},
		{"file", fence + "yaml file=\"a.yaml\"\na: 1\n" + fence, `yaml 2 "a: 1\n" file a.yaml`},
		{"empty reason", fence + "sh not-run=\"\"\na\n" + fence, "line 1: not-run needs a reason"},
		{"unknown word", fence + "sh notrun=\"x\"\na\n" + fence, `line 1: "notrun" is no word that a block may carry`},
		{"unknown language", fence + "bash\na\n" + fence, `line 1: blocks of "bash" are not known here: use one of`},
		{"no language", fence + "\na\n" + fence, `line 1: blocks of "" are not known here: use one of`},
		{"never ends", fence + "sh\na\n", "line 1: the block never ends"},
		{"background without an end", fence + "sh background\na\n" + fence, "line 1: background needs until="},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			blocks, err := readBlocks(tt.text)
			got := fmt.Sprint(err)
			if err == nil {
				got = blocks[0].String()
			}
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

func TestMissingLines(t *testing.T) {
	tests := []struct {
		name       string
		want, have string
		missing    string
	}{
		{"the same", "a\nb", "a\nb", ""},
		{"more than shown", "b", "a\nb\nc", ""},
		{"dots stand for anything", "id … sent", "id 7 sent", ""},
		{"a line of dots", "a\n…\nd", "a\nb\nc\nd", ""},
		{"spaces of columns", "a  b", "a     b", ""},
		{"other order", "b\na", "a\nb", "a"},
		{"not there", "a\nx", "a\nb", "x"},
		{"part of a line", "a", "ab", "a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := missingLine(strings.Split(tt.want, "\n"), tt.have); got != tt.missing {
				t.Errorf("missing %q, want %q", got, tt.missing)
			}
		})
	}
}
