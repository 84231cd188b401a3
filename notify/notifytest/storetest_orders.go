package notifytest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func deadLetters(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i := range 5 {
		r := notify.Reject{Record: notify.Record{Offset: int64(i), Time: noon.Add(time.Duration(i%3) * time.Minute)}, Reason: "not_json", At: noon}
		add(t, s, &notify.Batch{Now: noon, Rejects: []notify.Reject{r}})
	}
	var got []notify.DeadLetter
	for before, page := (notify.ID{}), 0; page < 3; page++ {
		letters, err := s.DeadLetters(t.Context(), before, 2)
		if err != nil || len(letters) != []int{2, 2, 1}[page] {
			t.Fatalf("page %d has %d letters, %v", page, len(letters), err)
		}
		got, before = append(got, letters...), letters[len(letters)-1].ID
	}
	for i := 1; i < len(got); i++ {
		if compareIDs(got[i-1].ID, got[i].ID) <= 0 || got[i-1].Record.Time.Before(got[i].Record.Time) {
			t.Errorf("letter %d of %s comes after that of %s", i, got[i].Record.Time, got[i-1].Record.Time)
		}
	}
}

func orderLines(t *testing.T, nodes Nodes) {
	s := nodes(t)
	var want []notify.Head
	for i, line := range []notify.Line{notify.TitleRegistration, notify.CarHaul, notify.DriveAway} {
		e := newEvent("CH-1", "c-1", "picked_up", int64(i+1))
		e.Line, e.Milestone = line, notify.Milestones(line)[0]
		e.ID = notify.NewID(e.OccurredAt, string(line))
		b := batchOf(e)
		b.Heads = []notify.Head{headOf(&e, 0)}
		add(t, s, b)
		want = append(want, headOf(&e, 1))
	}
	want = []notify.Head{want[1], want[2], want[0]} // as people say them
	got, err := s.Order(t.Context(), "CH-1")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, lines (-want +got):\n%s", err, diff)
	}
	if _, err := s.Order(t.Context(), "CH-2"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("an unknown order: %v, want ErrNotFound", err)
	}
}
