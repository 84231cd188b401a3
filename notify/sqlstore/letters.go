package sqlstore

import (
	"context"
	"fmt"

	"onmyway/notify"
)

// DeadLetters lists records that became no event, by the time of the record, the newest first. Before, when it is not zero,
// is the last one of the page before.
func (s *Store) DeadLetters(ctx context.Context, before notify.ID, limit int) (letters []notify.DeadLetter, err error) {
	q, args := `SELECT id, topic, part, off, record_at, key, value, headers, reason, problems, at FROM dead_letters`, []any{limit}
	if !before.IsZero() {
		q, args = q+` WHERE id < $2`, append(args, before[:])
	}
	rows, err := s.read.QueryContext(ctx, q+` ORDER BY id DESC LIMIT $1`, args...)
	if err == nil {
		_, err = drain(rows, func(scan func(...any) error) error {
			l, err := scanLetter(scan)
			letters = append(letters, l)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list dead letters: %w", err)
	}
	return letters, nil
}

func scanLetter(scan func(...any) error) (l notify.DeadLetter, err error) {
	var headers, problems []byte
	rec := &l.Record
	err = scan(idOf{&l.ID}, &rec.Topic, &rec.Partition, &rec.Offset, timeIn{&rec.Time}, &rec.Key, &rec.Value, &headers,
		&l.Reason, &problems, timeIn{&l.At})
	if err == nil {
		err = fromJSON(headers, &rec.Headers)
	}
	if err == nil {
		err = fromJSON(problems, &l.Problems)
	}
	return l, err
}
