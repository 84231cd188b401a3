package demo

import "syscall"

// ownProcess keeps Ctrl-C in the terminal from the child, which we stop ourselves, and lets the kernel end it when we are
// killed.
func ownProcess() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
