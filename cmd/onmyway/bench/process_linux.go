package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// ownProcess keeps Ctrl-C in the terminal from the child, which we stop ourselves, and lets the kernel end it when we are
// killed.
func ownProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// needsProc: processor time and memory of another process are read from /proc.
func needsProc(*lab) string { return "" }

// clockTick is the unit of /proc/PID/stat: USER_HZ, which is 100 on every platform that Go runs on.
const clockTick = 10 * time.Millisecond

// cpu is the processor time that a process has used (proc(5): utime and stime, fields 14 and 15).
func (p *process) cpu() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.pid))
	if err != nil {
		return 0, fmt.Errorf("read the processor time of %s: %w", p.name, err)
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // the first one is field 3
	var ticks int
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(string(field))
		if err != nil {
			return 0, fmt.Errorf("read the processor time of %s: %w", p.name, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// memory is what a process has in memory, in bytes (VmRSS).
func (p *process) memory() (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	fields := bytes.Fields(text)
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the memory of %s: %w", p.name, err)
	}
	return pages * int64(os.Getpagesize()), nil
}
