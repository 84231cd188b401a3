package sqlstore

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"

	"onmyway/notify"
)

// Repeated returns the message that an earlier call under the same idempotency key made. It returns notify.ErrKeyReused
// when that call asked for something else.
func (s *Store) Repeated(ctx context.Context, key notify.Idempotent) (id notify.ID, made bool, err error) {
	const q = `SELECT body_hash, message_id FROM idempotency WHERE principal = $1 AND key = $2`
	var hash []byte
	err = s.read.QueryRowContext(ctx, q, key.Principal, key.Key).Scan(&hash, idOf{&id})
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return id, false, nil
	case err != nil:
		return id, false, fmt.Errorf("look up an idempotency key: %w", err)
	case !bytes.Equal(hash, key.BodyHash[:]):
		return id, false, notify.ErrKeyReused
	}
	return id, true, nil
}
