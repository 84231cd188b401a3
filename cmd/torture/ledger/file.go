package ledger

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// File is a ledger that grows. It is safe for concurrent use: each line is one Write to a file that is open for appending.
type File struct {
	mu   sync.Mutex
	file *os.File
}

// Open opens a ledger, and makes it when it is not there. The caller closes it.
func Open(path string) (*File, error) {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return &File{file: f}, nil
}

// Write appends whole lines that somebody else has written.
func (f *File) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Write(lines)
}

// Add appends entries, one line each.
func (f *File) Add(entries ...any) error {
	var lines []byte
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			return fmt.Errorf("write a line of a ledger: %w", err)
		}
		lines = append(append(lines, line...), '\n')
	}
	if _, err := f.Write(lines); err != nil {
		return fmt.Errorf("write a line of a ledger: %w", err)
	}
	return nil
}

// Close closes the file.
func (f *File) Close() error { return f.file.Close() }

// Read returns the entries of a ledger. One that nobody has opened is empty.
func Read[T any](path string) ([]T, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read ledger: %w", err)
	}
	defer func() { _ = f.Close() }()
	var list []T
	for dec := json.NewDecoder(bufio.NewReaderSize(f, 1<<20)); ; {
		var e T
		if err := dec.Decode(&e); errors.Is(err, io.EOF) {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("read entry %d of ledger %s: %w", len(list)+1, f.Name(), err)
		}
		list = append(list, e)
	}
}
