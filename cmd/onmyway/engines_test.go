package main

import (
	"net/url"
	"strings"
	"testing"
	"time"
)

// TestMigrate: the schema is shown, is not touched without leave, and is brought up to date.
func TestMigrate(t *testing.T) {
	env := []string{"ONMYWAY_EMBEDDED__DATA_DIR=" + t.TempDir(), "ONMYWAY_EMBEDDED__KAFKA_ADDR=127.0.0.1:0",
		"ONMYWAY_HTTP__ADDR=127.0.0.1:0", "ONMYWAY_OPS__ADDR=127.0.0.1:0"}
	steps := []struct {
		args string
		code int
		says string
	}{
		{"migrate status", 0, "missing"},
		{"serve --migrate.auto=false", 1, "onmyway migrate up"},
		{"migrate up", 0, ""},
		{"migrate status", 0, "Z\n"}, // a time in UTC
		{"migrate up", 0, ""},
	}
	for _, s := range steps {
		code, out := program(t, env, strings.Fields(s.args)...)
		if code != s.code || !strings.Contains(out, s.says) {
			t.Fatalf("%s: exit code %d, want %d; it should say %q:\n%s", s.args, code, s.code, s.says, out)
		}
	}
}

// TestEnginesThatAreNotThere: serve gives up within the time of a probe, says what to do and shows no password.
func TestEnginesThatAreNotThere(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: a probe takes 15 s")
	}
	t.Parallel()
	closed := address(t)
	tests := []struct {
		name string
		env  string
		says []string
	}{
		{"kafka", "ONMYWAY_KAFKA__BROKERS=" + closed, []string{"Kafka", closed}},
		{"redis", "ONMYWAY_REDIS__URL=redis://user:hunter2@" + closed, []string{"start Redis", closed}},
		{"postgres", "ONMYWAY_DATABASE__URL=postgres://user:hunter2@" + closed + "/db", []string{"PostgreSQL", "database.url"}},
		{"redis: no URL", "ONMYWAY_REDIS__URL=hunter2", []string{"redis://"}},
		{"postgres: no URL", "ONMYWAY_DATABASE__URL=postgres://user:hunter2@h:port/db", []string{"database.url"}},
		{"data directory", "ONMYWAY_EMBEDDED__DATA_DIR=/dev/null/data", []string{"embedded.data_dir"}},
		{"kafka address", "ONMYWAY_EMBEDDED__KAFKA_ADDR=0.0.0.0:1", []string{"embedded.kafka_addr"}},
		{"public key", "ONMYWAY_PUSH__VAPID__PUBLIC_KEY=hunter2", []string{"push.vapid"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			env := []string{"ONMYWAY_EMBEDDED__DATA_DIR=" + t.TempDir(), "ONMYWAY_EMBEDDED__KAFKA_ADDR=127.0.0.1:0",
				"ONMYWAY_HTTP__ADDR=127.0.0.1:0", "ONMYWAY_OPS__ADDR=127.0.0.1:0", tt.env}
			if tt.name == "public key" {
				env = append(env, "ONMYWAY_PUSH__VAPID__PRIVATE_KEY=hunter2")
			}
			began := time.Now()
			code, out := program(t, env, "serve")
			if took := time.Since(began); code != 1 || took > probeTimeout+10*time.Second {
				t.Errorf("exit code %d after %s", code, took)
			}
			for _, want := range tt.says {
				if !strings.Contains(out, want) {
					t.Errorf("it should say %q:\n%s", want, out)
				}
			}
			if strings.Contains(out, "hunter2") {
				t.Errorf("it shows a password:\n%s", out)
			}
		})
	}
}

// TestNoPasswordOfADatabaseThatRefusesIt shows what a person with a wrong password reads.
func TestNoPasswordOfADatabaseThatRefusesIt(t *testing.T) {
	at, err := url.Parse(realServers(t).postgres)
	if err != nil {
		t.Fatal(err)
	}
	at.User, at.Path = url.UserPassword("nobody_of_that_name", "hunter2"), "/nothing"
	code, out := program(t, []string{"ONMYWAY_DATABASE__URL=" + at.String()}, "migrate", "status")
	if code != 1 || strings.Contains(out, "hunter2") || !strings.Contains(out, "database.url") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
}
