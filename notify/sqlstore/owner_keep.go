//go:build !bad_flock_gc && !bad_lease_only

package sqlstore

import "os"

// keep holds on to the file: one that nobody refers to is closed by the garbage collector, and the lock falls.
func (l *fileLock) keep(file *os.File) { l.file = file }
