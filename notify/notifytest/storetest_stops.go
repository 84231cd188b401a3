package notifytest

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

func stopsByPages(t *testing.T, nodes Nodes) {
	s := nodes(t)
	const other = "+14155550999"
	for _, phone := range []string{other, number} {
		stopAsStaff(t, s, By("ann", noon), phone, "wrong number")
	}
	stop(t, s, later, "SM-in-1", true)
	list := func(phone string, before int64, limit int) []notify.NumberStop {
		t.Helper()
		stops, err := s.Stops(t.Context(), phone, before, limit)
		if err != nil {
			t.Fatal(err)
		}
		return stops
	}
	all := list("", 0, 10)
	if len(all) != 3 || all[0].Source != notify.StoppedByReply || all[0].Phone != number || all[2].Phone != other || all[2].Why != "wrong number" {
		t.Fatalf("all: %+v", all)
	}
	pages := append(list("", 0, 2), list("", all[1].No, 2)...)
	if diff := cmp.Diff(all, pages); diff != "" {
		t.Error("by pages of two (-want +got):\n" + diff)
	}
	if err := s.AllowNumber(t.Context(), By("ben", later), number, "owner asked"); err != nil {
		t.Fatal(err)
	}
	if err := s.AllowNumber(t.Context(), By("ben", later), other, "\x00"); !errors.Is(err, notify.ErrBadRow) {
		t.Errorf("lift with NUL: %v, want ErrBadRow", err)
	}
	lifted := all[1]
	lifted.Lifted = notify.Lift{At: later, By: "ben", Why: "owner asked"}
	if diff := cmp.Diff([]notify.NumberStop{all[0], lifted}, list(number, 0, 10)); diff != "" {
		t.Error("of one number (-want +got):\n" + diff)
	}
	if diff := cmp.Diff([]notify.NumberStop{all[0], all[2]}, list("", 0, 10)); diff != "" {
		t.Error("those that hold (-want +got):\n" + diff)
	}
	if got := list("+14155550777", 0, 10); len(got) != 0 {
		t.Errorf("of a number that nobody stopped: %+v", got)
	}
}

// Who lost the answer to a lift asks again within a day. What was stopped since is not lifted, and not hidden, by that.
func stopLiftedAgain(t *testing.T, nodes Nodes) {
	s := nodes(t)
	lift := func(after time.Duration, want error) {
		t.Helper()
		if err := s.AllowNumber(t.Context(), By("ann", noon.Add(after)), number, "owner asked"); !errors.Is(err, want) {
			t.Errorf("lift after %s: %v, want %v", after, err, want)
		}
	}
	stop(t, s, noon.Add(-time.Hour), "SM-in-1", true)
	stopAsStaff(t, s, By("ann", noon), number, "wrong number")
	lift(time.Hour, nil)
	lift(2*time.Hour, nil) // although the recipient's own stop holds, as it did then
	start(t, s, noon.Add(2*time.Hour), "SM-in-2", true)
	lift(2*time.Hour, nil)
	stop(t, s, noon.Add(3*time.Hour), "SM-in-3", true)
	lift(3*time.Hour, notify.ErrNotStaffs)
	start(t, s, noon.Add(4*time.Hour), "SM-in-4", true)
	lift(25*time.Hour-time.Millisecond, nil)
	lift(25*time.Hour, notify.ErrNotFound)
	if err := s.AllowNumber(t.Context(), By("ann", noon.Add(time.Hour)), "+14155550999", ""); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("lift of another number: %v, want ErrNotFound", err)
	}
	list, err := s.Stops(t.Context(), number, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range list {
		if n.Source == notify.StoppedByStaff && !n.Lifted.At.Equal(noon.Add(time.Hour)) {
			t.Errorf("lifted at %s, want the first time", n.Lifted.At)
		}
	}
	verify(t, s, 6) // asking again is no act
}
