package vet

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/efgsta/efgsta/pkg/cert"
)

// authority is a CA of a test, with what it can make.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// judged is when the tests judge.
var judged = t0.AddDate(0, 6, 0)

const (
	listURI   = "http://ca.example/list.crl"
	issuerURI = "http://ca.example/issuer.der"
)

func newAuthority(t testing.TB, name string, parent *authority, edit func(*x509.Certificate)) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{Country: []string{"BE"}, CommonName: name},
		NotBefore: t0.AddDate(-1, 0, 0), NotAfter: t0.AddDate(9, 0, 0), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	if edit != nil {
		edit(template)
	}
	up := parent
	if up == nil {
		up = &authority{cert: template, key: a.key}
	}
	a.cert = signCert(t, template, up, a.key)
	return a
}

func signCert(t testing.TB, template *x509.Certificate, parent *authority, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent.cert, key.Public(), parent.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// issue makes an NBTLS certificate with serial number 77.
func (a *authority) issue(edit func(*x509.Certificate)) *x509.Certificate {
	a.t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(77), Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Health"}, CommonName: "efgs.example.de"},
		NotBefore: t0, NotAfter: t0.AddDate(0, 0, 400), DNSNames: []string{"efgs.example.de"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		CRLDistributionPoints: []string{listURI}, IssuingCertificateURL: []string{issuerURI}, OCSPServer: []string{"http://ca.example/ocsp"},
	}
	if edit != nil {
		edit(template)
	}
	return signCert(a.t, template, a, testKey())
}

// list makes a revocation list, good for ten days around judged, and reads it back.
func (a *authority) list(edit func(*x509.RevocationList), revoked ...int64) []*CRL {
	a.t.Helper()
	return readLists(a.t, a.listDER(edit, revoked...))
}

func (a *authority) listDER(edit func(*x509.RevocationList), revoked ...int64) []byte {
	a.t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: judged.AddDate(0, 0, -5), NextUpdate: judged.AddDate(0, 0, 5)}
	for _, n := range revoked {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(n), RevocationTime: judged.AddDate(0, -1, 0), ReasonCode: 1})
	}
	if edit != nil {
		edit(l)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

func readLists(t testing.TB, der []byte) []*CRL {
	t.Helper()
	lists, err := ReadCRLs("list.crl", der)
	if err != nil {
		t.Fatal(err)
	}
	return lists
}

// answer makes an OCSP response about c; responder nil means that the CA answers itself.
func (a *authority) answer(c *x509.Certificate, status int, edit func(*ocsp.Response), responder *x509.Certificate, key crypto.Signer) *OCSP {
	a.t.Helper()
	r := ocsp.Response{Status: status, SerialNumber: c.SerialNumber, ThisUpdate: judged.AddDate(0, 0, -1), NextUpdate: judged.AddDate(0, 0, 3), IssuerHash: crypto.SHA1}
	if status == ocsp.Revoked {
		r.RevokedAt, r.RevocationReason = judged.AddDate(0, 0, -2), ocsp.Superseded
	}
	if edit != nil {
		edit(&r)
	}
	if responder == nil {
		responder, key = a.cert, a.key
	} else {
		r.Certificate = responder
	}
	der, err := ocsp.CreateResponse(a.cert, responder, r, key)
	if err != nil {
		a.t.Fatal(err)
	}
	o, err := ReadOCSP("answer.der", der)
	if err != nil {
		a.t.Fatal(err)
	}
	return o
}

func toPEM(label string, ders ...[]byte) []byte {
	var out []byte
	for _, der := range ders {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})...)
	}
	return out
}

func rootsOf(t *testing.T, certs ...*x509.Certificate) *Roots {
	t.Helper()
	var data []byte
	for _, c := range certs {
		data = append(data, toPEM("CERTIFICATE", c.Raw)...)
	}
	r, err := ReadRoots("roots.pem", data)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func model(t *testing.T, c *x509.Certificate) *cert.Certificate {
	t.Helper()
	m, err := cert.Parse(c.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func evidence(t *testing.T, roots *Roots, intermediates ...*authority) *Evidence {
	t.Helper()
	ev := &Evidence{Roots: roots}
	for _, a := range intermediates {
		ev.Add(model(t, a.cert))
	}
	return ev
}

// ruling is what one rule says of an NBTLS under the default policy.
func ruling(t *testing.T, id string, c *x509.Certificate, ev *Evidence) (o outcome, f Finding) {
	t.Helper()
	e := defaultEngine(t)
	req := Request{Certificate: model(t, c), Role: NBTLS, Country: "DE", At: judged, Evidence: ev}
	r, _ := Find(id)
	o, crashed := guarded(r.check, &exam{Request: &req, c: req.Certificate, setting: e.policy.Rules[id]})
	if crashed != "" {
		t.Fatal(crashed)
	}
	for _, found := range e.Vet(req).Findings {
		if found.ID == id {
			f = found
		}
	}
	return o, f
}

// federation of the tests: a root, an intermediate, and another root with nothing to do with them.
func authorities(t testing.TB) (root, inter, other *authority) {
	root = newAuthority(t, "Root", nil, nil)
	return root, newAuthority(t, "Issuing CA", root, nil), newAuthority(t, "Other Root", nil, nil)
}

func TestChain(t *testing.T) {
	root, inter, other := authorities(t)
	distrusted := constrained(root.cert, os.ErrDeadlineExceeded)
	leaf := inter.issue(nil)
	expired := newAuthority(t, "Expired CA", root, func(c *x509.Certificate) { c.NotAfter = t0.AddDate(0, 1, 0) })
	mail := newAuthority(t, "Mail CA", root, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection} })
	french := newAuthority(t, "French CA", root, func(c *x509.Certificate) {
		c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = []string{"example.fr"}, true
	})
	notCA := newAuthority(t, "Not a CA", root, func(c *x509.Certificate) { c.IsCA = false })
	fakeIssuer := newAuthority(t, "Issuing CA", root, func(c *x509.Certificate) { c.IsCA = false })
	mute := newAuthority(t, "Mute CA", root, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	alone := newAuthority(t, "efgs.example.de", nil, func(c *x509.Certificate) {
		c.IsCA, c.KeyUsage, c.DNSNames = false, x509.KeyUsageDigitalSignature, []string{"efgs.example.de"}
	})
	twin := newAuthority(t, "Issuing CA", root, nil) // same name, another key
	unknownCritical := inter.issue(func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3}, Critical: true, Value: []byte{5, 0}}}
	})
	for name, test := range map[string]struct {
		leaf     *x509.Certificate
		ev       *Evidence
		state    state
		says     string
		blocking bool
	}{
		"nothing given":            {leaf, nil, notEvaluated, issuerURI, false},
		"no roots given":           {leaf, evidence(t, nil, inter), notEvaluated, "no trusted roots", false},
		"root and intermediate":    {leaf, evidence(t, rootsOf(t, root.cert), inter), passed, "", false},
		"among other roots":        {leaf, evidence(t, rootsOf(t, other.cert, root.cert), other, inter), passed, "", false},
		"issued by the root":       {root.issue(nil), evidence(t, rootsOf(t, root.cert)), passed, "", false},
		"the intermediate trusted": {leaf, evidence(t, rootsOf(t, inter.cert)), passed, "", false},
		"missing intermediate":     {leaf, evidence(t, rootsOf(t, root.cert)), notEvaluated, issuerURI, true},
		"another root":             {leaf, evidence(t, rootsOf(t, other.cert), inter, root), failed, "ends at “CN=Root", false},
		"namesake of the CA":       {leaf, evidence(t, rootsOf(t, root.cert), twin), failed, "path breaks", false},
		"expired intermediate":     {expired.issue(nil), evidence(t, rootsOf(t, root.cert), expired), failed, "expired", false},
		"CA for mail":              {mail.issue(nil), evidence(t, rootsOf(t, root.cert), mail), failed, "usage", false},
		"names not permitted":      {french.issue(nil), evidence(t, rootsOf(t, root.cert), french), failed, "permitted", false},
		"issuer that is no CA":     {notCA.issue(nil), evidence(t, rootsOf(t, root.cert), notCA), failed, "“CN=Not a CA,C=BE” is given, and is not that of a CA", false},
		"the same, no roots":       {notCA.issue(nil), evidence(t, nil, notCA), failed, "is not that of a CA", false},
		"namesake that is no CA":   {leaf, evidence(t, rootsOf(t, root.cert), fakeIssuer), notEvaluated, "is not given", true},
		"CA without keyCertSign":   {mute.issue(nil), evidence(t, rootsOf(t, root.cert), mute), failed, "without keyCertSign", false},
		"leaf among the roots":     {leaf, evidence(t, rootsOf(t, leaf, other.cert)), failed, "itself among", false},
		"leaf is the only root":    {alone.cert, evidence(t, rootsOf(t, alone.cert)), failed, "itself among", false},
		"and has a path too":       {leaf, evidence(t, rootsOf(t, leaf, root.cert), inter), passed, "", false},
		"self-signed":              {alone.cert, evidence(t, rootsOf(t, root.cert)), failed, "self-issued", false},
		"expired leaf":             {inter.issue(func(c *x509.Certificate) { c.NotAfter = t0.AddDate(0, 1, 0) }), evidence(t, rootsOf(t, root.cert), inter), notEvaluated, "EFGS-204", true},
		"unknown critical":         {unknownCritical, evidence(t, rootsOf(t, root.cert), inter), notEvaluated, "critical", true},
		"distrusted by then":       {leaf, evidence(t, distrusted, inter), failed, "", false},
		"usage of another kind": {inter.issue(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning} }),
			evidence(t, rootsOf(t, root.cert), inter), passed, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			o, f := ruling(t, "EFGS-601", test.leaf, test.ev)
			if o.state != test.state || !strings.Contains(f.Message, test.says) || f.Blocks != test.blocking {
				t.Errorf("state %d, want %d; finding %+v must say %q and block: %v", o.state, test.state, f, test.says, test.blocking)
			}
		})
	}
}

// constrained are roots of one certificate with a constraint that is never met, as
// Mozilla's has them with a date.
func constrained(c *x509.Certificate, err error) *Roots {
	return newRoots("test", []root{{c, func([]*x509.Certificate) error { return err }}})
}

func (a *authority) sign(tbs []byte) []byte {
	a.t.Helper()
	digest := sha256.Sum256(tbs)
	signature, err := ecdsa.SignASN1(rand.Reader, a.key, digest[:])
	if err != nil {
		a.t.Fatal(err)
	}
	return signature
}

// Mozilla's roots are read whole, each is its own, and the date that is shown is that of the module.
func TestMozillaRoots(t *testing.T) {
	r, err := MozillaRoots()
	if err != nil {
		t.Fatal(err)
	}
	constrained := 0
	for _, c := range r.certificates {
		if c.constraint != nil {
			constrained++
		}
	}
	if r.Len() < 100 || r.Name != "mozilla "+MozillaDate {
		t.Errorf("%d roots, named %q", r.Len(), r.Name)
	}
	if constrained == 0 {
		t.Error("no root has a date of distrust: the constraints are lost")
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if want := "x509roots/fallback v0.0.0-" + strings.ReplaceAll(MozillaDate, "-", ""); !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not have %s: set MozillaDate to the date of the module", want)
	}
}

// issuingCA is the CA of goodSpec's TLS certificates, or a root with nothing to do with it.
func issuingCA(stranger bool) *x509.Certificate {
	s := goodSpec(NBTLS)
	s.subject, s.spki = s.issuer, ecSPKI(caKey())
	s.extensions = [][]byte{keyUsage(cert.KeyCertSign | cert.CRLSign), basicConstraints(true), keyID(1)}
	if stranger {
		s.subject = name("CN=Stranger")
		s.selfIssue()
		s.spki = ecSPKI(testKey())
	}
	c, err := x509.ParseCertificate(s.der())
	if err != nil {
		panic(err)
	}
	return c
}

// proof is the CA of goodSpec's TLS certificates, as a root or beside one, and its list
// with these serial numbers.
func proof(trusted bool, revoked ...[]byte) func(*Request) {
	return func(r *Request) {
		ca := issuingCA(false)
		known, err := cert.Parse(ca.Raw)
		if err != nil {
			panic(err)
		}
		ev := &Evidence{Roots: newRoots("roots.pem", []root{{Certificate: ca}})}
		if !trusted {
			ev.Roots = newRoots("roots.pem", []root{{Certificate: issuingCA(true)}})
			ev.Add(known)
		}
		l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: r.At.AddDate(0, 0, -1), NextUpdate: r.At.AddDate(0, 0, 1)}
		for _, serial := range revoked {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: new(big.Int).SetBytes(serial), RevocationTime: r.At.AddDate(0, 0, -9)})
		}
		der, err := x509.CreateRevocationList(rand.Reader, l, ca, caKey())
		if err != nil {
			panic(err)
		}
		if ev.CRLs, err = ReadCRLs("list.crl", der); err != nil {
			panic(err)
		}
		r.Evidence = ev
	}
}

// The other certificates of a file are links of its path, and of no other file's.
func TestInputChain(t *testing.T) {
	root, inter, _ := authorities(t)
	leaf := inter.issue(nil)
	e := defaultEngine(t)
	req := Request{Role: NBTLS, Country: "DE", At: judged, Evidence: evidence(t, rootsOf(t, root.cert)), Require: []string{"EFGS-601"}}
	for _, test := range []struct {
		file []*x509.Certificate
		want bool
	}{{[]*x509.Certificate{inter.cert, leaf}, true}, {[]*x509.Certificate{leaf}, false}} {
		var data []byte
		for _, c := range test.file {
			data = append(data, toPEM("CERTIFICATE", c.Raw)...)
		}
		results := e.Input(cert.Read("chain.pem", data), req)
		if len(results) != 1 {
			t.Fatalf("%d results", len(results))
		}
		evaluated := !slices.ContainsFunc(results[0].Findings, func(f Finding) bool { return f.ID == "EFGS-601" })
		if evaluated != test.want {
			t.Errorf("%d certificates: path found %v, want %v: %+v", len(test.file), evaluated, test.want, results[0].Findings)
		}
	}
}

func TestEvidenceOver(t *testing.T) {
	root, inter, other := authorities(t)
	before := evidence(t, rootsOf(t, root.cert), inter)
	before.CRLs = inter.list(nil)
	after := evidence(t, nil, other)
	after.CRLs = other.list(nil)
	if got := after.Over(nil); got != after {
		t.Error("over nothing")
	}
	if got := (*Evidence)(nil).Over(before); got != before {
		t.Error("nothing over")
	}
	both := after.Over(before)
	if both.Roots != before.Roots || len(both.CRLs) != 2 || both.CRLs[1] != after.CRLs[0] || len(both.Intermediates()) != 2 {
		t.Errorf("%+v", both)
	}
	newRoots := evidence(t, rootsOf(t, other.cert)).Over(before)
	if newRoots.Roots == before.Roots || len(newRoots.CRLs) != 1 {
		t.Errorf("%+v", newRoots)
	}
}
