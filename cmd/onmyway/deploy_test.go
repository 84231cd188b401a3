package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// composeFile is as much of deploy/compose.yaml as the tests look at.
type composeFile struct {
	Services map[string]composeService
	Volumes  map[string]any
	Networks map[string]any
	Secrets  map[string]struct{ File string }
}

type composeService struct {
	Image, User, Restart string
	Command              []string
	Environment          map[string]string
	Secrets, Profiles    []string
	Volumes, Tmpfs       []string
	Networks             []string
	ReadOnly             bool     `yaml:"read_only"`
	Drop                 []string `yaml:"cap_drop"`
	Security             []string `yaml:"security_opt"`
	Healthcheck          struct {
		Test    []string
		Disable bool
	}
	After map[string]struct{ Condition string } `yaml:"depends_on"`
}

func composed(t *testing.T) (c composeFile) {
	t.Helper()
	text, err := os.ReadFile("../../deploy/compose.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	if len(c.Services) < 5 {
		t.Fatalf("read %d services", len(c.Services))
	}
	return c
}

var pinned = regexp.MustCompile(`^[a-z./-]+:[0-9]+\.[0-9]+(\.[0-9]+)?(-[a-z]+)?$`)

// TestComposeIsSound: every service is pinned, has a healthcheck and few rights, and names only what there is.
func TestComposeIsSound(t *testing.T) {
	c := composed(t)
	for name, s := range c.Services {
		ours := strings.HasPrefix(s.Image, "onmyway:")
		if !ours && !pinned.MatchString(s.Image) {
			t.Errorf("%s: the image %q has no release in its tag", name, s.Image)
		}
		if len(s.Healthcheck.Test) == 0 && !s.Healthcheck.Disable {
			t.Errorf("%s has no healthcheck", name)
		}
		if !slices.Contains(s.Drop, "ALL") || !slices.Contains(s.Security, "no-new-privileges:true") {
			t.Errorf("%s keeps rights that it does not need", name)
		}
		if !s.ReadOnly && name != "kafka" {
			t.Errorf("%s may write to its root", name)
		}
		if s.Restart == "" || len(s.Networks) == 0 {
			t.Errorf("%s has no restart or no network", name)
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].File == "" {
				t.Errorf("%s: there is no secret %s", name, secret)
			}
		}
		for _, network := range s.Networks {
			if _, there := c.Networks[network]; !there {
				t.Errorf("%s: there is no network %s", name, network)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if _, there := c.Volumes[source]; !there && !strings.HasPrefix(source, "./") {
				t.Errorf("%s: there is no volume %s", name, source)
			}
		}
		for other := range s.After {
			if _, there := c.Services[other]; !there {
				t.Errorf("%s waits for %s, which is not there", name, other)
			}
		}
		for variable, value := range s.Environment {
			if strings.Contains(strings.ToLower(variable), "password") && !strings.HasSuffix(variable, "_FILE") {
				t.Errorf("%s: %s holds a password (%q)", name, variable, value)
			}
		}
	}
}

// TestComposeRunsThisProgram: variables are keys, commands and healthchecks are commands, secrets are mounted where they
// are looked for, and serve takes the whole of it.
func TestComposeRunsThisProgram(t *testing.T) {
	c := composed(t)
	known := knownKeys()
	secret := t.TempDir()
	contents := map[string]string{"redis_url": "redis://:p@redis:6379/0", "database_url": "postgres://onmyway:p@postgres:5432/onmyway"}
	for name := range c.Secrets {
		content := contents[name]
		if content == "" {
			content = strings.Repeat("s", 48)
		}
		if err := os.WriteFile(filepath.Join(secret, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, s := range c.Services {
		if !strings.HasPrefix(s.Image, "onmyway:") {
			continue
		}
		env := map[string]string{}
		for variable, value := range s.Environment {
			key, _ := keyOfVariable(variable, value)
			if !strings.HasPrefix(variable, envPrefix) || !known[key] {
				t.Errorf("%s: %s is no key", name, variable)
			}
			if path, isSecret := strings.CutPrefix(value, "/run/secrets/"); isSecret && !slices.Contains(s.Secrets, path) {
				t.Errorf("%s: %s is not mounted", name, value)
			}
			value = strings.ReplaceAll(value, "/run/secrets", secret)
			env[variable] = regexp.MustCompile(`\$\{[^}]*\}`).ReplaceAllString(value, "https://notify.example.com")
		}
		runs(t, s.Command)
		if !s.Healthcheck.Disable {
			runs(t, s.Healthcheck.Test[2:])
		}
		v := invoke(t, env, "", "config", "check")
		v.want(t, 0, "ok ")
		if strings.Contains(v.out, "embedded") {
			t.Errorf("%s runs an engine itself:\n%s", name, v.out)
		}
	}
}

// runs tells whether words are a command of this program.
func runs(t *testing.T, words []string) {
	t.Helper()
	cmd, rest, err := command().Find(words)
	if err != nil || len(rest) > 0 || !cmd.Runnable() || !cmd.HasParent() {
		t.Errorf("%q is no command", strings.Join(words, " "))
	}
}

// TestMakeSecrets: the script makes every secret that compose mounts, no two alike, and leaves them when it runs again.
func TestMakeSecrets(t *testing.T) {
	dir := t.TempDir()
	script, err := os.ReadFile("../../deploy/make-secrets")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "make-secrets")
	if err := os.WriteFile(path, script, 0o700); err != nil {
		t.Fatal(err)
	}
	var before map[string]string
	for range 2 {
		if out, err := exec.CommandContext(t.Context(), "sh", path).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		made := map[string]string{}
		for name, s := range composed(t).Secrets {
			text, err := os.ReadFile(filepath.Join(dir, s.File))
			if err != nil || len(text) < 32 {
				t.Errorf("%s: %d bytes, %v", name, len(text), err)
			}
			made[name] = string(text)
		}
		password := strings.TrimSpace(strings.TrimPrefix(made["redis_auth"], "requirepass "))
		if made["redis_url"] != "redis://:"+password+"@redis:6379/0" || !strings.Contains(made["database_url"], ":"+made["postgres_password"]+"@") ||
			made["bootstrap_key"] == made["token_secret"] {
			t.Errorf("they do not fit together")
		}
		if before != nil && fmt.Sprint(before) != fmt.Sprint(made) {
			t.Error("a second run has changed them")
		}
		before = made
	}
}

// TestDockerfile: the image is pinned, without root, and checks itself with commands of this program.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile("../../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	file := string(text)
	for _, want := range []string{"CGO_ENABLED=0 go build -trimpath", "USER 65532:65532", "ca-certificates.crt", "HEALTHCHECK", "org.opencontainers.image.revision"} {
		if !strings.Contains(file, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	for _, from := range regexp.MustCompile(`(?m)^FROM (\S+)`).FindAllStringSubmatch(file, -1) {
		if from[1] != "scratch" && !pinned.MatchString(from[1]) {
			t.Errorf("the base %s has no release in its tag", from[1])
		}
	}
	for _, variable := range regexp.MustCompile(`ONMYWAY_\w+`).FindAllString(file, -1) {
		if key, _ := keyOfVariable(variable, ""); !knownKeys()[key] {
			t.Errorf("%s is no key", variable)
		}
	}
	for _, list := range regexp.MustCompile(`(?m)(?:HEALTHCHECK.* CMD|^CMD) \[(.*)\]`).FindAllStringSubmatch(file, -1) {
		words := strings.Split(strings.ReplaceAll(list[1], `"`, ""), ", ")
		runs(t, slices.DeleteFunc(words, func(w string) bool { return strings.HasPrefix(w, "/") }))
	}
	for _, flag := range regexp.MustCompile(`-X main\.(\w+)=`).FindAllStringSubmatch(file, -1) {
		if !slices.Contains([]string{"version", "commit", "built"}, flag[1]) {
			t.Errorf("there is no variable main.%s", flag[1])
		}
	}
}
