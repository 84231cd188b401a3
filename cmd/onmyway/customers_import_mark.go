package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// importMark is how far an import has come. It stands in a file beside the imported one while the import is not through.
type importMark struct {
	File      string `json:"file_sha256"` // of the whole file: lines of another one are other customers
	Line      int    `json:"line"`        // everything up to it is stored
	Created   int    `json:"created"`
	Changed   int    `json:"changed"`
	Unchanged int    `json:"unchanged"`

	path string
}

// openMark prepares the mark of a file: that of an interrupted import with resume, else a new one.
func openMark(ctx context.Context, path string, resume bool, say func(string)) (*importMark, error) {
	sum, err := hashFile(ctx, path)
	if err != nil {
		return nil, err
	}
	fresh := &importMark{File: sum, path: path + ".progress"}
	content, err := os.ReadFile(fresh.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if resume {
			say("there is no " + fresh.path + ": starting with the first line")
		}
		return fresh, fresh.put(0, &imported{}) // better now than after the first batch, when it can't be written
	case err != nil:
		return nil, fmt.Errorf("read how far the import came: %w", err)
	}
	was := &importMark{path: fresh.path}
	if err := json.Unmarshal(content, was); err != nil {
		return nil, fmt.Errorf("%s is no record of an import: delete it, or run without --resume after moving it away", fresh.path)
	}
	switch {
	case !resume:
		say(fmt.Sprintf("an earlier import stopped at line %d: starting again with the first one (--resume goes on there)", was.Line))
		return fresh, fresh.put(0, &imported{})
	case was.File != sum:
		return nil, fmt.Errorf("%s has changed since its import stopped: run without --resume; what is stored already stays as it is", path)
	}
	return was, nil
}

// hashFile is the SHA-256 of a file.
func hashFile(ctx context.Context, path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("read the file: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	defer context.AfterFunc(ctx, func() { _ = f.Close() })()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", stopped(ctx, fmt.Errorf("read the file: %w", err))
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// put stores that everything up to a line is imported. It replaces the file in one step, so that it is never half a one.
func (k *importMark) put(line int, sum *imported) error {
	if k == nil {
		return nil
	}
	k.Line, k.Created, k.Changed, k.Unchanged = line, sum.Created, sum.Changed, sum.Unchanged
	content, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("store how far the import came: %w", err)
	}
	if err := os.WriteFile(k.path+".new", append(content, '\n'), 0o600); err != nil {
		return fmt.Errorf("store how far the import came: %w", err)
	}
	if err := os.Rename(k.path+".new", k.path); err != nil {
		return fmt.Errorf("store how far the import came: %w", err)
	}
	return nil
}

// remove ends the mark of an import that is through.
func (k *importMark) remove() error {
	if k == nil {
		return nil
	}
	if err := os.Remove(k.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete how far the import came: %w", err)
	}
	return nil
}
