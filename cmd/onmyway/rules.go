package main

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"onmyway/notify"
	"onmyway/templates"
)

// rulebook holds the rules in force. An operator who changes texts sends SIGHUP: from then on batches are decided on the
// new ones. Texts that can't be read change nothing.
type rulebook struct {
	cfg     Config
	log     *slog.Logger
	current atomic.Pointer[notify.Rules]
}

func newRulebook(cfg Config, log *slog.Logger) (*rulebook, error) {
	rules, err := newRules(cfg)
	if err != nil {
		return nil, err
	}
	b := &rulebook{cfg: cfg, log: log}
	b.current.Store(rules)
	if names := wordless(rules); len(names) > 0 {
		log.Info("milestones without a template are told nowhere; log.level debug names them", "count", len(names))
		log.Debug("milestones without a template", "milestones", names)
	}
	return b, nil
}

// inForce are the rules that decisions follow from now on.
func (b *rulebook) inForce() *notify.Rules { return b.current.Load() }

// watch reads the texts again at every SIGHUP, until ctx ends.
func (b *rulebook) watch(ctx context.Context) error {
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-hangup:
			b.reload()
		}
	}
}

// reload takes over the texts as they are now, all or none.
func (b *rulebook) reload() {
	words, err := loadWords(b.cfg)
	if err != nil {
		b.log.Error("templates are not reloaded: the old ones stay in force", "error", err)
		return
	}
	next := *b.inForce()
	next.Words = words
	b.current.Store(&next)
	b.log.Info("templates are reloaded", "templates", len(words.Templates()))
}

// loadWords reads the built-in texts and, over them, the operator's own.
func loadWords(cfg Config) (*templates.Set, error) {
	var dir fs.FS
	if cfg.Templates.Dir != "" {
		dir = os.DirFS(cfg.Templates.Dir)
	}
	words, err := templates.Load(dir)
	if err != nil {
		return nil, fmt.Errorf("templates: %w", err)
	}
	return words, nil
}

// off reads "category.channel" words.
func (c *DefaultsConfig) off() (notify.Defaults, error) {
	off := notify.Defaults{}
	for _, word := range c.Off {
		category, channel, _ := strings.Cut(word, ".")
		cat, ch := notify.Category(category), notify.Channel(channel)
		if !slices.Contains(notify.Categories, cat) || !slices.Contains(notify.Channels, ch) {
			return nil, fmt.Errorf(`defaults.off: %q is no category and channel: write "progress.sms", of %v and %v`, word, notify.Categories, notify.Channels)
		}
		if off[cat] == nil {
			off[cat] = map[notify.Channel]bool{}
		}
		off[cat][ch] = true
	}
	return off, nil
}

// newRules reads the routes and the texts.
func newRules(cfg Config) (*notify.Rules, error) {
	list := slices.Clone(cfg.Routes)
	for i := range list {
		if !cfg.SMS.ScreenFirst {
			list[i].SMS = notify.Escalation{}
		}
	}
	routes, err := notify.CompileRoutes(list)
	if err != nil {
		return nil, err
	}
	off, err := cfg.Defaults.off()
	if err != nil {
		return nil, err
	}
	words, err := loadWords(cfg)
	if err != nil {
		return nil, err
	}
	zone, err := time.LoadLocation(cfg.Defaults.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("defaults.time_zone: %w", err)
	}
	return &notify.Rules{
		Routes: routes, Words: words, FoldTexts: cfg.SMS.Transliterate, TextsPerHour: cfg.SMS.PerHour, ExplicitConsent: cfg.SMS.Consent == consentExplicit,
		Defaults: off, ETAThreshold: cfg.ETA.Threshold, Settle: cfg.Orders.Settle, Locale: cfg.Defaults.Locale, Zone: zone, Zones: zones(),
		Channels: map[notify.Channel]bool{notify.SMS: cfg.smsOn(), notify.Push: cfg.pushOn(), notify.WebSocket: true},
	}, nil
}

// wordless names the milestones that a route sends out and that no template has words for.
func wordless(r *notify.Rules) (names []string) {
	for _, line := range notify.Lines {
		for _, m := range notify.Milestones(line) {
			sent := slices.ContainsFunc(r.Routes[m].Channels, func(ch notify.Channel) bool { return ch != notify.WebSocket })
			if m.Visible && sent && r.Words.Lookup(string(line), m.Name, r.Locale) == nil {
				names = append(names, string(line)+"/"+m.Name)
			}
		}
	}
	return names
}

// zones finds time zones by name, each loaded once; nil for a name that is none. There are some 600 names, so the memory
// is bounded by itself.
func zones() func(name string) *time.Location {
	var known sync.Map
	return func(name string) *time.Location {
		if z, there := known.Load(name); there {
			return z.(*time.Location)
		}
		z, err := time.LoadLocation(name)
		if err != nil {
			return nil
		}
		known.Store(name, z)
		return z
	}
}
