package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	yaml "go.yaml.in/yaml/v3"
)

// checkData reads what is not commands: JSON parses, and YAML that is configuration is accepted as one.
func checkData(t *testing.T, b *block) {
	t.Helper()
	if b.notRun != "" {
		return
	}
	var err error
	switch b.language {
	case "json", "ndjson":
		err = parsesAsJSON(b.text)
	case "yaml":
		err = checkYAML(t, b.text)
	}
	if err != nil {
		t.Errorf("line %d: %v", b.line, err)
	}
}

// parsesAsJSON accepts one value or several.
func parsesAsJSON(text string) error {
	d := json.NewDecoder(strings.NewReader(text))
	for {
		var v any
		switch err := d.Decode(&v); {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("it is not JSON: %w", err)
		}
	}
}

// checkYAML reads YAML, and loads it as a configuration when its keys are those of one.
func checkYAML(t *testing.T, text string) error {
	var doc map[string]any
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return fmt.Errorf("it is not YAML: %w", err)
	}
	for key := range doc {
		if !slices.Contains(sections(), key) {
			return nil
		}
	}
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte(strings.Repeat("s", 43)), 0o600); err != nil {
		return err
	}
	giveSecrets(doc, secret)
	content, err := yaml.Marshal(doc)
	if err != nil {
		return err
	}
	path := filepath.Join(t.TempDir(), "onmyway.yaml")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return err
	}
	fs := pflag.NewFlagSet("documents", pflag.ContinueOnError)
	configFlags(fs)
	if err := fs.Parse([]string{"--config", path}); err != nil {
		return err
	}
	_, err = loadConfig(fs)
	return err
}

func sections() []string {
	var names []string
	for key := range knownKeys() {
		name, _, _ := strings.Cut(key, ".")
		names = append(names, name)
	}
	return names
}

// giveSecrets lets every "…_file" name a file that is there.
func giveSecrets(doc map[string]any, path string) {
	for key, value := range doc {
		if inner, ok := value.(map[string]any); ok {
			giveSecrets(inner, path)
		} else if strings.HasSuffix(key, fileSuffix) {
			doc[key] = path
		}
	}
}

var (
	linkTo   = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	testName = regexp.MustCompile("`(Test[A-Z]\\w+|Fuzz[A-Z]\\w+)`")
	fenced   = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
)

// TestDocumentLinks: every link of the documents leads to a file that is there, and to a heading of it.
func TestDocumentLinks(t *testing.T) {
	for _, name := range append(documents(t), "CHANGELOG.md") {
		text := fenced.ReplaceAllString(readDocument(t, name), "")
		for _, m := range linkTo.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			path := name
			if target != "" {
				path = filepath.Join(filepath.Dir(name), target)
			}
			if _, err := os.Stat(filepath.Join(root, path)); err != nil {
				t.Errorf("%s: the link to %s leads nowhere", name, m[1])
			} else if anchor != "" && !slices.Contains(anchors(readDocument(t, path)), anchor) {
				t.Errorf("%s: %s has no heading for the link to #%s", name, path, anchor)
			}
		}
	}
}

// anchors are the headings of a document as a link names them.
func anchors(text string) []string {
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	var all []string
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		plain := drop.ReplaceAllString(strings.ToLower(m[1]), "")
		all = append(all, strings.ReplaceAll(strings.TrimSpace(plain), " ", "-"))
	}
	return all
}

// TestDocumentsNameTests: a test that a document names as a proof is there.
func TestDocumentsNameTests(t *testing.T) {
	var code strings.Builder
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		code.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, name := range documents(t) {
		for _, m := range testName.FindAllStringSubmatch(readDocument(t, name), -1) {
			named++
			if !strings.Contains(code.String(), "func "+m[1]+"(") {
				t.Errorf("%s names %s, which is no test", name, m[1])
			}
		}
	}
	if named == 0 {
		t.Error("the documents name no test")
	}
}
