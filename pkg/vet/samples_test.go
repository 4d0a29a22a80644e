package vet

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
	"math/big"
	"testing"
	"time"
)

// sample is one certificate to measure with. issuer is nil if it is self-signed.
type sample struct {
	name   string
	role   Role
	der    []byte
	issuer *x509.Certificate
}

// samples are a batch signing certificate of each usual key and a TLS certificate
// with the extensions that public CAs write.
func samples(b *testing.B) []sample {
	b.Helper()
	var all []sample
	for _, key := range []string{"rsa-3072", "ecdsa-p256"} {
		s, err := selfSigned(key)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, s)
	}
	tls, err := publicTLS()
	if err != nil {
		b.Fatal(err)
	}
	return append(all, tls)
}

func sampleKey(kind string) (crypto.Signer, error) {
	if kind == "rsa-3072" {
		return rsa.GenerateKey(rand.Reader, 3072)
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// selfSigned makes an NBBS certificate.
func selfSigned(kind string) (sample, error) {
	key, err := sampleKey(kind)
	if err != nil {
		return sample{}, err
	}
	from := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	t := &x509.Certificate{
		Subject:   pkix.Name{Country: []string{"DE"}, Organization: []string{"Health"}, CommonName: "Batch signing"},
		NotBefore: from, NotAfter: from.AddDate(0, 0, 397).Add(-time.Second), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	s := sample{name: "nbbs-" + kind, role: NBBS}
	s.der, err = issue(t, t, key.Public(), key)
	return s, err
}

// issue numbers and signs; a thumbprint that begins with 00 is refused (EFGS-701).
func issue(t, issuer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) ([]byte, error) {
	for serial := int64(1); ; serial++ {
		t.SerialNumber = new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 120), big.NewInt(serial))
		der, err := x509.CreateCertificate(rand.Reader, t, issuer, public, key)
		if err != nil || sha256.Sum256(der)[0] != 0 {
			return der, err
		}
	}
}

// publicTLS makes an NBTLS certificate with an RSA key, as an RSA CA issues it.
func publicTLS() (sample, error) {
	keys := [2]crypto.Signer{}
	for i := range keys {
		var err error
		if keys[i], err = sampleKey("rsa-3072"); err != nil {
			return sample{}, err
		}
	}
	from := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: from.AddDate(5, 0, 0),
		Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Bench Trust Services"}, CommonName: "Bench TLS RSA SHA256 2020 CA1"},
		IsCA:    true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, keys[0].Public(), keys[0])
	if err != nil {
		return sample{}, err
	}
	issuer, err := x509.ParseCertificate(caDER)
	if err != nil {
		return sample{}, err
	}
	timestamps, err := asn1.Marshal(make([]byte, 364))
	if err != nil {
		return sample{}, err
	}
	t := &x509.Certificate{
		NotBefore: from, NotAfter: from.AddDate(0, 0, 397).Add(-time.Second),
		Subject: pkix.Name{
			Country: []string{"DE"}, Province: []string{"Berlin"}, Locality: []string{"Berlin"}, Organization: []string{"Health"},
			OrganizationalUnit: []string{"IT"}, CommonName: "efgs.example.eu",
		},
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:    []string{"efgs.example.eu", "efgs-test.example.eu"}, BasicConstraintsValid: true,
		PolicyIdentifiers:     []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 2}},
		OCSPServer:            []string{"http://ocsp.ca.example"},
		IssuingCertificateURL: []string{"http://ca.example/tls-rsa-sha256-2020-ca1.crt"},
		CRLDistributionPoints: []string{"http://crl3.ca.example/tls-1.crl", "http://crl4.ca.example/tls-1.crl"},
		ExtraExtensions:       []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: timestamps}},
	}
	s := sample{name: "nbtls-rsa-3072", role: NBTLS, issuer: issuer}
	s.der, err = issue(t, issuer, keys[1].Public(), keys[0])
	return s, err
}
