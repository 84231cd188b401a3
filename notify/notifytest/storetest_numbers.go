package notifytest

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

const number = "+14155550123" // of the messages of batchOf

// stop lets the recipient answer STOP in a text that the provider names sid.
func stop(t *testing.T, s notify.OptOuts, at time.Time, sid string, changed bool) []string {
	t.Helper()
	news, locales, err := s.Stop(t.Context(), at, notify.Inbound{From: number, Text: "STOP", ProviderID: sid})
	if news != changed || err != nil {
		t.Errorf("STOP in %s: changed is %v (%v), want %v", sid, news, err, changed)
	}
	return locales
}

func start(t *testing.T, s notify.OptOuts, at time.Time, sid string, changed bool) {
	t.Helper()
	news, _, err := s.Start(t.Context(), at, notify.Inbound{From: number, Text: "START", ProviderID: sid})
	if news != changed || err != nil {
		t.Errorf("START in %s: changed is %v (%v), want %v", sid, news, err, changed)
	}
}

// stopAsStaff stops a number as staff do.
func stopAsStaff(t *testing.T, s Truth, act notify.Act, phone, why string) notify.StoppedNumber {
	t.Helper()
	held, err := s.StopNumber(t.Context(), act, phone, why)
	if err != nil {
		t.Fatal(err)
	}
	return held
}

// isStopped checks who has stopped the number; empty for nobody.
func isStopped(t *testing.T, s Truth, want notify.StopSource) notify.StoppedNumber {
	t.Helper()
	n, stopped, err := s.StoppedNumber(t.Context(), number)
	if err != nil || n.Source != want || stopped != (want != "") {
		t.Errorf("the number is stopped by %q (%v, %v), want %q", n.Source, stopped, err, want)
	}
	return n
}

// addTo stores one text to the number, of an order of its own.
func addTo(t *testing.T, s notify.Store, order, customer string) notify.Message {
	t.Helper()
	b := batchOf(newEvent(order, customer, "picked_up", 1))
	add(t, s, b)
	return b.Messages[0]
}

func stopSuppresses(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	mine, hers, held := addTo(t, s, "CH-1", "c-1"), addTo(t, s, "CH-2", "c-2"), addTo(t, peer, "CH-3", "c-3")
	sending, unclear := addTo(t, s, "CH-4", "c-1"), addTo(t, s, "CH-5", "c-1")
	other := batchOf(newEvent("CH-6", "c-1", "picked_up", 1))
	other.Messages[0].Address = "+14155550999"
	add(t, s, other)
	for _, m := range []*notify.Message{&sending, &unclear} {
		begin(t, s, noon, m, true)
	}
	stages[notify.Verify](t, s, &unclear)
	if n, stopped, err := s.StoppedNumber(t.Context(), number); stopped || err != nil || n != (notify.StoppedNumber{}) {
		t.Errorf("before: %+v %v %v", n, stopped, err)
	}
	stop(t, peer, later, "SM-in-1", true)
	for _, m := range []notify.Message{mine, hers, held} {
		stands(t, s, m.ID, notify.Suppressed, notify.Stopped)
		if e := entry(t, s, m.ID); len(e.History) != 1 || e.History[0] != (notify.Step{At: later, State: notify.Suppressed, Reason: notify.Stopped}) {
			t.Errorf("history %+v", e.History)
		}
	}
	begin(t, s, noon, &mine, false)
	stands(t, s, other.Messages[0].ID, notify.Pending, "")
	// What was on its way may arrive, and does not come back.
	stages[notify.Pending](t, s, &sending)
	stands(t, s, sending.ID, notify.Suppressed, notify.Stopped)
	settle(t, s, notify.Settlement{Message: unclear.ID, Attempt: 1, State: notify.Pending, DueAt: noon})
	stands(t, s, unclear.ID, notify.Suppressed, notify.Stopped)
	// What comes afterwards is stored, and does not begin.
	after := addTo(t, s, "CH-7", "c-9")
	begin(t, s, noon, &after, false)
	stands(t, s, after.ID, notify.Suppressed, notify.Stopped)
	begin(t, s, noon, &other.Messages[0], true)
	if n := isStopped(t, s, notify.StoppedByReply); !n.Since.Equal(later) || n.By != notify.ByRecipient {
		t.Errorf("stopped by %q since %v", n.By, n.Since)
	}
}

func stopOnce(t *testing.T, nodes Nodes) {
	s := nodes(t)
	start(t, s, noon, "SM-in-1", false)
	stop(t, s, noon, "SM-in-2", true)
	stop(t, s, noon, "SM-in-2", false) // the same text
	stop(t, s, noon, "SM-in-3", false) // another one that says the same
	start(t, s, later, "SM-in-4", true)
	stop(t, s, later, "SM-in-3", false) // an old one
	isStopped(t, s, "")
	stop(t, s, later, "SM-in-5", true)
	start(t, s, later, "SM-in-4", false) // an old one
	start(t, s, later, "SM-in-1", false)
	isStopped(t, s, notify.StoppedByReply)
	for _, sid := range []string{"", ""} { // texts without a name are all new
		start(t, s, later, sid, true)
		stop(t, s, later, sid, true)
	}
	object := notify.NumberObject(number)
	if strings.Contains(object, "555") || object != notify.NumberObject(number) || len(object) != len("number:")+16 {
		t.Errorf("the number is called %s", object)
	}
	var want []string
	for i := range 7 { // the newest first
		did, detail := notify.DidStop, `{"source":"reply"}`
		if i%2 == 1 {
			did, detail = notify.DidStart, `{"sources":["reply"]}`
		}
		want = append(want, did+" "+object+" "+detail)
	}
	rows := audit(t, s, object)
	if diff := cmp.Diff(want, deeds(rows)); diff != "" {
		t.Error("audit (-want +got):\n" + diff)
	}
	if rows[0].By != notify.ByRecipient {
		t.Errorf("the audit says that %q did it", rows[0].By)
	}
	verify(t, s, 7)
}

func stopLifted(t *testing.T, nodes Nodes) {
	s := nodes(t)
	by := By("ann", noon)
	if err := s.AllowNumber(t.Context(), by, number, ""); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("allow a number that nobody stopped: %v, want ErrNotFound", err)
	}
	stop(t, s, noon, "SM-in-1", true)
	if err := s.AllowNumber(t.Context(), by, number, ""); !errors.Is(err, notify.ErrNotStaffs) {
		t.Errorf("staff lift a STOP: %v, want ErrNotStaffs", err)
	}
	stopAsStaff(t, s, by, number, "asked by phone")
	isStopped(t, s, notify.StoppedByReply) // the recipient's weighs more
	start(t, s, later, "SM-in-2", false)   // the number stays stopped, so there is nothing to confirm
	isStopped(t, s, notify.StoppedByStaff)
	start(t, s, later, "SM-in-3", false)
	stop(t, s, later, "SM-in-4", true)
	if err := s.AllowNumber(t.Context(), by, number, ""); err != nil {
		t.Fatal(err)
	}
	isStopped(t, s, notify.StoppedByReply)
	start(t, s, later, "SM-in-5", true)
	isStopped(t, s, "")
	m := addSent(t, s, 1)
	begin(t, s, noon, &m, true)
	verify(t, s, 6)
}

func stopByStaff(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m := addSent(t, s, 1)
	want := notify.StoppedNumber{Source: notify.StoppedByStaff, Since: later, By: "ann", Why: "wrong number"}
	for _, act := range []notify.Act{By("ann", later), By("ben", later.Add(time.Hour))} { // the second finds that of the first
		if held := stopAsStaff(t, s, act, number, "wrong number"); held != want {
			t.Errorf("%s: the stop that holds is %+v, want %+v", act.By, held, want)
		}
	}
	if n := isStopped(t, s, notify.StoppedByStaff); n != want {
		t.Errorf("stopped: %+v, want %+v", n, want)
	}
	stands(t, s, m.ID, notify.Suppressed, notify.Stopped)
	rows := audit(t, s, notify.NumberObject(number))
	if len(rows) != 1 || rows[0].By != "ann" || string(rows[0].Detail) != `{"source":"staff"}` {
		t.Errorf("audit %+v", rows)
	}
	for _, phone := range []string{"", "+1\x00"} {
		if _, err := s.StopNumber(t.Context(), By("ann", later), phone, ""); !errors.Is(err, notify.ErrBadRow) {
			t.Errorf("stop %q: %v, want ErrBadRow", phone, err)
		}
	}
}

func stopByProvider(t *testing.T, nodes Nodes) {
	s := nodes(t)
	m, waiting := addTo(t, s, "CH-1", "c-1"), addTo(t, s, "CH-2", "c-1")
	begin(t, s, noon, &m, true)
	o := notify.Outcome{Message: m.ID, Channel: notify.SMS, State: notify.Suppressed, Reason: notify.Stopped, Attempt: attempt(1, notify.Permanent)}
	o.Attempt.Reason, o.Attempt.Code = notify.Stopped, 21610
	finish(t, s, o)
	finish(t, s, o)
	stands(t, s, m.ID, notify.Suppressed, notify.Stopped)
	stands(t, s, waiting.ID, notify.Suppressed, notify.Stopped)
	if n := isStopped(t, s, notify.StoppedByProvider); !n.Since.Equal(noon.Add(time.Second)) {
		t.Errorf("stopped since %v", n.Since)
	}
	rows := audit(t, s, notify.NumberObject(number))
	if len(rows) != 1 || rows[0].By != notify.ByProvider || string(rows[0].Detail) != `{"source":"provider"}` {
		t.Errorf("audit %+v", rows)
	}
	start(t, s, later, "SM-in-1", true)
	isStopped(t, s, "")
	// Of other channels an outcome says nothing about a number.
	e := newEvent("CH-3", "c-1", "picked_up", 3)
	b := batchOf(e)
	b.Messages = []notify.Message{newMessage(&e, notify.Push, number)}
	add(t, s, b)
	o.Message, o.Channel = b.Messages[0].ID, notify.Push
	finish(t, s, o)
	isStopped(t, s, "")
}

func stopRefusesResend(t *testing.T, nodes Nodes) {
	s := nodes(t)
	r := sentAt(t, s, noon)
	stop(t, s, noon, "SM-in-1", true)
	for _, force := range []bool{false, true} {
		ask := *r
		ask.Force = force
		_, _, err := s.AddResend(t.Context(), By("ann", noon.Add(time.Hour)), &ask)
		if refusal := (*notify.Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != notify.RefuseStopped {
			t.Errorf("force %v: %v, want a refusal", force, err)
		}
	}
	push := *r
	push.Channel, push.Address = notify.Push, "sub-1"
	if _, _, err := s.AddResend(t.Context(), By("ann", noon.Add(time.Hour)), &push); err != nil {
		t.Errorf("as a push: %v", err)
	}
}

func stopLocales(t *testing.T, nodes Nodes) {
	s := nodes(t)
	for i, locale := range []string{"es-MX", "en-US", "", "es-MX"} {
		PutCustomer(t, s, noon, notify.Customer{ID: fmt.Sprint("c-", i), Contact: notify.Contact{Phone: number, Locale: locale}})
	}
	PutCustomer(t, s, noon, notify.Customer{ID: "c-9", Contact: notify.Contact{Phone: "+14155550999", Locale: "de"}})
	if diff := cmp.Diff([]string{"", "en-US", "es-MX"}, stop(t, s, noon, "SM-in-1", true)); diff != "" {
		t.Error("locales (-want +got):\n" + diff)
	}
	_, locales, err := s.Start(t.Context(), later, notify.Inbound{From: "+14155550999", ProviderID: "SM-in-2"})
	if diff := cmp.Diff([]string{"de"}, locales); diff != "" || err != nil {
		t.Errorf("locales (-want +got): %v\n%s", err, diff)
	}
}
