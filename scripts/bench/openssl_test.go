//go:build cgo

package bench

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// BenchmarkSign holds a signature of ours against what was there before: one openssl
// x509 -req through the PKCS#11 engine for each certificate, with the same key in the
// same token. The bar is 4 for a signature of pkg/hsm, which is verified, with its share
// of module and login. Beside it stands efgsta sign as a whole, which also vets and plans
// again, makes CMS of every second signature, and writes, reads back and verifies the release.
func BenchmarkSign(b *testing.B) {
	const members, processes, turns = 25, 20, 5
	k := newToken(b)
	ready := walk(b, build(b, "1", "../../cmd/efgsta"), k, members)
	openssl := newEngineCA(b, k, ready)
	for b.Loop() {
		var engines, ours, commands []time.Duration
		for range turns {
			start := time.Now()
			for i := range processes {
				openssl.certify(b, i)
			}
			engines = append(engines, time.Since(start)/processes)
			ours = append(ours, signOnce(b, k, 2*members)/(2*members))
			took, out := ready.signed(b)
			signatures, _ := released(b, out)
			commands = append(commands, took/time.Duration(signatures))
		}
		openssl.verified(b)
		engine, one, whole := median(engines), median(ours), median(commands)
		b.ReportMetric(ms(engine), "ms/openssl")
		b.ReportMetric(ms(one), "ms/hsm")
		b.ReportMetric(ms(whole), "ms/sign")
		b.ReportMetric(engine.Seconds()/one.Seconds(), "openssl/hsm")
		b.ReportMetric(engine.Seconds()/whole.Seconds(), "openssl/sign")
	}
	b.ReportMetric(0, "ns/op")
}

// signOnce opens the key, makes n signatures and closes it, and returns how long that took.
func signOnce(b *testing.B, k tokenKey, n int) time.Duration {
	b.Helper()
	start := time.Now()
	s, err := hsm.Open(k.config(), nil)
	if err != nil {
		b.Fatal(err)
	}
	for i := range n {
		digest := sha256.Sum256([]byte{byte(i)})
		if _, err := s.Sign(nil, digest[:], crypto.SHA256); err != nil {
			b.Fatal(err)
		}
	}
	closed(b, s)
	return time.Since(start)
}

// engineCA makes certificates with the openssl program, its PKCS#11 engine and the
// EFGSTA of a workspace.
type engineCA struct {
	dir, key, ca string
}

func newEngineCA(b *testing.B, k tokenKey, r ready) engineCA {
	b.Helper()
	if err := exec.Command("openssl", "engine", "pkcs11").Run(); err != nil {
		b.Fatal("openssl has no PKCS#11 engine: run `scripts/install-test-deps.sh bench`")
	}
	// The module itself, not the proxy of p11-kit, which would be slower.
	b.Setenv("PKCS11_MODULE_PATH", k.store.Module)
	// Not from the file: the engine would send its line end as part of the PIN.
	e := engineCA{b.TempDir(), "pkcs11:token=" + tokenLabel + ";object=" + keyLabel + ";type=private;pin-value=" + softhsmtest.UserPIN, "efgsta.pem"}
	text := run(b, r.dir, r.program, "anchor", "show", "--pem")
	if err := os.WriteFile(filepath.Join(e.dir, e.ca), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	run(b, e.dir, "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "member.key", "-subj", "/C=DE/O=Bench/CN=member", "-out", "member.csr")
	return e
}

func (e engineCA) certify(b *testing.B, serial int) {
	b.Helper()
	run(b, e.dir, "openssl", "x509", "-req", "-in", "member.csr", "-days", "365", "-set_serial", strconv.Itoa(serial+1),
		"-CA", e.ca, "-CAkeyform", "engine", "-engine", "pkcs11", "-CAkey", e.key, "-out", "member.pem")
}

// verified fails unless the last certificate was signed with the key of the EFGSTA.
func (e engineCA) verified(b *testing.B) {
	b.Helper()
	read := func(name string) *x509.Certificate {
		text, err := os.ReadFile(filepath.Join(e.dir, name))
		if err != nil {
			b.Fatal(err)
		}
		block, _ := pem.Decode(bytes.TrimSpace(text))
		if block == nil {
			b.Fatalf("%s is not PEM:\n%s", name, text)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	ca, c := read(e.ca), read("member.pem")
	if err := ca.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		b.Fatal(err)
	}
}
