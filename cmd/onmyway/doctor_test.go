package main

import (
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"onmyway/channels/twilio"
	"onmyway/channels/twilio/twiliotest"
	"onmyway/notify/kafkasource"
	"onmyway/notify/redisstore"
	"onmyway/notify/sqlstore"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// TestDoctorJudges: what was seen, and what doctor makes of it. Wanted are the checks that are not ok, as "grade check".
func TestDoctorJudges(t *testing.T) {
	kafka := KafkaConfig{Topics: []string{"order-events"}, Group: "onmyway", CreateTopics: true, Partitions: 6}
	theirs := kafka
	theirs.CreateTopics = false
	topic := func(change func(*kafkasource.Topic)) kafkasource.Topic {
		good := kafkasource.Topic{Name: "order-events", Partitions: 6, Replicas: 3, InSync: 3, Settings: map[string]string{
			"cleanup.policy": "delete", "retention.ms": "604800000", "min.insync.replicas": "2"}}
		change(&good)
		return good
	}
	cluster := func(cfg KafkaConfig, brokers int, change func(*kafkasource.Topic)) func(*area) {
		return func(a *area) {
			a.cluster(kafkasource.Cluster{Brokers: brokers, Release: "4.1 or later", Topics: []kafkasource.Topic{topic(change)}}, cfg)
		}
	}
	redis := func(v redisstore.Server) func(*area) {
		v.MayPublish = !v.MayPublish // the good value is the zero value here
		return func(a *area) { a.cache(v) }
	}
	sql := func(change func(*sqlstore.Server)) func(*area) {
		good := sqlstore.Server{Engine: "PostgreSQL", Version: "17", Writable: true, Clock: noon, Took: time.Millisecond, Free: 90}
		change(&good)
		return func(a *area) { a.truth(good, noon) }
	}
	account := func(err error, change func(*twilio.Account)) func(*area) {
		good := twilio.Account{Status: "active", Sender: "phone number", Pool: true, Clock: noon, Took: 100 * time.Millisecond}
		change(&good)
		return func(a *area) { a.account(good, err, noon) }
	}
	usual := defaultConfig()
	tests := []struct {
		name string
		see  func(*area)
		want []string
	}{
		{"kafka: good", cluster(kafka, 3, func(*kafkasource.Topic) {}), nil},
		{"kafka: one broker", cluster(kafka, 1, func(t *kafkasource.Topic) { t.Replicas, t.InSync, t.Settings["min.insync.replicas"] = 1, 1, "1" }),
			[]string{"warning cluster"}},
		{"kafka: missing, may be made", cluster(kafka, 3, func(t *kafkasource.Topic) { *t = kafkasource.Topic{Name: t.Name, Missing: true} }), []string{"warning topic order-events"}},
		{"kafka: missing", cluster(theirs, 3, func(t *kafkasource.Topic) { *t = kafkasource.Topic{Name: t.Name, Missing: true} }), []string{"failed topic order-events"}},
		{"kafka: denied", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Denied = true }), []string{"failed topic order-events"}},
		{"kafka: no leader", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Leaderless = 1 }), []string{"failed topic order-events"}},
		{"kafka: compacted", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Settings["cleanup.policy"] = "compact,delete" }), []string{"warning topic order-events"}},
		{"kafka: short retention", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Settings["retention.ms"] = "3600000" }), []string{"warning topic order-events"}},
		{"kafka: for ever", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Settings["retention.ms"] = "-1" }), nil},
		{"kafka: hidden settings", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Settings = nil }), nil},
		{"kafka: one copy", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Replicas, t.InSync, t.Settings["min.insync.replicas"] = 1, 1, "1" }), []string{"warning topic order-events"}},
		{"kafka: acknowledged by one", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Settings["min.insync.replicas"] = "1" }), []string{"warning topic order-events"}},
		{"kafka: behind", cluster(kafka, 3, func(t *kafkasource.Topic) { t.InSync = 2 }), []string{"warning topic order-events"}},
		{"kafka: refuses writes", cluster(kafka, 3, func(t *kafkasource.Topic) { t.InSync = 1 }), []string{"failed topic order-events"}},
		{"kafka: lost records", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Lost = true }), []string{"failed topic order-events"}},
		{"kafka: late records", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Late, t.Unread = true, 9 }), []string{"warning topic order-events"}},
		{"kafka: one partition", cluster(kafka, 3, func(t *kafkasource.Topic) { t.Partitions = 1 }), []string{"warning topic order-events"}},

		{"redis: good", redis(redisstore.Server{Role: "master", Policy: "allkeys-lru", MaxMemory: 1e8}), nil},
		{"redis: no limit", redis(redisstore.Server{Role: "master", Policy: "noeviction"}), nil},
		{"redis: full is full", redis(redisstore.Server{Role: "master", Policy: "noeviction", MaxMemory: 1e8}), []string{"warning memory"}},
		{"redis: replica", redis(redisstore.Server{Role: "slave"}), []string{"failed server"}},
		{"redis: cluster", redis(redisstore.Server{Role: "master", Cluster: true}), []string{"warning server"}},
		{"redis: far away", redis(redisstore.Server{Role: "master", RoundTrip: 20 * time.Millisecond}), []string{"warning latency"}},
		{"redis: no channel", redis(redisstore.Server{Role: "master", MayPublish: true}), []string{"failed live bus"}},

		{"sql: good", sql(func(*sqlstore.Server) {}), nil},
		{"sql: SQLite", sql(func(v *sqlstore.Server) { v.Engine, v.Clock, v.Free = "SQLite", time.Time{}, -1 }), nil},
		{"sql: a standby", sql(func(v *sqlstore.Server) { v.Writable = false }), []string{"failed writing"}},
		{"sql: not durable", sql(func(v *sqlstore.Server) { v.Lazy = []string{"fsync=off"} }), []string{"failed durability"}},
		{"sql: far away", sql(func(v *sqlstore.Server) { v.Took = 80 * time.Millisecond }), []string{"warning latency"}},
		{"sql: crowded", sql(func(v *sqlstore.Server) { v.Free = 3 }), []string{"warning connections"}},
		{"sql: clock off by 3 s", sql(func(v *sqlstore.Server) { v.Clock = noon.Add(3 * time.Second) }), []string{"warning clock"}},
		{"sql: clock off by a minute", sql(func(v *sqlstore.Server) { v.Clock = noon.Add(-time.Minute) }), []string{"failed clock"}},

		{"twilio: good", account(nil, func(*twilio.Account) {}), nil},
		{"twilio: trial", account(nil, func(v *twilio.Account) { v.Trial = true }), []string{"warning account"}},
		{"twilio: suspended", account(nil, func(v *twilio.Account) { v.Status = "suspended" }), []string{"failed account"}},
		{"twilio: restricted key", account(nil, func(v *twilio.Account) { v.Status, v.Clock = "", time.Time{} }), nil},
		{"twilio: credentials", account(twilio.ErrCredentials, func(v *twilio.Account) { v.Sender = "" }), []string{"failed account"}},
		{"twilio: not reached", account(errors.New("reach Twilio: no answer"), func(v *twilio.Account) { v.Sender = "" }), []string{"failed account"}},
		{"twilio: no number", account(twilio.ErrNoNumber, func(*twilio.Account) {}), []string{"failed sender"}},
		{"twilio: empty pool", account(nil, func(v *twilio.Account) { v.Pool = false }), []string{"failed sender"}},
		{"twilio: a second is within its precision", account(nil, func(v *twilio.Account) { v.Clock = noon.Add(-2900 * time.Millisecond) }), nil},
		{"twilio: clock", account(nil, func(v *twilio.Account) { v.Clock = noon.Add(-5 * time.Second) }), []string{"warning clock"}},

		{"files: enough", func(a *area) { a.files(20_000, &usual) }, nil},
		{"files: too few", func(a *area) { a.files(1024, &usual) }, []string{"warning open files"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := area{name: "test"}
			tt.see(&a)
			if len(a.list) == 0 {
				t.Fatal("nothing was found")
			}
			if diff := cmp.Diff(tt.want, notOK(a.list)); diff != "" {
				t.Errorf("want -, got +:\n%s", diff)
			}
		})
	}
}

// notOK lists the findings that are not ok, as "grade check".
func notOK(all []finding) (list []string) {
	for _, f := range all {
		if f.Grade != gradeOK {
			list = append(list, string(f.Grade)+" "+f.Check)
		}
	}
	return list
}

// TestDoctorPrints: a table for a person, with colour only where it is wanted.
func TestDoctorPrints(t *testing.T) {
	all := []finding{
		{"Kafka", "cluster", gradeOK, "3 brokers", ""},
		{"Kafka", "topic a", gradeWarning, "one\ncopy\x1b[2J", "make more"},
		{"SMS", "account", gradeFailed, "is closed", "open it"},
	}
	count := map[grade]int{gradeOK: 1, gradeWarning: 1, gradeFailed: 1}
	const want = `Kafka
  ok       cluster  3 brokers
  warning  topic a  one copy [2J
                    -> make more
SMS
  failed   account  is closed
                    -> open it

1 ok, 1 warning, 1 failed
`
	var plain, coloured strings.Builder
	if err := errors.Join(printFindings(&plain, all, count, false), printFindings(&coloured, all, count, true)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, plain.String()); diff != "" {
		t.Errorf("want -, got +:\n%s", diff)
	}
	if !strings.Contains(coloured.String(), "\x1b[31mfailed \x1b[0m") {
		t.Errorf("no colour:\n%q", coloured.String())
	}
}

// doctorAnswer is what "doctor -o json" prints.
type doctorAnswer struct {
	OK       bool
	Failed   int
	Warnings int
	Findings []finding
}

func examined(t *testing.T, env map[string]string, args ...string) (doctorAnswer, invocation) {
	t.Helper()
	v := invoke(t, env, "", append([]string{"doctor", "-o", "json"}, args...)...)
	var answer doctorAnswer
	if err := json.Unmarshal([]byte(v.out), &answer); err != nil {
		t.Fatalf("%v:\n%s%s", err, v.out, v.err)
	}
	if answer.OK != (v.code == 0) || answer.OK != (answer.Failed == 0) {
		t.Errorf("ok is %v, %d failed, and the exit code is %d", answer.OK, answer.Failed, v.code)
	}
	return answer, v
}

// TestDoctorAlone: with nothing configured there are warnings, nothing fails, and nothing is made.
func TestDoctorAlone(t *testing.T) {
	dir := t.TempDir()
	answer, _ := examined(t, map[string]string{"ONMYWAY_EMBEDDED__DATA_DIR": dir})
	if !answer.OK || answer.Warnings < 5 {
		t.Errorf("failed: %v", notOK(answer.Findings))
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("it has made %v (%v)", left, err)
	}
}

// TestDoctorFindsNobody: engines and providers that are not there fail, each with what to do and without a secret.
func TestDoctorFindsNobody(t *testing.T) {
	closed := address(t)
	answer, v := examined(t, map[string]string{
		"ONMYWAY_KAFKA__BROKERS": closed, "ONMYWAY_REDIS__URL": "redis://u:hunter2@" + closed,
		"ONMYWAY_DATABASE__URL": "postgres://u:hunter2@" + closed + "/d", "ONMYWAY_HTTP__PUBLIC_URL": "http://" + closed,
		"ONMYWAY_SMS__TWILIO__ACCOUNT_SID": twiliotest.AccountSID, "ONMYWAY_SMS__TWILIO__AUTH_TOKEN": "hunter2",
		"ONMYWAY_SMS__TWILIO__FROM": "+15005550001", "ONMYWAY_SMS__TWILIO__BASE_URL": "http://" + closed,
	}, "--timeout", "2s")
	got := map[string]grade{}
	for _, f := range answer.Findings {
		if f.Grade != gradeOK && f.Do == "" {
			t.Errorf("%s, %s: it does not say what to do", f.Area, f.Check)
		}
		got[f.Area+" "+f.Check] = f.Grade
	}
	for check, want := range map[string]grade{"Kafka cluster": gradeFailed, "Redis server": gradeFailed, "Database server": gradeFailed,
		"SMS account": gradeFailed, "Public URL answer": gradeWarning} {
		if got[check] != want {
			t.Errorf("%s: %q, want %q", check, got[check], want)
		}
	}
	for _, secret := range []string{"hunter2", "5005550001"} {
		if strings.Contains(v.out+v.err, secret) {
			t.Errorf("it shows %s:\n%s", secret, v.out)
		}
	}
}

// TestDoctorOnRealServers: a whole system that is well.
func TestDoctorOnRealServers(t *testing.T) {
	w := newWorld(t, realServers(t), twiliotest.Options{})
	n := w.node().start()
	env := map[string]string{envPrefix + "HTTP__PUBLIC_URL": n.url}
	for _, v := range w.env {
		name, value, _ := strings.Cut(v, "=")
		env[name] = value
	}
	answer, v := examined(t, env)
	for _, f := range answer.Findings {
		// The servers of the tests are one broker, and a database that may lose what it has.
		if f.Grade == gradeFailed && f.Check != "durability" {
			t.Errorf("%s, %s: %s", f.Area, f.Check, f.Seen)
		}
	}
	checks := map[string]bool{}
	for _, f := range answer.Findings {
		checks[f.Area+" "+f.Check+" "+string(f.Grade)] = true
	}
	for _, want := range []string{"Redis server ok", "Database schema ok", "Database audit ok", "Database clock ok", "SMS account ok", "SMS sender ok",
		"SMS clock ok", "Push VAPID pair ok", "Public URL answer ok", "Texts and routes texts ok", "Kafka group " + env["ONMYWAY_KAFKA__GROUP"] + " ok"} {
		if !checks[want] {
			t.Errorf("not found: %s", want)
		}
	}
	for _, name := range []string{"PUSH__VAPID__PRIVATE_KEY", "SMS__TWILIO__AUTH_TOKEN", "SMS__TWILIO__FROM", "AUTH__BOOTSTRAP_KEY"} {
		if strings.Contains(v.out, env[envPrefix+name]) {
			t.Errorf("it shows %s", name)
		}
	}
	n.stop()
}

// TestDoctorPublicURL: something else answers where the service should be.
func TestDoctorPublicURL(t *testing.T) {
	pages := map[string]http.HandlerFunc{
		"failed answer":  func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<h1>Welcome</h1>")) },
		"warning answer": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	}
	for want, page := range pages {
		t.Run(want, func(t *testing.T) {
			server := httptest.NewServer(page)
			defer server.Close()
			d := doctor{cfg: Config{HTTP: HTTPConfig{PublicURL: server.URL}}, now: time.Now, limit: 5 * time.Second}
			if got := notOK(d.publicURL(t.Context())); len(got) != 1 || got[0] != want {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("untrusted certificate", func(t *testing.T) {
		server := httptest.NewUnstartedServer(pages["failed answer"])
		server.Config.ErrorLog = log.New(io.Discard, "", 0) // it complains of the handshake
		server.StartTLS()
		defer server.Close()
		d := doctor{cfg: Config{HTTP: HTTPConfig{PublicURL: server.URL}}, now: time.Now, limit: 5 * time.Second}
		got := d.publicURL(t.Context())
		if last := got[len(got)-1]; last.Grade != gradeFailed || !strings.Contains(last.Seen, "certificate") {
			t.Errorf("got %+v", last)
		}
	})
}
