package bench

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/segmentio/kafka-go"
)

// realEngines measures the path on real servers against the same path on the embedded ones: what a network and servers
// with promises of their own cost.
type realEngines struct{ lab *lab }

// needsServers: all three.
func needsServers(l *lab) string {
	if l.Kafka == "" || l.Redis == "" || l.Database == "" {
		return "it needs real servers: --kafka, --redis and --database, or ONMYWAY_TEST_KAFKA, _REDIS and _POSTGRES"
	}
	return ""
}

func (r *realEngines) close() error { return nil }

func (r *realEngines) round(ctx context.Context, n int) (readings, error) {
	embedded, err := r.embedded(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("on embedded engines: %w", err)
	}
	servers, err := r.servers(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("on real servers: %w", err)
	}
	return readings{"real": {servers, embedded}}, nil
}

func (r *realEngines) embedded(ctx context.Context, n int) (perSecond float64, err error) {
	home, err := r.lab.site(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, home.close()) }()
	flow, err := home.flow(ctx, r.lab, throughputDeck(r.lab, n))
	return flow.stored, err
}

// servers makes a topic and a database of the round's own, and removes both afterwards.
func (r *realEngines) servers(ctx context.Context, n int) (perSecond float64, err error) {
	name := fmt.Sprintf("onmyway_bench_%d_%d", time.Now().UnixMilli(), n)
	dsn, drop, err := makeDatabase(ctx, r.lab.Database, name)
	if err != nil {
		return 0, err
	}
	home := &site{brokers: r.lab.Kafka, topic: name}
	defer func() {
		cleaning := context.WithoutCancel(ctx)
		err = errors.Join(err, home.close(), drop(cleaning), deleteTopics(cleaning, r.lab.Kafka, name, name+".dead"))
	}()
	if home.product, err = r.lab.serve(ctx, map[string]string{
		"kafka.brokers": r.lab.Kafka, "kafka.topics": name, "kafka.group": name, "kafka.dead_topic": name + ".dead",
		"redis.url": r.lab.Redis, "database.url": dsn,
	}); err != nil {
		return 0, err
	}
	if home.rows, err = openPostgres(dsn); err != nil {
		return 0, err
	}
	flow, err := home.flow(ctx, r.lab, throughputDeck(r.lab, n+1000))
	return flow.stored, err
}

// makeDatabase makes an empty database beside the one that dsn names.
func makeDatabase(ctx context.Context, dsn, name string) (own string, drop func(context.Context) error, err error) {
	at, err := url.Parse(dsn)
	if err != nil {
		return "", nil, errors.New("--database is no address: write postgres://user@host/database")
	}
	admin, err := openPostgres(dsn)
	if err != nil {
		return "", nil, err
	}
	if _, err := admin.db.ExecContext(ctx, `CREATE DATABASE `+name); err != nil {
		return "", nil, errors.Join(fmt.Errorf("make a database to measure in: %w", err), admin.close())
	}
	at.Path = "/" + name
	return at.String(), func(ctx context.Context) error {
		if _, err := admin.db.ExecContext(ctx, `DROP DATABASE `+name+` WITH (FORCE)`); err != nil {
			return errors.Join(fmt.Errorf("drop database %s: %w", name, err), admin.close())
		}
		return admin.close()
	}, nil
}

func deleteTopics(ctx context.Context, list string, names ...string) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	c := &kafka.Client{Addr: kafka.TCP(brokers(list)...), Transport: transport, Timeout: 10 * time.Second}
	if _, err := c.DeleteTopics(ctx, &kafka.DeleteTopicsRequest{Topics: names}); err != nil {
		return fmt.Errorf("delete the topics of the round: %w", err)
	}
	return nil
}
