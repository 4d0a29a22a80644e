//go:build cgo

package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

func TestGeneratedKeyIsStrictAndFoundAgain(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	made := mustGenerate(t, c, "ecdsa-p256")
	info := made.Token()
	for _, at := range info.Attributes {
		if at.Told == nil && at.Must || at.Wrong() {
			t.Errorf("%s: got %v, want %v", at.Name, at.Told, at.Want)
		}
	}
	if len(info.Attributes) != len(keyRules()) || info.AlwaysAuthenticate {
		t.Errorf("info: %+v", info)
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
	refusedWith(t, err, "no initialised token", "SOFTHSM2_CONF")

	store.Token(t, "EFGSTA")
	_, err = Open(neverAsk(config(store, URI{Token: "OTHER", Object: "anchor"})), nil)
	refusedWith(t, err, "no token matches", `tokens seen: token "EFGSTA"`)

	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	_, err = Open(c, nil)
	refusedWith(t, err, `private key "anchor"`, "no private key at all")
	if !errors.Is(err, ErrNoKey) {
		t.Errorf("not ErrNoKey: %v", err)
	}
	mustClose(t, mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: "one"}), "ecdsa-p256"))
	_, err = Open(c, nil)
	refusedWith(t, err, "no such key", `key "one" (id 0x`)

	store.Token(t, "EFGSTA")
	_, err = Open(neverAsk(c), nil)
	refusedWith(t, err, "2 tokens match", "serial")
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
	refusedWith(t, err, "2 keys match", "id 0x01")
	c.URI.ID = []byte{2}
	s, err := Open(c, nil)
	if err != nil {
		t.Fatalf("label and ID name one key: %v", err)
	}
	mustSign(t, s, make([]byte, 32), crypto.SHA256)
	mustClose(t, s)
	c.URI = URI{Token: "EFGSTA", Object: "same", ID: []byte{3}}
	_, err = Open(c, nil)
	refusedWith(t, err, "2 keys match", "duplicate")
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
	refusedWith(t, err, "tells no public key", "same ID")
	_, err = Open(key("no id"), nil)
	refusedWith(t, err, "tells no public key", "same ID")
	_, err = Open(key("twin a"), nil)
	refusedWith(t, err, "2 public keys", "remove")

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
	refusedWith(t, err, "no such key", fmt.Sprintf("and %d more", 2*findBatch+3-maxListed))
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

// 01 and 0001 are two IDs: filters compare bytes.
func TestIDsAreExact(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", ID: []byte{0, 1}})
	administer(t, c, func(conn *conn) {
		makePair(t, conn, "ecdsa-p256", "long", []byte{0, 1})
		makePair(t, conn, "ecdsa-p256", "short", []byte{1})
	})
	for id, label := range map[string]string{"\x00\x01": "long", "\x01": "short"} {
		c.URI.ID = []byte(id)
		s, err := Open(c, nil)
		if err != nil {
			t.Fatal(err)
		}
		if s.Token().KeyLabel != label {
			t.Errorf("%x found %q", id, s.Token().KeyLabel)
		}
		mustClose(t, s)
	}
	c.URI.ID = []byte{0, 0, 1}
	_, err := Open(c, nil)
	refusedWith(t, err, "no such key", `"long" (id 0x0001)`)
}
