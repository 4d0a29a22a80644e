package gateway

import (
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
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// rsaKey and ecKey are made once: the tests are about certificates, not about keys.
var (
	rsaKey = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072)) })
	ecKey  = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// attr is one attribute of a test subject; plus puts it into the RDN before it.
type attr struct {
	oid   asn1.ObjectIdentifier
	value string
	plus  bool
}

var (
	oidC  = asn1.ObjectIdentifier{2, 5, 4, 6}
	oidO  = asn1.ObjectIdentifier{2, 5, 4, 10}
	oidCN = asn1.ObjectIdentifier{2, 5, 4, 3}
)

func c(v string) attr  { return attr{oid: oidC, value: v} }
func o(v string) attr  { return attr{oid: oidO, value: v} }
func cn(v string) attr { return attr{oid: oidCN, value: v} }

func subject(t testing.TB, attrs ...attr) []byte {
	t.Helper()
	var seq pkix.RDNSequence
	for _, a := range attrs {
		v := pkix.AttributeTypeAndValue{Type: a.oid, Value: a.value}
		if a.plus {
			seq[len(seq)-1] = append(seq[len(seq)-1], v)
		} else {
			seq = append(seq, []pkix.AttributeTypeAndValue{v})
		}
	}
	return must(asn1.Marshal(seq))
}

func template(t testing.TB, attrs ...attr) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		RawSubject:   subject(t, attrs...),
		NotBefore:    day.AddDate(0, -1, 0),
		NotAfter:     day.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

func issueWith(t testing.TB, tpl *x509.Certificate, key crypto.Signer) *cert.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, der)
}

func issue(t testing.TB, attrs ...attr) *cert.Certificate {
	t.Helper()
	tpl := template(t, attrs...)
	for {
		// One certificate in 256 has the thumbprint of trap 3, in any test.
		if c := issueWith(t, tpl, ecKey()); !strings.HasPrefix(c.Thumbprint().String(), "00") {
			return c
		}
		tpl.SerialNumber = new(big.Int).Add(tpl.SerialNumber, big.NewInt(1))
	}
}

func parse(t testing.TB, der []byte) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func rsaAnchor(t testing.TB) *cert.Certificate {
	t.Helper()
	tpl := template(t, c("BE"), o("European Commission"), cn("EFGSTA"))
	tpl.SignatureAlgorithm = x509.SHA256WithRSA
	return issueWith(t, tpl, rsaKey())
}

// sign makes the operator signature of the anchor made by rsaAnchor.
func sign(t testing.TB, text []byte) []byte {
	t.Helper()
	sum := sha256.Sum256(text)
	return must(rsaKey().Sign(rand.Reader, sum[:], crypto.SHA256))
}

func row(t testing.TB, c *cert.Certificate, typ string) Row {
	t.Helper()
	r, err := NewRow(c, typ, sign(t, c.PEM()), day)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func sample(t testing.TB) Import {
	t.Helper()
	gone := sha256.Sum256([]byte("gone"))
	return Import{
		ListID:      "efgs",
		Environment: "rehearsal",
		Sequence:    7,
		CreatedAt:   day,
		Rows: []Row{
			row(t, issue(t, c("DE"), o("RKI"), cn("NBBS")), Signing),
			row(t, issue(t, c("DE"), o("RKI"), cn("NBTLS")), Authentication),
		},
		Removed: []Removed{{Thumbprint: cert.Thumbprint(gone).String(), Country: "FR", Type: Signing, Reason: "key-compromise"}},
	}
}

// openssl runs openssl in a directory of its own, with the RSA key of the tests as key.pem.
func openssl(t *testing.T, output string, commands ...string) *cert.Certificate {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Fatal("openssl is missing: run `make test-deps`")
	}
	dir := t.TempDir()
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: must(x509.MarshalPKCS8PrivateKey(rsaKey()))})
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, line := range commands {
		cmd := exec.Command("openssl", strings.Fields(line)...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", line, err, out)
		}
	}
	block, _ := pem.Decode(must(os.ReadFile(filepath.Join(dir, output))))
	return parse(t, block.Bytes)
}

// wantUnfit demands an ErrUnfit with a hint, whose text says want.
func wantUnfit(t *testing.T, err error, want string) {
	t.Helper()
	if !errors.Is(err, ErrUnfit) {
		t.Fatalf("got %v, want an ErrUnfit saying %q", err, want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
	var h interface{ Hint() string }
	if !errors.As(err, &h) || h.Hint() == "" {
		t.Errorf("error %q has no hint", err)
	}
}
