package main

import (
	"fmt"
	"os"
	"os/exec"
)

// startProcess starts a process of the scenario's own, which writes into a log and ends with the harness. Ended is closed when
// it has ended; how, is in cmd.ProcessState.
func startProcess(name string, cmd *exec.Cmd, log string) (ended chan struct{}, err error) {
	out, err := os.OpenFile(log, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer func() { _ = out.Close() }()
	cmd.Stdout, cmd.Stderr = out, out
	tie(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	ended = make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	return ended, nil
}
