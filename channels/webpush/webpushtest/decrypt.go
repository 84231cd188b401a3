package webpushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCiphertext is returned, wrapped with the reason, for a body that a browser could not read.
var ErrCiphertext = errors.New("not encrypted for this browser")

const (
	saltSize = 16
	keySize  = 65                  // an uncompressed P-256 point
	header   = saltSize + 4 + 1    // salt, record size, key length (RFC 8188, section 2.1)
	lastMark = 0x02                // delimiter of the last record (RFC 8188, section 2)
	overhead = 16                  // bytes of the AES-GCM tag
	ikmInfo  = "WebPush: info\x00" // RFC 8291, section 3.4
	cekInfo  = "Content-Encoding: aes128gcm\x00"
	ivInfo   = "Content-Encoding: nonce\x00"
)

// Decrypt reads a body of content coding aes128gcm (RFC 8188) with the keys of RFC 8291: the browser's private key and
// its authentication secret. It takes one record, which is all that Web Push allows. Errors wrap ErrCiphertext.
func Decrypt(body []byte, private *ecdh.PrivateKey, auth []byte) ([]byte, error) {
	if len(body) < header+keySize+overhead+1 {
		return nil, bad("the body is too short")
	}
	salt, recordSize := body[:saltSize], binary.BigEndian.Uint32(body[saltSize:])
	if body[header-1] != keySize {
		return nil, bad("the key id is not a P-256 point")
	}
	public, record := body[header:header+keySize], body[header+keySize:]
	if recordSize < 18 || len(record) > int(recordSize) {
		return nil, bad("there is more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(public)
	if err != nil {
		return nil, bad("the key id is not a P-256 point")
	}
	secret, err := private.ECDH(sender)
	if err != nil {
		return nil, bad("no shared secret")
	}
	key, nonce, err := schedule(secret, auth, salt, append(private.PublicKey().Bytes(), public...))
	if err != nil {
		return nil, err
	}
	return open(record, key, nonce)
}

// schedule derives the content key and nonce (RFC 8291, section 3.4). points are both public keys, the browser's first.
func schedule(secret, auth, salt, points []byte) (key, nonce []byte, err error) {
	prkKey, err := hkdf.Extract(sha256.New, secret, auth)
	if err != nil {
		return nil, nil, fmt.Errorf("extract from the shared secret: %w", err)
	}
	ikm, err := hkdf.Expand(sha256.New, prkKey, ikmInfo+string(points), 32)
	if err != nil {
		return nil, nil, fmt.Errorf("expand the input key: %w", err)
	}
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		return nil, nil, fmt.Errorf("extract from the input key: %w", err)
	}
	if key, err = hkdf.Expand(sha256.New, prk, cekInfo, 16); err != nil {
		return nil, nil, fmt.Errorf("expand the content key: %w", err)
	}
	if nonce, err = hkdf.Expand(sha256.New, prk, ivInfo, 12); err != nil {
		return nil, nil, fmt.Errorf("expand the nonce: %w", err)
	}
	return key, nonce, nil
}

func open(record, key, nonce []byte) ([]byte, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("open record: %w", err)
	}
	text, err := gcm.Open(nil, nonce, record, nil)
	if err != nil {
		return nil, bad("the tag does not fit")
	}
	end := len(text) - 1
	for end >= 0 && text[end] == 0 {
		end--
	}
	if end < 0 || text[end] != lastMark {
		return nil, bad("the padding has no delimiter")
	}
	return text[:end], nil
}

func bad(why string) error { return fmt.Errorf("%w: %s", ErrCiphertext, why) }
