package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestConfigPrint: each value is shown with where it came from, and no secret is shown at all.
func TestConfigPrint(t *testing.T) {
	file := write(t, "onmyway.yaml", `
kafka:
  brokers: [a:1, b:2]
  sasl: {mechanism: plain, user: u, password: hunter2}
sms: {}
push:
  vapid:
database:
  url: postgres://u:hunter2@h/d?sslmode=disable&sslpassword=hunter2
`)
	env := map[string]string{
		"ONMYWAY_CONFIG":                   file,
		"ONMYWAY_KAFKA__GROUP":             "blue",
		"ONMYWAY_REDIS__URL":               "redis://:hunter2@h:1/0",
		"ONMYWAY_AUTH__BOOTSTRAP_KEY_FILE": write(t, "key", "hunter2hunter2hunter2\n"),
	}
	flags := []string{"--http.addr", ":7", "--sms.timeout", "3s"}
	want := map[string][2]string{ // value, origin
		"kafka.brokers":       {"a:1, b:2", file + ":3"},
		"kafka.sasl.password": {"***", file + ":4"},
		"kafka.group":         {"blue", "environment ONMYWAY_KAFKA__GROUP"},
		"kafka.partitions":    {"6", "default"},
		"database.url":        {"postgres://u:***@h/d?sslmode=disable&sslpassword=***", file + ":9"},
		"redis.url":           {"redis://:***@h:1/0", "environment ONMYWAY_REDIS__URL"},
		"auth.bootstrap_key": {"***", "file " + env["ONMYWAY_AUTH__BOOTSTRAP_KEY_FILE"] +
			", named by environment ONMYWAY_AUTH__BOOTSTRAP_KEY_FILE"},
		"http.addr":   {":7", "flag --http.addr"},
		"sms.timeout": {"3s", "flag --sms.timeout"},
		"routes":      {fmt.Sprintf("%d routes", bytes.Count(defaultRoutes, []byte("- name:"))), "default"},
	}
	table := invoke(t, env, "", append([]string{"config", "print"}, flags...)...)
	if table.code != 0 || strings.Contains(table.out+table.err, "hunter2") {
		t.Fatalf("exit code %d:\n%s%s", table.code, table.out, table.err)
	}
	for line := range strings.Lines(table.out) {
		fields := slices.DeleteFunc(strings.Split(strings.TrimSpace(line), "  "), func(s string) bool { return s == "" })
		wanted, there := want[fields[0]]
		if !there {
			continue
		}
		if got := [2]string{strings.TrimSpace(fields[1]), strings.TrimSpace(fields[2])}; got != wanted {
			t.Errorf("%s: got %q, want %q", fields[0], got, wanted)
		}
		delete(want, fields[0])
	}
	if len(want) > 0 {
		t.Errorf("not shown: %v", want)
	}
	asJSON := invoke(t, env, "", append([]string{"config", "print", "-o", "json"}, flags...)...)
	var answer struct{ Keys []settingLine }
	if err := json.Unmarshal([]byte(asJSON.out), &answer); err != nil || len(answer.Keys) < 50 || strings.Contains(asJSON.out, "hunter2") {
		t.Errorf("%d keys, %v:\n%s", len(answer.Keys), err, asJSON.out)
	}
}

func TestShownText(t *testing.T) {
	tests := []struct{ key, text, want string }{
		{"database.url", "", ""},
		{"database.url", "sqlite:a.db", "sqlite:a.db"},
		{"database.url", "postgres://u:p%zz@h", "***"},
		{"database.url", "postgres://h/d?password=p", "postgres://h/d?password=***"},
		{"redis.url", "redis://p@h", "redis://p@h"}, // a user, no password
		{"sms.twilio.base_url", "https://u:p@proxy", "https://u:***@proxy"},
		{"sms.twilio.api_secret", "p", "***"},
		{"sms.twilio.from", "+14155550123", "+1••••••••23"},
		{"sms.twilio.from", "ACME", "ACME"},
		{"http.public_url", "https://h/x?y=1", "https://h/x?y=1"},
	}
	for _, tt := range tests {
		if got := shownText(tt.key, tt.text); got != tt.want {
			t.Errorf("%s %q is shown as %q, want %q", tt.key, tt.text, got, tt.want)
		}
	}
}

// TestConfigCheck: everything that is wrong at once, with its place; what production needs; nothing secret.
func TestConfigCheck(t *testing.T) {
	production := map[string]string{
		"ONMYWAY_KAFKA__BROKERS": "k:9092", "ONMYWAY_REDIS__URL": "redis://r:6379", "ONMYWAY_DATABASE__URL": "postgres://d/o?sslmode=verify-full",
		"ONMYWAY_HTTP__PUBLIC_URL": "https://notify.example.com", "ONMYWAY_AUTH__BOOTSTRAP_KEY": "hunter2hunter2hunter2",
	}
	with := func(key, value string) map[string]string {
		env := map[string]string{key: value}
		for k, v := range production {
			if _, there := env[k]; !there {
				env[k] = v
			}
		}
		return env
	}
	tests := []struct {
		name   string
		env    map[string]string
		file   string
		code   int
		says   []string
		silent []string
	}{
		{name: "nothing said", says: []string{"kafka.brokers", "http.public_url", "auth.bootstrap_key", "push.vapid", "embedded Kafka, Redis, SQL"}},
		{name: "production", env: production, says: []string{"sms.twilio.account_sid", "ok "},
			silent: []string{"embedded Kafka", "http.public_url", "auth.bootstrap_key", "database.url"}},
		{name: "plain http", env: with("ONMYWAY_HTTP__PUBLIC_URL", "http://notify.example.com"), says: []string{"browsers allow push over https only"}},
		{name: "plain database", env: with("ONMYWAY_DATABASE__URL", "postgres://u:hunter2@db/o"), says: []string{"sslmode=verify-full"}},
		{name: "for ever", env: with("ONMYWAY_RETENTION__MESSAGES", "0"), says: []string{"retention.messages", "stay for ever"}},
		{name: "open metrics", env: with("ONMYWAY_OPS__ADDR", ":9090"), says: []string{"ops.addr"}},
		{name: "many problems", code: 2, file: "htp: {addr: x}\nkafka: {partitions: 0}\nhttp:\n  trusted_proxies: [nowhere]\nlog: {level: loud}\n",
			says: []string{"htp.addr is not a configuration key", "kafka.partitions must be", "onmyway.yaml:2", "trusted_proxies", "log.level", "4 problems"}},
		{name: "not readable", code: 2, file: "kafka: {partitions: many}", says: []string{"kafka.partitions"}},
		{name: "not YAML", code: 2, file: "kafka: [", says: []string{"onmyway.yaml"}},
		{name: "VAPID halves", code: 2, env: map[string]string{"ONMYWAY_PUSH__VAPID__PUBLIC_KEY": "x", "ONMYWAY_PUSH__VAPID__PRIVATE_KEY": "hunter2"},
			says: []string{"push.vapid.public_key"}},
		{name: "no such folder of texts", code: 2, env: map[string]string{"ONMYWAY_TEMPLATES__DIR": "/nowhere"}, says: []string{"templates"}},
		{name: "no such file of half a pair", code: 2, env: map[string]string{"ONMYWAY_PUSH__VAPID__PUBLIC_KEY": "x", "ONMYWAY_PUSH__VAPID__PRIVATE_KEY_FILE": "/nowhere"},
			says: []string{"push.vapid.private_key_file", "1 problem"}, silent: []string{"is missing"}},
		{name: "no such file of a login", code: 2, file: "kafka: {brokers: [k:9092], sasl: {user: u, mechanism: plain, password_file: /nowhere}}",
			says: []string{"kafka.sasl.password_file", "1 problem"}, silent: []string{"is missing"}},
		{name: "no such file of a token, and a bad one", code: 2, file: "sms: {twilio: {account_sid: AC1, auth_token_file: /nowhere, auth_token_old: 'no token'}}",
			says: []string{"sms.twilio.auth_token_file", "sms.twilio.messaging_service_sid", "2 problems"}, silent: []string{"set sms.twilio.api_key"}},
		{name: "no such file of a secret", code: 2, env: map[string]string{"ONMYWAY_REDIS__URL_FILE": "/nowhere"}, says: []string{"redis.url_file"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"config", "check"}
			if tt.file != "" {
				args = append(args, "--config", write(t, "onmyway.yaml", tt.file))
			}
			for _, output := range []string{"table", "json"} {
				v := invoke(t, tt.env, "", append(args, "-o", output)...)
				v.want(t, tt.code, tt.says[:1]...)
				if output == "table" {
					v.want(t, tt.code, tt.says...)
				}
				for _, word := range append(tt.silent, "hunter2") {
					if strings.Contains(v.out+v.err, word) {
						t.Errorf("it says %q:\n%s%s", word, v.out, v.err)
					}
				}
				var found verdict
				if err := json.Unmarshal([]byte(v.out), &found); output == "json" && (err != nil || found.OK != (tt.code == 0)) {
					t.Errorf("%v:\n%s", err, v.out)
				}
			}
		})
	}
}
