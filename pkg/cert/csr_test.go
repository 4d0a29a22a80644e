package cert

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"testing"
)

func csr(t testing.TB, tmpl *x509.CertificateRequest) []byte {
	t.Helper()
	raw, err := x509.CreateCertificateRequest(rand.Reader, tmpl, ecKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestRequest(t *testing.T) {
	raw := csr(t, &x509.CertificateRequest{Subject: pkix.Name{Country: []string{"DE"}, CommonName: "x"}, DNSNames: []string{"efgs.example.org"}})
	for what, data := range map[string][]byte{"DER": raw, "PEM": []byte(pemOf("CERTIFICATE REQUEST", raw)), "old label": []byte(pemOf("NEW CERTIFICATE REQUEST", raw))} {
		in := opened(data)
		if len(in.Items) != 0 || len(in.Problems) != 0 || len(in.Requests) != 1 {
			t.Errorf("%s: %+v", what, in)
			continue
		}
		c := in.Requests[0].Cert
		if len(c.Faults) > 0 || c.Subject.String() != "C=DE, CN=x" || c.SAN == nil || len(c.SAN.DNS) != 1 || !c.SelfIssued() {
			t.Errorf("%s: %s, %+v, %+v", what, c.Subject, c.SAN, c.Faults)
		}
		if err := c.CheckSelfSignature(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	key := t.TempDir() + "/key"
	out := openssl(t, nil, "req", "-new", "-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes", "-keyout", key, "-subj", "/C=DE/O=x", "-addext", "keyUsage=critical,digitalSignature")
	block, _ := pem.Decode(out)
	c, err := ParseRequest(block.Bytes)
	if err != nil || c.KeyUsage == nil || *c.KeyUsage != DigitalSignature || !c.KeyUsageCritical || len(c.Faults) > 0 {
		t.Fatalf("openssl: %+v, %v", c, err)
	}
	if err := c.CheckSelfSignature(); err != nil {
		t.Error(err)
	}
	forged := bytes.Replace(block.Bytes, []byte("DE"), []byte("FR"), 1)
	if c, err := ParseRequest(forged); err != nil || c.CheckSelfSignature() == nil {
		t.Errorf("a request for another subject verifies (%v)", err)
	}
	if _, err := ParseRequest([]byte{5, 0}); !errors.Is(err, ErrNotCertificate) {
		t.Error(err)
	}
	if in := opened(append([]byte(pemOf("CERTIFICATE", selfSigned(t, "a"))), pemOf("CERTIFICATE REQUEST", raw)...)); len(in.Requests) != 1 || len(in.Items) != 1 || !in.has(ProblemWrongType) {
		t.Errorf("beside a certificate: %+v", in)
	}
	// Whoever opens nothing is told what it is.
	if in := Read("f", raw); len(in.Requests) != 0 || kinds(in) != "wrong-type@-1:0" {
		t.Errorf("%+v", in)
	}
}

func FuzzParseRequest(f *testing.F) {
	f.Add(csr(f, &x509.CertificateRequest{}))
	f.Add(csr(f, &x509.CertificateRequest{Subject: pkix.Name{Country: []string{"DE"}}, DNSNames: []string{"a.example"}}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := ParseRequest(raw)
		if err != nil {
			if c != nil || !errors.Is(err, ErrNotCertificate) {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		if !bytes.HasPrefix(raw, c.Raw) || len(c.Raw) == 0 {
			t.Fatal("Raw is not from the input")
		}
		for _, f := range c.Faults {
			if f.Path == "" || f.Msg == "" || f.Offset < 0 || f.Offset > len(raw) {
				t.Fatalf("%+v", f)
			}
		}
		_ = c.Subject.String()
		if c.PublicKey != nil && c.PublicKey.Bits() < 4096 {
			_ = c.CheckSelfSignature()
		}
	})
}
