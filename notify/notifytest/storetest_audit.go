package notifytest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/notify"
)

// audit is what was done to objects, the newest first.
func audit(t *testing.T, s Truth, objects ...string) []notify.AuditRow {
	t.Helper()
	rows, err := s.Audit(t.Context(), objects, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// verify checks the whole audit and how many rows it has.
func verify(t *testing.T, s Truth, want int64) {
	t.Helper()
	if n, err := s.VerifyAudit(t.Context()); n != want || err != nil {
		t.Errorf("verified %d rows (%v), want %d", n, err, want)
	}
}

// deeds are rows of the audit in words: what was done, to what, and the detail.
func deeds(rows []notify.AuditRow) (words []string) {
	for _, r := range rows {
		words = append(words, fmt.Sprintf("%s %s %s", r.Did, r.Object, r.Detail))
	}
	return words
}

func auditRows(t *testing.T, nodes Nodes) {
	s := nodes(t)
	verify(t, s, 0)
	var prev [32]byte
	var want []notify.AuditRow
	for i := range 5 {
		act := notify.Act{At: noon.Add(time.Duration(i) * time.Second), By: "ann", Request: fmt.Sprint("req-", i)}
		detail := any(map[string]any{"b": "<ü>", "a": i})
		text := fmt.Sprintf(`{"a":%d,"b":"\u003cü\u003e"}`, i)
		if i == 4 {
			act.Request, detail, text = "", nil, "{}"
		}
		if err := s.Record(t.Context(), act, notify.DidMakeToken, fmt.Sprint("customer:c-", i%2), detail); err != nil {
			t.Fatal(err)
		}
		row := notify.AuditRow{No: int64(i + 1), At: act.At, By: "ann", Request: act.Request, Did: notify.DidMakeToken,
			Object: fmt.Sprint("customer:c-", i%2), Detail: []byte(text)}
		row.Hash = row.Sum(prev)
		prev = row.Hash
		want = append([]notify.AuditRow{row}, want...)
	}
	if diff := cmp.Diff(want, audit(t, s)); diff != "" {
		t.Error("all (-want +got):\n" + diff)
	}
	if diff := cmp.Diff([]notify.AuditRow{want[1], want[3]}, audit(t, s, "customer:c-1", "customer:c-9")); diff != "" {
		t.Error("of one object (-want +got):\n" + diff)
	}
	for _, objects := range [][]string{nil, {"customer:c-0", "customer:c-1"}} {
		if rows, err := s.Audit(t.Context(), objects, 2); err != nil || cmp.Diff(want[:2], rows) != "" {
			t.Errorf("two of %q: %+v, %v", objects, rows, err)
		}
	}
	if rows := audit(t, s, "customer:c-9"); len(rows) != 0 {
		t.Errorf("%d rows of an object that nothing was done to", len(rows))
	}
	verify(t, s, 5)
	if err := s.Record(t.Context(), By("a\x00b", noon), notify.DidMakeToken, "x", nil); !errors.Is(err, notify.ErrBadRow) {
		t.Errorf("NUL in a name: %v, want ErrBadRow", err)
	}
	verify(t, s, 5)
}

// Writers on two nodes make one chain without gaps.
func auditParallel(t *testing.T, nodes Nodes) {
	both := []Truth{nodes(t), nodes(t)}
	const writers, each = 8, 10
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for i := range each {
				err := both[w%2].Record(t.Context(), By(fmt.Sprint("writer-", w), noon), notify.DidMakeToken, fmt.Sprint("customer:", w), map[string]any{"i": i})
				if err != nil {
					t.Errorf("writer %d: %v", w, err)
				}
			}
		})
	}
	all.Wait()
	for _, s := range both {
		verify(t, s, writers*each)
	}
	if rows := audit(t, both[0], "customer:3"); len(rows) != each {
		t.Errorf("%d rows of one writer, want %d", len(rows), each)
	}
}

func apiKeys(t *testing.T, nodes Nodes) {
	s, peer := nodes(t), nodes(t)
	ctx := t.Context()
	act := By("root", noon)
	make := func(name string, expires time.Time, scopes ...string) notify.APIKey {
		k, _ := notify.NewAPIKey(name, scopes, act, expires)
		return k
	}
	partner, staff := make("partner", noon.Add(time.Hour), "events:write"), make("staff", time.Time{}, "messages:read", "*")
	staff.CreatedAt = noon.Add(time.Second)
	for _, k := range []notify.APIKey{staff, partner} {
		if err := s.CreateKey(ctx, act, k); err != nil {
			t.Fatal(err)
		}
	}
	if err := peer.CreateKey(ctx, act, make("staff", time.Time{})); !errors.Is(err, notify.ErrKeyName) {
		t.Errorf("a name that is taken: %v, want ErrKeyName", err)
	}
	keys := func() []notify.APIKey {
		t.Helper()
		all, err := peer.Keys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if diff := cmp.Diff([]notify.APIKey{partner, staff}, keys()); diff != "" {
		t.Error("keys (-want +got):\n" + diff)
	}
	for _, at := range []time.Time{noon.Add(90 * time.Second), noon.Add(10 * time.Second)} { // the latest stays
		if err := s.KeyUsed(ctx, staff.ID, at); err != nil {
			t.Fatal(err)
		}
	}
	staff.LastUsedAt = noon.Add(time.Minute)
	if k, err := peer.Key(ctx, staff.ID); err != nil || cmp.Diff(staff, k) != "" {
		t.Errorf("one key: %+v, %v", k, err)
	}
	for _, name := range []string{"nobody", ""} {
		if _, err := s.RevokeKey(ctx, act, name); !errors.Is(err, notify.ErrNotFound) {
			t.Errorf("revoke %q: %v, want ErrNotFound", name, err)
		}
	}
	staff.RevokedAt = noon.Add(time.Hour)
	if k, err := peer.RevokeKey(ctx, By("root", staff.RevokedAt), "staff"); err != nil || cmp.Diff(staff, k) != "" {
		t.Errorf("revoked: %+v, %v", k, err)
	}
	if k, err := s.Key(ctx, staff.ID); err != nil || cmp.Diff(staff, k) != "" {
		t.Errorf("a key that was revoked on another node: %+v, %v", k, err)
	}
	if _, err := s.Key(ctx, "0000000000000000"); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("a key that is not there: %v, want ErrNotFound", err)
	}
	if _, err := s.RevokeKey(ctx, act, staff.ID); !errors.Is(err, notify.ErrNotFound) {
		t.Errorf("revoke once more: %v, want ErrNotFound", err)
	}
	next := make("staff", time.Time{}, "*")
	if err := s.CreateKey(ctx, act, next); err != nil {
		t.Errorf("the name of a key that was revoked: %v", err)
	}
	if k, err := s.RevokeKey(ctx, act, next.ID); err != nil || k.ID != next.ID {
		t.Errorf("revoke by id: %+v, %v", k, err)
	}
	want := []string{
		"key.revoke key:" + next.ID + ` {"name":"staff"}`, "key.create key:" + next.ID + ` {"name":"staff","scopes":["*"]}`,
		"key.revoke key:" + staff.ID + ` {"name":"staff"}`, "key.create key:" + partner.ID + ` {"name":"partner","scopes":["events:write"]}`,
		"key.create key:" + staff.ID + ` {"name":"staff","scopes":["messages:read","*"]}`,
	}
	if diff := cmp.Diff(want, deeds(audit(t, s))); diff != "" {
		t.Error("audit (-want +got):\n" + diff)
	}
	if len(keys()) != 3 {
		t.Errorf("%d keys, want 3", len(keys()))
	}
	verify(t, s, 5)
}
