package cert

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"testing"
)

func TestHoldsKey(t *testing.T) {
	pkcs8 := func(key any) []byte {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	sec1, err := x509.MarshalECPrivateKey(ecKey(t))
	if err != nil {
		t.Fatal(err)
	}
	clean := selfSigned(t, "clean")
	within := func(value []byte) []byte {
		tmpl := template("within")
		tmpl.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: value}}
		return issue(t, tmpl, tmpl, ecKey(t).Public(), ecKey(t))
	}
	behind := func(key []byte) []byte {
		body := append(bytes.Clone(parse(t, clean).TBS), key...)
		return append([]byte{0x30, 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
	}
	sealed := openssl(t, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8(ecKey(t))}), "pkcs8", "-topk8", "-v2", "aes-256-cbc", "-passout", "pass:x", "-outform", "DER")
	for name, data := range map[string][]byte{
		"EC PKCS#8 in an extension":  within(pkcs8(ecKey(t))),
		"RSA PKCS#8 in an extension": within(pkcs8(rsaKey(t))),
		"Ed25519 in an extension":    within(pkcs8(edKey(t))),
		"SEC 1 in an extension":      within(sec1),
		"PKCS#1 in an extension":     within(x509.MarshalPKCS1PrivateKey(rsaKey(t))),
		"sealed, in an extension":    within(sealed),
		"PEM in an extension":        within(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})),
		"behind the certificate":     behind(sec1),
		"certificate in PEM":         pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: within(sec1)}),
	} {
		if !HoldsKey(data) {
			t.Errorf("%s is not found", name)
		}
	}
	ca, sub, leaf := chain(t)
	for name, data := range map[string][]byte{"a certificate": clean, "a CA": ca, "a sub CA": sub, "a leaf": leaf, "PEM": parse(t, leaf).PEM(), "nothing": nil,
		"a version 1 certificate's beginning": {0x30, 12, 2, 1, 0, 0x30, 3, 6, 1, 42, 0x30, 2, 5, 0}} {
		if HoldsKey(data) {
			t.Errorf("%s is taken for a key", name)
		}
	}
}
