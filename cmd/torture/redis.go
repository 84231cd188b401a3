package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// redisServer is a Redis of the scenario's own, which may be emptied, stopped and started again on the same port.
type redisServer struct {
	addr string
	log  string
	cmd  *exec.Cmd
	done chan struct{}
}

func startRedis(ctx context.Context, log string) (*redisServer, error) {
	if _, err := exec.LookPath("redis-server"); err != nil {
		return nil, skip("redis-server is not installed")
	}
	r := &redisServer{addr: address(), log: log}
	return r, r.start(ctx)
}

// start starts the server, empty.
func (r *redisServer) start(ctx context.Context) (err error) {
	_, port, _ := net.SplitHostPort(r.addr)
	r.cmd = exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no")
	if r.done, err = startProcess("Redis", r.cmd, r.log); err != nil {
		return err
	}
	return until(ctx, 20*time.Second, func() error {
		answer, err := r.say("PING")
		if err == nil && answer != "+PONG" {
			err = fmt.Errorf("redis answers %q", answer)
		}
		return err
	})
}

// say sends one command without arguments and returns the first line of the answer.
func (r *redisServer) say(command string) (string, error) {
	conn, err := net.DialTimeout("tcp", r.addr, time.Second)
	if err != nil {
		return "", fmt.Errorf("connect to Redis: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", fmt.Errorf("speak to Redis: %w", err)
	}
	if _, err := fmt.Fprintf(conn, "%s\r\n", command); err != nil {
		return "", fmt.Errorf("speak to Redis: %w", err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("hear Redis: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// flush empties it.
func (r *redisServer) flush() error {
	answer, err := r.say("FLUSHALL")
	if err == nil && answer != "+OK" {
		err = errors.New("redis did not flush: " + answer)
	}
	return err
}

// stop ends the server with all that it knows.
func (r *redisServer) stop() {
	_ = r.cmd.Process.Signal(syscall.SIGKILL)
	<-r.done
}

func (r *redisServer) close() {
	if r != nil && r.done != nil {
		r.stop()
	}
}
