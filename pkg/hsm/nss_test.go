//go:build cgo

package hsm

import (
	"crypto"
	"crypto/rsa"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// nssConfig makes a database of NSS softokn, a module that shares no line with SoftHSM
// and refuses to start without initialisation arguments.
func nssConfig(t *testing.T, object string) Config {
	t.Helper()
	module := ""
	for _, pattern := range []string{"/usr/lib/*/libsoftokn3.so", "/usr/lib/*/nss/libsoftokn3.so", "/usr/lib64/libsoftokn3.so"} {
		if found, _ := filepath.Glob(pattern); len(found) > 0 {
			module = found[0]
		}
	}
	if module == "" {
		t.Fatal("libsoftokn3.so is not installed: run `make test-deps`")
	}
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("123456\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("certutil", "-N", "-d", "sql:"+dir, "-f", password).CombinedOutput(); err != nil {
		t.Fatalf("certutil (if it is missing, run `make test-deps`): %v: %s", err, out)
	}
	return Config{
		Module: module, InitArgs: "configdir='sql:" + dir + "'", URI: URI{Token: "NSS Certificate DB", Object: object},
		PIN: func(string) ([]byte, error) { return []byte("123456"), nil },
	}
}

func TestNSS(t *testing.T) {
	c := nssConfig(t, "anchor")
	t.Run("without arguments", func(t *testing.T) {
		bare := c
		bare.InitArgs = ""
		_, err := Open(bare, nil)
		refusedWith(t, err, "initialise", "for NSS the initialisation arguments")
	})
	t.Run("list", func(t *testing.T) {
		found, err := List(c)
		if err != nil {
			t.Fatal(err)
		}
		if len(found.Tokens) != 1 || found.Tokens[0].Label != "NSS Certificate DB" || strings.Join(found.Tokens[0].Algorithms, " ") != "rsa rsa-pss ecdsa" {
			t.Errorf("%+v", found)
		}
	})
	for _, algorithm := range []string{"rsa-3072", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"} {
		t.Run(algorithm, func(t *testing.T) {
			c := c
			c.URI.Object = algorithm
			// NSS tells of every key that it was not made there, so our own template is not met.
			_, err := Generate(c, algorithm)
			refusedWith(t, err, "the token made a weaker key than asked for: CKA_LOCAL is false", "destroyed")
			administer(t, c, func(conn *conn) { makePair(t, conn, algorithm, algorithm, []byte(algorithm)) })
			s, err := Open(c, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer mustClose(t, s)
			pub := s.Public()
			for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
				options := []crypto.SignerOpts{hash}
				if isRSA(pub) {
					options = append(options, &rsa.PSSOptions{Hash: hash})
				}
				for _, opts := range options {
					// Sign verifies what it returns.
					if _, err := s.Sign(nil, make([]byte, hash.Size()), opts); err != nil {
						t.Errorf("%v: %v", opts, err)
					}
				}
			}
		})
	}
	t.Run("wrong PIN", func(t *testing.T) {
		wrong := c
		wrong.URI.Object = "ecdsa-p256"
		wrong.PIN = func(string) ([]byte, error) { return []byte("918273"), nil }
		_, err := Open(wrong, nil)
		refusedWith(t, err, "the token refused the PIN", "")
	})
}
