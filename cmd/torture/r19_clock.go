package main

import (
	"context"
	"encoding/json"
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var clockScenario = scenario{
	id: "R19", events: 10_000, gate: 0.5, within: 8 * time.Minute, database: "postgres",
	promise: "clocks that are ten minutes off lose nothing, repeat nothing and change no order",
	faults:  "3 processes whose clocks are right, 10 minutes slow and 10 minutes fast",
	knobs:   knobs{latency: jitter},
	run:     runClock,
}

// offsetVariable tells a program with a moved clock how far it is off, as a time.Duration.
const offsetVariable = "TORTURE_CLOCK_OFFSET"

func runClock(ctx context.Context, w *world) error {
	binary, err := buildWithClock(ctx, w.dir)
	if err != nil {
		return err
	}
	w.binary = binary
	for _, offset := range []time.Duration{0, -10 * time.Minute, 10 * time.Minute} {
		if err := w.node(offsetVariable + "=" + offset.String()).start(ctx); err != nil {
			return err
		}
		w.faulted()
	}
	if err := w.audience(ctx, 10, 10); err != nil {
		return err
	}
	orders := w.scaled(w.scenario.events, 500) / steps
	var events []event
	for step := 1; step <= steps; step++ {
		for o := range orders {
			events = append(events, onTheWay(o, step, max(orders/5, 10)))
		}
	}
	if err := w.pour(ctx, events, time.Duration(max(len(events)/500, 3))*time.Second); err != nil {
		return err
	}
	return w.finish(ctx, aim{latest: true}, 30*time.Second)
}

// clock is where the program takes the time of its decisions from.
var clock = regexp.MustCompile(`(Now:|[nN]ow =) time\.Now\b`)

// buildWithClock makes a program whose clock can be moved from outside. A library in place of the C library's clock does
// nothing to a Go program, so the compiler is given other files for those that hand the clock on; the tree stays as it is.
// Timeouts are measured by the monotonic clock and stay right, as they do on a machine whose clock is wrong.
func buildWithClock(ctx context.Context, dir string) (string, error) {
	root, err := moduleRoot(ctx)
	if err != nil {
		return "", skip("there is no source to move the clock in: %v", err)
	}
	replace := map[string]string{}
	copies := 0
	put := func(path, source string) error {
		copies++
		copied := filepath.Join(dir, fmt.Sprintf("clock%d.txt", copies))
		replace[path] = copied
		return os.WriteFile(copied, []byte(source), 0o600)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") && path != root || entry.Name() == "torture"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		source, err := os.ReadFile(path)
		if err != nil || !clock.Match(source) {
			return err
		}
		moved := clock.ReplaceAllString(string(source), "$1 movedClock") + "\nvar _ = time.Second\n"
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.PackageClauseOnly)
		if err != nil {
			return err
		}
		if err := put(path, moved); err != nil {
			return err
		}
		return put(filepath.Join(filepath.Dir(path), "clock_moved.go"), "package "+file.Name.Name+"\n"+movedClock)
	})
	if err != nil {
		return "", fmt.Errorf("move the clock: %w", err)
	}
	if len(replace) < 4 {
		return "", skip("the program takes its time from somewhere else now")
	}
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		return "", fmt.Errorf("move the clock: %w", err)
	}
	return build(ctx, dir, "", "-overlay", path)
}

const movedClock = `
import (
	"os"
	"time"
)

var clockOffset, _ = time.ParseDuration(os.Getenv("` + offsetVariable + `"))

func movedClock() time.Time { return time.Now().Round(0).Add(clockOffset) }
`
