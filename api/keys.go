package api

import (
	"context"
	"crypto/sha256"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"onmyway/notify"
)

// Keys is where API keys are kept.
type Keys interface {
	// Key returns keys that are revoked or have expired too, so that their callers can be told. Errors: ErrNotFound.
	Key(ctx context.Context, id string) (notify.APIKey, error)
	// KeyUsed notes when a key was last used, to the minute.
	KeyUsed(ctx context.Context, id string, at time.Time) error
}

// BootstrapKey makes the first key, which stands in the configuration and may do everything. It returns nil for an empty
// secret: then there is no such key.
func BootstrapKey(secret string) *notify.APIKey {
	if secret == "" {
		return nil
	}
	return &notify.APIKey{Name: "bootstrap", Scopes: []string{string(AllScopes)}, Hash: sha256.Sum256([]byte(secret))}
}

const (
	// keyTimeout is how long SQL may take to answer for a key. It is short: POST /v1/events works without SQL.
	keyTimeout = time.Second
	// keyMemory is how long the last answer is good while SQL does not answer.
	keyMemory = 5 * time.Minute
	// maxKnown bounds the keys that are remembered. Only keys that exist and whose secret was right are.
	maxKnown = 10_000
	// usedEvery is how often the use of a key is written.
	usedEvery = time.Minute
)

// keyring asks SQL for the key of every call, so that a revocation holds at once on every node. While SQL does not answer,
// what it said last is good for keyMemory.
type keyring struct {
	store Keys
	log   *slog.Logger

	mu    sync.Mutex
	known map[string]*known // by id
}

// known is a key as SQL had it.
type known struct {
	key   notify.APIKey
	asked time.Time // when SQL answered
	noted time.Time // when its use was last written, by this process
}

func newKeyring(store Keys, log *slog.Logger) *keyring {
	return &keyring{store: store, log: log, known: map[string]*known{}}
}

// find returns the key, or why it is refused. Only who holds the right secret learns that a key was revoked or has expired.
func (k *keyring) find(ctx context.Context, secret string) (*notify.APIKey, *problem) {
	unknown := unauthorized("unauthorized", "this is no API key of this service: check it, or ask the operator for one")
	id, ok := notify.APIKeyID(secret)
	if !ok {
		return nil, unknown
	}
	now := time.Now()
	key, fresh, err := k.ask(ctx, id, now)
	switch {
	case errors.Is(err, notify.ErrNotFound):
		return nil, unknown
	case err != nil:
		k.log.ErrorContext(ctx, "API key not checked", "error", err, "request_id", requestOf(ctx).id)
		return nil, newProblem(http.StatusServiceUnavailable, "keys_unavailable",
			"the API key can't be checked at the moment: send the same request again").retryAfter(comeBack)
	case !key.Matches(secret):
		return nil, unknown
	case !key.RevokedAt.IsZero():
		return nil, unauthorized("key_revoked", "this API key was revoked on "+day(key.RevokedAt)+": ask the operator for another one")
	case key.Expired(now):
		return nil, unauthorized("key_expired", "this API key expired on "+day(key.ExpiresAt)+": ask the operator for another one")
	}
	k.used(ctx, key, fresh, now)
	return &key, nil
}

// ask returns the key as SQL has it (fresh), or as it was known when SQL does not answer.
func (k *keyring) ask(ctx context.Context, id string, now time.Time) (key notify.APIKey, fresh bool, err error) {
	asking, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	key, err = k.store.Key(asking, id)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil {
		if !key.RevokedAt.IsZero() {
			delete(k.known, id) // it must not be good from memory
		}
		return key, true, nil
	}
	last := k.known[id]
	if errors.Is(err, notify.ErrNotFound) || last == nil || now.Sub(last.asked) > keyMemory {
		delete(k.known, id)
		return notify.APIKey{}, false, err
	}
	return last.key, false, nil
}

// used remembers a key that was accepted, and once a minute writes that it was. An answer from memory is no news: SQL does
// not answer then.
func (k *keyring) used(ctx context.Context, key notify.APIKey, fresh bool, now time.Time) {
	if !fresh || !k.remember(key, now) {
		return
	}
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), keyTimeout)
	defer cancel()
	if err := k.store.KeyUsed(writing, key.ID, now); err != nil {
		k.log.WarnContext(ctx, "use of an API key not noted", "error", err, "key", key.Name)
	}
}

// remember keeps the key and tells whether its use is to be written.
func (k *keyring) remember(key notify.APIKey, now time.Time) (write bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	last := k.known[key.ID]
	if last == nil {
		if len(k.known) >= maxKnown {
			k.forget(now)
		}
		last = &known{noted: key.LastUsedAt}
		k.known[key.ID] = last
	}
	last.key, last.asked = key, now
	if now.Sub(last.noted) < usedEvery {
		return false
	}
	last.noted = now
	return true
}

// forget makes room: first what is too old to count, else whatever comes first.
func (k *keyring) forget(now time.Time) {
	for id, last := range k.known {
		if now.Sub(last.asked) > keyMemory {
			delete(k.known, id)
		}
	}
	for id := range k.known {
		if len(k.known) < maxKnown {
			return
		}
		delete(k.known, id)
	}
}

// day is a date as problems say it.
func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }
