package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

var fullDiskScenario = scenario{
	id: "R10", events: 5_000, within: 5 * time.Minute, control: "sqlite", full: true,
	promise: "a full disk stops the work and loses nothing of it; with space it goes on within 5 s",
	faults:  "SQLite on a file system of 128 MB that fills up under load and is freed again",
	knobs:   knobs{latency: jitter},
	run:     runFullDisk,
}

const resumesWithin = 5 * time.Second

func runFullDisk(ctx context.Context, w *world) error {
	disk := w.path("disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		return err
	}
	mount := exec.CommandContext(ctx, "mount", "-t", "tmpfs", "-o", "size=128m", "torture", disk)
	if out, err := mount.CombinedOutput(); err != nil {
		return skip("no file system can be mounted here: %v %s", err, strings.TrimSpace(string(out)))
	}
	w.onClose(func() { _ = exec.Command("umount", "-l", disk).Run() })
	w.set("DATABASE__URL", "sqlite:"+filepath.Join(disk, "onmyway.db"))
	n := w.scaled(w.scenario.events, 500)
	if _, err := w.up(ctx, 1); err != nil {
		return err
	}
	if err := w.audience(ctx, 5, 3); err != nil {
		return err
	}
	events := single(n, max(n/5, 10))
	l := w.start(ctx, events, max(time.Duration(float64(15*time.Second)*w.options.scale), 5*time.Second))
	if err := wait(ctx, time.Second); err != nil {
		return err
	}
	filler := filepath.Join(disk, "filler")
	full := fill(filler)
	w.faulted()
	if err := wait(ctx, 3*time.Second); err != nil {
		return err
	}
	before := w.sms.requests.Load()
	err := os.Remove(filler)
	freed := time.Now()
	if err := errors.Join(full, err); err != nil {
		return err
	}
	for w.sms.requests.Load() == before && time.Since(freed) < 2*resumesWithin {
		if err := wait(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	w.count("resumed_seconds", time.Since(freed).Seconds())
	if took := time.Since(freed); took > resumesWithin {
		w.fail("texts flowed again %s after there was space, want %s", took.Round(time.Millisecond), resumesWithin)
	}
	if err := l.wait(); err != nil {
		return err
	}
	return w.finish(ctx, aim{}, 20*time.Second)
}

// fill writes a file until there is no space.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	block := make([]byte, 4096)
	for range 1 << 20 {
		if _, err := f.Write(block); err != nil {
			return nil // it is full
		}
	}
	return fmt.Errorf("%s does not fill up", path)
}
