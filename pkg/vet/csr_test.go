package vet

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// A request is held to what is in it, and is never accepted.
func TestRequest(t *testing.T) {
	request := func(key crypto.Signer, country string) []byte {
		t.Helper()
		der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{
			Country: []string{country}, Organization: []string{"Health Agency"}, OrganizationalUnit: []string{"PKI"}, Locality: []string{"Capital"}, CommonName: "Batch signing",
		}}, key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	small, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	good := request(testKey(), "DE")
	mild, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	mild.Rules[ruleWrongType] = policy.Setting{Severity: map[string]string{"nbtls": "off", "nbbs": "off", "efgstls": "off", "efgsta": "off"}}
	lenient, err := New(mild)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what    string
		engine  *Engine
		der     []byte
		role    Role
		verdict Verdict
		finding string
	}{
		{"good", defaultEngine(t), good, NBBS, VerdictUndecided, ruleWrongType},
		{"under a policy that says nothing of requests", lenient, good, NBBS, VerdictUndecided, ""},
		{"without role", defaultEngine(t), good, "", VerdictUndecided, ruleWrongType},
		{"short key", defaultEngine(t), request(small, "DE"), NBBS, VerdictRefused, "EFGS-102"},
		{"another country", defaultEngine(t), request(testKey(), "FR"), NBBS, VerdictRefused, "EFGS-302"},
		{"no proof of the key", defaultEngine(t), bytes.Replace(good, []byte("Capital"), []byte("Capitol"), 1), NBBS, VerdictRefused, "EFGS-603"},
	} {
		req := inputRequest()
		req.Role = c.role
		in := cert.Open("req.pem", block("CERTIFICATE REQUEST", c.der), cert.Options{})
		rs := c.engine.Input(in, req)
		if len(rs) != 1 || rs[0].Verdict != c.verdict || rs[0].Certificate == nil || c.finding != "" && !has(rs[0], c.finding) {
			t.Errorf("%s: %d results, first %s: %+v", c.what, len(rs), rs[0].Verdict, rs[0].Findings)
		}
		for _, f := range rs[0].Findings {
			// Nothing is asked of it that only a certificate has.
			if f.ID > "EFGS-200" && f.ID < "EFGS-300" || f.ID > "EFGS-400" && f.ID < "EFGS-500" || f.ID == "EFGS-801" {
				t.Errorf("%s: %+v", c.what, f)
			}
		}
	}
}
