package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// goodbye is how long a process may take to end by itself.
const goodbye = 25 * time.Second

// process is a child: a part of the benchmark, or the product.
type process struct {
	name string
	log  string // path
	pid  int
	in   io.WriteCloser
	out  io.ReadCloser
	said *json.Decoder // of out
	stop context.CancelFunc
	gone chan struct{} // closed when it has ended
}

// launch starts a command. ctx ends it: with a signal, and later with force.
func (l *lab) launch(ctx context.Context, name string, command, env []string) (*process, error) {
	ctx, stop := context.WithCancel(ctx)
	p := &process{name: name, log: filepath.Join(l.dir, name+".log"), stop: stop, gone: make(chan struct{})}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Env, cmd.Dir, cmd.SysProcAttr = env, l.dir, ownProcess()
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = goodbye
	// Pipes of our own: those of exec close when the process ends, and what it said last would be lost.
	childIn, in, err := os.Pipe()
	if err != nil {
		stop()
		return nil, fmt.Errorf("make a pipe to %s: %w", name, err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		stop()
		return nil, errors.Join(fmt.Errorf("make a pipe from %s: %w", name, err), childIn.Close(), in.Close())
	}
	p.in, p.out, p.said = in, out, json.NewDecoder(out)
	cmd.Stdin, cmd.Stdout = childIn, childOut
	if err := p.start(cmd); err != nil {
		stop()
		return nil, errors.Join(err, childIn.Close(), in.Close(), out.Close(), childOut.Close())
	}
	return p, errors.Join(childIn.Close(), childOut.Close())
}

// start runs the command in a thread that lives as long as the process: Linux ties "die with your parent" to the thread.
func (p *process) start(cmd *exec.Cmd) error {
	started := make(chan error, 1)
	go func() {
		defer close(p.gone)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		log, err := os.OpenFile(p.log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			started <- fmt.Errorf("open the log of %s: %w", p.name, err)
			return
		}
		defer func() { _ = log.Close() }()
		cmd.Stderr = log
		if err := cmd.Start(); err != nil {
			started <- fmt.Errorf("start %s: %w", p.name, err)
			return
		}
		p.pid = cmd.Process.Pid
		started <- nil
		_ = cmd.Wait() // how it ended is in its log
	}()
	err := <-started
	if err != nil {
		<-p.gone
	}
	return err
}

// say tells the part something. hear waits for what it says next.
func (p *process) say(v any) error {
	if err := json.NewEncoder(p.in).Encode(v); err != nil {
		return fmt.Errorf("tell %s: %w%s", p.name, err, p.lastWords())
	}
	return nil
}

func (p *process) hear(v any) error {
	if err := p.said.Decode(v); err != nil {
		return fmt.Errorf("hear from %s: %w%s", p.name, err, p.lastWords())
	}
	return nil
}

// ask is both.
func (p *process) ask(question, answer any) error {
	if err := p.say(question); err != nil {
		return err
	}
	return p.hear(answer)
}

// close ends the process and waits for it: a part ends when nobody listens to it any more, the product on a signal.
func (p *process) close() error {
	if p == nil {
		return nil
	}
	_ = p.in.Close() // it may have ended
	if p.name == productName {
		p.stop()
	}
	select {
	case <-p.gone:
	case <-time.After(goodbye):
		p.stop()
		<-p.gone
	}
	p.stop()
	if err := p.out.Close(); err != nil {
		return fmt.Errorf("close %s: %w", p.name, err)
	}
	return nil
}

// signal sends a signal to a process that runs.
func (p *process) signal(s syscall.Signal) error {
	found, err := os.FindProcess(p.pid)
	if err == nil {
		err = found.Signal(s)
	}
	if err != nil {
		return fmt.Errorf("send %s to %s: %w", s, p.name, err)
	}
	return nil
}

// lastWords is the end of its log, for an error.
func (p *process) lastWords() string {
	text, err := os.ReadFile(p.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "; its log ends:\n  " + strings.Join(lines[max(len(lines)-5, 0):], "\n  ")
}
