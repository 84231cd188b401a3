package main

import (
	"context"
	"fmt"
	"strings"
)

// configuration shows what "config check" warns of and no other area looks at.
func (d *doctor) configuration(context.Context) []finding {
	a := area{name: "Configuration"}
	if err := d.cfg.parts(); err != nil {
		a.fail("keys", strings.ReplaceAll(err.Error(), "\n", "; "), "see `onmyway config check`")
	} else {
		a.ok("keys", "serve would take them")
	}
	for _, w := range d.cfg.warnings() {
		switch w.Key {
		case "auth.bootstrap_key", "ops.addr", "database.url", "sms.twilio.base_url", "sms.twilio.auth_token", "retention.messages", "log.level":
			if !strings.HasPrefix(w.Text, "is not set: everything") { // the database has a finding of its own
				a.warn(w.Key, w.Text, "see `onmyway config check`")
			}
		}
	}
	return a.list
}

// words checks that every milestone that a route sends out has words.
func (d *doctor) words(context.Context) []finding {
	a := area{name: "Texts and routes"}
	rules, err := newRules(d.cfg)
	if err != nil {
		a.fail("texts", strings.ReplaceAll(err.Error(), "\n", "; "), "correct the files in templates.dir: `onmyway templates lint` names them")
		return a.list
	}
	a.ok("texts", "%s", counted(len(rules.Words.Templates()), "template"))
	const shown = 5
	switch names := wordless(rules); {
	case len(names) == 0:
		a.ok("routes", "%s, every milestone that they send out has words", counted(len(d.cfg.Routes), "route"))
	case len(names) > shown:
		a.warn("routes", fmt.Sprintf("%d milestones that they send out have no words: %s, …", len(names), strings.Join(names[:shown], ", ")),
			"write templates for them in templates.dir, or route them to websocket only")
	default:
		a.warn("routes", "no words for "+strings.Join(names, ", "), "write templates for them in templates.dir, or route them to websocket only")
	}
	return a.list
}

// limits checks what this machine lets a process have.
func (d *doctor) limits(context.Context) []finding {
	a := area{name: "This machine"}
	open, known := openFiles()
	if !known {
		return nil
	}
	a.files(open, &d.cfg)
	return a.list
}

func (a *area) files(open int, cfg *Config) {
	sockets := cfg.HTTP.MaxSockets
	if shares := shareFiles(open, cfg); shares.sockets < sockets {
		a.warn("open files", fmt.Sprintf("%d are allowed, which leaves room for %d live sockets, and http.max_sockets is %d", open, shares.sockets, sockets),
			fmt.Sprintf("raise the limit to %d (LimitNOFILE, ulimits), or lower http.max_sockets", filesFor(cfg)))
		return
	}
	a.ok("open files", "%d are allowed, enough for %d live sockets", open, sockets)
}
