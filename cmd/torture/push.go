package main

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"sync"

	"onmyway/channels/webpush/webpushtest"
	"onmyway/cmd/torture/ledger"
)

// pushService is the simulated push service with its ledger.
type pushService struct {
	*webpushtest.Server
	public  string // of the VAPID keys
	private string
	taken   *ledger.File

	mu     sync.Mutex
	decide func(webpushtest.Request) webpushtest.Fault
}

func openPush(w *world) (p *pushService, err error) {
	p = &pushService{}
	if p.taken, err = ledger.Open(w.path("push.jsonl")); err != nil {
		return nil, err
	}
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make VAPID keys: %w", err)
	}
	p.public = base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes())
	p.private = base64.RawURLEncoding.EncodeToString(key.Bytes())
	p.Server, err = webpushtest.Start(webpushtest.Options{VAPIDPublic: p.public, Ledger: p.taken, Fault: func(r webpushtest.Request) webpushtest.Fault {
		p.mu.Lock()
		decide := p.decide
		p.mu.Unlock()
		if decide == nil {
			return webpushtest.Fault{}
		}
		return decide(r)
	}})
	return p, err
}

// set makes f decide on every notification; nil for no faults.
func (p *pushService) set(f func(webpushtest.Request) webpushtest.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.decide = f
}

func (p *pushService) close() {
	if p == nil {
		return
	}
	if p.Server != nil {
		_ = p.Server.Close()
	}
	_ = p.taken.Close()
}

// browse gives a customer a browser.
func (w *world) browse(ctx context.Context, customer string) error {
	sub, err := w.push.Subscribe()
	if err != nil {
		return err
	}
	w.browsers[sub.ID] = customer
	return w.rest.call(ctx, http.StatusCreated, nil, http.MethodPost, "/v1/customers/"+customer+"/push-subscriptions", map[string]any{
		"endpoint": sub.Endpoint, "keys": map[string]string{"p256dh": sub.P256dh, "auth": sub.Auth},
	})
}
