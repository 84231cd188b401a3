package bench

import (
	"context"
	"log/slog"
	"path/filepath"

	"onmyway/cmd/onmyway/embedded"
)

type enginesTask struct{ Dir string }

type enginesAnswer struct{ Kafka, Redis string } // host:port, redis://…

// runEngines is the part that runs Kafka and Redis for everybody else: what they cost is nobody's figure.
func runEngines(ctx context.Context, l *line) error {
	var task enginesTask
	l.hear(&task)
	log := slog.New(slog.DiscardHandler)
	kafka, err := embedded.Kafka(ctx, "127.0.0.1:0", filepath.Join(task.Dir, "kafka"), []string{topic, topic + ".dead"}, log)
	if err != nil {
		return err
	}
	defer kafka.Close()
	redis, err := embedded.Redis(ctx, "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer redis.Close()
	if err := l.say(enginesAnswer{kafka.Addr, "redis://" + redis.Addr}); err != nil {
		return err
	}
	l.wait()
	return nil
}
