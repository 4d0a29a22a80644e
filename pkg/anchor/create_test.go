package anchor_test

import (
	"crypto"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

func engine(t testing.TB) *vet.Engine {
	t.Helper()
	p, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	e, err := vet.New(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func params() anchor.Params {
	return anchor.Params{Organization: "European Commission", Rehearsal: true, NotBefore: ceremonytest.Start, Days: 730, Scheme: sigalg.ECDSA, Hash: crypto.SHA256}
}

func create(t testing.TB, key crypto.Signer, change func(*anchor.Params)) *anchor.Anchor {
	t.Helper()
	p := params()
	change(&p)
	a, err := anchor.Create(engine(t), p, key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Every scheme that --algorithm offers gives a certificate by template 4.5 that Go's
// own X.509 reads and verifies, too.
func TestCreatePerScheme(t *testing.T) {
	rsaKey := ceremonytest.RSAKey(t)
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		scheme sigalg.Scheme
		hash   crypto.Hash
		want   x509.SignatureAlgorithm
	}{
		{"RSA", rsaKey, sigalg.RSAPKCS1v15, crypto.SHA256, x509.SHA256WithRSA},
		{"RSA SHA-512", rsaKey, sigalg.RSAPKCS1v15, crypto.SHA512, x509.SHA512WithRSA},
		{"PSS", rsaKey, sigalg.RSAPSS, crypto.SHA256, x509.SHA256WithRSAPSS},
		{"PSS SHA-384", rsaKey, sigalg.RSAPSS, crypto.SHA384, x509.SHA384WithRSAPSS},
		{"P-256", ceremonytest.ECKey(t), sigalg.ECDSA, crypto.SHA256, x509.ECDSAWithSHA256},
		{"P-384", ceremonytest.ECKeyOn(t, elliptic.P384()), sigalg.ECDSA, crypto.SHA384, x509.ECDSAWithSHA384},
		{"P-521", ceremonytest.ECKeyOn(t, elliptic.P521()), sigalg.ECDSA, crypto.SHA512, x509.ECDSAWithSHA512},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, rehearsal := range []bool{true, false} {
				a := create(t, c.key, func(p *anchor.Params) { p.Scheme, p.Hash, p.Rehearsal = c.scheme, c.hash, rehearsal })
				if a.Algorithm.Scheme != c.scheme || a.Algorithm.Hash != c.hash || !a.Owns(c.key.Public()) || a.Rehearsal() != rehearsal {
					t.Errorf("anchor is %s, rehearsal %v", a.Algorithm, a.Rehearsal())
				}
				x, err := x509.ParseCertificate(a.Certificate.Raw)
				if err != nil {
					t.Fatal(err)
				}
				if x.SignatureAlgorithm != c.want || x.CheckSignature(x.SignatureAlgorithm, x.RawTBSCertificate, x.Signature) != nil {
					t.Errorf("Go reads %s, or does not verify it", x.SignatureAlgorithm)
				}
				want := "CN=EU Federation Gateway Service,OU=REHEARSAL,O=European Commission,C=BE"
				if !rehearsal {
					want = strings.Replace(want, "OU=REHEARSAL,", "", 1)
				}
				if x.Subject.String() != want || x.Issuer.String() != want {
					t.Errorf("subject %s, issuer %s, want %s", x.Subject, x.Issuer, want)
				}
				if x.KeyUsage != x509.KeyUsageDigitalSignature || x.IsCA || x.ExtKeyUsage != nil || len(x.SubjectKeyId) != 20 {
					t.Errorf("key usage %b, CA %v, extended %v", x.KeyUsage, x.IsCA, x.ExtKeyUsage)
				}
				if !x.NotBefore.Equal(ceremonytest.Start) || !x.NotAfter.Equal(ceremonytest.Start.AddDate(0, 0, 730).Add(-time.Second)) {
					t.Errorf("valid from %s to %s", x.NotBefore, x.NotAfter)
				}
				if x.SerialNumber.BitLen() != 127 {
					t.Errorf("serial number of %d bits, want 16 octets", x.SerialNumber.BitLen())
				}
			}
		})
	}
}

func TestCreateRefuses(t *testing.T) {
	key := ceremonytest.ECKey(t)
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		change func(*anchor.Params)
		rule   string // that the error names
		want   error
	}{
		{"too short", key, func(p *anchor.Params) { p.Days = 364 }, "EFGS-201", vet.ErrRefused},
		{"too long", key, func(p *anchor.Params) { p.Days = 732 }, "EFGS-202", vet.ErrRefused},
		{"no organization", key, func(p *anchor.Params) { p.Organization = "" }, "organization", nil},
		{"SHA-1", key, func(p *anchor.Params) { p.Hash = crypto.SHA1 }, "", sigalg.ErrUnsupported},
		{"RSA scheme for an EC key", key, func(p *anchor.Params) { p.Scheme = sigalg.RSAPKCS1v15 }, "", sigalg.ErrUnsupported},
		{"ECDSA for an RSA key", ceremonytest.RSAKey(t), func(*anchor.Params) {}, "", sigalg.ErrUnsupported},
		{"small curve", ceremonytest.ECKeyOn(t, elliptic.P224()), func(*anchor.Params) {}, "EFGS-110", vet.ErrRefused},
		{"token fails", &ceremonytest.Signer{Signer: key, FailAt: 1}, func(*anchor.Params) {}, "", ceremonytest.ErrToken},
		{"token lies", &ceremonytest.Signer{Signer: key, FailAt: 1, Lie: true}, func(*anchor.Params) {}, "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := params()
			c.change(&p)
			a, err := anchor.Create(engine(t), p, c.key, rand.Reader)
			if err == nil || a != nil {
				t.Fatalf("Create = %v, %v", a, err)
			}
			if c.want != nil && !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.rule) {
				t.Errorf("error %v, want %v and %q", err, c.want, c.rule)
			}
			var lint *anchor.LintError
			if errors.As(err, &lint) && lint.Hint() == "" {
				t.Error("a refusing rule has a fix to show")
			}
		})
	}
}

// Lint finds what Create would refuse, with no key but its own.
func TestLint(t *testing.T) {
	e := engine(t)
	p := params()
	p.Scheme = sigalg.RSAPSS // whatever the real key will be
	if err := anchor.Lint(e, p, rand.Reader); err != nil {
		t.Errorf("good template: %v", err)
	}
	p.Days = 100
	var lint *anchor.LintError
	if err := anchor.Lint(e, p, rand.Reader); !errors.As(err, &lint) || !errors.Is(err, vet.ErrRefused) {
		t.Errorf("100 days: %v", err)
	}
}

// The rule that an error names is one that failed, not one that had no evidence.
func TestLintErrorNamesTheRuleThatFailed(t *testing.T) {
	p, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	// EFGS-503 has nothing to compare with, and comes before EFGS-803, which now fails.
	p.Rules["EFGS-803"].Params["octets"] = 5
	e, err := vet.New(p)
	if err != nil {
		t.Fatal(err)
	}
	_, err = anchor.Create(e, params(), ceremonytest.ECKey(t), rand.Reader)
	if err == nil || !strings.Contains(err.Error(), "EFGS-803") {
		t.Errorf("error is %v, want it to name EFGS-803", err)
	}
}

func TestNewRefuses(t *testing.T) {
	good := create(t, ceremonytest.ECKey(t), func(*anchor.Params) {}).Certificate
	parse := func(der []byte) *cert.Certificate {
		c, err := cert.Parse(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	broken := append([]byte(nil), good.Raw...)
	broken[len(broken)-1] ^= 1
	key := ceremonytest.ECKey(t)
	// Same name for subject and issuer, signed by another key.
	template := &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "x"}, NotBefore: ceremonytest.Start, NotAfter: ceremonytest.Start.AddDate(1, 0, 0)}
	foreign, err := x509.CreateCertificate(rand.Reader, template, &x509.Certificate{Subject: pkix.Name{CommonName: "x"}, PublicKey: key.Public()}, ceremonytest.ECKey(t).Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	sha1, err := cert.Parse(good.Raw)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*cert.Certificate{
		"issued by a CA":       ceremonytest.Certificate(t, ceremonytest.Spec{Country: "BE", Role: vet.NBTLS}),
		"broken signature":     parse(broken),
		"signed by a namesake": parse(foreign),
		"SHA-1":                withAlgorithm(sha1, sigalg.Algorithm{Scheme: sigalg.ECDSA, Hash: crypto.SHA1, HashName: "SHA-1"}),
	} {
		if a, err := anchor.New(c); !errors.Is(err, anchor.ErrUnusable) || a != nil {
			t.Errorf("%s: New = %v, %v", name, a, err)
		}
	}
}

func withAlgorithm(c *cert.Certificate, a sigalg.Algorithm) *cert.Certificate {
	c.Algorithm = a
	return c
}

// A PSS certificate with parameters that we would not sign with fixes an algorithm
// that its signatures would not have.
func TestNewRefusesOtherPSSParameters(t *testing.T) {
	a := create(t, ceremonytest.RSAKey(t), func(p *anchor.Params) { p.Scheme = sigalg.RSAPSS })
	c := *a.Certificate
	pss := *c.Algorithm.PSS
	c.Algorithm.PSS = &pss
	if _, err := anchor.New(&c); err != nil {
		t.Fatal(err)
	}
	key := ceremonytest.RSAKey(t)
	other := sigalg.Algorithm{Scheme: sigalg.RSAPSS, Hash: crypto.SHA256, HashName: "SHA-256", PSS: &pss}
	pss.SaltLength = 20
	signature, err := signPSS(key, c.TBS, 20)
	if err != nil {
		t.Fatal(err)
	}
	c.Algorithm, c.Signature = other, signature
	if err := c.CheckSelfSignature(); err != nil {
		t.Fatalf("the vector is wrong: %v", err)
	}
	if _, err := anchor.New(&c); !errors.Is(err, anchor.ErrUnusable) {
		t.Errorf("salt of 20: %v", err)
	}
}

func TestParse(t *testing.T) {
	key := ceremonytest.ECKey(t)
	a := create(t, key, func(*anchor.Params) {})
	pem := a.Certificate.PEM()
	for name, data := range map[string][]byte{
		"PEM": pem, "DER": a.Certificate.Raw,
		"CRLF": []byte(strings.ReplaceAll(string(pem), "\n", "\r\n")), "text before": append([]byte("EFGSTA of the day\n"), pem...),
	} {
		got, err := anchor.Parse(name, data)
		if err != nil || got.Thumbprint() != a.Thumbprint() {
			t.Errorf("%s: %v", name, err)
		}
	}
	p8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	other := ceremonytest.Certificate(t, ceremonytest.Spec{Country: "DE"})
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("no certificate"), "two": append(append([]byte(nil), pem...), other.PEM()...),
		"twice": append(append([]byte(nil), pem...), pem...), "with private key": append(append([]byte(nil), pem...), pemOf("PRIVATE KEY", p8)...),
		"CA-issued": ceremonytest.Certificate(t, ceremonytest.Spec{Country: "DE", Role: vet.NBTLS}).PEM(),
	} {
		if got, err := anchor.Parse("efgsta.pem", data); !errors.Is(err, anchor.ErrUnusable) || got != nil || !strings.Contains(err.Error(), "efgsta.pem") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	a := create(f, ceremonytest.ECKey(f), func(*anchor.Params) {})
	f.Add(a.Certificate.PEM())
	f.Add(a.Certificate.Raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := anchor.Parse("file", data)
		if (a == nil) != (err != nil) {
			t.Fatalf("Parse = %v, %v", a, err)
		}
		if err == nil && a.Certificate.CheckSelfSignature() != nil {
			t.Fatal("not self-signed")
		}
	})
}
