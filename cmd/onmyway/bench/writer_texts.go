package bench

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
)

// unsent are messages as they were before anything was done about them.
func (t *table) unsent(messages [][]any) [][]any {
	before := map[string]any{"state": "pending", "provider_id": "", "attempt": 0, "attempts": nil, "owner": "0123456789abcdef"}
	list := make([][]any, len(messages))
	for i, row := range messages {
		list[i] = slices.Clone(row)
		for column, value := range before {
			list[i][t.at(column)] = value
		}
	}
	return list
}

// begin makes "sending" durable, before a provider would be asked.
func (w *writer) begin(ctx context.Context, messages [][]any) error {
	return w.update(ctx, messages, `UPDATE messages SET state = 'sending', attempt = attempt + 1, updated_at = ? WHERE id = ? AND state = 'pending'`,
		"updated_at", "id")
}

// finish stores what came of it.
func (w *writer) finish(ctx context.Context, messages [][]any) error {
	return w.update(ctx, messages, `UPDATE messages SET state = ?, reason = ?, provider_id = ?, attempts = ?, owner = ?, updated_at = ?
		WHERE id = ? AND state = 'sending'`, "state", "reason", "provider_id", "attempts", "owner", "updated_at", "id")
}

// update runs a statement for each message, with its columns, in one transaction.
func (w *writer) update(ctx context.Context, messages [][]any, statement string, columns ...string) error {
	return w.inTx(ctx, func(tx *sql.Tx) error {
		stmt, err := tx.PrepareContext(ctx, statement)
		if err != nil {
			return fmt.Errorf("prepare an update: %w", err)
		}
		defer func() { _ = stmt.Close() }()
		args := make([]any, len(columns))
		for _, row := range messages {
			for i, c := range columns {
				args[i] = row[w.message.at(c)]
			}
			if _, err := stmt.ExecContext(ctx, args...); err != nil {
				return fmt.Errorf("update a message: %w", err)
			}
		}
		return nil
	})
}
