package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

var (
	signedAt = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	content  = []byte("{\"schema\":\"x\"}\n")
)

// keys are made once: RSA ones take their time.
var (
	rsaKey = sync.OnceValue(func() crypto.Signer { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	p256   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) })
	p521   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader)) })
	p384   = sync.OnceValue(func() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)) })
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// selfSigned makes a certificate shaped like the EFGSTA's, changed by change.
func selfSigned(t testing.TB, key crypto.Signer, change func(*x509.Certificate)) *cert.Certificate {
	t.Helper()
	tmpl := &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes([]byte{0x80, 1, 2, 3, 4, 5, 6, 7}), // a leading zero octet in DER
		Subject:      pkix.Name{CommonName: "EFGS Trust Anchor", Organization: []string{"EC"}, Country: []string{"EU"}},
		NotBefore:    signedAt.AddDate(0, -1, 0),
		NotAfter:     signedAt.AddDate(1, 0, 0),
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
	if change != nil {
		change(tmpl)
	}
	c, err := cert.Parse(must(x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)))
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Faults) > 0 {
		t.Fatal(c.Faults)
	}
	return c
}

type algorithmCase struct {
	name   string
	key    func() crypto.Signer
	scheme sigalg.Scheme
	hash   crypto.Hash
}

var algorithms = []algorithmCase{
	{"RSA PKCS1 SHA-256", rsaKey, sigalg.RSAPKCS1v15, crypto.SHA256},
	{"RSA PKCS1 SHA-512", rsaKey, sigalg.RSAPKCS1v15, crypto.SHA512},
	{"RSA PSS SHA-256", rsaKey, sigalg.RSAPSS, crypto.SHA256},
	{"RSA PSS SHA-384", rsaKey, sigalg.RSAPSS, crypto.SHA384},
	{"P-256 SHA-256", p256, sigalg.ECDSA, crypto.SHA256},
	{"P-256 SHA-512", p256, sigalg.ECDSA, crypto.SHA512},
	{"P-384 SHA-384", p384, sigalg.ECDSA, crypto.SHA384},
	{"RSA PKCS1 SHA-384", rsaKey, sigalg.RSAPKCS1v15, crypto.SHA384},
	{"RSA PSS SHA-512", rsaKey, sigalg.RSAPSS, crypto.SHA512},
	{"P-256 SHA-384", p256, sigalg.ECDSA, crypto.SHA384},
	{"P-384 SHA-256", p384, sigalg.ECDSA, crypto.SHA256},
	{"P-384 SHA-512", p384, sigalg.ECDSA, crypto.SHA512},
	{"P-521 SHA-256", p521, sigalg.ECDSA, crypto.SHA256},
	{"P-521 SHA-384", p521, sigalg.ECDSA, crypto.SHA384},
	{"P-521 SHA-512", p521, sigalg.ECDSA, crypto.SHA512},
}

func (c algorithmCase) template(t testing.TB) Template {
	t.Helper()
	alg, err := sigalg.New(c.scheme, c.hash)
	if err != nil {
		t.Fatal(err)
	}
	return Template{Signer: selfSigned(t, c.key(), nil), Algorithm: alg, SigningTime: signedAt}
}

func (c algorithmCase) sign(t testing.TB, tmpl Template) []byte {
	t.Helper()
	p7, err := tmpl.Sign(rand.Reader, c.key(), content)
	if err != nil {
		t.Fatal(err)
	}
	return p7
}
