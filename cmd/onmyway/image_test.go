//go:build unix

package main

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestBinaryOfTheImage builds as the Dockerfile does and runs the result as the image would: as nobody, in a folder that
// it can't write to, with one for data.
func TestBinaryOfTheImage(t *testing.T) {
	if os.Getenv("ONMYWAY_TEST_IMAGE") == "" {
		t.Skip("ONMYWAY_TEST_IMAGE is not set: the binary of the image was not built, which takes minutes the first time")
	}
	binary := filepath.Join(open755(t), "onmyway")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-ldflags", "-s -w -X main.version=1.2.3 -X main.commit=abc -X main.built=2026-11-21T12:00:00Z", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if file, err := elf.Open(binary); err == nil { // Linux
		defer func() { _ = file.Close() }()
		if libraries, _ := file.ImportedLibraries(); len(libraries) > 0 || file.Section(".interp") != nil {
			t.Errorf("it is not static: %v", libraries)
		}
	}
	data, readOnly := open755(t), open755(t)
	if err := os.Chmod(readOnly, 0o555); err != nil {
		t.Fatal(err)
	}
	nobody := func(args ...string) *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), binary, args...)
		cmd.Dir = readOnly
		cmd.Env = []string{"ONMYWAY_EMBEDDED__DATA_DIR=" + data, "ONMYWAY_EMBEDDED__KAFKA_ADDR=127.0.0.1:0", "SQLITE_TMPDIR=" + data}
		if os.Getuid() == 0 {
			if err := os.Chown(data, 65532, 65532); err != nil {
				t.Fatal(err)
			}
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		}
		return cmd
	}
	if out, err := nobody("version").Output(); err != nil || !strings.Contains(string(out), "onmyway 1.2.3") || !strings.Contains(string(out), "2026-11-21") {
		t.Errorf("%v:\n%s", err, out)
	}
	addr := address(t)
	var log strings.Builder
	serving := nobody("serve", "--http.addr", addr, "--ops.addr", "127.0.0.1:0")
	serving.Stderr = &log
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	var healthy error
	for deadline := time.Now().Add(readyWithin); time.Now().Before(deadline); {
		if healthy = nobody("healthcheck", "--http.addr", addr).Run(); healthy == nil {
			break
		}
	}
	err := errors.Join(healthy, serving.Process.Signal(syscall.SIGTERM))
	if err = errors.Join(err, serving.Wait()); err != nil {
		t.Errorf("%v:\n%s", err, log.String())
	}
}

// open755 is a new folder that every user can enter: those of t.TempDir are for one.
func open755(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "onmyway")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
