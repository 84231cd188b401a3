package webpushtest

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"time"

	"onmyway/notify"
)

// browser is one subscription: its keys, and what waits for it while it is not connected.
type browser struct {
	id      string // the subscription's id
	private *ecdh.PrivateKey
	auth    []byte
	gone    bool
	offline bool
	waiting []Notification
}

// Notification is a message that the service accepted, as the browser reads it.
type Notification struct {
	At           time.Time
	Subscription string // its id
	Payload      []byte // decrypted
	TTL          int    // seconds
	Urgency      string // "normal" when the sender named none
	Topic        string // empty for none
}

// Subscribe makes a browser and its subscription. The caller sets CustomerID.
func (s *Server) Subscribe() (notify.Subscription, error) {
	private, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return notify.Subscription{}, fmt.Errorf("make browser keys: %w", err)
	}
	secret := make([]byte, 16+24)
	_, _ = rand.Read(secret) // never fails
	token := base64.RawURLEncoding.EncodeToString(secret[16:])
	endpoint := s.URL + pushPath + token
	sum := sha256.Sum256([]byte(endpoint))
	b := &browser{id: hex.EncodeToString(sum[:16]), private: private, auth: secret[:16]}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.byToken[token], s.byID[b.id] = b, b
	return notify.Subscription{
		ID: b.id, Endpoint: endpoint, CreatedAt: s.now(),
		P256dh: base64.RawURLEncoding.EncodeToString(private.PublicKey().Bytes()),
		Auth:   base64.RawURLEncoding.EncodeToString(b.auth),
	}, nil
}

// Expire makes the service answer 410 for a subscription from now on, as if the browser had been removed.
func (s *Server) Expire(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.byID[id]; b != nil {
		b.gone, b.waiting = true, nil
	}
}

// Disconnect makes a browser unreachable: what comes for it waits as long as its TTL, a newer one in place of an older
// one with the same topic.
func (s *Server) Disconnect(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if b := s.byID[id]; b != nil {
		b.offline = true
	}
}

// Connect makes a browser reachable again and delivers what waits and is still good.
func (s *Server) Connect(id string) {
	var due []Notification
	s.mu.Lock()
	if b := s.byID[id]; b != nil {
		for _, n := range b.waiting {
			if s.now().Before(n.At.Add(time.Duration(n.TTL) * time.Second)) {
				due = append(due, n)
			}
		}
		b.offline, b.waiting = false, nil
	}
	s.delivered = append(s.delivered, due...)
	s.mu.Unlock()
	for _, n := range due {
		s.tell(n)
	}
}

// Delivered returns what browsers have got, in order.
func (s *Server) Delivered() []Notification {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Notification(nil), s.delivered...)
}

// take hands an accepted notification to the browser or lets it wait, and tells whether it was delivered. The caller
// holds the lock.
func (s *Server) take(b *browser, n Notification) bool {
	if !b.offline {
		s.delivered = append(s.delivered, n)
		return true
	}
	if n.TTL == 0 { // RFC 8030, section 5.2: now or never
		return false
	}
	for i, old := range b.waiting {
		if n.Topic != "" && old.Topic == n.Topic {
			b.waiting = append(b.waiting[:i], b.waiting[i+1:]...)
			break
		}
	}
	b.waiting = append(b.waiting, n)
	return false
}

func (s *Server) tell(n Notification) {
	if s.options.OnDelivery != nil {
		s.options.OnDelivery(n)
	}
}
