package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// goodbye is how long the service may take to stop by itself.
const goodbye = 1500 * time.Millisecond

// service is the child process. It is started with its configuration in the environment, as an operator would.
type service struct {
	command []string
	env     []string
	dir     string // where it runs and logs
	REST    *rest

	mu   sync.Mutex
	stop context.CancelFunc
	pid  *os.Process
	gone chan struct{} // closed when the process has ended
}

// start starts the process and returns when it runs. It is not ready then.
func (s *service) start() error {
	ctx, stop := context.WithCancel(context.Background())
	gone, started := make(chan struct{}), make(chan error, 1)
	var pid *os.Process
	go func() {
		defer close(gone)
		// Linux ties "die with your parent" to the thread that forked: it must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		log, err := os.OpenFile(s.logFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			started <- fmt.Errorf("open the log of the service: %w", err)
			return
		}
		defer log.Close()
		cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
		cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = s.dir, s.env, log, log
		cmd.SysProcAttr = ownProcess()
		cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
		cmd.WaitDelay = goodbye
		err = cmd.Start()
		pid = cmd.Process
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	if err := <-started; err != nil {
		stop()
		<-gone
		return fmt.Errorf("start the service: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop, s.pid, s.gone = stop, pid, gone
	return nil
}

// ended is closed when the process that was started last has ended.
func (s *service) ended() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone
}

// kill ends the process as a crash would: SIGKILL, no goodbye.
func (s *service) kill() {
	s.mu.Lock()
	pid, gone := s.pid, s.gone
	s.mu.Unlock()
	_ = pid.Kill() // it may have ended by itself
	<-gone
}

// close asks the process to stop and kills it when it does not.
func (s *service) close() error {
	s.mu.Lock()
	stop, gone := s.stop, s.gone
	s.mu.Unlock()
	if stop != nil {
		stop()
		<-gone
	}
	return nil
}

// errEnded means that the service ended by itself.
var errEnded = errors.New("the service ended by itself")

// ready waits until the service takes work.
func (s *service) ready(ctx context.Context) error {
	gone := s.ended()
	for {
		if s.answers(ctx) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the service: %w%s", ctx.Err(), s.lastWords())
		case <-gone:
			return fmt.Errorf("wait for the service: %w%s", errEnded, s.lastWords())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (s *service) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	return s.REST.call(ctx, http.MethodGet, "/readyz", nil, nil) == nil
}

func (s *service) logFile() string { return filepath.Join(s.dir, "service.log") }

// lastWords is the end of the service's log, for an error: what it said of itself, not the calls that it answered.
func (s *service) lastWords() string {
	text, err := os.ReadFile(s.logFile())
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(text)), "\n"), func(line string) bool {
		return strings.Contains(line, `"msg":"request"`)
	})
	return "; its log ends:\n  " + strings.Join(lines[max(len(lines)-10, 0):], "\n  ")
}

// environment is that of the service: ours, without what would configure it otherwise, and settings.
func environment(settings map[string]string) []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "ONMYWAY_") {
			env = append(env, v)
		}
	}
	for key, value := range settings {
		env = append(env, "ONMYWAY_"+strings.ToUpper(strings.ReplaceAll(key, ".", "__"))+"="+value)
	}
	return env
}

// freeAddr is a loopback address whose port nobody uses. It stays the same over restarts of the service, as an
// operator's does.
func freeAddr(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
