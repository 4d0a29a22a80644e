// Package anchor is the EFGSTA: its certificate and template (Governance 4.5),
// typed signing with its key, and verification of what it signed. It takes any
// crypto.Signer and knows no HSM.
package anchor

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// ErrUnusable marks a certificate that cannot be an EFGSTA.
var ErrUnusable = errors.New("not usable as EFGSTA")

// RehearsalOU is the organizational unit that every rehearsal EFGSTA carries and no
// production EFGSTA may, so that keys separate the two worlds.
const RehearsalOU = "REHEARSAL"

// Anchor is an EFGSTA certificate and the algorithm that it fixes for everything it
// signs: hash and scheme are those of the self-signed certificate, because the
// gateway verifies operator signatures with exactly that algorithm.
type Anchor struct {
	Certificate *cert.Certificate
	Algorithm   sigalg.Algorithm
}

// New takes a certificate as EFGSTA. It must be self-signed, and by an algorithm we
// can sign with.
func New(c *cert.Certificate) (*Anchor, error) {
	if !c.SelfIssued() || !bytes.Equal(c.Subject.Raw, c.Issuer.Raw) {
		return nil, fmt.Errorf("%w: certificate %s is not self-issued", ErrUnusable, c.Thumbprint())
	}
	if err := c.CheckSelfSignature(); err != nil {
		return nil, fmt.Errorf("%w: self-signature of %s: %w", ErrUnusable, c.Thumbprint(), err)
	}
	alg, err := sigalg.New(c.Algorithm.Scheme, c.Algorithm.Hash)
	if err != nil {
		return nil, fmt.Errorf("%w: signed with %s", ErrUnusable, c.Algorithm)
	}
	if alg.PSS != nil && (c.Algorithm.PSS == nil || *c.Algorithm.PSS != *alg.PSS) {
		return nil, fmt.Errorf("%w: signed with RSASSA-PSS parameters other than one hash throughout and a salt of its length", ErrUnusable)
	}
	return &Anchor{Certificate: c, Algorithm: alg}, nil
}

// Parse reads an EFGSTA from a file's bytes: exactly one certificate, PEM or DER.
func Parse(name string, data []byte) (*Anchor, error) {
	in := cert.Read(name, data)
	if in.PrivateKey {
		return nil, fmt.Errorf("%w: %s holds a private key beside the certificate", ErrUnusable, name)
	}
	item, _, err := in.Submitted()
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnusable, name, err)
	}
	if len(in.Items) != 1 || item.Cert == nil {
		return nil, fmt.Errorf("%w: %s holds %d certificates, exactly one is expected", ErrUnusable, name, len(in.Items))
	}
	a, err := New(item.Cert)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return a, nil
}

// Thumbprint identifies the anchor: SHA-256 of its DER.
func (a *Anchor) Thumbprint() cert.Thumbprint { return a.Certificate.Thumbprint() }

// Rehearsal reports whether the subject carries the rehearsal marker.
func (a *Anchor) Rehearsal() bool {
	for _, ou := range a.Certificate.Subject.Values(cert.OIDOrganizationalUnit) {
		if ou == RehearsalOU {
			return true
		}
	}
	return false
}

// Owns reports whether pub is the public key of the anchor.
func (a *Anchor) Owns(pub crypto.PublicKey) bool {
	k, ok := a.Certificate.PublicKey.Std.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(pub)
}
