package main

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// readSpan reads a length of time: as Go writes it, or in days ("90d").
func readSpan(s string) (time.Duration, error) {
	const most = 100 * 365 // days
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= most {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return d, nil
	}
	return 0, errors.New("write a length of time like 90d, 12h or 30m")
}

// readWhen reads a moment: RFC 3339, a day of the reader's own calendar, or how long ago.
func readWhen(s string, now time.Time) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, s, time.Local); err == nil {
		return day, nil
	}
	if ago, err := readSpan(s); err == nil {
		return now.Add(-ago), nil
	}
	return time.Time{}, errors.New("write a time like 2026-11-21T19:00:00Z, a day like 2026-11-21, or how long ago: 2h, 3d")
}
