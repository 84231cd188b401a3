package notify_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
	"onmyway/notify/notifytest"
)

// attic is an archive with some old rows in each table. A row takes perRow to delete.
type attic struct {
	rows      map[notify.Kept]int
	perRow    time.Duration
	downUntil time.Time

	asked  []notify.Kept               // in the order of rounds
	before map[notify.Kept]time.Time   // of the last step
	steps  map[notify.Kept][]int       // the limits of all steps
	starts map[notify.Kept][]time.Time // of rounds
	busy   time.Duration
}

func newAttic(perRow time.Duration, rows map[notify.Kept]int) *attic {
	return &attic{rows: rows, perRow: perRow, before: map[notify.Kept]time.Time{}, steps: map[notify.Kept][]int{},
		starts: map[notify.Kept][]time.Time{}}
}

func (a *attic) Forget(_ context.Context, table notify.Kept, before time.Time, from string, limit int) (notify.Forgotten, error) {
	if time.Now().Before(a.downUntil) {
		return notify.Forgotten{}, errDown
	}
	if from == "" {
		a.asked = append(a.asked, table)
		a.starts[table] = append(a.starts[table], time.Now())
	}
	a.before[table], a.steps[table] = before, append(a.steps[table], limit)
	n := min(limit, a.rows[table])
	a.rows[table] -= n
	f := notify.Forgotten{Rows: n, Held: time.Duration(n) * a.perRow}
	if table == notify.KeptEvents && n > 0 {
		f.Heads = 1
	}
	if a.rows[table] > 0 {
		f.Next = fmt.Sprint(table, a.rows[table])
	}
	time.Sleep(f.Held)
	a.busy += f.Held
	return f, nil
}

const day = 24 * time.Hour

// runRetention runs it over an archive for a time. It returns what the hooks counted, and the log.
func runRetention(t *testing.T, a *attic, keep map[notify.Kept]time.Duration, d time.Duration) (counted map[string]int, log string) {
	t.Helper()
	var text bytes.Buffer
	to := slog.New(slog.NewTextHandler(&text, nil))
	counted = map[string]int{}
	r := &notify.Retention{
		Store: a, Keep: keep, Log: to, SQL: &notify.Outage{Engine: "SQL", Log: to}, Now: time.Now,
		Hooks: &notify.Hooks{Forgotten: func(table string, rows int) { counted[table] += rows }},
	}
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return counted, text.String()
}

var everything = map[notify.Kept]time.Duration{
	notify.KeptMessages: 400 * day, notify.KeptEvents: 400 * day, notify.KeptLetters: 90 * day, notify.KeptAnswers: 7 * day,
}

func TestRetentionRemovesWhatIsOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttic(time.Microsecond, map[notify.Kept]int{
			notify.KeptMessages: 3000, notify.KeptEvents: 2000, notify.KeptLetters: 1, notify.KeptAnswers: 0})
		counted, log := runRetention(t, a, everything, 30*time.Minute)
		want := map[string]int{"messages": 3000, "events": 2000, "dead_letters": 1}
		want["order_heads"] = len(a.steps[notify.KeptEvents])
		if diff := cmp.Diff(want, counted); diff != "" {
			t.Error("counted (-want +got):\n" + diff)
		}
		if diff := cmp.Diff([]notify.Kept{notify.KeptMessages, notify.KeptEvents, notify.KeptLetters, notify.KeptAnswers}, a.asked); diff != "" {
			t.Error("the round, in which events follow their messages (-want +got):\n" + diff)
		}
		for table, keep := range everything {
			began := a.starts[table][0]
			if got := began.Sub(a.before[table]); got != keep {
				t.Errorf("%s: rows are kept for %s, want %s", table, got, keep)
			}
		}
		if !strings.Contains(log, "messages=3000 events=2000 dead_letters=1 order_heads=") || strings.Count(log, "\n") != 1 {
			t.Errorf("the log says %q, want one line with the counts", log)
		}
	})
}

func TestRetentionKeepsForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttic(0, map[notify.Kept]int{notify.KeptMessages: 10, notify.KeptEvents: 10, notify.KeptLetters: 10})
		counted, log := runRetention(t, a, map[notify.Kept]time.Duration{notify.KeptLetters: day}, 3*day)
		if diff := cmp.Diff(map[string]int{"dead_letters": 10}, counted); diff != "" {
			t.Error("counted (-want +got):\n" + diff)
		}
		if n := len(a.starts[notify.KeptLetters]); n < 50 || n > 100 {
			t.Errorf("%d rounds in three days, want one every hour or so", n)
		}
		if strings.Count(log, "\n") != 1 {
			t.Errorf("the log is %q: rounds without a row say nothing", log)
		}
	})
}

// Nobody waits for long: steps are short, and nine tenths of the time are left to others.
func TestRetentionGivesWay(t *testing.T) {
	for _, test := range []struct {
		name   string
		perRow time.Duration
		longer bool // than the first step
		last   [2]int
	}{
		{"a fast disk", 2 * time.Microsecond, true, [2]int{500, 500}},
		{"a slow disk", 200 * time.Microsecond, false, [2]int{50, 50}},
		{"a very slow disk", 20 * time.Millisecond, false, [2]int{50, 50}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAttic(test.perRow, map[notify.Kept]int{notify.KeptMessages: 20_000})
				length := 2 * time.Hour
				runRetention(t, a, map[notify.Kept]time.Duration{notify.KeptMessages: 30 * day}, length)
				steps := a.steps[notify.KeptMessages]
				if last := steps[len(steps)/2]; last < test.last[0] || last > test.last[1] {
					t.Errorf("in the middle a step takes %d rows, want %v", last, test.last)
				}
				if a.busy > length/10 {
					t.Errorf("busy for %s of %s", a.busy, length)
				}
			})
		})
	}
}

func TestRetentionComesBackAfterAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttic(0, map[notify.Kept]int{notify.KeptMessages: 10})
		a.downUntil = time.Now().Add(20 * time.Minute)
		counted, log := runRetention(t, a, everything, 22*time.Minute)
		if counted["messages"] != 10 {
			t.Errorf("counted %v after the database came back", counted)
		}
		if strings.Count(log, "does not answer") != 1 || strings.Count(log, "answers again") != 1 {
			t.Errorf("the log is %q", log)
		}
	})
}

func TestRetentionStopsBetweenSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAttic(time.Millisecond, map[notify.Kept]int{notify.KeptMessages: 1_000_000})
		length := 10 * time.Minute
		began := time.Now()
		counted, log := runRetention(t, a, everything, length)
		if took := time.Since(began) - length; took > time.Second {
			t.Errorf("it stopped %s after it was told to", took)
		}
		if counted["messages"] == 0 || !strings.Contains(log, "messages=") || strings.Contains(log, "does not answer") {
			t.Errorf("%v have left, the log is %q: want what was done until the stop", counted, log)
		}
	})
}

// No milestone stays true for so long that an event whose row has left could be told again.
func TestMilestonesEndBeforeTheyAreForgotten(t *testing.T) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			if 2*m.Validity > notify.LeastKept {
				t.Errorf("%s %s is true for %s: rows may leave after %s", line, m.Name, m.Validity, notify.LeastKept)
			}
		}
	}
}

// Kafka keeps a topic for longer than SQL keeps its events, and an operator reads it again from the start.
func TestEventsFromKafkaAfterTheirRowsHaveLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t)
		var err error
		r.rules.Routes, err = notify.CompileRoutes([]notify.Route{{Name: "all",
			Urgencies: []notify.Urgency{notify.Low, notify.Normal, notify.High}, Channels: []notify.Channel{notify.WebSocket, notify.SMS}}})
		if err != nil {
			t.Fatal(err)
		}
		events := oneOfEach(time.Now())
		r.log.produce(events...)
		stop := r.start()
		time.Sleep(time.Minute)
		stop()
		texts := len(r.sms.accepted)
		if texts == 0 || texts != len(r.sms.counts()) {
			t.Fatalf("%d texts were accepted, of %d messages", texts, len(r.sms.counts()))
		}

		r.restart()
		time.Sleep(notify.LeastKept + time.Minute)
		forgetAll(t, r.store)
		if n := len(r.store.Events()) + len(r.store.Messages()); n != 0 {
			t.Fatalf("%d events and messages are left", n)
		}
		r.cache.Forget()
		r.log.produce(events...)
		stop = r.start()
		time.Sleep(time.Minute)
		stop()
		if len(r.sms.accepted) != texts {
			t.Errorf("%d texts were accepted a second time", len(r.sms.accepted)-texts)
		}
		again := r.store.Events()
		if len(again) != len(events) {
			t.Errorf("%d events are stored again, want %d", len(again), len(events))
		}
		for _, e := range again {
			if e.State != notify.Suppressed || e.Milestone.Visible && e.Reason != notify.Expired {
				t.Errorf("%s %s is %s (%q), want it expired", e.Line, e.Milestone.Name, e.State, e.Reason)
			}
		}
	})
}

// oneOfEach is an event of every milestone, each of an order of its own.
func oneOfEach(at time.Time) (events []notify.Event) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			e := event(len(events), at)
			e.Line, e.Milestone = line, m
			events = append(events, e)
		}
	}
	return events
}

// forgetAll lets leave what has the least age to do so.
func forgetAll(t *testing.T, s *notifytest.Store) {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	r := &notify.Retention{
		Store: s, Keep: map[notify.Kept]time.Duration{notify.KeptMessages: notify.LeastKept, notify.KeptEvents: notify.LeastKept},
		Log: quiet, SQL: &notify.Outage{Engine: "SQL", Log: quiet}, Now: time.Now,
	}
	if err := r.Round(t.Context()); err != nil {
		t.Fatal(err)
	}
}
