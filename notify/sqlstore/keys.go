package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"onmyway/notify"
)

const keyList = `id, name, scopes, hash, created_at, created_by, expires_at, last_used_at, revoked_at`

func scanKey(scan func(...any) error) (k notify.APIKey, err error) {
	var scopes, hash []byte
	err = scan(&k.ID, &k.Name, &scopes, &hash, timeIn{&k.CreatedAt}, &k.CreatedBy, timeIn{&k.ExpiresAt},
		timeIn{&k.LastUsedAt}, timeIn{&k.RevokedAt})
	if err != nil {
		return k, err
	}
	copy(k.Hash[:], hash)
	return k, json.Unmarshal(scopes, &k.Scopes)
}

// CreateKey stores an API key. Errors: notify.ErrKeyName when one that is not revoked has its name.
func (s *Store) CreateKey(ctx context.Context, act notify.Act, k notify.APIKey) error {
	scopes, err := json.Marshal(k.Scopes)
	if err == nil && !clean(k.ID, k.Name, k.CreatedBy) {
		err = fmt.Errorf("a text has NUL or broken UTF-8: %w", notify.ErrBadRow)
	}
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			const q = `INSERT INTO api_keys (` + keyList + `) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0) ON CONFLICT DO NOTHING`
			result, err := tx.ExecContext(ctx, q, k.ID, k.Name, string(scopes), k.Hash[:], millis(k.CreatedAt), k.CreatedBy, millis(k.ExpiresAt))
			if err != nil {
				return err
			}
			if n, err := affected(result); err != nil || n == 0 {
				return errors.Join(err, notify.ErrKeyName)
			}
			return s.record(ctx, tx, act, deed{notify.DidCreateKey, "key:" + k.ID, map[string]any{"name": k.Name, "scopes": k.Scopes}})
		})
	}
	if err != nil {
		return fmt.Errorf("store an API key: %w", err)
	}
	return nil
}

// Keys lists all API keys, also those that are revoked, the oldest first.
func (s *Store) Keys(ctx context.Context) (all []notify.APIKey, err error) {
	rows, err := s.read.QueryContext(ctx, `SELECT `+keyList+` FROM api_keys ORDER BY created_at, id`)
	if err == nil {
		_, err = drain(rows, func(scan func(...any) error) error {
			k, err := scanKey(scan)
			all = append(all, k)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list API keys: %w", err)
	}
	return all, nil
}

// Key is an API key, also one that is revoked, so that who holds it can be told. Nothing is remembered between calls, so a
// key that was revoked on one node is so on all. Errors: notify.ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (notify.APIKey, error) {
	return oneKey(s.read.QueryRowContext(ctx, `SELECT `+keyList+` FROM api_keys WHERE id = $1`, id))
}

func oneKey(row *sql.Row) (notify.APIKey, error) {
	k, err := scanKey(row.Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = notify.ErrNotFound
	}
	if err != nil {
		return notify.APIKey{}, fmt.Errorf("API key: %w", err)
	}
	return k, nil
}

// RevokeKey ends an API key, by its id or name. Errors: notify.ErrNotFound when there is none that is not revoked.
func (s *Store) RevokeKey(ctx context.Context, act notify.Act, nameOrID string) (k notify.APIKey, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		const q = `UPDATE api_keys SET revoked_at = $1 WHERE revoked_at = 0 AND id = (SELECT id FROM api_keys
			WHERE revoked_at = 0 AND (id = $2 OR name = $2) ORDER BY id = $2 DESC LIMIT 1) RETURNING ` + keyList
		if k, err = oneKey(tx.QueryRowContext(ctx, q, millis(act.At), nameOrID)); err != nil {
			return err
		}
		return s.record(ctx, tx, act, deed{notify.DidRevokeKey, "key:" + k.ID, map[string]any{"name": k.Name}})
	})
	if err != nil {
		return notify.APIKey{}, fmt.Errorf("revoke: %w", err)
	}
	return k, nil
}

// KeyUsed notes when an API key was last used, to the minute: within one, it writes once.
func (s *Store) KeyUsed(ctx context.Context, id string, at time.Time) error {
	const q = `UPDATE api_keys SET last_used_at = $1 WHERE id = $2 AND last_used_at < $1`
	if _, err := s.db.ExecContext(ctx, q, millis(at.Truncate(time.Minute)), id); err != nil {
		return fmt.Errorf("note that an API key was used: %w", err)
	}
	return nil
}
