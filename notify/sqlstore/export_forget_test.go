package sqlstore

import "onmyway/notify"

// Forgetting are the statements of Forget, asked about rows from the first id to the last.
func (s *Store) Forgetting(first, last notify.ID, orders []string) []Statement {
	now := int64(1) << 50
	return []Statement{
		{"next messages", nextKeys(notify.KeptMessages), []string{"messages_pkey", "sqlite_autoindex_messages_1"}, []any{first[:], last[:], 500}},
		{"next events", nextKeys(notify.KeptEvents), []string{"events_pkey", "sqlite_autoindex_events_1"}, []any{first[:], last[:], 500}},
		{"next letters", nextKeys(notify.KeptLetters), []string{"dead_letters_pkey", "sqlite_autoindex_dead_letters_1"}, []any{first[:], last[:], 500}},
		{"next answers", nextAnswers, []string{"idempotency_pkey", "sqlite_autoindex_idempotency_1"}, []any{"p", "k", 500}},
		{"messages", forgetMessages, []string{"messages_pkey", "sqlite_autoindex_messages_1"}, []any{first[:], last[:], now}},
		{"events to lock", eventsToForget, []string{"events_pkey", "sqlite_autoindex_events_1"}, []any{first[:], last[:], now}},
		{"events", forgetEvents, []string{"events_pkey", "sqlite_autoindex_events_1"}, []any{first[:], last[:], now, first[:], last[:]}},
		{"heads", forgetHeads(s.dialect), []string{"order_heads_pkey", "sqlite_autoindex_order_heads_1"}, []any{s.dialect.texts(orders), now}},
		{"letters", forgetLetters, []string{"dead_letters_pkey", "sqlite_autoindex_dead_letters_1"}, []any{first[:], last[:], now}},
		{"answers", forgetAnswers, []string{"idempotency_pkey", "sqlite_autoindex_idempotency_1"}, []any{"p", "k", "p", "m", now}},
	}
}
