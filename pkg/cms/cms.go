// Package cms builds and strictly verifies CMS SignedData (RFC 5652) with one
// signer: ours is DER with signed attributes; what it builds is re-verified by
// go.mozilla.org/pkcs7, an independent implementation that may only veto.
//
// What others sign is read by VerifyForeign: lenient in encoding, strict in meaning.
//
// Of our own there is exactly one encoding for a signer's certificate, an algorithm, a
// signing time, a content and a signature, and Verify and VerifyAttached accept no other. All that
// remains open is the signature itself: who knows an ECDSA signature (r, s) also
// knows (r, n-s), so a message is still not to be identified by its own hash.
package cms

import (
	"crypto"
	_ "crypto/sha256" // SHA-256
	_ "crypto/sha512" // SHA-384, SHA-512
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// ErrInvalid marks a message that does not verify, or is not the strict form that we make.
var ErrInvalid = errors.New("CMS signature not valid")

// ErrTemplate marks a Template, attributes or signature that no message can be made of.
var ErrTemplate = errors.New("cannot make CMS signature")

// MaxSize is the longest message, in bytes, without the content that it may carry. It is the signer's
// certificate and about a kilobyte.
const MaxSize = 256 << 10

// MaxAttached is the longest content, in bytes, that a message may carry.
const MaxAttached = 16 << 20

// maxDepth is the deepest nesting in a message; the rest of it is 8 deep, so it caps the certificate.
const maxDepth = 40

// Template is everything about a SignedData except content and signature.
// Content type is id-data. Signed attributes are contentType, signingTime,
// messageDigest and signingCertificateV2 (RFC 5035), DER SET OF order.
type Template struct {
	Signer      *cert.Certificate // the signer's certificate, embedded; SID is issuerAndSerialNumber
	Algorithm   sigalg.Algorithm  // hash of content and signature scheme: RSAPKCS1v15, RSAPSS or ECDSA with SHA-256, 384 or 512
	SigningTime time.Time         // UTC, whole seconds, 1950 to 9999
}

// check returns the algorithm in the form that sigalg.New gives it.
func (t Template) check() (sigalg.Algorithm, error) {
	if t.Signer == nil || len(t.Signer.Raw) == 0 || len(t.Signer.Issuer.Raw) == 0 || len(t.Signer.SerialRaw) == 0 {
		return sigalg.Algorithm{}, fmt.Errorf("%w: the signer's certificate has no readable issuer and serial number", ErrTemplate)
	}
	alg, err := sigalg.New(t.Algorithm.Scheme, t.Algorithm.Hash)
	if err != nil {
		return sigalg.Algorithm{}, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	if alg.Scheme == sigalg.RSAPSS && t.Algorithm.PSS != nil && *t.Algorithm.PSS != *alg.PSS {
		return sigalg.Algorithm{}, fmt.Errorf("%w: RSASSA-PSS needs one hash throughout and a salt of its length", ErrTemplate)
	}
	if year := t.SigningTime.UTC().Year(); t.SigningTime.Nanosecond() != 0 || year < 1950 || year > 9999 {
		return sigalg.Algorithm{}, fmt.Errorf("%w: signing time %s is not in whole seconds from 1950 to 9999", ErrTemplate, t.SigningTime.UTC().Format(time.RFC3339Nano))
	}
	return alg, nil
}

// Sign is Attributes, signature and Assemble in one, verified by Verify and Veto before it returns.
func (t Template) Sign(rand io.Reader, signer crypto.Signer, content []byte) ([]byte, error) {
	attributes, signature, err := t.sign(rand, signer, content)
	if err != nil {
		return nil, err
	}
	p7, err := t.Assemble(attributes, signature)
	if err != nil {
		return nil, err
	}
	// Veto begins with Verify.
	if _, err := Veto(p7, content, t.Signer); err != nil {
		return nil, err
	}
	return p7, nil
}

// SignAttached is Sign of a message that carries its content, at most MaxAttached bytes.
// What is signed is the same.
func (t Template) SignAttached(rand io.Reader, signer crypto.Signer, content []byte) ([]byte, error) {
	if err := attachable(content); err != nil { // before the key is used
		return nil, err
	}
	attributes, signature, err := t.sign(rand, signer, content)
	if err != nil {
		return nil, err
	}
	p7, err := t.AssembleAttached(attributes, signature, content)
	if err != nil {
		return nil, err
	}
	if _, err := VetoAttached(p7, t.Signer); err != nil {
		return nil, err
	}
	return p7, nil
}

func (t Template) sign(rand io.Reader, signer crypto.Signer, content []byte) (attributes, signature []byte, err error) {
	alg, err := t.check()
	if err != nil {
		return nil, nil, err
	}
	if attributes, err = t.Attributes(digest(alg.Hash, content)); err != nil {
		return nil, nil, err
	}
	signature, err = alg.Sign(rand, signer, attributes)
	return attributes, signature, err
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
