package vet

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

func pemOf(role Role, edits ...func(*spec)) []byte {
	s := goodSpec(role)
	both(edits...)(s)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.der()})
}

func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func privateKeyPEM() []byte {
	der, err := x509.MarshalPKCS8PrivateKey(testKey())
	if err != nil {
		panic(err)
	}
	return block("PRIVATE KEY", der)
}

func caPEM() []byte {
	return pemOf(NBBS, func(s *spec) {
		s.subject = name("C=DE", "O=Public CA", "CN=Issuing CA 1")
		s.issuer, s.signer, s.spki = s.subject, caKey(), ecSPKI(caKey())
		s.extension(oidBasicConstraints, basicConstraints(true))
		s.extension(oidKeyUsage, keyUsage(cert.KeyCertSign|cert.CRLSign))
	})
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// fileVectors are files on which the rule must have a finding.
func fileVectors() map[string][][]byte {
	good := pemOf(NBBS)
	csr := block("CERTIFICATE REQUEST", seq(seq(integer(0), name("C=DE"), ecSPKI(testKey()), tlv(0xa0)), algID(oidECDSASHA256, nil), bitString([]byte{1})))
	// A PKCS#12 with a part that nobody has the password of.
	encrypted := seq(integer(3), seq(oidDER("1.2.840.113549.1.7.1"), tlv(0xa0, tlv(4, seq(seq(oidDER("1.2.840.113549.1.7.6"), tlv(0xa0, seq(integer(0),
		seq(oidDER("1.2.840.113549.1.7.1"), algID("1.2.840.113549.1.5.13", seq()), tlv(0x80, make([]byte, 16)))))))))))
	return map[string][][]byte{
		"EFGS-001": {join(good[:100], []byte("!!!\n"), good[100:]), block("CERTIFICATE", []byte("no certificate"))},
		"EFGS-002": {join(bytes.TrimSpace(good), good), join([]byte("\xef\xbb\xbf"), good), good[:200]},
		"EFGS-003": {join(good, privateKeyPEM()), privateKeyPEM(), join(privateKeyPEM(), good)},
		"EFGS-004": {join(pemOf(NBTLS), caPEM()), join(caPEM(), pemOf(NBTLS))},
		"EFGS-005": {block("PUBLIC KEY", ecSPKI(testKey())), join(good, csr)},
		"EFGS-006": {nil, []byte("hello\n")},
		"EFGS-706": {bytes.ReplaceAll(good, []byte("\n"), []byte("\r\n")), join([]byte("subject=C = DE\n"), good), bytes.TrimSpace(good), goodSpec(NBBS).der()},
		"EFGS-007": {encrypted, join(good, block("PKCS12", encrypted))},
	}
}

func inputRequest() Request {
	return Request{Country: "DE", At: t0.AddDate(0, 6, 0), Others: NewIndex(), AnyEnvironment: true}
}

func TestFileRules(t *testing.T) {
	e := defaultEngine(t)
	for _, role := range []Role{NBBS, NBTLS} {
		rs := e.Input(cert.Read("good.pem", pemOf(role)), inputRequest())
		if len(rs) != 1 || rs[0].Verdict != VerdictAccepted || rs[0].Role != role || rs[0].File != "good.pem" {
			t.Fatalf("a good %s: %+v", role, rs[0])
		}
	}
	for id, files := range fileVectors() {
		for i, data := range files {
			rs := e.Input(cert.Open("bad.pem", data, cert.Options{}), inputRequest())
			found := false
			for _, r := range rs {
				for _, f := range r.Findings {
					found = found || f.ID == id && f.Status == StatusFail
				}
				if id != "EFGS-004" && id != "EFGS-706" && r.Verdict != VerdictRefused {
					t.Errorf("%s vector %d: verdict %s", id, i, r.Verdict)
				}
			}
			if !found {
				t.Errorf("%s vector %d: no finding in %d results, first %+v", id, i, len(rs), rs[0].Findings)
			}
		}
	}
}

// The bytes of a private key never reach a message.
func TestPrivateKeyIsNotShown(t *testing.T) {
	e := defaultEngine(t)
	key := privateKeyPEM()
	for _, data := range [][]byte{key, join(pemOf(NBBS), key)} {
		for _, r := range e.Input(cert.Read("k.pem", data), inputRequest()) {
			text := fmt.Sprintf("%+v", r.Findings)
			for _, line := range strings.Split(string(key), "\n")[1:3] {
				if strings.Contains(text, line) {
					t.Fatalf("key text in %s", text)
				}
			}
		}
	}
}

func TestChainIsNotVetted(t *testing.T) {
	e := defaultEngine(t)
	for what, data := range map[string][]byte{"leaf first": join(pemOf(NBTLS), caPEM()), "CA first": join(caPEM(), pemOf(NBTLS))} {
		rs := e.Input(cert.Read("chain.pem", data), inputRequest())
		if len(rs) != 1 || rs[0].Role != NBTLS || rs[0].Verdict != VerdictAccepted {
			t.Errorf("%s: %d results, first %s %s: %+v", what, len(rs), rs[0].Role, rs[0].Verdict, rs[0].Findings)
		}
	}
	// Alone, or beside nothing but CAs, a CA is what was submitted.
	for what, data := range map[string][]byte{"alone": caPEM(), "two": join(caPEM(), caPEM())} {
		for _, r := range e.Input(cert.Read("ca.pem", data), inputRequest()) {
			if r.Certificate == nil || r.Verdict != VerdictRefused || !has(r, "EFGS-820") {
				t.Errorf("%s: %s %+v", what, r.Verdict, r.Findings)
			}
		}
	}
	// Whoever only bears the issuer's name is vetted like anybody else.
	namesake := pemOf(NBBS, func(s *spec) { s.subject = name("C=DE", "O=Public CA", "CN=Issuing CA 1"); s.selfIssue() })
	if rs := e.Input(cert.Read("x.pem", join(pemOf(NBTLS), namesake)), inputRequest()); len(rs) != 2 {
		t.Errorf("namesake of the issuer: %d results, 2 expected", len(rs))
	}
}

func has(r *Result, id string) bool {
	for _, f := range r.Findings {
		if f.ID == id {
			return true
		}
	}
	return false
}

func TestRoleOf(t *testing.T) {
	const ds = cert.DigitalSignature
	for _, v := range []struct {
		what    string
		from    Role
		edit    func(*spec)
		country string
		want    Role
	}{
		{what: "NBBS", from: NBBS, want: NBBS},
		{what: "NBTLS", from: NBTLS, want: NBTLS},
		{what: "EFGSTA", from: EFGSTA, want: EFGSTA},
		{what: "EFGSTA with an OU", from: EFGSTA, edit: subject("C=BE", "O=x", "OU=REHEARSAL", "CN="+anchorCN), want: EFGSTA},
		{what: "server only", from: NBTLS, edit: with(oidEKU, eku(cert.EKUServerAuth))},
		{what: "server only of a member state", from: NBTLS, edit: with(oidEKU, eku(cert.EKUServerAuth)), country: "DE", want: NBTLS},
		{what: "names only", from: NBTLS, edit: without(oidEKU)},
		{what: "other EKU", from: NBBS, edit: with(oidEKU, eku("1.3.6.1.5.5.7.3.4"))},
		{what: "no key usage", from: NBBS, edit: without(oidKeyUsage)},
		{what: "keyCertSign only", from: NBBS, edit: usage(cert.KeyCertSign)},
		{what: "digitalSignature and keyCertSign", from: NBBS, edit: usage(ds | cert.KeyCertSign), want: NBBS},
		{what: "keyEncipherment", from: NBBS, edit: usage(ds | cert.KeyEncipherment)},
	} {
		s := goodSpec(v.from)
		if v.edit != nil {
			v.edit(s)
		}
		got, reason := RoleOf(s.certificate(t), v.country)
		if got != v.want || reason == "" || (got == "") != strings.Contains(reason, "give --type") {
			t.Errorf("%s: %q (%s), want %q", v.what, got, reason, v.want)
		}
	}
}

func TestVerdicts(t *testing.T) {
	e := defaultEngine(t)
	for _, v := range []struct {
		vector
		want Verdict
	}{
		{vector{what: "good"}, VerdictAccepted},
		{vector{what: "warnings only", edit: subject("C=DE", "CN=x")}, VerdictAccepted},
		{vector{what: "an error", edit: rsaKey(2048, 65537)}, VerdictRefused},
		{vector{what: "country not given", ask: func(r *Request) { r.Country = "" }}, VerdictUndecided},
		{vector{what: "country not given, and an error", edit: without(oidKeyUsage), ask: func(r *Request) { r.Country = "" }}, VerdictRefused},
		{vector{what: "type not known", ask: func(r *Request) { r.Role = "" }}, VerdictUndecided},
		{vector{what: "type not known, and an error of every type", edit: without(oidKeyUsage), ask: func(r *Request) { r.Role = "" }}, VerdictRefused},
		{vector{what: "no such type", ask: func(r *Request) { r.Role = "nbxx" }}, VerdictUndecided},
		{vector{what: "nothing to compare keys with", ask: func(r *Request) { r.Others = nil }}, VerdictAccepted},
		{vector{what: "the same, required", ask: func(r *Request) { r.Others, r.Require = nil, []string{"key-not-shared"} }}, VerdictUndecided},
		{vector{what: "the same, all required", ask: func(r *Request) { r.Others, r.Require = nil, []string{"all"} }}, VerdictUndecided},
		{vector{what: "chain required", role: NBTLS, ask: func(r *Request) { r.Require = []string{"EFGS-601"} }}, VerdictUndecided},
		{vector{what: "no time", ask: func(r *Request) { r.At = r.At.AddDate(-9999, 0, 0) }}, VerdictAccepted}, // long before its life: a warning
		{vector{what: "no certificate", ask: func(r *Request) { r.Certificate = nil }}, VerdictRefused},
	} {
		req := v.request(t)
		res := e.Vet(req)
		if res.Verdict != v.want {
			t.Errorf("%s: %s, want %s: %+v", v.what, res.Verdict, v.want, res.Findings)
		}
		a, _, err := e.Accept(req)
		if (err == nil) != (v.want == VerdictAccepted) || a.Valid() != (err == nil) || err != nil && !errors.Is(err, ErrRefused) {
			t.Errorf("%s: Accept gives %v, valid %v", v.what, err, a.Valid())
		}
		if err == nil && (a.Country() != "DE" || a.Role() != req.Role || a.Certificate() != req.Certificate) {
			t.Errorf("%s: accepted for %s %s", v.what, a.Country(), a.Role())
		}
	}
}

// A rule that panics is a finding, and the verdict is not accepted, not even for a notice.
func TestPanickingRule(t *testing.T) {
	p := loadDefault(t)
	rules := Rules()
	for i := range rules {
		if rules[i].ID == "EFGS-310" {
			rules[i].check = func(*exam) outcome { panic("boom") }
		}
	}
	e, err := newEngine(p, rules)
	if err != nil {
		t.Fatal(err)
	}
	res := e.Vet(vector{}.request(t))
	if res.Verdict != VerdictUndecided || len(res.Findings) != 1 || !strings.Contains(res.Findings[0].Message, "rule failed internally") {
		t.Errorf("%s: %+v", res.Verdict, res.Findings)
	}
}

func TestDeterministic(t *testing.T) {
	e := defaultEngine(t)
	data := join(pemOf(NBBS, rsaKey(2048, 3), subject("C=DE+C=FR", "O=a,b")), pemOf(NBTLS, without(oidSAN)), []byte("-----BEGIN CERTIFICATE-----\nx\n"), privateKeyPEM())
	first := e.Input(cert.Read("f", data), inputRequest())
	for range 20 {
		if again := e.Input(cert.Read("f", data), inputRequest()); !reflect.DeepEqual(first, again) {
			t.Fatalf("two runs differ")
		}
	}
}

func TestNewRefusesPolicies(t *testing.T) {
	for what, change := range map[string]func(*policy.Policy){
		"unknown rule":      func(p *policy.Policy) { p.Rules["EFGS-999"] = p.Rules["EFGS-101"] },
		"missing rule":      func(p *policy.Policy) { delete(p.Rules, "EFGS-101") },
		"missing parameter": func(p *policy.Policy) { s := p.Rules["EFGS-102"]; s.Params = nil; p.Rules["EFGS-102"] = s },
		"other parameter": func(p *policy.Policy) {
			s := p.Rules["EFGS-103"]
			s.Params = map[string]int{"max": 1}
			p.Rules["EFGS-103"] = s
		},
		"missing case": func(p *policy.Policy) { s := p.Rules["EFGS-105"]; s.Cases = nil; p.Rules["EFGS-105"] = s },
		"foreign role": func(p *policy.Policy) {
			s := p.Rules["EFGS-405"]
			s.Severity = map[string]string{"nbtls": "error", "nbbs": "error", "efgstls": "off", "efgsta": "off"}
			p.Rules["EFGS-405"] = s
		},
	} {
		p := loadDefault(t)
		change(p)
		if _, err := New(p); !errors.Is(err, ErrPolicy) {
			t.Errorf("%s: %v, want ErrPolicy", what, err)
		}
	}
}

// Ids and names are permanent keys: unique, and every text that a reader is shown is there.
func TestTable(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	for _, r := range Rules() {
		if ids[r.ID] || names[r.Name] {
			t.Errorf("%s %s stands twice", r.ID, r.Name)
		}
		ids[r.ID], names[r.Name] = true, true
		if r.Clause == "" || r.Title == "" || r.Why == "" || r.Fix == "" || r.Good == "" || r.Bad == "" || len(r.Roles) == 0 || strings.Contains(r.Fix, "\n") {
			t.Errorf("%s %s: a text is missing", r.ID, r.Name)
		}
		if (r.check == nil) == (r.problem == "" && r.ID != ruleOneCert && r.ID != ruleCanonical && r.ID != ruleWaiverUnusable && r.ID != ruleWaiverUnmatched) {
			t.Errorf("%s %s: neither a check nor a file rule, or both", r.ID, r.Name)
		}
		if got, ok := Find(r.Name); !ok || got.ID != r.ID {
			t.Errorf("Find(%s) = %s", r.Name, got.ID)
		}
	}
	if n := len(strings.Fields(iso3166)); n != 249 {
		t.Errorf("%d country codes, ISO 3166-1 has 249", n)
	}
}

func FuzzVet(f *testing.F) {
	e := defaultEngine(f)
	for _, role := range Roles() {
		f.Add(goodSpec(role).der())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, r := range e.Input(cert.Read("f", data), inputRequest()) {
			for _, fi := range r.Findings {
				if strings.Contains(fi.Message, "rule failed internally") {
					t.Fatalf("%s panics: %s", fi.ID, fi.Message)
				}
			}
			if r.Verdict == VerdictAccepted && r.Certificate == nil {
				t.Fatal("accepted nothing")
			}
		}
	})
}
