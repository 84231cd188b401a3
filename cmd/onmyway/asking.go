package main

import (
	"net/http"
	"slices"
	"time"

	"onmyway/channels"
	"onmyway/channels/twilio"
	"onmyway/notify"
)

// asking finds out what became of texts, and hears what people answer.
type asking struct {
	settler *notify.Settler
	poller  *notify.Poller
	hooks   http.Handler // the provider's callbacks
}

// callbacks is nil where there are no texts.
func (a *asking) callbacks() http.Handler {
	if a == nil {
		return nil
	}
	return a.hooks
}

// newAsking connects it; nil without texts.
func (s *service) newAsking(hooks *notify.Hooks) *asking {
	i := slices.IndexFunc(s.channels, func(c channels.Channel) bool { return c.Name == notify.SMS })
	if i < 0 {
		return nil
	}
	e, finder := s.engines, s.channels[i].Finder
	asked := &notify.Outage{Engine: "the provider's list of texts", Log: s.log, Hooks: hooks}
	inbox := &notify.Inbox{OptOuts: e.store, Rules: s.rules.inForce, Hooks: hooks}
	e.store.OnReport(hooks.Reported)
	callbacks := twilio.NewHooks(s.cfg.SMS.Twilio.sender(s.cfg.HTTP.PublicURL), e.store, inbox, s.log)
	callbacks.Count = s.metrics.callback
	return &asking{
		settler: &notify.Settler{
			Store: e.store, Finder: finder, Rules: s.rules.inForce, Grace: s.cfg.SMS.VerifyGrace, UnknownAfter: s.cfg.SMS.UnknownAfter,
			Hooks: hooks, SQL: e.outages.sql, Provider: asked, Now: time.Now,
		},
		poller: &notify.Poller{Store: e.store, Finder: finder, SQL: e.outages.sql, Provider: asked, Now: time.Now},
		hooks:  callbacks,
	}
}
