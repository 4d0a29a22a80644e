//go:build conformance

package conformance

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/release/gateway"
)

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// The keys are made once: the tests are about rows, not about keys.
var (
	rsaKey  = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 3072)) })
	p256Key = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p384Key = sync.OnceValue(func() *ecdsa.PrivateKey { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// testAnchor is an EFGSTA with its key at hand, to sign also what efgsta would not.
type testAnchor struct {
	cert *cert.Certificate
	key  crypto.Signer
	hash crypto.Hash
}

func newAnchor(t *testing.T, key crypto.Signer, alg x509.SignatureAlgorithm, hash crypto.Hash) testAnchor {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:       big.NewInt(1),
		Subject:            pkix.Name{Country: []string{"BE"}, Organization: []string{"European Commission"}, CommonName: "EU Federation Gateway Service"},
		NotBefore:          day.AddDate(0, -1, 0),
		NotAfter:           day.AddDate(1, 0, 0),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		SignatureAlgorithm: alg,
	}
	return testAnchor{selfSigned(t, template, key), key, hash}
}

// sign makes the operator signature over a text.
func (a testAnchor) sign(t *testing.T, text string) string {
	t.Helper()
	h := a.hash.New()
	h.Write([]byte(text))
	return a.signDigest(t, h.Sum(nil), a.hash)
}

func (a testAnchor) signDigest(t *testing.T, digest []byte, opts crypto.SignerOpts) string {
	t.Helper()
	sig, err := a.key.Sign(rand.Reader, digest, opts)
	if err != nil {
		t.Fatal(err)
	}
	return base64.StdEncoding.EncodeToString(sig)
}

func (a testAnchor) row(t *testing.T, c *cert.Certificate, typ string, at time.Time) gateway.Row {
	t.Helper()
	sig, err := base64.StdEncoding.DecodeString(a.sign(t, string(c.PEM())))
	if err != nil {
		t.Fatal(err)
	}
	r, err := gateway.NewRow(c, typ, sig, at)
	if err != nil {
		t.Fatal(err)
	}
	if err := gateway.VerifyRow(r, a.cert); err != nil {
		t.Fatal(err)
	}
	return r
}

func selfSigned(t *testing.T, template *x509.Certificate, key crypto.Signer) *cert.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leaf makes a certificate whose thumbprint begins with the prefix. With no
// prefix it avoids 00, which no gateway row can have.
func leaf(t *testing.T, country, prefix string) *cert.Certificate {
	t.Helper()
	subject, err := asn1.Marshal(pkix.RDNSequence{
		{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "FGS " + country}}, // CN first: the country is not where scripts look
		{{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "Österreichische Stelle"}},
		{{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: country}},
	})
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		RawSubject: subject,
		NotBefore:  day.AddDate(0, -1, 0),
		NotAfter:   day.AddDate(1, 0, 0),
		KeyUsage:   x509.KeyUsageDigitalSignature,
	}
	for {
		template.SerialNumber = must(rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120)))
		c := selfSigned(t, template, p256Key())
		if tp := c.Thumbprint().String(); strings.HasPrefix(tp, prefix) && (prefix != "" || tp[:2] != "00") {
			return c
		}
	}
}
