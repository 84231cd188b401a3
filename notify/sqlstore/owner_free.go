//go:build !bad_lease_only

package sqlstore

import (
	"os"
	"syscall"
)

// free gets the lock of a process that is dead; EWOULDBLOCK while it lives, however long it was not heard of.
func free(path string) (*os.File, error) { return flock(path, syscall.LOCK_NB) }
