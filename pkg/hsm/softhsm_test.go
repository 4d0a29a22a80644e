//go:build cgo

package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

func TestGeneratedKeyIsStrictAndFoundAgain(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	made := mustGenerate(t, c, "ecdsa-p256")
	info := made.Token()
	for name, got := range map[string]struct {
		value *bool
		want  bool
	}{
		"sensitive": {info.Sensitive, true}, "always sensitive": {info.AlwaysSensitive, true}, "local": {info.Local, true},
		"extractable": {info.Extractable, false}, "never extractable": {info.NeverExtractable, true}, "always authenticate": {info.AlwaysAuthenticate, false},
	} {
		if got.value == nil || *got.value != got.want {
			t.Errorf("%s: got %v, want %v", name, got.value, got.want)
		}
	}
	if len(info.KeyID) != 32 || info.KeyLabel != "anchor" || info.Label != "EFGSTA" || info.Serial == "" || len(info.ModuleSHA256) != 64 || len(info.NotStated) != 0 {
		t.Errorf("info: %+v", info)
	}
	mustClose(t, made)

	for _, uri := range []string{
		"pkcs11:token=EFGSTA;object=anchor",
		"pkcs11:serial=" + info.Serial + ";id=" + percent(info.KeyID),
		"pkcs11:token=EFGSTA;serial=" + info.Serial + ";manufacturer=SoftHSM%20project;model=SoftHSM%20v2;object=anchor;type=private?module-path=" + store.Module,
	} {
		u, err := ParseURI(uri)
		if err != nil {
			t.Fatal(err)
		}
		c := config(store, u)
		for _, pub := range []crypto.PublicKey{nil, made.Public()} {
			s, err := Open(c, pub)
			if err != nil {
				t.Fatalf("%s: %v", uri, err)
			}
			if !equalKeys(s.Public(), made.Public()) {
				t.Errorf("%s: another public key", uri)
			}
			mustSign(t, s, make([]byte, 32), crypto.SHA256)
			mustClose(t, s)
		}
	}

	_, err := Generate(c, "ecdsa-p256")
	if !errors.Is(err, ErrExists) {
		t.Errorf("second key of that label: %v", err)
	}
}

func percent(hexID string) string {
	var b strings.Builder
	for i := 0; i < len(hexID); i += 2 {
		b.WriteString("%" + hexID[i:i+2])
	}
	return b.String()
}

// Usage beyond signing is read back from the token itself.
func TestGeneratedKeyCanOnlySign(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	mustClose(t, mustGenerate(t, c, "ecdsa-p256"))
	administer(t, c, func(conn *conn) {
		key, err := conn.findKey(c.URI)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range keyRules() {
			told, err := conn.getBool(key, r.typ)
			if err != nil || told == nil || *told != r.want {
				t.Errorf("%s: %v, %v, want %v", r.name, told, err, r.want)
			}
		}
	})
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
	if strings.Contains(err.Error()+hintOf(err), "654321") {
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

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func TestWhatIsNotThereIsNamed(t *testing.T) {
	store := softhsmtest.New(t)
	neverAsk := func(c Config) Config {
		c.PIN = func(string) ([]byte, error) {
			t.Error("the PIN was asked for")
			return nil, errors.New("no")
		}
		return c
	}
	_, err := Open(neverAsk(config(store, URI{Token: "EFGSTA", Object: "anchor"})), nil)
	wantError(t, err, "no initialised token", "SOFTHSM2_CONF")

	store.Token(t, "EFGSTA")
	_, err = Open(neverAsk(config(store, URI{Token: "OTHER", Object: "anchor"})), nil)
	wantError(t, err, "no token matches", `tokens seen: token "EFGSTA"`)

	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	_, err = Open(c, nil)
	wantError(t, err, `private key "anchor"`, "no private key at all")
	if !errors.Is(err, ErrNoKey) {
		t.Errorf("not ErrNoKey: %v", err)
	}
	mustClose(t, mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: "one"}), "ecdsa-p256"))
	_, err = Open(c, nil)
	wantError(t, err, "no such key", `key "one" (id 0x`)

	store.Token(t, "EFGSTA")
	_, err = Open(neverAsk(c), nil)
	wantError(t, err, "2 tokens match", "serial")
}

// wantError checks that text or hint say something.
func wantError(t *testing.T, err error, text, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) || !strings.Contains(hintOf(err), hint) {
		t.Errorf("got %v (hint: %s)\nwant %q (hint: %q)", err, hintOf(err), text, hint)
	}
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("not an *Error: %v", err)
	}
}

func TestDuplicateKeysAreRefused(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	administer(t, c, func(conn *conn) {
		makePair(t, conn, "ecdsa-p256", "anchor", []byte{1})
		makePair(t, conn, "ecdsa-p256", "anchor", []byte{2})
		makePair(t, conn, "ecdsa-p256", "same", []byte{3})
		makePair(t, conn, "ecdsa-p256", "same", []byte{3})
	})
	_, err := Open(c, nil)
	wantError(t, err, "2 keys match", "id 0x01")
	c.URI.ID = []byte{2}
	s, err := Open(c, nil)
	if err != nil {
		t.Fatalf("label and ID name one key: %v", err)
	}
	mustSign(t, s, make([]byte, 32), crypto.SHA256)
	mustClose(t, s)
	c.URI = URI{Token: "EFGSTA", Object: "same", ID: []byte{3}}
	_, err = Open(c, nil)
	wantError(t, err, "2 keys match", "duplicate")
}

func TestPublicKeyIsHeldAgainstTheToken(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	base := config(store, URI{Token: "EFGSTA"})
	var lone crypto.PublicKey
	administer(t, base, func(conn *conn) {
		makePair(t, conn, "ecdsa-p256", "paired", []byte{1})
		pub, _ := makePair(t, conn, "ecdsa-p256", "lone", []byte{2})
		told, err := conn.readPublic(pub, ckkEC)
		if err != nil {
			t.Fatal(err)
		}
		lone = told.key
		if err := conn.m.destroy(conn.s, pub); err != nil {
			t.Fatal(err)
		}
		makePair(t, conn, "ecdsa-p256", "no id", nil)
		pub, _ = makePair(t, conn, "rsa-3072", "rsa", []byte{4})
		if err := conn.m.destroy(conn.s, pub); err != nil {
			t.Fatal(err)
		}
		makePair(t, conn, "ecdsa-p256", "twin a", []byte{5})
		makePair(t, conn, "ecdsa-p256", "twin b", []byte{5})
	})
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	otherRSA, err := rsa.GenerateKey(rand.Reader, 3072)
	if err != nil {
		t.Fatal(err)
	}
	other384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key := func(label string) Config {
		c := base
		c.URI.Object = label
		return c
	}
	for _, bad := range []struct {
		label string
		pub   crypto.PublicKey
	}{
		{"paired", other.Public()}, {"paired", otherRSA.Public()}, {"paired", other384.Public()},
		{"lone", other384.Public()}, {"rsa", otherRSA.Public()}, {"rsa", other.Public()},
		{"twin a", other.Public()},
	} {
		if _, err := Open(key(bad.label), bad.pub); !errors.Is(err, ErrMismatch) {
			t.Errorf("%s with a foreign %T: %v", bad.label, bad.pub, err)
		}
	}

	// An RSA private key tells its public half; an EC one does not.
	s, err := Open(key("rsa"), nil)
	if err != nil {
		t.Fatal(err)
	}
	mustSign(t, s, make([]byte, 32), crypto.SHA256)
	mustClose(t, s)
	_, err = Open(key("lone"), nil)
	wantError(t, err, "tells no public key", "same ID")
	_, err = Open(key("no id"), nil)
	wantError(t, err, "tells no public key", "same ID")
	_, err = Open(key("twin a"), nil)
	wantError(t, err, "2 public keys", "remove")

	s, err = Open(key("lone"), lone)
	if err != nil {
		t.Fatal(err)
	}
	mustSign(t, s, make([]byte, 32), crypto.SHA256)
	mustClose(t, s)

	// Nothing in the token contradicts this one, the first signature does.
	s, err = Open(key("lone"), other.Public())
	if err != nil {
		t.Fatal(err)
	}
	if sig, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); sig != nil || !errors.Is(err, ErrSignature) {
		t.Errorf("a signature of another key: %x, %v", sig, err)
	}
	if _, err := s.Sign(nil, make([]byte, 32), crypto.SHA256); !errors.Is(err, ErrDead) {
		t.Errorf("the signer lives on: %v", err)
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

// The module is one per process: the second signer is refused and the first is not harmed.
func TestOneSignerPerProcess(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	s := mustGenerate(t, c, "ecdsa-p256")
	_, err := Open(c, nil)
	wantError(t, err, "in use in this process already", "close")
	mustSign(t, s, make([]byte, 32), crypto.SHA256)
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

// More keys than one call of C_FindObjects returns.
func TestFindReadsToTheEnd(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "missing"})
	administer(t, c, func(conn *conn) {
		const n = 2*findBatch + 3
		for i := range n {
			makePair(t, conn, "ecdsa-p256", fmt.Sprintf("key %d", i), []byte{byte(i + 1)})
		}
		for range 2 {
			found, err := conn.find([]attribute{{ckaClass, ckoPrivateKey}})
			if err != nil || len(found) != n {
				t.Errorf("found %d keys, want %d: %v", len(found), n, err)
			}
		}
	})
	_, err := Open(c, nil)
	wantError(t, err, "no such key", fmt.Sprintf("and %d more", 2*findBatch+3-maxListed))
}

func TestTokenDirectoryVanishes(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	s := mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: "anchor"}), "ecdsa-p256")
	if err := os.RemoveAll(filepath.Join(store.Dir, "tokens")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Sign(nil, make([]byte, 32), crypto.SHA256)
	wantError(t, err, "session with the token was lost", "start the step again")
	mustClose(t, s)
}

func TestBadConfigurationOfSoftHSM(t *testing.T) {
	store := softhsmtest.New(t)
	if err := os.WriteFile(store.Conf, []byte("directories.tokendir = /nonexistent/efgsta\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(config(store, URI{Token: "EFGSTA", Object: "anchor"}), nil)
	wantError(t, err, "CKR_GENERAL_ERROR", "SOFTHSM2_CONF")
}

func TestECPointOfTheTokenIsDER(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	administer(t, c, func(conn *conn) {
		pub, _ := makePair(t, conn, "ecdsa-p384", "anchor", []byte{1})
		raw, err := conn.get(pub, ckaECPoint)
		if err != nil {
			t.Fatal(err)
		}
		var point []byte
		if _, err := asn1.Unmarshal(raw, &point); err != nil {
			t.Fatal(err)
		}
		wrapped, err := parsePoint(elliptic.P384(), raw)
		if err != nil {
			t.Fatal(err)
		}
		bare, err := parsePoint(elliptic.P384(), point)
		if err != nil || !bare.Equal(wrapped) {
			t.Errorf("bare point: %v", err)
		}
	})
}
