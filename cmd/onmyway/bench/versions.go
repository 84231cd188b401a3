package bench

import (
	"context"
	"log/slog"
	"time"

	"onmyway/notify/kafkasource"
	"onmyway/notify/redisstore"
	"onmyway/notify/sqlstore"
)

// versions names the real servers that are there. One that does not answer fails its own figure, not this.
func (o *Options) versions(ctx context.Context) (list []string) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	log := slog.New(slog.DiscardHandler)
	if o.Kafka != "" {
		cfg := kafkasource.Config{Brokers: brokers(o.Kafka), Topics: []string{topic}, Group: "onmyway-bench"}
		if c, err := kafkasource.Inspect(ctx, cfg, time.Now()); err == nil {
			list = append(list, "Apache Kafka "+c.Release)
		}
	}
	if o.Redis != "" {
		list = append(list, redisVersion(ctx, o.Redis, log)...)
	}
	if o.Database != "" {
		list = append(list, databaseVersion(ctx, o.Database, log)...)
	}
	return list
}

func redisVersion(ctx context.Context, url string, log *slog.Logger) []string {
	s, err := redisstore.Open(ctx, redisstore.Config{URL: url}, "bench", log)
	if err != nil {
		return nil
	}
	defer func() { _ = s.Close() }()
	v, err := s.Inspect(ctx)
	if err != nil {
		return nil
	}
	return []string{"Redis " + v.Version}
}

func databaseVersion(ctx context.Context, url string, log *slog.Logger) []string {
	s, err := sqlstore.Open(ctx, url, log)
	if err != nil {
		return nil
	}
	defer func() { _ = s.Close() }()
	v, err := s.Inspect(ctx)
	if err != nil {
		return nil
	}
	return []string{v.Engine + " " + v.Version}
}
