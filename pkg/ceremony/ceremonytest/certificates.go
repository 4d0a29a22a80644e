package ceremonytest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// rsaKey is made once in a process: that takes most of a second.
var rsaKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 3072) })

// RSAKey returns the RSA-3072 key that all tests of a process share.
func RSAKey(tb testing.TB) *rsa.PrivateKey {
	tb.Helper()
	k, err := rsaKey()
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// ECKey makes a new key on P-256.
func ECKey(tb testing.TB) *ecdsa.PrivateKey { return ECKeyOn(tb, elliptic.P256()) }

// ECKeyOn makes a new key.
func ECKeyOn(tb testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	tb.Helper()
	k, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k
}

// Spec is what tests vary of a member state's certificate.
type Spec struct {
	Role    vet.Role // NBBS unless said
	Country string
	CN      string // "efgs.example.eu" unless said
	From    time.Time
	Days    int           // 400 unless said
	Key     crypto.Signer // a new one on P-256 unless said
	Extra   []pkix.Extension
}

// Certificate makes a certificate that its role accepts under efgs-2020 unless the
// spec says otherwise: an NBBS signs itself, an NBTLS comes from a CA.
func Certificate(tb testing.TB, s Spec) *cert.Certificate {
	tb.Helper()
	if s.CN == "" {
		s.CN = "efgs.example.eu"
	}
	if s.Days == 0 {
		s.Days = 400
	}
	if s.From.IsZero() {
		s.From = Start.AddDate(0, -1, 0)
	}
	if s.Key == nil {
		s.Key = ECKey(tb)
	}
	template := &x509.Certificate{
		Subject:   pkix.Name{Country: []string{s.Country}, Organization: []string{"Health"}, CommonName: s.CN},
		NotBefore: s.From,
		NotAfter:  s.From.AddDate(0, 0, s.Days).Add(-time.Second),
		KeyUsage:  x509.KeyUsageDigitalSignature,

		ExtraExtensions: s.Extra,
	}
	parent, signer := template, s.Key
	if s.Role == vet.NBTLS {
		template.DNSNames = []string{"efgs.example.eu"}
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
		ca := authority(tb)
		parent, signer = ca.certificate, ca.key
	}
	// There is one CA, so serial numbers must not be the same (EFGS-507).
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		tb.Fatal(err)
	}
	for ; ; serial.Add(serial, big.NewInt(1)) {
		template.SerialNumber = serial
		der, err := x509.CreateCertificate(rand.Reader, template, parent, s.Key.Public(), signer)
		if err != nil {
			tb.Fatal(err)
		}
		if sha256.Sum256(der)[0] == 0 {
			continue // the gateway cannot match it (EFGS-701)
		}
		c, err := cert.Parse(der)
		if err != nil {
			tb.Fatal(err)
		}
		return c
	}
}
