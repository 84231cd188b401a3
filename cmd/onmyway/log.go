package main

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/lmittmann/tint"
)

// newLog makes the log of a process: JSON for machines, text for a person at a terminal.
func newLog(w io.Writer, cfg LogConfig) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(cfg.Level)); err != nil {
		return nil, usageError{fmt.Errorf("log.level: %q is unknown: use debug, info, warn or error", cfg.Level)}
	}
	switch format := strings.ToLower(cfg.Format); {
	case format == "text", format == "auto" && terminal(w):
		return slog.New(tint.NewTextHandler(w, &tint.Options{
			Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal(w) || os.Getenv("NO_COLOR") != "",
		})), nil
	case format == "json", format == "auto":
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})), nil
	default:
		return nil, usageError{fmt.Errorf("log.format: %q is unknown: use json, text or auto", cfg.Format)}
	}
}

// terminal tells whether a person looks at w.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
