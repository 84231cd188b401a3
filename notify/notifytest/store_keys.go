package notifytest

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"onmyway/notify"
)

// CreateKey stores an API key. Errors: notify.ErrKeyName.
func (s *Store) CreateKey(ctx context.Context, act notify.Act, k notify.APIKey) error {
	leave, err := s.enter(ctx, "CreateKey")
	if err != nil {
		return err
	}
	defer leave()
	for _, other := range s.db.keys {
		if other.ID == k.ID || other.Name == k.Name && other.RevokedAt.IsZero() {
			return notify.ErrKeyName
		}
	}
	k.CreatedAt, k.ExpiresAt, k.LastUsedAt = millis(k.CreatedAt), millis(k.ExpiresAt), time.Time{}
	k.Scopes, k.RevokedAt = slices.Clone(k.Scopes), time.Time{}
	row := deed{notify.DidCreateKey, "key:" + k.ID, map[string]any{"name": k.Name, "scopes": k.Scopes}}
	if err := s.db.record(act, row); err != nil {
		return err
	}
	s.db.keys[k.ID] = k
	return nil
}

// Keys lists all API keys, also those that are revoked, the oldest first.
func (s *Store) Keys(ctx context.Context) ([]notify.APIKey, error) {
	leave, err := s.enter(ctx, "Keys")
	if err != nil {
		return nil, err
	}
	defer leave()
	var all []notify.APIKey
	for _, k := range s.db.keys {
		k.Scopes = slices.Clone(k.Scopes)
		all = append(all, k)
	}
	slices.SortFunc(all, func(a, b notify.APIKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Key is an API key, also one that is revoked. Errors: notify.ErrNotFound.
func (s *Store) Key(ctx context.Context, id string) (notify.APIKey, error) {
	leave, err := s.enter(ctx, "Key")
	if err != nil {
		return notify.APIKey{}, err
	}
	defer leave()
	k, ok := s.db.keys[id]
	if !ok {
		return notify.APIKey{}, fmt.Errorf("API key: %w", notify.ErrNotFound)
	}
	k.Scopes = slices.Clone(k.Scopes)
	return k, nil
}

// RevokeKey ends an API key, by its id or name. Errors: notify.ErrNotFound when there is none that is not revoked.
func (s *Store) RevokeKey(ctx context.Context, act notify.Act, nameOrID string) (notify.APIKey, error) {
	leave, err := s.enter(ctx, "RevokeKey")
	if err != nil {
		return notify.APIKey{}, err
	}
	defer leave()
	k, ok := s.db.keys[nameOrID]
	if !ok || !k.RevokedAt.IsZero() {
		ok = false
		for _, other := range s.db.keys {
			if other.Name == nameOrID && other.RevokedAt.IsZero() {
				k, ok = other, true
			}
		}
	}
	if !ok {
		return notify.APIKey{}, fmt.Errorf("API key: %w", notify.ErrNotFound)
	}
	if err := s.db.record(act, deed{notify.DidRevokeKey, "key:" + k.ID, map[string]any{"name": k.Name}}); err != nil {
		return notify.APIKey{}, err
	}
	k.RevokedAt = millis(act.At)
	s.db.keys[k.ID] = k
	k.Scopes = slices.Clone(k.Scopes)
	return k, nil
}

// KeyUsed notes when an API key was last used, to the minute.
func (s *Store) KeyUsed(ctx context.Context, id string, at time.Time) error {
	leave, err := s.enter(ctx, "KeyUsed")
	if err != nil {
		return err
	}
	defer leave()
	at = at.UTC().Truncate(time.Minute)
	if k, ok := s.db.keys[id]; ok && k.LastUsedAt.Before(at) {
		k.LastUsedAt = at
		s.db.keys[id] = k
	}
	return nil
}
