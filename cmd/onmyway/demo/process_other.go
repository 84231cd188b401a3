//go:build !unix

package demo

import "syscall"

// ownProcess has nothing to set here.
func ownProcess() *syscall.SysProcAttr { return nil }
