package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/ocsp"
)

// writeCA is the mkca of a session: the certificate of the CA that issues every NBTLS,
// and a revocation list of it.
//
//	mkca ca.pem list.crl [revoke=FILE] [days=30] [name=Other] [answer=FILE] [delta=1]
//
// answer writes FILE.ocsp too, in which the CA says that the certificate is good.
// With a name it is another CA, which issued nothing. days is the end of the list, from now.
// delta makes it a delta list over the list of that number.
func writeCA(args []string, abs func(string) string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: mkca CA LIST [name=value…]")
	}
	authority, key := testCA()
	list := &x509.RevocationList{Number: big.NewInt(1)}
	days := 30
	for _, arg := range args[2:] {
		name, value, _ := strings.Cut(arg, "=")
		var err error
		switch name {
		case "revoke":
			var c *x509.Certificate
			if c, err = readCertificate(abs(value)); err == nil {
				list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
					x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: time.Now().AddDate(0, 0, -3), ReasonCode: 1})
			}
		case "answer":
			err = answer(abs(value), authority, key)
		case "delta":
			var base int
			base, err = strconv.Atoi(value)
			list.ExtraExtensions = append(list.ExtraExtensions,
				pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, byte(base)}})
		case "days":
			days, err = strconv.Atoi(value)
		case "name":
			authority, key, err = anotherCA(value)
		default:
			err = fmt.Errorf("there is no option %s", name)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", arg, err)
		}
	}
	list.NextUpdate = time.Now().AddDate(0, 0, days)
	list.ThisUpdate = list.NextUpdate.AddDate(0, 0, -31)
	if days > 0 {
		list.ThisUpdate = time.Now().Add(-time.Hour)
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, authority, key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(abs(args[0]), toPEM("CERTIFICATE", authority.Raw), 0o644); err != nil {
		return err
	}
	return os.WriteFile(abs(args[1]), toPEM("X509 CRL", der), 0o644)
}

func answer(path string, authority *x509.Certificate, key crypto.Signer) error {
	c, err := readCertificate(path)
	if err != nil {
		return err
	}
	der, err := ocsp.CreateResponse(authority, authority, ocsp.Response{Status: ocsp.Good, SerialNumber: c.SerialNumber,
		ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().AddDate(0, 0, 7), IssuerHash: crypto.SHA1}, key)
	if err != nil {
		return err
	}
	return os.WriteFile(path+".ocsp", der, 0o644)
}

func readCertificate(path string) (*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is no PEM", path)
	}
	return x509.ParseCertificate(block.Bytes)
}

func anotherCA(name string) (*x509.Certificate, crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	t := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{Country: []string{"BE"}, CommonName: name},
		NotBefore: time.Now().AddDate(-5, 0, 0), NotAfter: time.Now().AddDate(5, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	c, err := x509.ParseCertificate(der)
	return c, key, err
}
