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
	"sync"
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
	a, err := theCA()
	if err != nil {
		return nil, err
	}
	return x509.CreateCertificate(rand.Reader, t, a.certificate, key.Public(), a.key)
}

// ca issues every NBTLS.
type ca struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

var theCA = sync.OnceValues(func() (*ca, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Bench CA"},
		NotBefore: time.Now().AddDate(0, 0, -1), NotAfter: time.Now().AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &ca{c, key}, err
})

// evidence writes the CA and a list of it, and returns the flags that submit takes them with.
func evidence(b *testing.B, dir string) []string {
	b.Helper()
	a, err := theCA()
	if err != nil {
		b.Fatal(err)
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().AddDate(0, 0, 10),
	}, a.certificate, a.key)
	if err != nil {
		b.Fatal(err)
	}
	roots, lists := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.crl")
	for name, data := range map[string][]byte{roots: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}), lists: list} {
		if err := os.WriteFile(name, data, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return []string{"--roots", roots, "--crl", lists}
}
