package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	readyWithin = 40 * time.Second // a process is ready; starting beside busy neighbours under the race detector is slow
	stopsWithin = 20 * time.Second // a process that is told to stop has ended
)

// program runs the program to its end and returns its exit code and all that it wrote.
func program(t *testing.T, env []string, args ...string) (code int, out string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(bare(), env...)
	leash, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = leash.Close() }()
	b, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(b)
}

// bare is the environment of every process, without configuration of whoever runs the tests.
func bare() []string {
	env := slices.DeleteFunc(os.Environ(), func(s string) bool { return strings.HasPrefix(s, envPrefix) })
	return append(env, asProgram+"=1")
}

// node is one process of the service, with addresses and a log that stay the same over its lives.
type node struct {
	t        *testing.T
	url, ops string // of the public and the private listener
	env      []string
	files    int    // that it may have open; 0: as many as we may
	log      string // path
	web      *http.Client

	cmd    *exec.Cmd
	leash  io.Closer
	exited chan struct{} // closed when the process has ended; nil before its first life
}

// node makes a process that does not run yet. The variables come on top of those that all processes have.
func (w *world) node(env ...string) *node {
	w.t.Helper()
	public, ops := address(w.t), address(w.t)
	n := &node{t: w.t, url: "http://" + public, ops: "http://" + ops, web: w.web,
		log: filepath.Join(w.dir, fmt.Sprintf("node%d.log", len(w.nodes)+1))}
	n.env = append(append(bare(), w.env...), "ONMYWAY_HTTP__ADDR="+public, "ONMYWAY_OPS__ADDR="+ops)
	n.env = append(n.env, env...)
	w.nodes = append(w.nodes, n)
	return n
}

// start starts the process and waits until it is ready.
func (n *node) start() *node {
	n.t.Helper()
	n.launch()
	n.ready()
	return n
}

func (n *node) launch() {
	n.t.Helper()
	log, err := os.OpenFile(n.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	n.cmd = exec.Command(os.Args[0], "serve")
	if n.files > 0 {
		n.cmd = exec.Command("sh", "-c", `ulimit -n "$1" && exec "$0" serve`, os.Args[0], strconv.Itoa(n.files))
	}
	n.cmd.Env, n.cmd.Stdout, n.cmd.Stderr = n.env, log, log
	if n.leash, err = n.cmd.StdinPipe(); err == nil {
		err = n.cmd.Start()
	}
	if err != nil {
		n.t.Fatal(err)
	}
	n.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		_ = cmd.Wait() // what it returns is in ProcessState
		close(exited)
	}(n.cmd, n.exited)
}

func (n *node) ready() {
	n.t.Helper()
	within(n.t, readyWithin, "the process is ready", func() error {
		select {
		case <-n.exited:
			n.t.Fatalf("the process ended before it was ready: %v", n.cmd.ProcessState)
		default:
		}
		status, body, err := n.try(http.MethodGet, "/readyz", nil)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%d %s", status, body)
		}
		return err
	})
}

func (n *node) running() bool {
	if n.exited == nil {
		return false
	}
	select {
	case <-n.exited:
		return false
	default:
		return true
	}
}

// kill is kill -9.
func (n *node) kill() {
	n.t.Helper()
	if err := n.cmd.Process.Kill(); err != nil {
		n.t.Errorf("kill -9: %v", err)
	}
	<-n.exited
	_ = n.leash.Close()
}

// stop is SIGTERM: the process ends by itself, in time, with exit code 0.
func (n *node) stop() (took time.Duration) {
	n.t.Helper()
	began := time.Now()
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		n.t.Errorf("SIGTERM: %v", err)
	}
	select {
	case <-n.exited:
	case <-time.After(stopsWithin + 5*time.Second):
		n.t.Errorf("the process did not stop")
		_ = n.cmd.Process.Signal(syscall.SIGQUIT) // its goroutines go to the log
		<-n.exited
	}
	_ = n.leash.Close()
	took = time.Since(began)
	if code := n.cmd.ProcessState.ExitCode(); code != 0 || took > stopsWithin {
		n.t.Errorf("exit code %d after %s, want 0 within %s", code, took, stopsWithin)
	}
	return took
}

// metric adds up the samples of a metric whose lines begin with prefix, such as `onmyway_events_total{outcome="stored"`.
func (n *node) metric(prefix string) (sum float64) {
	n.t.Helper()
	resp, err := n.web.Get(n.ops + "/metrics")
	if err != nil {
		n.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.HasPrefix(line, prefix) {
			continue
		}
		v, err := strconv.ParseFloat(line[strings.LastIndexByte(line, ' ')+1:len(line)-1], 64)
		if err != nil {
			n.t.Fatalf("%s: %v", line, err)
		}
		sum += v
	}
	return sum
}

// address is a free one on loopback. Its port lies below those that the system gives to clients, so that a process that
// is started again gets its own back.
func address(t *testing.T) string {
	t.Helper()
	for range 100 {
		addr := fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(10_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// within asks until there is no error, and fails the test after d.
func within(t *testing.T, d time.Duration, what string, ask func() error) {
	t.Helper()
	if err := asked(d, ask); err != nil {
		t.Fatalf("not within %s: %s: %v", d, what, err)
	}
}

// asked asks until there is no error, and returns the last one after d. It spends a fifth of the time on asking, so that
// dear questions do not slow down what they wait for.
func asked(d time.Duration, ask func() error) error {
	late := time.After(d)
	for {
		began := time.Now()
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(max(25*time.Millisecond, 4*time.Since(began))):
		case <-late:
			return err
		}
	}
}
