//go:build conformance

package conformance

import (
	"archive/tar"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// binDir holds the efgsta that the tests drive; it is there as long as they run.
var binDir string

func TestMain(m *testing.M) {
	var err error
	if binDir, err = os.MkdirTemp("", "efgsta-conformance"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(binDir)
	os.Exit(code)
}

// buildBinary builds efgsta from this tree, once.
var buildBinary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(binDir, "efgsta")
	out, err := exec.Command("go", "build", "-o", path, "../../cmd/efgsta").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, err
})

// makeBundle walks an operator's first day in a rehearsal workspace, with an
// EFGSTA of the algorithm and certificates brought in every form that people
// bring them in, and returns the directory of the unpacked gateway bundle.
func makeBundle(t *testing.T, algorithm string) string {
	t.Helper()
	efgsta, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ws := filepath.Join(dir, "ws")
	pin := write(t, dir, "pin", []byte("correct horse battery staple\n"))
	run(t, efgsta, "init", ws, "--environment", "rehearsal")
	in := func(args ...string) string { return run(t, efgsta, append(args, "--workspace", ws)...) }

	in("anchor", "create", "--algorithm", algorithm, "--organization", "European Commission", "--key", "file:efgsta.p8", "--pin-file", pin)
	roots, list := publish(t, dir)
	for country, s := range submissions(t) {
		in("member", "add", country, "--name", "State "+country, "--contact", "PKI desk <pki@example.eu>")
		in("submit", country, "--nbtls", write(t, dir, country+"-nbtls", s.nbtls), "--nbbs", write(t, dir, country+"-nbbs", s.nbbs),
			"--roots", roots, "--crl", list, "--confirmed-by", "phone")
	}
	_, words, found := strings.Cut(in("plan"), "Read aloud")
	if !found {
		t.Fatal("the plan has no words to read aloud")
	}
	words, _, _ = strings.Cut(words, "\n")
	in("sign", "--pin-file", pin, "--confirm", strings.Join(strings.Fields(words), " "))
	packed := filepath.Join(dir, "bundle.tar")
	in("export", "gateway", "-o", packed)
	return unpack(t, packed)
}

// submission is what one member state brings.
type submission struct{ nbtls, nbbs []byte }

func submissions(t *testing.T) map[string]submission {
	t.Helper()
	plain := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	crlf := func(der []byte) []byte { return bytes.ReplaceAll(plain(der), []byte("\n"), []byte("\r\n")) }
	prefixed := func(der []byte) []byte { return append([]byte("subject=C = FR\nissuer=…\n"), plain(der)...) }
	return map[string]submission{
		"DE": {nbtls: crlf(nationalCert(t, "DE", true, rsaKey())), nbbs: nationalCert(t, "DE", false, p256Key())},
		"FR": {nbtls: plain(nationalCert(t, "FR", true, must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)))), nbbs: prefixed(nationalCert(t, "FR", false, must(rsa.GenerateKey(rand.Reader, 3072))))},
	}
}

// nationalCert makes a certificate by the templates of Governance 4.3 and 4.4,
// with the CN first, where scripts that look for C by its place go wrong.
func nationalCert(t *testing.T, country string, tls bool, key crypto.Signer) []byte {
	t.Helper()
	attribute := func(oid asn1.ObjectIdentifier, v string) pkix.RelativeDistinguishedNameSET {
		return pkix.RelativeDistinguishedNameSET{{Type: oid, Value: v}}
	}
	host := "efgs." + strings.ToLower(country) + ".example.eu"
	subject := must(asn1.Marshal(pkix.RDNSequence{
		attribute(asn1.ObjectIdentifier{2, 5, 4, 3}, host),
		attribute(asn1.ObjectIdentifier{2, 5, 4, 10}, "Health Authority"),
		attribute(asn1.ObjectIdentifier{2, 5, 4, 7}, "Capital"),
		attribute(asn1.ObjectIdentifier{2, 5, 4, 6}, country),
	}))
	from := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	template := &x509.Certificate{
		RawSubject: subject, NotBefore: from, NotAfter: from.AddDate(0, 0, 400).Add(-time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	issuer, issuerKey := template, key
	if tls {
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		template.DNSNames = []string{host}
		issuer, issuerKey = exampleCA(), p384Key()
	}
	for {
		template.SerialNumber = new(big.Int).Add(must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))), big.NewInt(1))
		der := must(x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey))
		if sha256.Sum256(der)[0] != 0 {
			return der
		}
	}
}

// exampleCA issues every TLS certificate, with p384Key.
var exampleCA = sync.OnceValue(func() *x509.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Public CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().AddDate(0, 0, -1), NotAfter: time.Now().AddDate(5, 0, 0), SubjectKeyId: []byte{1, 2, 3, 4},
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	return must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, p384Key().Public(), p384Key()))))
})

// publish writes exampleCA and a revocation list of it, and returns the files.
func publish(t *testing.T, dir string) (roots, list string) {
	t.Helper()
	der := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().AddDate(0, 0, 10),
	}, exampleCA(), p384Key()))
	return write(t, dir, "ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: exampleCA().Raw})), write(t, dir, "ca.crl", der)
}

func unpack(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return dir
		}
		if err != nil {
			t.Fatal(err)
		}
		if !filepath.IsLocal(h.Name) || h.Typeflag != tar.TypeReg {
			t.Fatalf("%s in the bundle is not a plain file", h.Name)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(h.Name)), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, dir, h.Name, data)
	}
}

var certificateName = regexp.MustCompile(`^[A-Z]{2}-(nbbs|nbtls)-[0-9a-f]{16}\.pem$`)

// certificates are the paths of the bundle's certificates, without extension.
func certificates(t *testing.T, bundle string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(bundle, "trust", "certificates"))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		if certificateName.MatchString(e.Name()) {
			out = append(out, filepath.Join(bundle, "trust", "certificates", strings.TrimSuffix(e.Name(), ".pem")))
		}
	}
	if len(out) != 4 || len(entries) != 12 {
		t.Fatalf("bundle has %d certificates and %d files of theirs, want 4 and 12", len(out), len(entries))
	}
	return out
}
