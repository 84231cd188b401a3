package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	readyWithin = 60 * time.Second // a process is ready; the machine may be busy
	stopsWithin = 20 * time.Second // a process that is told to stop has ended
)

// node is one process of the service over its lives. Start, kill, stop, pause and resume are for one goroutine at a time.
type node struct {
	world *world
	name  string
	log   string   // path
	env   []string // on top of the world's

	mu     sync.Mutex
	url    string // of the public listener
	ops    string // of the private one
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended; nil before its first life
	lives  int

	past [8]float64 // what former lives counted; see carried
}

// node makes a process that does not run yet.
func (w *world) node(env ...string) *node {
	n := &node{world: w, name: fmt.Sprintf("node%d", len(w.nodes)+1), env: env}
	n.log = w.path(n.name + ".log")
	w.nodes = append(w.nodes, n)
	w.front.add(n)
	return n
}

// up makes processes and starts them all at once. They are ready when it returns.
func (w *world) up(ctx context.Context, count int) ([]*node, error) {
	nodes := make([]*node, count)
	errs := make([]error, count)
	var starting sync.WaitGroup
	for i := range nodes {
		nodes[i] = w.node()
		if i == 0 { // it makes the schema
			errs[0] = nodes[0].start(ctx)
			continue
		}
		starting.Go(func() { errs[i] = nodes[i].start(ctx) })
	}
	starting.Wait()
	return nodes, errors.Join(errs...)
}

// start begins a life and waits until the process is ready.
func (n *node) start(ctx context.Context) error {
	if err := n.launch(); err != nil {
		return err
	}
	return n.ready(ctx)
}

// launch begins a life. Ports are new ones each time: somebody else may have taken the old ones meanwhile.
func (n *node) launch() error {
	public, ops := address(), address()
	cmd := exec.Command(n.world.binary, "serve")
	cmd.Env = append(append(append(bare(), n.world.env...), n.env...), "ONMYWAY_HTTP__ADDR="+public, "ONMYWAY_OPS__ADDR="+ops)
	cmd.Dir = n.world.dir
	exited, err := startProcess(n.name, cmd, n.log)
	if err != nil {
		return err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.url, n.ops, n.cmd, n.exited = "http://"+public, "http://"+ops, cmd, exited
	n.lives++
	return nil
}

func (n *node) ready(ctx context.Context) error {
	return until(ctx, readyWithin, func() error {
		if !n.running() {
			return n.again(ctx)
		}
		status, err := n.probe(ctx)
		if err == nil && status != http.StatusOK {
			err = fmt.Errorf("%s is not ready: %d", n.name, status)
		}
		return err
	})
}

// again starts a process once more that ended by itself: a port can be taken between the look for it and its use.
func (n *node) again(ctx context.Context) error {
	if n.lives > 1000 {
		return fmt.Errorf("%s does not live", n.name)
	}
	if err := wait(ctx, 200*time.Millisecond); err != nil {
		return err
	}
	if err := n.launch(); err != nil {
		return err
	}
	return fmt.Errorf("%s ended before it was ready; see %s", n.name, n.log)
}

var prober = &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// probe asks whether the process takes work.
func (n *node) probe(ctx context.Context) (status int, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.address()+"/readyz", nil)
	if err != nil {
		return 0, err
	}
	resp, err := prober.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func (n *node) address() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.url
}

func (n *node) private() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ops
}

func (n *node) running() bool {
	n.mu.Lock()
	exited := n.exited
	n.mu.Unlock()
	if exited == nil {
		return false
	}
	select {
	case <-exited:
		return false
	default:
		return true
	}
}

func (n *node) signal(s syscall.Signal) error {
	n.mu.Lock()
	cmd := n.cmd
	n.mu.Unlock()
	if err := cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("send %s to %s: %w", s, n.name, err)
	}
	return nil
}

// kill is kill -9.
func (n *node) kill() error {
	n.remember()
	if err := n.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-n.exited
	return nil
}

// pause is SIGSTOP: the process stands still, and knows nothing of it afterwards.
func (n *node) pause() error { return n.signal(syscall.SIGSTOP) }

func (n *node) resume() error { return n.signal(syscall.SIGCONT) }

// stop is SIGTERM: the process ends by itself, in time, with exit code 0.
func (n *node) stop() (took time.Duration, err error) {
	n.remember()
	began := time.Now()
	if err := n.signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	select {
	case <-n.exited:
	case <-time.After(stopsWithin + 5*time.Second):
		_ = n.signal(syscall.SIGQUIT) // its goroutines go to the log
		<-n.exited
	}
	took = time.Since(began)
	if code := n.cmd.ProcessState.ExitCode(); code != 0 || took > stopsWithin {
		return took, fmt.Errorf("%s was told to stop: exit code %d after %s, want 0 within %s; see %s", n.name, code,
			took.Round(time.Millisecond), stopsWithin, n.log)
	}
	return took, nil
}

// end stops a process that runs.
func (n *node) end() error {
	if !n.running() {
		return nil
	}
	_ = n.resume() // a process that is paused hears nothing
	_, err := n.stop()
	return err
}

// outcries are what no log may ever hold: crashes, and what belongs to customers only.
var outcries = regexp.MustCompile(`\bpanic\b|DATA RACE|goroutine \d+ \[|fatal error|track\.example|` + apiKey + `|` + phonePattern)

// outcry is the first such line of the log.
func (n *node) outcry() string {
	f, err := os.Open(n.log)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	for lines := bufio.NewReaderSize(f, 1<<20); ; {
		line, err := lines.ReadString('\n')
		if outcries.MatchString(line) {
			return strings.TrimSpace(line[:min(len(line), 300)])
		}
		if err != nil {
			return ""
		}
	}
}

// address is a free one on loopback, below the ports that the system gives to clients.
func address() string {
	for range 1000 {
		addr := fmt.Sprintf("127.0.0.1:%d", 21_000+rand.IntN(11_000))
		if l, err := net.Listen("tcp", addr); err == nil {
			_ = l.Close()
			return addr
		}
	}
	return "127.0.0.1:0"
}
