package bench

import (
	"context"
	"errors"
	"time"
)

// starting measures the first start in an empty folder, with every engine in the process.
type starting struct{ lab *lab }

func (s *starting) close() error { return nil }

func (s *starting) round(ctx context.Context, _ int) (got readings, err error) {
	dir, err := s.lab.folder()
	if err != nil {
		return nil, err
	}
	p, err := s.lab.serve(ctx, map[string]string{"embedded.data_dir": dir, "embedded.kafka_addr": "127.0.0.1:0"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.close()) }()
	time.Sleep(2 * time.Second)
	idle, err := p.memory()
	if err != nil {
		return nil, err
	}
	return readings{"start": {value: p.ready.Seconds()}, "start-memory": {value: float64(idle) / (1 << 20)}}, nil
}
