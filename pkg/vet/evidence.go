package vet

import (
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/x509roots/fallback/bundle"

	"github.com/efgsta/efgsta/pkg/cert"
)

// ErrEvidence marks a file that is not the evidence it was given as.
var ErrEvidence = errors.New("not usable as evidence")

// Evidence is what was brought from outside to judge a TLS certificate's chain and
// revocation by (Governance 3.1). What is not in it is not evaluated, and does not
// block: a rule blocks, where the policy says so, when what was given does not suffice.
type Evidence struct {
	Roots *Roots  // nil: none were given
	CRLs  []*CRL  // revocation lists, of any issuer
	OCSP  []*OCSP // responses, about any certificate

	intermediates []*x509.Certificate
	endEntities   []*x509.Certificate // which may not issue, and may have
}

// Add takes certificates that may link a TLS certificate to a root. What is not
// readable by crypto/x509 cannot and is left out. What is not a CA's cannot either, and
// is kept to say so of what it issued.
func (ev *Evidence) Add(certificates ...*cert.Certificate) {
	for _, c := range certificates {
		if c == nil {
			continue
		}
		parsed, err := x509.ParseCertificate(c.Raw)
		switch {
		case err != nil:
		case c.BasicConstraints != nil && c.BasicConstraints.CA:
			ev.intermediates = append(ev.intermediates, parsed)
		default:
			ev.endEntities = append(ev.endEntities, parsed)
		}
	}
}

// Intermediates returns the CA certificates that Add took, as DER.
func (ev *Evidence) Intermediates() [][]byte {
	var all [][]byte
	for _, c := range ev.intermediates {
		all = append(all, c.Raw)
	}
	return all
}

// Over is ev after what was given before: roots take the place of roots, lists and
// responses that of lists and responses, intermediates add up. Both may be nil.
func (ev *Evidence) Over(before *Evidence) *Evidence {
	if ev == nil || before == nil {
		return cmp.Or(ev, before)
	}
	n := *ev
	n.Roots = cmp.Or(ev.Roots, before.Roots)
	// Lists add up: an older one must not make a revocation forgotten.
	n.CRLs = slices.Concat(before.CRLs, ev.CRLs)
	n.OCSP = slices.Concat(before.OCSP, ev.OCSP)
	n.intermediates = slices.Concat(before.intermediates, ev.intermediates)
	n.endEntities = slices.Concat(before.endEntities, ev.endEntities)
	return &n
}

// with is ev and the certificates of a file.
func (ev *Evidence) with(in *cert.Input) *Evidence {
	if ev == nil || len(in.Items) < 2 {
		return ev
	}
	more := *ev
	more.intermediates, more.endEntities = slices.Clip(ev.intermediates), slices.Clip(ev.endEntities)
	for _, it := range in.Items {
		more.Add(it.Cert)
	}
	return &more
}

// Roots are the certificates that a path may end at.
type Roots struct {
	Name   string // "mozilla 2026-10-30", or the file
	Unread int    // certificates of the file that crypto/x509 cannot read, and that are no roots therefore

	embedded     bool
	certificates []root
	pool         *x509.CertPool
}

type root struct {
	*x509.Certificate
	constraint func([]*x509.Certificate) error // nil: none
}

// Embedded reports whether these are the roots that are part of the program.
func (r *Roots) Embedded() bool { return r.embedded }

// PEM is every root, as ReadRoots reads it.
func (r *Roots) PEM() []byte {
	var b []byte
	for _, c := range r.certificates {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return b
}

// Len is the number of roots.
func (r *Roots) Len() int { return len(r.certificates) }

// MozillaName is the name of the roots that are part of the program, and MozillaDate
// the day on which they were taken from Mozilla's store.
const (
	MozillaName = "mozilla"
	MozillaDate = "2026-10-30"
)

// MozillaRoots reads the roots of Mozilla's store that are part of the program, each
// with the date after which Mozilla no longer trusts what it issues, if it has one.
func MozillaRoots() (*Roots, error) {
	var all []root
	for r := range bundle.Roots() {
		c, err := x509.ParseCertificate(r.Certificate)
		if err != nil {
			return nil, fmt.Errorf("roots of %s: %w", MozillaName, err)
		}
		all = append(all, root{c, r.Constraint})
	}
	r := newRoots(MozillaName+" "+MozillaDate, all)
	r.embedded = true
	return r, nil
}

// ReadRoots takes every certificate of a file for a root. Errors wrap ErrEvidence.
func ReadRoots(name string, data []byte) (*Roots, error) {
	in := cert.Read(name, data)
	if in.PrivateKey {
		return nil, fmt.Errorf("%s: %w: it holds a private key", name, ErrEvidence)
	}
	var all []root
	seen := map[cert.Thumbprint]bool{}
	unread := 0
	for _, it := range in.Items {
		if it.Cert == nil {
			unread++
			continue
		}
		t := it.Cert.Thumbprint()
		if seen[t] {
			continue
		}
		seen[t] = true
		c, err := x509.ParseCertificate(it.Cert.Raw)
		if err != nil {
			unread++
			continue
		}
		all = append(all, root{Certificate: c})
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: %w: it holds no root certificate that can be read", name, ErrEvidence)
	}
	r := newRoots(name, all)
	r.Unread = unread
	return r, nil
}

func newRoots(name string, all []root) *Roots {
	r := &Roots{Name: name, certificates: all}
	r.pool = r.without([sha256.Size]byte{})
	return r
}

// without is the pool of all roots but the one of that SHA-256: crypto/x509 takes a
// certificate that is itself among the roots for verified without looking at it.
func (r *Roots) without(sum [sha256.Size]byte) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, c := range r.certificates {
		switch {
		case sha256.Sum256(c.Raw) == sum:
		case c.constraint == nil:
			pool.AddCert(c.Certificate)
		default:
			pool.AddCertWithConstraint(c.Certificate, c.constraint)
		}
	}
	return pool
}

// poolFor is the pool to judge c by; itself says that c is one of the roots.
func (r *Roots) poolFor(c *x509.Certificate) (pool *x509.CertPool, itself bool) {
	if r.has(c) {
		return r.without(sha256.Sum256(c.Raw)), true
	}
	return r.pool, false
}

func (r *Roots) has(c *x509.Certificate) bool {
	return slices.ContainsFunc(r.certificates, func(known root) bool { return known.Equal(c) })
}
