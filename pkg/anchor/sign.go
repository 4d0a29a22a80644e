package anchor

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/efgsta/efgsta/pkg/cms"
	"github.com/efgsta/efgsta/pkg/vet"
)

// ErrKey marks a signing key that is not the anchor's.
var ErrKey = errors.New("key does not belong to the EFGSTA certificate")

// Signer signs as the anchor. It takes typed values only, never a caller's bytes,
// so nothing but vetted certificates and known documents can carry its signature.
// Every signature is verified in software before it is returned.
type Signer struct {
	anchor *Anchor
	key    crypto.Signer
	rand   io.Reader
	made   int
}

// NewSigner checks that key belongs to the anchor.
func (a *Anchor) NewSigner(key crypto.Signer, rand io.Reader) (*Signer, error) {
	if !a.Owns(key.Public()) {
		return nil, fmt.Errorf("%w %s", ErrKey, a.Thumbprint())
	}
	return &Signer{anchor: a, key: key, rand: rand}, nil
}

// Signatures is the number of signatures made so far.
func (s *Signer) Signatures() int { return s.made }

// Certificate returns the operator signature: the raw signature over the
// certificate's canonical PEM, which the gateway stores (Governance 3.2).
func (s *Signer) Certificate(c vet.Accepted) ([]byte, error) {
	if !c.Valid() {
		return nil, errors.New("certificate was not vetted")
	}
	return s.sign(c.Certificate().PEM())
}

// CertificateCMS returns a detached CMS SignedData over the certificate's DER.
func (s *Signer) CertificateCMS(c vet.Accepted, at time.Time) ([]byte, error) {
	if !c.Valid() {
		return nil, errors.New("certificate was not vetted")
	}
	return s.cms(c.Certificate().Raw, at)
}

// Document returns the raw signature over a document's text.
func (s *Signer) Document(d Document) ([]byte, error) {
	if d.text == nil {
		return nil, errors.New("document is empty")
	}
	return s.sign(d.text)
}

// DocumentCMS returns a detached CMS SignedData over a document's text.
func (s *Signer) DocumentCMS(d Document, at time.Time) ([]byte, error) {
	if d.text == nil {
		return nil, errors.New("document is empty")
	}
	return s.cms(d.text, at)
}

func (s *Signer) sign(message []byte) ([]byte, error) {
	s.made++
	return s.anchor.Algorithm.Sign(s.rand, s.key, message)
}

func (s *Signer) cms(content []byte, at time.Time) ([]byte, error) {
	s.made++
	return s.anchor.template(at).Sign(s.rand, s.key, content)
}

func (a *Anchor) template(at time.Time) cms.Template {
	return cms.Template{Signer: a.Certificate, Algorithm: a.Algorithm, SigningTime: at}
}

// CMSAttributes returns the exact bytes that a CMS signature over content at that
// time will sign, for plans.
func (a *Anchor) CMSAttributes(content []byte, at time.Time) ([]byte, error) {
	h := a.Algorithm.Hash.New()
	h.Write(content)
	return a.template(at).Attributes(h.Sum(nil))
}
