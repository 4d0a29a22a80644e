package vet

import (
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// BenchmarkRules holds the rules that look at one certificate alone against
// x509.ParseCertificate on the same bytes: reading and vetting a certificate may
// take 4 times as long as the standard library takes to read it. Signatures (EFGS-412,
// EFGS-603), weak keys (9xx) and what compares files (5xx) are left out;
// BenchmarkRulesAndKeys has the first two.
func BenchmarkRules(b *testing.B) {
	engine := engineWithout(b, "EFGS-412", "EFGS-5", "EFGS-603", "EFGS-9")
	for _, s := range samples(b) {
		b.Run(s.name, func(b *testing.B) {
			s.compare(b, engine, "vet/ParseCertificate", func() error {
				_, err := x509.ParseCertificate(s.der)
				return err
			})
		})
	}
}

// BenchmarkRulesAndKeys holds everything that can be said of one certificate,
// self-signature and weak keys included, against reading it and verifying one
// signature; the bar is 1.6.
func BenchmarkRulesAndKeys(b *testing.B) {
	engine := engineWithout(b)
	for _, s := range samples(b) {
		b.Run(s.name, func(b *testing.B) {
			s.compare(b, engine, "vet/ParseCertificate+verify", func() error {
				c, err := x509.ParseCertificate(s.der)
				if err != nil {
					return err
				}
				signer := s.issuer
				if signer == nil {
					signer = c
				}
				return signer.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
			})
		})
	}
}

// engineWithout vets under the default policy without the rules whose ids begin so. It
// goes past New, since no policy can switch these rules off.
func engineWithout(b *testing.B, prefixes ...string) *Engine {
	b.Helper()
	p, err := policy.Load(policy.Default)
	if err != nil {
		b.Fatal(err)
	}
	out := func(id string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(id, prefix) })
	}
	maps.DeleteFunc(p.Rules, func(id string, _ policy.Setting) bool { return out(id) })
	e, err := newEngine(p, slices.DeleteFunc(Rules(), func(r Rule) bool { return out(r.ID) }))
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// compare runs reading and vetting in turns with a reference, so that both meet the
// same load, and reports the ratio of the medians.
func (s sample) compare(b *testing.B, engine *Engine, metric string, reference func() error) {
	const turns, each = 200, 25
	req := Request{Role: s.role, Country: "DE", At: time.Now(), AnyEnvironment: true}
	judge := func() error {
		c, err := cert.Parse(s.der)
		if err != nil {
			return err
		}
		req.Certificate = c
		if res := engine.Vet(req); res.Verdict == VerdictRefused {
			b.Fatalf("refused: %+v", res.Findings)
		}
		return nil
	}
	timed := func(f func() error) time.Duration {
		start := time.Now()
		for range each {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
		return time.Since(start) / each
	}
	for b.Loop() {
		var ours, theirs []time.Duration
		for range turns {
			theirs = append(theirs, timed(reference))
			ours = append(ours, timed(judge))
		}
		slices.Sort(ours)
		slices.Sort(theirs)
		b.ReportMetric(us(ours[turns/2]), "µs/vet")
		b.ReportMetric(us(theirs[turns/2]), "µs/reference")
		b.ReportMetric(float64(ours[turns/2])/float64(theirs[turns/2]), metric)
	}
	b.ReportMetric(0, "ns/op")
}

func us(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
