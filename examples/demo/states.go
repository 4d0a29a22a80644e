package main

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
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// wanted is a certificate that a member state makes.
type wanted struct {
	file       string // under the state's directory
	country    string
	key        func() (crypto.Signer, error)
	tls        bool // NBTLS, issued by the demo's CA; else NBBS, self-signed
	algorithm  x509.SignatureAlgorithm
	days       int
	noKeyUsage bool
}

var states = []wanted{
	{file: "nbtls.pem", country: "DE", tls: true, key: rsaKey(3072), days: 397},
	{file: "nbbs.pem", country: "DE", key: rsaKey(3072), algorithm: x509.SHA256WithRSAPSS, days: 700},
	{file: "nbtls.pem", country: "FR", tls: true, key: ecKey(elliptic.P256()), days: 397},
	{file: "nbbs.pem", country: "FR", key: ecKey(elliptic.P384()), algorithm: x509.ECDSAWithSHA384, days: 700},
	{file: "nbtls.pem", country: "IT", tls: true, key: rsaKey(2048), days: 90},
	{file: "nbbs.pem", country: "IT", key: rsaKey(2048), algorithm: x509.SHA256WithRSA, days: 1095, noKeyUsage: true},
}

func rsaKey(bits int) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, bits) }
}

func ecKey(curve elliptic.Curve) func() (crypto.Signer, error) {
	return func() (crypto.Signer, error) { return ecdsa.GenerateKey(curve, rand.Reader) }
}

// ca stands in for a public CA: the demo has no network to ask one.
type ca struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func makeCA(now time.Time) (*ca, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{Country: []string{"BE"}, Organization: []string{"Demo"}, CommonName: "Demo TLS CA"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: now.AddDate(5, 0, 0),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &ca{certificate, key}, err
}

// makeStates writes every state's certificates to dir/<country>/. Their private
// keys never leave the memory of this process: a state keeps its own.
func makeStates(dir string, now time.Time) error {
	authority, err := makeCA(now)
	if err != nil {
		return err
	}
	if err := authority.publish(filepath.Join(dir, "CA"), now); err != nil {
		return err
	}
	errs := make([]error, len(states))
	var wait sync.WaitGroup
	for i, w := range states {
		wait.Go(func() { errs[i] = w.write(dir, authority, now) })
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// publish writes what a public CA has on its web site: its root certificate and its
// revocation list, with one certificate on it that nobody here has.
func (a *ca) publish(dir string, now time.Time) error {
	serial, err := serialNumber()
	if err != nil {
		return err
	}
	list, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: now.Add(-time.Hour), NextUpdate: now.AddDate(0, 0, 10),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: serial, RevocationTime: now.Add(-24 * time.Hour), ReasonCode: 1}},
	}, a.certificate, a.key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw})
	if err := os.WriteFile(filepath.Join(dir, "root.pem"), root, 0o644); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "list.crl"), list, 0o644)
}

func (w wanted) write(dir string, authority *ca, now time.Time) error {
	der, err := w.make(authority, now)
	// One certificate in 256 has a thumbprint that begins with 00, which the gateway
	// can never match: a state makes another one (EFGS-701).
	for err == nil && sha256.Sum256(der)[0] == 0 {
		der, err = w.make(authority, now)
	}
	if err != nil {
		return err
	}
	dir = filepath.Join(dir, w.country)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, w.file), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// make fills templates 4.3 (NBTLS) and 4.4 (NBBS) of the governance document.
func (w wanted) make(authority *ca, now time.Time) ([]byte, error) {
	key, err := w.key()
	if err != nil {
		return nil, err
	}
	serial, err := serialNumber()
	if err != nil {
		return nil, err
	}
	from := now.Add(-time.Hour).UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber: serial, SignatureAlgorithm: w.algorithm,
		NotBefore: from, NotAfter: from.AddDate(0, 0, w.days).Add(-time.Second),
		KeyUsage: x509.KeyUsageDigitalSignature,
	}
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	id := sha256.Sum256(spki)
	template.SubjectKeyId = id[:20]
	if w.noKeyUsage {
		template.KeyUsage = 0
	}
	if !w.tls {
		template.Subject = subject(w.country, "Batch signature "+w.country)
		return x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	}
	host := "efgs." + strings.ToLower(w.country) + ".example.eu"
	template.Subject = subject(w.country, host)
	template.DNSNames = []string{host}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	return x509.CreateCertificate(rand.Reader, template, authority.certificate, key.Public(), authority.key)
}

func subject(country, commonName string) pkix.Name {
	return pkix.Name{
		Country: []string{country}, Organization: []string{"Health"},
		OrganizationalUnit: []string{"EFGS"}, Locality: []string{"Capital"}, CommonName: commonName,
		ExtraNames: []pkix.AttributeTypeAndValue{{
			Type:  asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, // emailAddress, an IA5String
			Value: asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte("pki@" + strings.ToLower(country) + ".example.eu")},
		}},
	}
}

func serialNumber() (*big.Int, error) {
	return rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 126))
}
