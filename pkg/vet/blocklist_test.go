package vet

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

func TestReadBlocklist(t *testing.T) {
	const debian, spki = "3c430072d96e4a1e1809", "0000000000000000000000000000000000000000000000000000000000000001"
	b, err := ReadBlocklist("list", strings.NewReader("# made by hand\n\n"+debian+"\r\n  "+strings.ToUpper(spki)+"\n"))
	if err != nil || len(b.debian) != 1 || len(b.keys) != 1 || b.Name != "list" {
		t.Fatalf("%+v, %v", b, err)
	}
	for name, text := range map[string]string{
		"empty": "", "comments alone": "# nothing\n", "not hex": "xyz\n", "another length": "00ff\n", "SHA-1 whole": strings.Repeat("00", 20) + "\n",
		"text behind": debian + " comment\n", "a line without end": strings.Repeat("0", maxLine+1),
	} {
		if _, err := ReadBlocklist(name, strings.NewReader(text)); !errors.Is(err, ErrBlocklist) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The entries are those of Debian's openssl-blacklist: what openssl prints of a modulus, hashed.
func TestDebianFormat(t *testing.T) {
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}), 0o600); err != nil {
		t.Fatal(err)
	}
	printed, err := exec.Command("openssl", "rsa", "-pubin", "-in", file, "-noout", "-modulus").Output()
	if err != nil {
		t.Fatalf("%v (make test-deps)", err)
	}
	parsed, err := sigalg.ParsePublicKey(spki)
	if err != nil {
		t.Fatal(err)
	}
	list := blocked(fmt.Sprintf("%x", sha1.Sum(printed))[20:])
	x := &exam{Request: &Request{Blocklists: []*Blocklist{list}}, c: &cert.Certificate{SPKI: spki, PublicKey: parsed}}
	if o := onRSA(debianWeak)(x); o.state != failed {
		t.Errorf("not found: %+v", o)
	}
}

func FuzzReadBlocklist(f *testing.F) {
	f.Add("# x\n3c430072d96e4a1e1809\n")
	f.Add(strings.Repeat("0f", 32))
	f.Fuzz(func(t *testing.T, text string) {
		b, err := ReadBlocklist("f", strings.NewReader(text))
		if (err == nil) != (b != nil) || err == nil && len(b.debian)+len(b.keys) == 0 {
			t.Fatalf("%+v, %v", b, err)
		}
	})
}
