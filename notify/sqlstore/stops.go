package sqlstore

import (
	"context"
	"fmt"

	"onmyway/notify"
)

const (
	stopList   = `no, address, source, since, who, why, 0 AS lifted_at, '' AS lifted_by, '' AS lifted_why FROM stopped_numbers`
	liftedList = `no, address, source, since, who, why, lifted_at, lifted_by, lifted_why FROM lifted_stops`
)

// Stops lists the stops of numbers that hold, the newest first; of one number (E.164), also those that were lifted. Before is
// the No of a stop: only older ones are listed, unless it is 0.
func (s *Store) Stops(ctx context.Context, phone string, before int64, limit int) (list []notify.NumberStop, err error) {
	q, args := `SELECT `+stopList+` WHERE ($1 = 0 OR no < $1) ORDER BY no DESC LIMIT $2`, []any{before, limit}
	if phone != "" {
		q = `SELECT * FROM (SELECT ` + stopList + ` WHERE address = $3 UNION ALL SELECT ` + liftedList + ` WHERE address = $3) AS stops
			WHERE ($1 = 0 OR no < $1) ORDER BY no DESC LIMIT $2`
		args = append(args, phone)
	}
	rows, err := s.read.QueryContext(ctx, q, args...)
	if err == nil {
		_, err = drain(rows, func(scan func(...any) error) error {
			var n notify.NumberStop
			err := scan(&n.No, &n.Phone, &n.Source, timeIn{&n.Since}, &n.By, &n.Why, timeIn{&n.Lifted.At}, &n.Lifted.By, &n.Lifted.Why)
			list = append(list, n)
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("list stopped numbers: %w", err)
	}
	return list, nil
}
