//go:build unix && !linux

package demo

import "syscall"

// ownProcess keeps Ctrl-C in the terminal from the child, which we stop ourselves.
func ownProcess() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
