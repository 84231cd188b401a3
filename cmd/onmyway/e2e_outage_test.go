package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"onmyway/channels/twilio/twiliotest"
)

const (
	outageLines = 20        // an outage may have so many lines in the log, at most
	outageRSS   = 512 << 20 // bytes that the process may have after all, the race detector included
)

// TestOutages takes Kafka, Redis and PostgreSQL away, one after the other and under load, and brings them back: nothing is
// lost, nothing is told twice, and the log stays readable. It has servers of its own: other tests use the shared ones.
func TestOutages(t *testing.T) {
	t.Parallel()
	if os.Getenv("ONMYWAY_TEST_SERVICES") == "" {
		t.Skip("!!! ONMYWAY_TEST_SERVICES is not set: outages of real engines were not tested !!!")
	}
	if testing.Short() {
		t.Skip("-short: servers are not started")
	}
	length := 3 * time.Second
	if s := os.Getenv("ONMYWAY_TEST_OUTAGE"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	lab := startLab(t)
	w := newWorld(t, lab.servers, twiliotest.Options{})
	n := w.node().start()
	load := w.load(20 * time.Millisecond)
	page := watch(t, "c-1", n)
	browser := w.subscribe(n, "c-1")
	before := load.count() + 1 // one may be on its way while the browser subscribes
	for _, engine := range []string{"kafka", "redis", "postgres"} {
		began, from := time.Now(), len(n.lines())
		lab.do("stop", engine)
		pause(length)
		lab.do("start", engine)
		back := time.Now()
		seen := load.count()
		within(t, 30*time.Second, "texts flow again after "+engine+" is back", func() error {
			if len(w.sms.Accepted()) <= seen {
				return fmt.Errorf("%d of %d texts", len(w.sms.Accepted()), load.count())
			}
			return nil
		})
		said := n.lines()[from:]
		t.Logf("%s was away for %s, all flowed %s later; %d lines in the log", engine, back.Sub(began).Round(time.Millisecond),
			time.Since(back).Round(time.Millisecond), len(said))
		if len(said) >= outageLines {
			t.Errorf("the outage of %s has %d lines in the log:\n%s", engine, len(said), strings.Join(said, ""))
		}
	}
	events := load.stop()
	within(t, 30*time.Second, "everything has arrived", func() error {
		return errors.Join(w.arrived(n, events), page.saw(events), w.notified(browser, "c-1", events[min(before, len(events)):]))
	})
	if unclear := n.messages("channel=sms&state=verify"); len(unclear) != 0 {
		t.Errorf("%d texts are unclear, though the provider always answered", len(unclear))
	}
	if rss := n.metric("process_resident_memory_bytes"); rss > outageRSS {
		t.Errorf("the process has %.0f MB", rss/(1<<20))
	}
	t.Logf("%d events", len(events))
}

// lines are those of the log that are not about REST calls, which have one each and one more where they fail.
func (n *node) lines() (lines []string) {
	n.t.Helper()
	b, err := os.ReadFile(n.log)
	if err != nil {
		n.t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if !strings.Contains(line, `"request_id"`) {
			lines = append(lines, line)
		}
	}
	return lines
}

// load is a producer that writes some events again and again until it is told to stop.
type load struct {
	w      *world
	cancel context.CancelFunc
	done   chan struct{}
	mu     sync.Mutex
	events []event
}

func (w *world) load(every time.Duration) *load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &load{w: w, cancel: cancel, done: make(chan struct{})}
	w.producer()
	go func() {
		defer close(l.done)
		for i := 0; ctx.Err() == nil; i += 5 {
			batch := []event{onTheWay(i, 50), onTheWay(i+1, 50), onTheWay(i+2, 50), onTheWay(i+3, 50), onTheWay(i+4, 50)}
			w.produce(time.Minute, batch...)
			l.mu.Lock()
			l.events = append(l.events, batch...)
			l.mu.Unlock()
			pause(every)
		}
	}()
	w.t.Cleanup(func() { l.stop() })
	return l
}

func (l *load) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.events)
}

func (l *load) stop() []event {
	l.cancel()
	<-l.done
	return l.events
}

// lab is a set of real servers that one test may stop and start.
type lab struct {
	t       *testing.T
	script  string
	dir     string
	servers servers
}

func startLab(t *testing.T) *lab {
	t.Helper()
	script, err := filepath.Abs("../../scripts/services")
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "onmyway-outage")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, script: script, dir: dir}
	t.Cleanup(func() {
		l.run("down", dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	l.run("up", dir)
	env, err := os.ReadFile(filepath.Join(dir, "env"))
	if err != nil {
		t.Fatal(err)
	}
	value := func(name string) string {
		m := regexp.MustCompile(name + `='?([^'\n]*)`).FindSubmatch(env)
		if m == nil {
			t.Skipf("!!! no %s on this machine: outages of real engines were not tested !!!", name)
		}
		return string(m[1])
	}
	l.servers = servers{value("ONMYWAY_TEST_KAFKA"), value("ONMYWAY_TEST_REDIS"), value("ONMYWAY_TEST_POSTGRES")}
	return l
}

// do stops or starts one server.
func (l *lab) do(what, engine string) {
	l.t.Helper()
	l.run(what, engine, l.dir)
}

func (l *lab) run(args ...string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.script, args...)
	cmd.WaitDelay = time.Second
	if out, err := cmd.CombinedOutput(); err != nil {
		l.t.Fatalf("services %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
