//go:build unix

package main

import (
	"math"
	"syscall"
)

// openFiles is how many files a process may have open. Go has raised the limit as far as the system lets it.
func openFiles() (n int, known bool) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return math.MaxInt32, false
	}
	return int(min(uint64(limit.Cur), math.MaxInt32)), true
}
