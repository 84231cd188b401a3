package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// fileLock holds flock on <folder>/<owner>.lock. It works between processes of one host, and not on network drives.
type fileLock struct {
	folder string
	file   *os.File // see keep
}

func (l *fileLock) take(_ context.Context, me string) error {
	file, err := flock(filepath.Join(l.folder, me+".lock"), syscall.LOCK_NB)
	l.keep(file)
	return err
}

func (l *fileLock) dead(_ context.Context, _ *sql.Tx, owner string) (bool, func(), error) {
	path := filepath.Join(l.folder, owner+".lock")
	file, err := free(path)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, func() {}, nil
	}
	if err != nil {
		return false, func() {}, err
	}
	return true, func() {
		os.Remove(path) // a file that stays is found free and removed the next time
		file.Close()
	}, nil
}

func (l *fileLock) migration() (func(), error) {
	file, err := flock(filepath.Join(l.folder, "migration"), 0)
	if err != nil {
		return nil, err
	}
	return func() { file.Close() }, nil
}

func (l *fileLock) release() error {
	if l.file == nil {
		return nil
	}
	return l.file.Close() // the file stays: peers see that it is free and tidy up after us
}

// flock opens a file, made when it is missing, and locks it.
func flock(path string, how int) (*os.File, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|how)
		if err == nil {
			return file, nil
		}
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		file.Close()
		return nil, fmt.Errorf("lock %s: %w", filepath.Base(path), err)
	}
}
