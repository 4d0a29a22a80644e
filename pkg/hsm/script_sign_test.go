package hsm

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	"crypto/sha512"
	"errors"
	"strings"
	"testing"
)

func TestAlwaysAuthenticate(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor", attribute{ckaAlwaysAuthenticate, true})
	pin := []byte("123456")
	config := fakeConfig()
	config.PIN = func(string) ([]byte, error) { return pin, nil }
	s, err := f.open(config)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Sign(nil, digest32, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(f.calls[len(f.calls)-6:], ", "); got != "sign init, login context, sign, sign init, login context, sign" {
		t.Errorf("calls: %s", got)
	}
	if logins, signatures := s.Counts(); logins != 3 || signatures != 2 {
		t.Errorf("%d logins, %d signatures", logins, signatures)
	}

	// A refused PIN at one signature ends the run: no second try, PIN forgotten.
	f.only().pin = "another"
	_, err = s.Sign(nil, digest32, crypto.SHA256)
	refusedWith(t, err, "confirm one signature", "keyboard layout")
	if !errors.Is(err, ErrPIN) {
		t.Errorf("not ErrPIN: %v", err)
	}
	if !bytes.Equal(pin, make([]byte, 6)) {
		t.Errorf("the PIN is kept: %q", pin)
	}
	_, err = s.Sign(nil, digest32, crypto.SHA256)
	if !errors.Is(err, ErrDead) || f.count("login context") != 3 {
		t.Errorf("%v; calls: %s", err, f.log())
	}
	s.Close()
	f.closed()
}

func TestTokenRemovedWhileSigning(t *testing.T) {
	for _, at := range []string{"sign init", "sign"} {
		for _, code := range []rv{ckrDeviceRemoved, ckrTokenNotPresent, ckrSessionHandleInvalid, ckrUserNotLoggedIn, ckrDeviceError} {
			f := newFake(t)
			f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
			s, err := f.open(fakeConfig())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.Sign(nil, digest32, crypto.SHA256); err != nil {
				t.Fatal(err)
			}
			f.fails[at] = code
			_, err = s.Sign(nil, digest32, crypto.SHA256)
			if !errors.Is(err, code) {
				t.Errorf("%s: %v", at, err)
			}
			refusedWith(t, err, `token "EFGSTA" (serial "S1")`, "")
			if len(f.sessions) != 0 {
				t.Errorf("%s %v: the session stays open", at, code)
			}
			delete(f.fails, at) // the token is back: the run stays over
			before := len(f.calls)
			if _, err := s.Sign(nil, digest32, crypto.SHA256); !errors.Is(err, ErrDead) || !errors.Is(err, code) {
				t.Errorf("the signer lives on: %v", err)
			}
			if len(f.calls) != before {
				t.Errorf("calls after the end: %v", f.calls[before:])
			}
			if _, signatures := s.Counts(); signatures != 1 {
				t.Errorf("%d signatures counted", signatures)
			}
			s.Close()
			f.closed()
		}
	}
}

func TestRSAWithoutExponentNeedsThePublicObject(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	setup := func() (*fake, *fakeToken) {
		f := newFake(t)
		token := f.withToken(1, "EFGSTA", 0)
		token.objects[1] = &fakeObject{encodeAll([]attribute{{ckaClass, ckoPrivateKey}, {ckaKeyType, ckkRSA}, {ckaLabel, "anchor"}, {ckaID, []byte{1}}, {ckaModulus, key.N.Bytes()}}), key}
		return f, token
	}
	f, _ := setup()
	if _, err = f.open(fakeConfig()); err == nil {
		t.Error("opened without a public exponent")
	}
	f, _ = setup()
	if _, err = open(fakeConfig(), f, moduleFile{}, other.Public()); !errors.Is(err, ErrMismatch) {
		t.Errorf("another modulus: %v", err)
	}
	f, token := setup()
	token.objects[2] = &fakeObject{encodeAll([]attribute{{ckaClass, ckoPublicKey}, {ckaKeyType, ckkRSA}, {ckaID, []byte{1}}, {ckaModulus, key.N.Bytes()}, {ckaPublicExponent, bigBytes(65537)}}), nil}
	s, err := f.open(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, opts := range []crypto.SignerOpts{crypto.SHA256, &rsa.PSSOptions{Hash: crypto.SHA256}} {
		if _, err := s.Sign(nil, digest32, opts); err != nil {
			t.Error(err)
		}
	}
	s.Close()
}

func TestKeysThatCannotSignAreRefused(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor", attribute{ckaSign, false})
	_, err := f.open(fakeConfig())
	refusedWith(t, err, "CKA_SIGN is false", "signing key")

	f = newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor", attribute{ckaKeyType, uint(1)})
	_, err = f.open(fakeConfig())
	refusedWith(t, err, "key type is 0x1", "RSA or EC")

	brainpool := []byte{6, 9, 0x2b, 0x24, 3, 3, 2, 8, 1, 1, 7}
	f = newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor", attribute{ckaECParams, brainpool})
	_, err = f.open(fakeConfig())
	refusedWith(t, err, "1.3.36.3.3.2.8.1.1.7 is not supported", "P-256")
}

// The fake refuses a digest longer than the group order, as some tokens do.
func TestLongDigestIsCutForECDSA(t *testing.T) {
	f := newFake(t)
	key := f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
	s, err := f.open(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	digest := sha512.Sum512([]byte("message"))
	sig, err := s.Sign(nil, digest[:], crypto.SHA512)
	if err != nil || !ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig) {
		t.Errorf("SHA-512 on P-256: %v", err)
	}
	s.Close()
}

func TestSignatureOfWrongLength(t *testing.T) {
	f := newFake(t)
	key := f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
	if _, err := ecdsaJob(&key.PublicKey, digest32).finish(make([]byte, 63)); !errors.Is(err, ErrSignature) {
		t.Errorf("63 bytes: %v", err)
	}
	if _, err := ecdsaJob(&key.PublicKey, digest32).finish(make([]byte, 64)); !errors.Is(err, ErrSignature) {
		t.Errorf("zeros: %v", err)
	}
}
