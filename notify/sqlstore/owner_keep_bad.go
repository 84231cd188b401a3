//go:build bad_flock_gc

package sqlstore

import "os"

// keep forgets the file. The fault-injection harness must find out that the garbage collector then frees the lock of a
// process that lives.
func (l *fileLock) keep(*os.File) {}
