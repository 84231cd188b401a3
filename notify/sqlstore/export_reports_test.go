package sqlstore

import (
	"onmyway/notify"
)

// Statement is one that runs for every round of sending, settling or polling, or for every callback.
type Statement struct {
	Name, SQL string
	Indexes   []string // through which it may come to rows of messages; none for the primary key
	Args      []any
}

// Statements are those that must not read tables whole, asked about some messages to a number.
func (s *Store) Statements(ids []notify.ID, phone string) []Statement {
	d := s.dialect
	list, now := d.ids(ids), int64(1)
	behindBy := []string{"messages_phone", "messages_order"}
	return []Statement{
		{"begin", beginQuery(d), behindBy, []any{now, s.me, list}},
		{"suppress", suppressQuery(d), nil, []any{now, s.me, list}},
		{"defer", deferQuery(d), behindBy, []any{now, s.me, list, now}},
		{"claim", claimQuery(d), append(behindBy, "messages_due"), []any{"sms", now, 500, s.me, now}},
		{"doubts", lookQuery(d, "$1"), []string{"messages_look"}, []any{now, now, "verify", 64}},
		{"silent", lookQuery(d, "$1"), []string{"messages_look"}, []any{now, now, "accepted", 100}},
		{"taken", takenQuery(d), []string{"messages_provider"}, []any{d.texts([]string{"SM-a", "SM-b"})}},
		{"under way", lockQuery(d, underWay(d)), []string{"messages_phone", "messages_state"}, []any{list}},
		{"waiting", lockQuery(d, waitingFor(d)), []string{"messages_phone"}, []any{d.texts([]string{phone})}},
		{"report", lockQuery(d, " WHERE id = $1"), nil, []any{ids[0][:]}},
		{"forgotten", "SELECT id FROM messages WHERE " + forgotten, []string{"messages_owner"}, []any{s.me, now, now}},
		{"locales", localesQuery, nil, []any{phone}},
		{"seen", seenQuery(d), nil, []any{list}},
		{"first seen", firstSeenQuery(d), nil, []any{now, list}},
		{"spare", spareQuery(d), []string{"messages_unless_shown"}, []any{now, list}},
		{"recent", recentQuery(d), []string{"messages_phone"}, []any{d.texts([]string{phone, "+14155550199"}), ids[0][:], now}},
		{"held", heldQuery(d), []string{"messages_owner"}, []any{now, 500}},
		{"told", toldQuery(d), []string{"messages_phone", "messages_customer"}, []any{phone, ids[0][:], "c-1", "%" + notify.ToldIn(ids[0]) + "%"}},
		{"parked", forgetParkedQuery, nil, []any{now, parkedStep}},
	}
}
