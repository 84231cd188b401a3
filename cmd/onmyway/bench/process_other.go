//go:build !linux

package bench

import (
	"errors"
	"syscall"
	"time"
)

// ownProcess has nothing to set here.
func ownProcess() *syscall.SysProcAttr { return nil }

// needsProc: processor time and memory of another process are read from /proc.
func needsProc(*lab) string { return "it reads /proc, which only Linux has" }

var errNoProc = errors.New("only Linux tells the use of another process")

func (p *process) cpu() (time.Duration, error) { return 0, errNoProc }

func (p *process) memory() (int64, error) { return 0, errNoProc }
