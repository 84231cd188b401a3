package webpush

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// GenerateKeys makes a VAPID key pair, both halves base64url. Every browser subscription is bound to the public key: a
// new pair loses them all.
func GenerateKeys() (public, private string, err error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return "", "", fmt.Errorf("generate VAPID keys: %w", err)
	}
	return encode(key.PublicKey().Bytes()), encode(key.Bytes()), nil
}

// checkKeys makes sure that both halves can be read and belong together, and returns them as the library reads them.
func checkKeys(public, private string) (pub, priv string, err error) {
	if public == "" || private == "" {
		return "", "", errors.New("push.vapid.public_key and push.vapid.private_key: both are needed; `onmyway vapid generate` makes a pair")
	}
	p, err := decode(public)
	if err != nil {
		return "", "", errors.New("push.vapid.public_key: not base64url")
	}
	if _, err := ecdh.P256().NewPublicKey(p); err != nil {
		return "", "", errors.New("push.vapid.public_key: not a P-256 point of 65 bytes")
	}
	d, err := decode(private)
	if err != nil {
		return "", "", errors.New("push.vapid.private_key: not base64url")
	}
	key, err := ecdh.P256().NewPrivateKey(d)
	if err != nil {
		return "", "", errors.New("push.vapid.private_key: not a P-256 key of 32 bytes")
	}
	if !bytes.Equal(key.PublicKey().Bytes(), p) {
		return "", "", errors.New("push.vapid.public_key does not belong to push.vapid.private_key: browsers would refuse every message")
	}
	return encode(p), encode(d), nil
}

func encode(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// decode reads base64url as browsers write it, and the ordinary base64 that some libraries make of it.
func decode(s string) ([]byte, error) {
	s = strings.TrimRight(strings.TrimSpace(s), "=")
	return base64.RawURLEncoding.DecodeString(strings.NewReplacer("+", "-", "/", "_").Replace(s))
}
