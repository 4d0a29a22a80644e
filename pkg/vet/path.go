package vet

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// path is what came of looking for a certificate's way to a root.
type path struct {
	leaf    *x509.Certificate   // nil if crypto/x509 cannot read it
	chain   []*x509.Certificate // leaf first, root last; nil if there is none
	issuer  *x509.Certificate   // who signed the leaf: of the chain, or else of what was given; nil if unknown
	outcome outcome             // of EFGS-601
	// pretender is a certificate that was given, whose key signed the leaf, and which may
	// not issue any; nil if there is none.
	pretender *x509.Certificate
}

// memo keeps what several rules need of one certificate.
type memo struct {
	path  *path
	zlint *zlintRun
	same  []*entry // of Others, with the same key
	asked bool     // whether same is known
}

// path looks for the certificate's way to a root, once.
func (x *exam) path() *path {
	if x.memo == nil {
		return x.findPath()
	}
	if x.memo.path == nil {
		x.memo.path = x.findPath()
	}
	return x.memo.path
}

// findPath gives the rule's outcome and, as far as they are known, issuer and chain.
func (x *exam) findPath() *path {
	leaf, err := x509.ParseCertificate(x.c.Raw)
	if err != nil {
		return &path{outcome: unknown("crypto/x509, which follows the path, cannot read the certificate: %v", err)}
	}
	p := &path{leaf: leaf}
	p.follow(x.Evidence, x.At)
	return p
}

// follow fills in outcome, chain and issuer.
func (p *path) follow(ev *Evidence, at time.Time) {
	if p.issuer = ev.issuerOf(p.leaf); p.issuer == nil {
		p.pretender = ev.pretenderOf(p.leaf)
	}
	if ev.Roots == nil {
		if p.pretender != nil {
			p.outcome = noCA(p.pretender)
		}
		return
	}
	roots, itself := ev.Roots.poolFor(p.leaf)
	if at.Before(p.leaf.NotBefore) || at.After(p.leaf.NotAfter) {
		p.outcome = unknown("the certificate is not valid at %s (EFGS-204, EFGS-205), so no path to it is", moment(at))
		return
	}
	pool := x509.NewCertPool()
	for _, c := range ev.intermediates {
		pool.AddCert(c)
	}
	chains, err := p.leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: pool, CurrentTime: at, KeyUsages: usagesFor(p.leaf)})
	if err == nil && len(chains) > 0 {
		p.chain, p.issuer, p.outcome = chains[0], chains[0][1], pass()
		return
	}
	p.outcome = p.broken(ev, err, itself)
}

// usagesFor asks every issuer on the path to allow TLS. A certificate whose own
// usage is something else is another rule's (EFGS-405, EFGS-406).
func usagesFor(leaf *x509.Certificate) []x509.ExtKeyUsage {
	tls := []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if len(leaf.ExtKeyUsage)+len(leaf.UnknownExtKeyUsage) > 0 &&
		!slices.ContainsFunc(append(tls, x509.ExtKeyUsageAny), func(u x509.ExtKeyUsage) bool { return slices.Contains(leaf.ExtKeyUsage, u) }) {
		return []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	}
	return tls
}

// broken says why there is no path: a link that nobody gave is missing evidence,
// anything else is a failure.
func (p *path) broken(ev *Evidence, err error, itself bool) outcome {
	store := fmt.Sprintf("%d roots of %s", ev.Roots.Len(), ev.Roots.Name)
	if ev.Roots.Len() == 1 {
		store = "root of " + ev.Roots.Name
	}
	if itself {
		return fail("the certificate is itself among the %s, and no other vouches for it", store)
	}
	var critical x509.UnhandledCriticalExtension
	if errors.As(err, &critical) {
		return unknown("the path has a critical extension that is not known here: %v", err)
	}
	var stranger x509.UnknownAuthorityError
	if !errors.As(err, &stranger) {
		return fail("there is no valid path to the %s: %v", store, err)
	}
	// The last certificate that is reached by name and signature says what is missing.
	last, seen := p.leaf, []*x509.Certificate{p.leaf}
	for {
		next := ev.issuerOf(last)
		if next == nil || slices.ContainsFunc(seen, next.Equal) {
			break
		}
		last, seen = next, append(seen, next)
	}
	selfIssued := bytes.Equal(last.RawSubject, last.RawIssuer)
	if pretender := ev.pretenderOf(last); pretender != nil {
		return noCA(pretender)
	}
	switch {
	case ev.Roots.has(last):
		return fail("the path to the %s is not valid: %v", store, err)
	case selfIssued && last == p.leaf:
		return fail("the certificate is self-issued and not issued by any of the %s", store)
	case selfIssued:
		return fail("the path ends at %s, which is not among the %s", quote(last.Subject.String()), store)
	case ev.knows(last.RawIssuer):
		return fail("the path breaks at %s: no certificate of that name that is given made the signature", quote(last.Issuer.String()))
	}
	return unknown("there is no path to the %s: the certificate of the issuer %s is not given%s", store, quote(last.Issuer.String()), named("; it is at", last.IssuingCertificateURL))
}

// noCA is the outcome for what a certificate issued that may not issue any.
func noCA(issuer *x509.Certificate) outcome {
	why := "its basicConstraints do not say CA:TRUE"
	if issuer.IsCA {
		why = "its key usage is without keyCertSign"
	}
	return fail("the certificate of the issuer %s is given, and is not that of a CA: %s", quote(issuer.Subject.String()), why)
}

// maxTried caps the certificates of one name whose signature on another is tried.
const maxTried = 16

// issuerOf is the CA certificate, of all that was given, whose key signed c.
func (ev *Evidence) issuerOf(c *x509.Certificate) *x509.Certificate {
	tried := 0
	for _, candidate := range ev.authorities() {
		if !bytes.Equal(candidate.RawSubject, c.RawIssuer) || candidate.Equal(c) {
			continue
		}
		if c.CheckSignatureFrom(candidate) == nil {
			return candidate
		}
		if tried++; tried == maxTried {
			break
		}
	}
	return nil
}

// pretenderOf is a certificate, of all that was given, whose key signed c although it is
// not that of a CA.
func (ev *Evidence) pretenderOf(c *x509.Certificate) *x509.Certificate {
	tried := 0
	for _, candidate := range slices.Concat(ev.endEntities, ev.intermediates) {
		mayIssue := candidate.IsCA && (candidate.KeyUsage == 0 || candidate.KeyUsage&x509.KeyUsageCertSign != 0)
		if mayIssue || !bytes.Equal(candidate.RawSubject, c.RawIssuer) || candidate.Equal(c) {
			continue
		}
		if candidate.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			return candidate
		}
		if tried++; tried == maxTried {
			break
		}
	}
	return nil
}

// authorities are all CA certificates that were given.
func (ev *Evidence) authorities() []*x509.Certificate {
	all := slices.Clone(ev.intermediates)
	if ev.Roots != nil {
		for _, r := range ev.Roots.certificates {
			all = append(all, r.Certificate)
		}
	}
	return all
}

func (ev *Evidence) knows(subject []byte) bool {
	return slices.ContainsFunc(ev.authorities(), func(c *x509.Certificate) bool { return bytes.Equal(c.RawSubject, subject) })
}
