package bench

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// state is a member state that sends good certificates.
type state struct {
	country string
	serial  int64
	key     string // "rsa-3072" or "ecdsa-p256"
}

const (
	nbtls = "nbtls"
	nbbs  = "nbbs"
)

// write makes a certificate and returns the path of its file.
func (s state) write(b *testing.B, dir, role string) string {
	b.Helper()
	var der []byte
	// A thumbprint that begins with 00 is refused (EFGS-701).
	for der == nil || sha256.Sum256(der)[0] == 0 {
		var err error
		if der, err = s.make(role); err != nil {
			b.Fatal(err)
		}
	}
	path := filepath.Join(dir, s.country+"-"+role+".pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		b.Fatal(err)
	}
	return path
}

func (s state) newKey() (crypto.Signer, error) {
	if s.key == "rsa-3072" {
		return rsa.GenerateKey(rand.Reader, 3072)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

func (s state) make(role string) ([]byte, error) {
	key, err := s.newKey()
	if err != nil {
		return nil, err
	}
	from := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1000 + s.serial),
		Subject:      pkix.Name{Country: []string{s.country}, Organization: []string{"Health"}, CommonName: "efgs.example.eu"},
		NotBefore:    from, NotAfter: from.AddDate(0, 0, 397).Add(-time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if role == nbbs {
		return x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	}
	t.DNSNames = []string{"efgs.example.eu"}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	issuer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ca := &x509.Certificate{Subject: pkix.Name{CommonName: "Bench CA"}, PublicKey: issuer.Public()}
	return x509.CreateCertificate(rand.Reader, t, ca, key.Public(), issuer)
}
