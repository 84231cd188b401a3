package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"onmyway/notify"
	"onmyway/notify/redisstore"
	"onmyway/notify/sqlstore"
)

const (
	slowRedis    = 5 * time.Millisecond // a batch waits for one round trip, and gives up at ten times that
	slowDatabase = 50 * time.Millisecond
	fewConns     = 20 // a process opens up to ten and a new one starts before the old one ends
)

func (d *doctor) redis(ctx context.Context) []finding {
	a := area{name: "Redis"}
	if d.cfg.Redis.URL == "" {
		a.warn("server", "redis.url is not set: serve runs an embedded one, for one process", "set redis.url in production")
		return a.list
	}
	tlsConfig, err := d.cfg.Redis.TLS.load("redis.tls")
	if err != nil {
		a.fail("server", err.Error(), "correct the files under redis.tls")
		return a.list
	}
	quiet := slog.New(slog.DiscardHandler)
	store, err := redisstore.Open(ctx, redisstore.Config{URL: d.cfg.Redis.URL, TLS: tlsConfig}, "doctor", quiet)
	if err != nil {
		a.fail("server", err.Error(), "start Redis, or correct redis.url and redis.tls")
		return a.list
	}
	defer func() { _ = store.Close() }()
	seen, err := store.Inspect(ctx)
	if err != nil {
		a.fail("server", err.Error(), "allow the user INFO and PING")
		return a.list
	}
	a.cache(seen)
	return a.list
}

// cache judges what was seen of Redis. It may forget anything at any moment, so only what makes it slow or useless counts.
func (a *area) cache(v redisstore.Server) {
	switch {
	case v.Role == "slave":
		a.fail("server", "Redis "+v.Version+" is a replica: it takes no writes", "point redis.url at the primary")
	case v.Cluster:
		a.warn("server", "Redis "+v.Version+" runs as a cluster: keys of one batch lie on several servers", "use a server or a primary with replicas")
	default:
		a.ok("server", "Redis %s", v.Version)
	}
	switch {
	case v.MaxMemory == 0:
		a.ok("memory", "%s used, no limit; every key has an end", sizeOf(v.UsedMemory))
	case v.Policy == "noeviction":
		a.warn("memory", fmt.Sprintf("%s of %s used, maxmemory-policy is noeviction: when it is full nothing new is remembered, and SQL has the work",
			sizeOf(v.UsedMemory), sizeOf(v.MaxMemory)), "set maxmemory-policy to allkeys-lru: what is dropped is found in SQL")
	default:
		a.ok("memory", "%s of %s used, %s: what is dropped is found in SQL", sizeOf(v.UsedMemory), sizeOf(v.MaxMemory), v.Policy)
	}
	if v.RoundTrip > slowRedis {
		a.warn("latency", fmt.Sprintf("a round trip takes %s", v.RoundTrip.Round(100*time.Microsecond)), "run Redis in the same zone: every batch waits for one round trip")
	} else {
		a.ok("latency", "a round trip takes %s", v.RoundTrip.Round(10*time.Microsecond))
	}
	if !v.MayPublish {
		a.fail("live bus", "the user may not publish", "allow the user the channels omw:* (ACL: &omw:*)")
	}
}

func sizeOf(bytes int64) string { return fmt.Sprintf("%.1f MB", float64(bytes)/1e6) }

func (d *doctor) database(ctx context.Context) []finding {
	a := area{name: "Database"}
	cfg := d.cfg
	if cfg.Database.URL == "" {
		file := filepath.Join(cfg.Embedded.DataDir, "onmyway.db")
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			a.warn("server", "database.url is not set: serve will make a SQLite file, for one process", "set database.url in production")
			return a.list
		}
		a.warn("server", "database.url is not set: everything is in a SQLite file, for one process", "set database.url in production")
	} else if path, isFile := strings.CutPrefix(cfg.Database.URL, "sqlite:"); isFile {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			a.warn("server", "the SQLite file is not there yet: serve will make it", "run `onmyway migrate up`, or serve")
			return a.list
		}
	}
	store, err := openStore(ctx, cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		a.fail("server", err.Error(), "start the database, or correct database.url")
		return a.list
	}
	defer func() { _ = store.Close() }()
	seen, err := store.Inspect(ctx)
	now := d.now()
	if err != nil {
		a.fail("server", err.Error(), "see why the database does not answer")
		return a.list
	}
	a.truth(seen, now)
	if a.schema(ctx, store, cfg.Migrate.Auto) {
		a.audit(ctx, store)
	}
	return a.list
}

// truth judges what was seen of the database.
func (a *area) truth(v sqlstore.Server, now time.Time) {
	a.ok("server", "%s %s", v.Engine, v.Version)
	if v.Writable {
		a.ok("writing", "takes writes")
	} else {
		a.fail("writing", "takes no writes", "point database.url at the primary, and see that the disk has room and the file may be written")
	}
	if len(v.Lazy) > 0 {
		a.fail("durability", strings.Join(v.Lazy, ", ")+": a crash can lose what was stored, and with it messages or the proof that they were sent",
			"set them to on")
	}
	if v.Took > slowDatabase {
		a.warn("latency", fmt.Sprintf("a question takes %s", v.Took.Round(time.Millisecond)), "run the database in the same region")
	} else {
		a.ok("latency", "a question takes %s", v.Took.Round(10*time.Microsecond))
	}
	if v.Free >= 0 && v.Free < fewConns {
		a.warn("connections", fmt.Sprintf("%d are left", v.Free), "raise max_connections: a process opens up to 10, and during an upgrade there are two")
	}
	if !v.Clock.IsZero() {
		a.clock(now, v.Clock, v.Took)
	}
}

// schema tells whether the tables are there, in whatever version.
func (a *area) schema(ctx context.Context, store *sqlstore.Store, auto bool) bool {
	all, err := store.Status(ctx)
	if err != nil {
		a.fail("schema", err.Error(), "let the user of database.url read and make tables")
		return false
	}
	var pending []string
	for _, m := range all {
		if m.AppliedAt.IsZero() {
			pending = append(pending, m.Name)
		}
	}
	switch seen := fmt.Sprintf("%s pending: %s", counted(len(pending), "migration"), strings.Join(pending, ", ")); {
	case len(pending) == 0:
		a.ok("schema", "up to date, %s applied", counted(len(all), "migration"))
	case auto:
		a.warn("schema", seen, "run `onmyway migrate up` before serve, or let serve apply them when it starts")
	default:
		a.fail("schema", seen, "run `onmyway migrate up`: migrate.auto is off, so serve refuses to start")
	}
	return len(pending) == 0
}

// audit checks that the record of what people did is whole.
func (a *area) audit(ctx context.Context, store *sqlstore.Store) {
	rows, err := store.VerifyAudit(ctx)
	switch {
	case err == nil:
		a.ok("audit", "%s, each proves the one before", counted(int(rows), "row"))
	case errors.Is(err, notify.ErrAuditBroken):
		a.fail("audit", err.Error(), "find out who wrote to the table audit by hand, and compare it with a backup")
	case ctx.Err() != nil:
		a.warn("audit", "was not read to the end in time", "run doctor again with a longer --timeout")
	default:
		a.fail("audit", err.Error(), "see why the table audit can't be read")
	}
}
