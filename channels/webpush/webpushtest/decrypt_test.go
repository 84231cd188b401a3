package webpushtest_test

import (
	"crypto/ecdh"
	"encoding/base64"
	"errors"
	"testing"

	"onmyway/channels/webpush/webpushtest"
)

// The example of RFC 8291, section 5 and appendix A.
const (
	rfcPrivate = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
	rfcAuth    = "BTBZMqHH6r4Tts7J_aSIgg"
	rfcText    = "When I grow up, I want to be a watermelon"
	rfcBody    = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_" +
		"yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)

func rfcKeys(t testing.TB) (*ecdh.PrivateKey, []byte) {
	t.Helper()
	private, err := ecdh.P256().NewPrivateKey(raw(t, rfcPrivate))
	if err != nil {
		t.Fatal(err)
	}
	return private, raw(t, rfcAuth)
}

func raw(t testing.TB, s string) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDecryptRFC8291(t *testing.T) {
	private, auth := rfcKeys(t)
	got, err := webpushtest.Decrypt(raw(t, rfcBody), private, auth)
	if err != nil || string(got) != rfcText {
		t.Fatalf("Decrypt = %q, %v; want %q", got, err, rfcText)
	}
}

// Every byte of a body counts but those of the record size, which is not part of what is sealed.
func TestDecryptNoticesEveryByte(t *testing.T) {
	private, auth := rfcKeys(t)
	for i := range raw(t, rfcBody) {
		if i >= 16 && i < 20 {
			continue
		}
		body := raw(t, rfcBody)
		body[i] ^= 1
		if _, err := webpushtest.Decrypt(body, private, auth); !errors.Is(err, webpushtest.ErrCiphertext) {
			t.Errorf("byte %d changed: error %v, want ErrCiphertext", i, err)
		}
	}
}

func FuzzDecrypt(f *testing.F) {
	private, auth := rfcKeys(f)
	f.Add(raw(f, rfcBody))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := webpushtest.Decrypt(body, private, auth)
		if err == nil && string(got) != rfcText {
			t.Errorf("a body that nobody sealed was opened: %q", got)
		}
		if err != nil && !errors.Is(err, webpushtest.ErrCiphertext) {
			t.Errorf("error %v, want ErrCiphertext", err)
		}
	})
}
