//go:build cgo

package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// config is for a key in a SoftHSM token.
func config(store *softhsmtest.Store, uri URI) Config {
	return Config{
		Module: store.Module, URI: uri,
		PIN: func(string) ([]byte, error) { return []byte(softhsmtest.UserPIN + "\n"), nil },
	}
}

func mustGenerate(t *testing.T, c Config, algorithm string) Signer {
	t.Helper()
	s, err := Generate(c, algorithm)
	if err != nil {
		t.Fatalf("generate %s: %v", algorithm, err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustClose(t *testing.T, s Signer) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatalf("close: %v", err)
	}
}

// administer runs f in a read-write session: what a token's owner may do to it.
func administer(t *testing.T, c Config, f func(*conn)) {
	t.Helper()
	m, file, err := c.loadModule()
	if err != nil {
		t.Fatal(err)
	}
	conn, err := connect(c, m, file, true)
	if err != nil {
		t.Fatal(err)
	}
	f(conn)
	if err := conn.close(); err != nil {
		t.Fatal(err)
	}
}

// makePair generates without our template: any label, any ID, twice if asked.
func makePair(t *testing.T, c *conn, algorithm, label string, id []byte, extra ...attribute) (pub, priv object) {
	t.Helper()
	spec, err := keySpecFor(algorithm)
	if err != nil {
		t.Fatal(err)
	}
	common := []attribute{{ckaToken, true}, {ckaLabel, label}}
	if id != nil {
		common = append(common, attribute{ckaID, id})
	}
	public := append(append([]attribute{}, common...), spec.public...)
	private := append(append([]attribute{{ckaPrivate, true}, {ckaSensitive, true}, {ckaSign, true}}, common...), extra...)
	pub, priv, err = c.m.generateKeyPair(c.s, spec.mechanism, public, private)
	if err != nil {
		t.Fatalf("generate pair: %v", err)
	}
	return pub, priv
}

// openssl runs it on files of a test's directory.
func openssl(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("openssl %s: %v (is it installed? run `make test-deps`)\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

func TestSignaturesVerifyInGoAndOpenSSL(t *testing.T) {
	for _, algorithm := range []string{"rsa-3072", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"} {
		t.Run(algorithm, func(t *testing.T) {
			store := softhsmtest.New(t)
			store.Token(t, "EFGSTA")
			c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
			s := mustGenerate(t, c, algorithm)
			if got := s.Token().Algorithm; got != algorithm {
				t.Errorf("algorithm is %s", got)
			}
			dir := t.TempDir()
			writePublic(t, filepath.Join(dir, "pub.pem"), s.Public())
			message := []byte("what is approved is what is signed")
			if err := os.WriteFile(filepath.Join(dir, "message"), message, 0o600); err != nil {
				t.Fatal(err)
			}
			made := 0
			for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				h := hash.New()
				h.Write(message)
				digest := h.Sum(nil)
				name := fmt.Sprintf("-sha%d", hash.Size()*8)
				verify := func(sig []byte, extra ...string) {
					if err := os.WriteFile(filepath.Join(dir, "sig"), sig, 0o600); err != nil {
						t.Fatal(err)
					}
					args := append([]string{"dgst", name, "-verify", "pub.pem", "-signature", "sig"}, extra...)
					openssl(t, dir, append(args, "message")...)
					made++
				}
				switch pub := s.Public().(type) {
				case *rsa.PublicKey:
					sig := mustSign(t, s, digest, hash)
					if err := rsa.VerifyPKCS1v15(pub, hash, digest, sig); err != nil {
						t.Errorf("PKCS#1 %v: %v", hash, err)
					}
					verify(sig)
					for _, salt := range []int{rsa.PSSSaltLengthAuto, rsa.PSSSaltLengthEqualsHash, hash.Size()} {
						sig := mustSign(t, s, digest, &rsa.PSSOptions{Hash: hash, SaltLength: salt})
						if err := rsa.VerifyPSS(pub, hash, digest, sig, &rsa.PSSOptions{SaltLength: hash.Size()}); err != nil {
							t.Errorf("PSS %v salt %d: %v", hash, salt, err)
						}
						verify(sig, "-sigopt", "rsa_padding_mode:pss", "-sigopt", fmt.Sprintf("rsa_pss_saltlen:%d", hash.Size()))
					}
				case *ecdsa.PublicKey:
					sig := mustSign(t, s, digest, hash)
					if !ecdsa.VerifyASN1(pub, digest, sig) {
						t.Errorf("ECDSA %v does not verify", hash)
					}
					verify(sig)
				}
			}
			if logins, signatures := s.Counts(); logins != 1 || signatures != made {
				t.Errorf("%d logins and %d signatures, want 1 and %d", logins, signatures, made)
			}
			mustClose(t, s)
		})
	}
}

func mustSign(t *testing.T, s Signer, digest []byte, opts crypto.SignerOpts) []byte {
	t.Helper()
	sig, err := s.Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatalf("sign: %v", err)
	}
	return sig
}

func writePublic(t *testing.T, path string, pub crypto.PublicKey) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWrongPINIsTriedOnce(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	mustClose(t, mustGenerate(t, c, "ecdsa-p256"))
	asked := 0
	c.PIN = func(prompt string) ([]byte, error) {
		asked++
		if !strings.Contains(prompt, `"EFGSTA"`) {
			t.Errorf("the prompt does not name the token: %s", prompt)
		}
		return []byte("654321"), nil
	}
	_, err := Open(c, nil)
	if !errors.Is(err, ErrPIN) || asked != 1 {
		t.Fatalf("asked %d times: %v", asked, err)
	}
	for _, want := range []string{`"EFGSTA"`, "refused the PIN", "CKR_PIN_INCORRECT", "few tries may be left"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if strings.Contains(err.Error()+hint(err), "654321") {
		t.Errorf("the PIN is in the error: %v", err)
	}
	// The token remembers; the next prompt says so.
	c.PIN = func(prompt string) ([]byte, error) {
		if !strings.Contains(prompt, "few tries") {
			t.Errorf("the prompt does not warn: %s", prompt)
		}
		return []byte(softhsmtest.UserPIN), nil
	}
	s, err := Open(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	mustClose(t, s)
}

func TestSignRefusesBeforeTheToken(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	for _, algorithm := range []string{"ecdsa-p256", "rsa-3072"} {
		s := mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: algorithm}), algorithm)
		for name, bad := range map[string]struct {
			digest []byte
			opts   crypto.SignerOpts
		}{
			"no options":   {make([]byte, 32), nil},
			"no hash":      {make([]byte, 32), crypto.Hash(0)},
			"SHA-1":        {make([]byte, 20), crypto.SHA1},
			"SHA-512/256":  {make([]byte, 32), crypto.SHA512_256},
			"short digest": {make([]byte, 31), crypto.SHA256},
			"no digest":    {nil, crypto.SHA256},
			"long digest":  {make([]byte, 48), crypto.SHA256},
			"PSS, no hash": {make([]byte, 32), &rsa.PSSOptions{SaltLength: 32}},
			"PSS, salt 20": {make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: 20}},
			"PSS, salt -2": {make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256, SaltLength: -2}},
		} {
			if sig, err := s.Sign(nil, bad.digest, bad.opts); sig != nil || !errors.Is(err, ErrDigest) {
				t.Errorf("%s, %s: %x, %v", algorithm, name, sig, err)
			}
		}
		if _, isEC := s.Public().(*ecdsa.PublicKey); isEC {
			if _, err := s.Sign(nil, make([]byte, 32), &rsa.PSSOptions{Hash: crypto.SHA256}); !errors.Is(err, ErrDigest) {
				t.Errorf("PSS with an EC key: %v", err)
			}
		}
		if _, signatures := s.Counts(); signatures != 0 {
			t.Errorf("%d signatures were made", signatures)
		}
		mustSign(t, s, make([]byte, 32), crypto.SHA256) // still alive
		mustClose(t, s)
	}
}

func TestAfterClose(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	s := mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: "anchor"}), "ecdsa-p256")
	mustClose(t, s)
	if _, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrClosed) {
		t.Errorf("sign after close: %v", err)
	}
	mustClose(t, s)
	if s.Public() == nil || s.Token().Label != "EFGSTA" {
		t.Error("the description is gone")
	}
}

// SoftHSM crashes when two goroutines use one session.
func TestSignFromManyGoroutines(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	s := mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: "anchor"}), "ecdsa-p256")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				if _, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	if _, signatures := s.Counts(); signatures != 200 {
		t.Errorf("%d signatures", signatures)
	}
	mustClose(t, s)
}

func TestAlwaysAuthenticateOnSoftHSM(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "careful"})
	administer(t, c, func(conn *conn) {
		makePair(t, conn, "ecdsa-p256", "careful", []byte{1}, attribute{ckaAlwaysAuthenticate, true})
	})
	asked := 0
	c.PIN = func(string) ([]byte, error) { asked++; return []byte(softhsmtest.UserPIN), nil }
	s, err := Open(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		mustSign(t, s, make([]byte, 32), crypto.SHA256)
	}
	if logins, signatures := s.Counts(); logins != 4 || signatures != 3 || asked != 1 {
		t.Errorf("%d logins, %d signatures, asked %d times", logins, signatures, asked)
	}
	mustClose(t, s)
}
