package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// configure reads a configuration file, variables (without prefix) and flags.
func configure(t *testing.T, file string, env map[string]string, flags ...string) (Config, error) {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	configFlags(fs)
	if file != "" {
		flags = append(flags, "--config", write(t, "onmyway.yaml", file))
	}
	for key, value := range env {
		t.Setenv(envPrefix+key, value)
	}
	if err := fs.Parse(flags); err != nil {
		t.Fatal(err)
	}
	return loadConfig(fs)
}

func write(t *testing.T, name, content string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestConfigPrecedence: flags before environment before file before defaults, for every type of value.
func TestConfigPrecedence(t *testing.T) {
	const file = `
kafka: {brokers: [file-1:9092, file-2:9092], partitions: 3, create_topics: false}
sms: {timeout: 4s}
http: {addr: ":1"}
`
	type values struct {
		Brokers    []string
		Partitions int
		Create     bool
		Timeout    time.Duration
		Addr       string
	}
	env := map[string]string{"KAFKA__BROKERS": "env-1:9092,env-2:9092", "KAFKA__PARTITIONS": "5", "KAFKA__CREATE_TOPICS": "true",
		"SMS__TIMEOUT": "5s", "HTTP__ADDR": ":2"}
	flags := []string{"--kafka.brokers", "flag-1:9092,flag-2:9092", "--kafka.partitions=7", "--kafka.create_topics=false",
		"--sms.timeout", "7s", "--http.addr", ":3"}
	tests := []struct {
		name  string
		file  string
		env   map[string]string
		flags []string
		want  values
	}{
		{"nothing said", "", nil, nil, values{nil, 6, true, 10 * time.Second, ":8080"}},
		{"file", file, nil, nil, values{[]string{"file-1:9092", "file-2:9092"}, 3, false, 4 * time.Second, ":1"}},
		{"environment over file", file, env, nil, values{[]string{"env-1:9092", "env-2:9092"}, 5, true, 5 * time.Second, ":2"}},
		{"flags over all", file, env, flags, values{[]string{"flag-1:9092", "flag-2:9092"}, 7, false, 7 * time.Second, ":3"}},
		{"flags over file", file, nil, flags[:2], values{[]string{"flag-1:9092", "flag-2:9092"}, 3, false, 4 * time.Second, ":1"}},
		{"environment alone", "", env, nil, values{[]string{"env-1:9092", "env-2:9092"}, 5, true, 5 * time.Second, ":2"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg, err := configure(t, tt.file, tt.env, tt.flags...)
			if err != nil {
				t.Fatal(err)
			}
			got := values{cfg.Kafka.Brokers, cfg.Kafka.Partitions, cfg.Kafka.CreateTopics, cfg.SMS.Timeout, cfg.HTTP.Addr}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
			if len(cfg.Routes) == 0 {
				t.Error("there are no routes")
			}
		})
	}
}

func TestConfigOtherWays(t *testing.T) {
	t.Run("file named by a variable", func(t *testing.T) {
		cfg, err := configure(t, "", map[string]string{"CONFIG": write(t, "a.yaml", "http: {addr: ':7'}")})
		if err != nil || cfg.HTTP.Addr != ":7" {
			t.Errorf("%q, %v", cfg.HTTP.Addr, err)
		}
	})
	t.Run("secret in a file", func(t *testing.T) {
		cfg, err := configure(t, "", map[string]string{"AUTH__BOOTSTRAP_KEY_FILE": write(t, "key", "0123456789abcdef\n"),
			"DATABASE__URL_FILE": write(t, "url", "postgres://u:p@h/d")})
		if err != nil || cfg.Auth.BootstrapKey != "0123456789abcdef" || cfg.Database.URL != "postgres://u:p@h/d" {
			t.Errorf("%+v, %v", cfg.Auth, err)
		}
	})
	t.Run("addresses of test servers are no configuration", func(t *testing.T) {
		if _, err := configure(t, "", map[string]string{"TEST_KAFKA": "h:1"}); err != nil {
			t.Error(err)
		}
	})
	t.Run("own routes replace the built-in ones", func(t *testing.T) {
		cfg, err := configure(t, "routes:\n- {name: all, channels: [websocket]}\n", nil)
		if err != nil || len(cfg.Routes) != 1 || cfg.Routes[0].Name != "all" {
			t.Errorf("%+v, %v", cfg.Routes, err)
		}
	})
}

// TestConfigErrors: an error names the key, says what to do, comes together with all others and shows no secret.
func TestConfigErrors(t *testing.T) {
	tests := []struct {
		name string
		file string
		env  map[string]string
		says []string
	}{
		{"unknown key", "kafka: {brokerz: [a]}", nil, []string{"kafka.brokerz", "did you mean kafka.brokers?"}},
		{"unknown section", "zzzzzzzz: 1", nil, []string{"zzzzzzzz is not a configuration key"}},
		{"unknown key of a route", "routes: [{name: x, channels: [websocket, sms], sms: {afer: 20s, unless: seen}}]", nil,
			[]string{"routes[0].sms knows no key afer", `routes[0].sms.unless: "seen" is unknown`}},
		{"unknown variable", "", map[string]string{"REDIS__URI": "redis://u:hunter2@h"}, []string{"redis.uri", "did you mean redis.url?"}},
		{"two unknown keys", "kafka: {brokerz: [a]}\nhtttp: {addr: x}", nil, []string{"kafka.brokers", "http.addr"}},
		{"no YAML", "kafka: [", nil, []string{"onmyway.yaml"}},
		{"not a number", "", map[string]string{"KAFKA__PARTITIONS": "many"}, []string{"partitions"}},
		{"not a duration", "", map[string]string{"SMS__TIMEOUT": "soon"}, []string{"timeout"}},
		{"secret file that is not there", "", map[string]string{"AUTH__TOKEN_SECRET_FILE": "/nowhere/secret"}, []string{"auth.token_secret_file", "/nowhere/secret"}},
		{"half a certificate", "kafka: {tls: {enabled: true, cert_file: a.pem}}", nil, []string{"kafka.tls.key_file is missing"}},
		{"half a key pair", "push: {vapid: {public_key: x}}", nil, []string{"push.vapid.private_key is missing"}},
		{"other half of a key pair", "", map[string]string{"PUSH__VAPID__PRIVATE_KEY": "hunter2"}, []string{"push.vapid.public_key is missing"}},
		{"half a login", "kafka: {sasl: {user: u, mechanism: plain}}", nil, []string{"kafka.sasl.password is missing"}},
		{"login without mechanism", "kafka: {sasl: {user: u, password: hunter2}}", nil, []string{"kafka.sasl.mechanism is missing"}},
		{"unknown mechanism", "kafka: {sasl: {user: u, password: hunter2, mechanism: gssapi}}", nil, []string{"scram-sha-256"}},
		{"half of Twilio", "sms: {twilio: {auth_token: hunter2}}", nil, []string{"sms.twilio.account_sid is missing", "sms.twilio.from"}},
		{"short keys", "auth: {bootstrap_key: hunter2, token_secret: hunter2}", nil, []string{"auth.bootstrap_key", "auth.token_secret", "openssl rand"}},
		{"time zone", "defaults: {time_zone: Mars/Olympus}", nil, []string{"defaults.time_zone"}},
		{"limits that are none", "sms: {rate_per_second: -1, breaker: 2}\npush: {burst: -1, rate_per_second: .inf}", nil,
			[]string{"sms.rate_per_second must be", "sms.breaker must be", "push.burst must be", "push.rate_per_second must be"}},
		{"a burst without a limit", "sms: {burst: 5}", nil, []string{"sms.burst is set but sms.rate_per_second is missing"}},
		{"no topics", "kafka: {topics: []}", nil, []string{"kafka.topics is empty"}},
		{"bad routes", "routes:\n- {name: a, milestones: [picked_in], channels: [fax]}", nil, []string{"picked_in", "fax"}},
		{"misspelt field of a route", "routes:\n- {name: a, chanels: [sms]}", nil, []string{"chanels"}},
		{"many at once", "kafka: {group: '', partitions: 0}\nsms: {lanes: 0, timeout: 1ms}", nil,
			[]string{"kafka.group", "kafka.partitions", "sms.lanes", "sms.timeout"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := configure(t, tt.file, tt.env)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tt.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it should say %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("it shows a secret: %v", err)
			}
		})
	}
}

// TestEveryKeyIsAFlag keeps the three ways of saying a thing in step.
func TestEveryKeyIsAFlag(t *testing.T) {
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	configFlags(fs)
	for _, key := range append([]string{"kafka.sasl.mechanism", "push.allow_insecure_endpoints", "embedded.data_dir"}, secrets...) {
		if fs.Lookup(key) == nil {
			t.Errorf("%s is not a flag", key)
		}
	}
	if err := fs.Parse([]string{"--sms.twilio.nothing=1"}); err == nil || errors.Is(err, pflag.ErrHelp) {
		t.Errorf("an unknown flag gives %v", err)
	}
}

var update = flag.Bool("update", false, "write docs/configuration.md")

// TestConfigurationIsDocumented keeps docs/configuration.md the list of all keys: run it with -update after a change.
func TestConfigurationIsDocumented(t *testing.T) {
	var doc strings.Builder
	doc.WriteString(`# Configuration

Flags win over environment variables, those over the file (` + "`--config` or `ONMYWAY_CONFIG`" + `, YAML), and that over the
defaults. ` + "`http.addr` is `http: {addr: …}` in the file, `ONMYWAY_HTTP__ADDR` in the environment and `--http.addr`" + ` as a flag;
lists are separated by commas outside the file. An unknown key is an error. Routes stand in the file only, see the end.

| key | default | |
|---|---|---|
`)
	eachKey(reflect.ValueOf(defaultConfig()), "", func(key, help string, v reflect.Value) {
		if help == "" {
			t.Errorf("%s has no help", key)
		}
		if slices.Contains(secrets, key) {
			help += ". A secret: `" + key + fileSuffix + "` reads it from a file"
		}
		value := fmt.Sprint(v.Interface())
		if list, ok := v.Interface().([]string); ok {
			value = strings.Join(list, ", ")
		}
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&doc, "| `%s` | %s | %s |\n", key, value, help)
	})
	doc.WriteString("\n## Routes\n\nThe default, and what a `routes` key of your own replaces as a whole:\n\n```yaml\n" + string(defaultRoutes) + "```\n")
	const path = "../../docs/configuration.md"
	if *update {
		if err := os.WriteFile(path, []byte(doc.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != doc.String() {
		t.Errorf("%s is not up to date (%v): go test ./cmd/onmyway -run Documented -update", path, err)
	}
}
