package ceremonytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/vet"
)

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
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"DE"}, CommonName: "Test CA"},
		NotBefore: Start.AddDate(-5, 0, 0), NotAfter: Start.AddDate(20, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	return &ca{c, key}, err
})

func authority(tb testing.TB) *ca {
	tb.Helper()
	a, err := theCA()
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// Evidence is what a state brings with its NBTLS: the root that issued it, and a list
// with nobody on it, which goes stale at that time.
func Evidence(tb testing.TB, stale time.Time) *vet.Evidence {
	tb.Helper()
	a := authority(tb)
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: a.certificate.NotBefore, NextUpdate: stale,
	}, a.certificate, a.key)
	if err != nil {
		tb.Fatal(err)
	}
	roots, err := vet.ReadRoots("ca.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
	if err != nil {
		tb.Fatal(err)
	}
	lists, err := vet.ReadCRLs("ca.crl", list)
	if err != nil {
		tb.Fatal(err)
	}
	return &vet.Evidence{Roots: roots, CRLs: lists}
}
