//go:build cgo

package bench

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

func (k tokenKey) config() hsm.Config {
	return hsm.Config{
		Module: k.store.Module,
		URI:    hsm.URI{Token: tokenLabel, Object: keyLabel},
		PIN:    func(string) ([]byte, error) { return []byte(softhsmtest.UserPIN), nil },
	}
}

// newKey makes a key in a new token and leaves it open.
func newKey(b *testing.B, algorithm string) (tokenKey, hsm.Signer) {
	b.Helper()
	k := newToken(b)
	s, err := hsm.Generate(k.config(), algorithm)
	if err != nil {
		b.Fatal(err)
	}
	return k, s
}

func closed(b *testing.B, s hsm.Signer) {
	b.Helper()
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}

// median sorts.
func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkTokenStart holds a program that opens a key through pkg/hsm against one
// that does as little as a signature takes, from the start of the process until the
// signature is there; the bar is 1.5.
func BenchmarkTokenStart(b *testing.B) {
	const rounds = 100
	bare, once := build(b, "1", "./bare"), build(b, "1", "./once")
	for _, c := range []struct{ algorithm, kind string }{{"rsa-3072", "rsa"}, {"ecdsa-p256", "ec"}} {
		b.Run(c.algorithm, func(b *testing.B) {
			k, s := newKey(b, c.algorithm)
			closed(b, s)
			digest := sha256.Sum256([]byte("efgsta")) // what both programs sign
			first := func(program string) time.Duration {
				took, sig := firstByte(b, program, k.store.Module, tokenLabel, keyLabel, k.pin, c.kind)
				if !holds(s.Public(), digest[:], sig) {
					b.Fatalf("the signature of %s does not verify", program)
				}
				return took
			}
			for b.Loop() {
				var bares, onces []time.Duration
				for range rounds {
					bares, onces = append(bares, first(bare)), append(onces, first(once))
				}
				of, by := median(onces), median(bares)
				b.ReportMetric(ms(by), "ms/bare")
				b.ReportMetric(ms(of), "ms/hsm")
				b.ReportMetric(of.Seconds()/by.Seconds(), "hsm/bare(median)")
				b.ReportMetric(onces[0].Seconds()/bares[0].Seconds(), "hsm/bare(best)")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkTokenImport is the command of efgsta that is nearest to a single signature:
// it reads, vets and records a certificate, and its key signs once. Processes are
// measured from start to end.
func BenchmarkTokenImport(b *testing.B) {
	const rounds = 30
	program, bare := build(b, "1", "../../cmd/efgsta"), build(b, "1", "./bare")
	k := newToken(b)
	dir := b.TempDir()
	run(b, dir, program, "init", "first", "--environment", "rehearsal")
	run(b, dir, program, append([]string{"anchor", "create", "--workspace", "first", "--organization", "Bench"}, k.flags()...)...)
	text := run(b, dir, program, "anchor", "show", "--workspace", "first", "--pem")
	if err := os.WriteFile(filepath.Join(dir, "efgsta.pem"), []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	timed := func(program string, args ...string) time.Duration {
		start := time.Now()
		run(b, dir, program, args...)
		return time.Since(start)
	}
	for b.Loop() {
		var bares, imports []time.Duration
		for range rounds {
			ws := filepath.Join(b.TempDir(), "ws")
			run(b, dir, program, "init", ws, "--environment", "rehearsal")
			bares = append(bares, timed(bare, k.store.Module, tokenLabel, keyLabel, k.pin, "rsa"))
			imports = append(imports, timed(program, append([]string{"anchor", "import", "efgsta.pem", "--workspace", ws}, k.flags()...)...))
		}
		of, by := median(imports), median(bares)
		b.ReportMetric(ms(by), "ms/bare")
		b.ReportMetric(ms(of), "ms/import")
		b.ReportMetric(of.Seconds()/by.Seconds(), "import/bare")
	}
	b.ReportMetric(0, "ns/op")
}

// firstByte runs a program and returns how long it took to print something, and what that was.
func firstByte(b *testing.B, program string, args ...string) (time.Duration, []byte) {
	b.Helper()
	cmd := exec.Command(program, args...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	printed := make([]byte, 1)
	_, err = io.ReadFull(out, printed)
	took := time.Since(start)
	rest, readErr := io.ReadAll(out)
	if err := errors.Join(cmd.Wait(), err, readErr); err != nil {
		b.Fatalf("%s: %v\n%s", program, err, said.String())
	}
	return took, append(printed, rest...)
}

// BenchmarkTokenSign holds Signer.Sign against the two calls of PKCS#11 behind it, on
// one key in one process, in turns, with and without the verification in software.
func BenchmarkTokenSign(b *testing.B) {
	for _, c := range []struct {
		algorithm string
		turns     int
	}{{"rsa-3072", 300}, {"ecdsa-p256", 3000}} {
		b.Run(c.algorithm, func(b *testing.B) {
			k, s := newKey(b, c.algorithm)
			defer closed(b, s)
			raw := rawSigner(b, k.store.Module, s.Public())
			digest := sha256.Sum256([]byte(c.algorithm))
			for b.Loop() {
				var raws, signs, verifies []time.Duration
				for range c.turns {
					start := time.Now()
					raw(digest[:])
					raws = append(raws, time.Since(start))

					start = time.Now()
					sig, err := s.Sign(nil, digest[:], crypto.SHA256)
					signs = append(signs, time.Since(start))
					if err != nil {
						b.Fatal(err)
					}

					start = time.Now()
					good := holds(s.Public(), digest[:], sig)
					verifies = append(verifies, time.Since(start))
					if !good {
						b.Fatal("the signature does not verify")
					}
				}
				sign, by, verify := median(signs), median(raws), median(verifies)
				b.ReportMetric(us(by), "µs/raw")
				b.ReportMetric(us(sign), "µs/hsm")
				b.ReportMetric(us(verify), "µs/verify")
				b.ReportMetric(sign.Seconds()/by.Seconds(), "hsm/raw")
				b.ReportMetric((sign-verify).Seconds()/by.Seconds(), "(hsm-verify)/raw")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// holds verifies PKCS#1 v1.5 and both forms of an ECDSA signature: DER as of pkg/hsm,
// and r and s of one length each as of a token.
func holds(pub crypto.PublicKey, digest, sig []byte) bool {
	if k, ok := pub.(*rsa.PublicKey); ok {
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, digest, sig) == nil
	}
	k := pub.(*ecdsa.PublicKey)
	if len(sig) == 64 {
		return ecdsa.Verify(k, digest, new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:]))
	}
	return ecdsa.VerifyASN1(k, digest, sig)
}

// rawSigner signs with the binding alone, in a session of its own beside the one that
// pkg/hsm holds: the module is initialised and logged in for the whole process.
func rawSigner(b *testing.B, module string, pub crypto.PublicKey) func(digest []byte) {
	b.Helper()
	ctx := pkcs11.New(module)
	if ctx == nil {
		b.Fatal("the module does not load")
	}
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	slots, err := ctx.GetSlotList(true)
	must(err)
	slot := slices.IndexFunc(slots, func(slot uint) bool {
		info, err := ctx.GetTokenInfo(slot)
		return err == nil && info.Label == tokenLabel
	})
	if slot < 0 {
		b.Fatal("no such token")
	}
	session, err := ctx.OpenSession(slots[slot], pkcs11.CKF_SERIAL_SESSION)
	must(err)
	must(ctx.FindObjectsInit(session, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}))
	keys, _, err := ctx.FindObjects(session, 1)
	must(err)
	must(ctx.FindObjectsFinal(session))
	if len(keys) != 1 {
		b.Fatal("no such key")
	}
	typ, before := uint(pkcs11.CKM_ECDSA), ""
	if _, ok := pub.(*rsa.PublicKey); ok {
		typ, before = pkcs11.CKM_RSA_PKCS, sha256Info
	}
	return func(digest []byte) {
		must(ctx.SignInit(session, []*pkcs11.Mechanism{pkcs11.NewMechanism(typ, nil)}, keys[0]))
		_, err := ctx.Sign(session, append([]byte(before), digest...))
		must(err)
	}
}

// sha256Info is what RFC 8017 section 9.2 puts before a SHA-256 digest.
const sha256Info = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
