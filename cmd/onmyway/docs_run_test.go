package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

const readIn = 90 * time.Second // a document is followed to its end; most take three seconds

// needTools skips the test where a command that the documents use is missing.
func needTools(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the commands of the documents are not run")
	}
	for _, tool := range []string{"bash", "curl", "jq", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("!!! %s is not installed: the commands of the documents were NOT run !!!", tool)
		}
	}
}

// followDocument runs the commands of a document in one shell, from top to bottom, in a folder of its own. `onmyway` is
// this program, and $ONMYWAY_URL is a service that runs beside simulated providers; a document that starts a service
// itself gets its address through the same variables.
func followDocument(t *testing.T, blocks []block) {
	w := newWorld(t, servers{}, twiliotest.Options{})
	n := w.node()
	if startsService(blocks) {
		w.nodes = nil // the document runs it: its log is not ours
	} else {
		n.start()
	}
	s := &shell{dir: t.TempDir(), blocks: blocks}
	s.env = append(n.env, "PATH="+programs(t)+":"+os.Getenv("PATH"), "HOME="+s.dir, "TERM=dumb", "LANG=C.UTF-8",
		"ONMYWAY_URL="+n.url, "ONMYWAY_API_KEY="+apiKey, "OPS_URL="+n.ops)
	for _, folder := range []string{"deploy", "docs"} { // documents name files as they are seen from the root
		if full, err := filepath.Abs(filepath.Join(root, folder)); err == nil {
			_ = os.Symlink(full, filepath.Join(s.dir, folder))
		}
	}
	const curlrc = "silent\nshow-error\nfail-with-body\n" // an answer of 4xx or 5xx ends a block with exit code 22
	if err := os.WriteFile(filepath.Join(s.dir, ".curlrc"), []byte(curlrc), 0o600); err != nil {
		t.Fatal(err)
	}
	err := s.run(t.Context())
	for i := range blocks {
		s.judge(t, i)
	}
	if err != nil && !t.Failed() {
		t.Errorf("the shell ended with %v", err)
	}
}

func startsService(blocks []block) bool {
	for i := range blocks {
		if blocks[i].runs() && blocks[i].until != "" {
			return true
		}
	}
	return false
}

// programs is a folder with the program and with a `go` that takes it for what `go run ./cmd/onmyway` would build.
func programs(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(self, filepath.Join(dir, asName)); err != nil {
		copyFile(t, self, filepath.Join(dir, asName))
	}
	const goRun = "#!/bin/sh\n[ \"$1 $2\" = 'run ./cmd/onmyway' ] || { echo \"go $*: only go run ./cmd/onmyway is played here\" >&2; exit 1; }\n" +
		"shift 2\nexec onmyway \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte(goRun), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

// shell runs the blocks of a document. Block i is the file i.sh; what it writes goes to i.out, how it ended to i.exit.
type shell struct {
	dir    string
	env    []string
	blocks []block
}

func (s *shell) path(i int, kind string) string {
	return filepath.Join(s.dir, strconv.Itoa(i)+"."+kind)
}

// run writes the script and runs it in a process group of its own, which ends with it.
func (s *shell) run(ctx context.Context) error {
	script, err := s.script()
	if err != nil {
		return err
	}
	path := filepath.Join(s.dir, "all.sh")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		return err
	}
	leash, end, err := os.Pipe() // the shell ends with the test, whatever becomes of it
	if err != nil {
		return err
	}
	defer func() { _ = end.Close() }()
	defer func() { _ = leash.Close() }()
	ctx, cancel := context.WithTimeout(ctx, readIn)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", path)
	cmd.Dir, cmd.Env, cmd.ExtraFiles = s.dir, s.env, []*os.File{leash}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("it took longer than %s", readIn)
	}
	return err
}

const scriptHead = `set -euo pipefail
( read -r -u 3 _ || kill -KILL 0 ) &
leash=$!
exec 3<&- </dev/null
back=()
finish() {
	for pid in "${back[@]}"; do kill -TERM "$pid" || true; wait "$pid" || exit 1; done
	kill "$leash" || true
}
trap finish EXIT
started() { # program, what it says, where it says it
	for _ in $(seq 600); do
		if grep -Eq -- "$2" "$3"; then return 0; fi
		kill -0 "$1" || return 1
		sleep 0.1
	done
	return 1
}
`

// script is the whole document. It stops at the first block that ends otherwise than it should.
func (s *shell) script() (string, error) {
	var b strings.Builder
	b.WriteString(scriptHead)
	for i := range s.blocks {
		block := &s.blocks[i]
		if block.file != "" {
			if err := os.WriteFile(s.path(i, "file"), []byte(block.text), 0o600); err != nil {
				return "", err
			}
			fmt.Fprintf(&b, "mkdir -p \"$(dirname '%[2]s')\"; cp '%[1]s' '%[2]s'\n", s.path(i, "file"), block.file)
		}
		if !block.runs() {
			continue
		}
		typed, _ := block.commands()
		if err := os.WriteFile(s.path(i, "sh"), []byte(typed), 0o600); err != nil {
			return "", err
		}
		s.step(&b, i, typed)
	}
	return b.String(), nil
}

func (s *shell) step(b *strings.Builder, i int, typed string) {
	block, out, exit := &s.blocks[i], s.path(i, "out"), s.path(i, "exit")
	fmt.Fprintf(b, "exec >'%s' 2>&1\necho ended early >'%s'\n", out, exit)
	switch {
	case block.until != "":
		fmt.Fprintf(b, "%s &\nback+=($!)\nstarted $! %s '%s'\n", strings.TrimSpace(typed), quoted(block.until), out)
		if name, pattern, ok := strings.Cut(block.learn, "="); ok {
			fmt.Fprintf(b, "learnt=$(sed -nE %s '%s' | head -1)\nexport %s=\"http://${learnt#http://}\"\n", quoted("s|.*"+pattern+".*|\\1|p"), out, name)
		}
		fmt.Fprintf(b, "echo 0 >'%s'\n", exit)
	case block.exit != "":
		fmt.Fprintf(b, "code=0; ( . '%s' ) || code=$?\necho $code >'%s'\n[ $code = %s ]\n", s.path(i, "sh"), exit, block.exit)
	default:
		fmt.Fprintf(b, ". '%s'\necho 0 >'%s'\n", s.path(i, "sh"), exit)
	}
	if acts(typed) {
		b.WriteString("sleep 1 # a person reads on; meanwhile what was asked for happens\n")
	}
}

// acts reports whether commands ask for something that happens after they have ended.
func acts(typed string) bool {
	return strings.Contains(typed, "/v1/events") || strings.Contains(typed, "events publish") || strings.Contains(typed, "resend")
}

func quoted(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// judge says how block i went.
func (s *shell) judge(t *testing.T, i int) {
	t.Helper()
	b := &s.blocks[i]
	if !b.runs() {
		return
	}
	exit, err := os.ReadFile(s.path(i, "exit"))
	if err != nil {
		return // not reached: the one before it is named
	}
	want := b.exit
	if want == "" {
		want = "0"
	}
	out, _ := os.ReadFile(s.path(i, "out"))
	typed, answer := b.commands()
	if got := strings.TrimSpace(string(exit)); got != want {
		t.Errorf("line %d: exit code %s, want %s:\n%s\nit wrote:\n%s", b.line, got, want, typed, out)
		return
	}
	if line := missingLine(answer, string(out)); line != "" {
		t.Errorf("line %d: the document shows %q; it wrote:\n%s", b.line, line, out)
	}
}
