package notify_test

import (
	"testing"
	"time"

	"onmyway/notify"
)

func TestQuietHoursUntil(t *testing.T) {
	tests := []struct {
		name, zone, start, end, at, want string
	}{
		{"in the day", "America/Los_Angeles", "22:00", "08:00", "2026-11-21 12:00", "2026-11-21 12:00"},
		{"before midnight", "America/Los_Angeles", "22:00", "08:00", "2026-11-21 23:30", "2026-11-22 08:00"},
		{"after midnight", "America/Los_Angeles", "22:00", "08:00", "2026-11-21 03:00", "2026-11-21 08:00"},
		{"the first minute", "America/Los_Angeles", "22:00", "08:00", "2026-11-21 22:00", "2026-11-22 08:00"},
		{"the minute they end", "America/Los_Angeles", "22:00", "08:00", "2026-11-21 08:00", "2026-11-21 08:00"},
		{"within one day", "Europe/Berlin", "13:00", "15:00", "2026-11-21 14:59", "2026-11-21 15:00"},
		{"none when start is end", "Europe/Berlin", "13:00", "13:00", "2026-11-21 13:00", "2026-11-21 13:00"},
		{"the night that clocks go forward", "America/New_York", "22:00", "08:00", "2026-03-07 23:00", "2026-03-08 08:00"},
		{"the night that clocks go back", "America/New_York", "22:00", "08:00", "2026-10-31 23:00", "2026-11-01 08:00"},
		{"an end that does not exist that night", "America/New_York", "22:00", "02:30", "2026-03-08 01:00", "2026-03-08 03:00"},
		{"a zone off by half an hour", "Asia/Kolkata", "21:00", "07:30", "2026-11-21 22:15", "2026-11-22 07:30"},
		{"the last day of the year", "Pacific/Honolulu", "20:00", "08:00", "2026-12-31 21:00", "2027-01-01 08:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			zone, err := time.LoadLocation(tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			at, want := wall(t, tt.at, zone), wall(t, tt.want, zone)
			if got := quiet(t, tt.start, tt.end).Until(at, zone); !got.Equal(want) {
				t.Errorf("until %s, want %s", got.In(zone), want)
			}
		})
	}
}

// An hour that comes twice: quiet until 01:30 ends at the first 01:30, so a message at the second 01:10 leaves at once.
func TestQuietHoursEndWhenTheHourComesTwice(t *testing.T) {
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	q := quiet(t, "22:00", "01:30")
	first := time.Date(2026, 11, 1, 5, 10, 0, 0, time.UTC)  // 01:10 EDT
	second := time.Date(2026, 11, 1, 6, 10, 0, 0, time.UTC) // 01:10 EST
	if got, want := q.Until(first, zone), time.Date(2026, 11, 1, 5, 30, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("in the first hour until %s, want %s", got.UTC(), want)
	}
	if got := q.Until(second, zone); !got.Equal(second) {
		t.Errorf("in the second hour until %s, want no waiting", got.UTC())
	}
}

func FuzzQuietHours(f *testing.F) {
	f.Add(int64(1772953200), uint16(1320), uint16(480), "America/New_York")
	f.Add(int64(1793512200), uint16(1320), uint16(90), "America/New_York")
	f.Add(int64(1791000000), uint16(0), uint16(150), "Australia/Lord_Howe")
	f.Fuzz(func(t *testing.T, unix int64, start, end uint16, name string) {
		zone, err := time.LoadLocation(name)
		if err != nil || unix < 0 || unix > 4102444800 {
			return
		}
		q := notify.QuietHours{Start: notify.Clock(start % 1440), End: notify.Clock(end % 1440)}
		at := time.Unix(unix, 0)
		got := q.Until(at, zone)
		if got.Before(at) {
			t.Fatalf("%s is before %s", got, at)
		}
		if d := got.Sub(at); d > 26*time.Hour {
			t.Fatalf("held for %s", d)
		}
		if awake := (q.Start - q.End + 1440) % 1440; awake < 120 {
			return // all of the waking hours may lie in the hour that the clocks jump over
		}
		if again := q.Until(got, zone); again.After(got) {
			t.Fatalf("released at %s into quiet hours until %s", got.In(zone), again.In(zone))
		}
	})
}

func FuzzParseClock(f *testing.F) {
	f.Add("22:30")
	f.Add("24:00")
	f.Fuzz(func(t *testing.T, s string) {
		if c, err := notify.ParseClock(s); err == nil && c.String() != s {
			t.Fatalf("%q reads as %s", s, c)
		}
	})
}

func quiet(t *testing.T, start, end string) notify.QuietHours {
	t.Helper()
	s, err := notify.ParseClock(start)
	if err != nil {
		t.Fatal(err)
	}
	e, err := notify.ParseClock(end)
	if err != nil {
		t.Fatal(err)
	}
	return notify.QuietHours{Start: s, End: e}
}

func wall(t *testing.T, s string, zone *time.Location) time.Time {
	t.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", s, zone)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
