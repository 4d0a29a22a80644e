package cms

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// MaxForeign is the longest message of others that is read, in bytes.
const MaxForeign = 4 << 20

// Foreign is what a verified message of others says.
type Foreign struct {
	Algorithm   sigalg.Algorithm
	Signer      *cert.Certificate // the one given, or the one that the message carries
	SigningTime time.Time         // UTC, and no more than the signer's word; zero if there is none
	Attributes  []byte            // the signed DER SET OF; nil if the content itself was signed
	Attached    bool              // the message carries the content, too
}

// VerifyForeign verifies a SignedData that others made, over a content that the
// caller knows: lenient in encoding, strict in meaning. It reads BER (indefinite
// lengths, content in chunks), signers named either way, and messages with or
// without signed attributes, certificates and content.
//
// There must be one signer and one signature over content of type id-data, with
// SHA-256, 384 or 512 and RSA PKCS#1 v1.5, RSASSA-PSS with one hash, or ECDSA. What
// the message says twice must agree: a content that it carries with the given one,
// its signed attributes (each type once) with content, signer and algorithms, its
// versions with RFC 5652. CRLs, unsigned attributes and signed attributes of other
// types are ignored.
//
// With signer nil the message must carry the certificate, and the caller
// decides by Foreign.Signer whether to trust it. The certificate, if it restricts its key's usage, must
// allow digitalSignature or nonRepudiation; nothing else of it is checked, nor is
// the signing time. Errors wrap ErrInvalid.
func VerifyForeign(p7, content []byte, signer *cert.Certificate) (*Foreign, error) {
	m, err := readForeign(p7)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	f, err := m.verify(content, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return f, nil
}

func (m *foreign) verify(content []byte, signer *cert.Certificate) (*Foreign, error) {
	if err := m.checkVersions(); err != nil {
		return nil, err
	}
	alg, err := m.algorithm()
	if err != nil {
		return nil, err
	}
	if signer, err = m.findSigner(signer); err != nil {
		return nil, err
	}
	if m.attached && !bytes.Equal(m.content, content) {
		return nil, errors.New("the content in the message is not the one that was to be signed")
	}
	f := &Foreign{Algorithm: alg, Signer: signer, Attached: m.attached}
	signed := content
	if m.attributes == nil {
		// Whoever has a signature over attributes could pass those off as a content.
		if isAttributes(content) {
			return nil, errors.New("the content is a set of signed attributes, and the signature is over it alone")
		}
	} else {
		if f.Attributes, err = setOf(m.attributes); err != nil {
			return nil, err
		}
		if f.SigningTime, err = m.checkAttributes(alg.Hash, content, signer); err != nil {
			return nil, err
		}
		signed = f.Attributes
	}
	if err := alg.Verify(signer.PublicKey, signed, m.signature); err != nil {
		return nil, err
	}
	return f, nil
}

// checkVersions holds the versions to RFC 5652 5.1 and 5.3, for id-data and plain certificates.
func (m *foreign) checkVersions() error {
	want := 1
	if m.keyID != nil {
		want = 3
	}
	if m.signerVersion != want {
		return fmt.Errorf("SignerInfo version is %d, its signer identifier is of version %d", m.signerVersion, want)
	}
	if m.version != want {
		return fmt.Errorf("SignedData version is %d, its parts are of version %d", m.version, want)
	}
	return nil
}

// algorithm finds out how the signature was made; the two identifiers must agree on the hash.
func (m *foreign) algorithm() (sigalg.Algorithm, error) {
	hash, err := sha2(m.digestAlgorithm)
	if err != nil {
		return sigalg.Algorithm{}, err
	}
	listed := false
	for _, id := range m.digestAlgorithms {
		listed = listed || id.equivalent(m.digestAlgorithm)
	}
	if !listed {
		return sigalg.Algorithm{}, errors.New("digestAlgorithms does not list the signer's digest algorithm")
	}
	a, err := sigalg.ParseIdentifier(m.signatureAlgorithm.raw)
	if err != nil {
		return sigalg.Algorithm{}, err
	}
	plain := m.signatureAlgorithm.plain()
	switch {
	case a.Scheme == sigalg.RSAPKCS1v15 && a.HashName == "" && plain: // rsaEncryption
		return sigalg.New(sigalg.RSAPKCS1v15, hash)
	case (a.Scheme == sigalg.RSAPKCS1v15 || a.Scheme == sigalg.ECDSA) && a.Hash == hash && plain:
		return a, nil
	case a.Scheme == sigalg.RSAPSS && a.Hash == hash && a.PSS != nil && a.PSS.MGFHash == hash:
		return a, nil
	}
	return sigalg.Algorithm{}, fmt.Errorf("signature algorithm %s or its parameters are not accepted with %s", a, hash)
}

// sha2 is the hash that a digest AlgorithmIdentifier names.
func sha2(id algorithmID) (crypto.Hash, error) {
	name, hash := sigalg.HashByOID(id.oid)
	if hash != crypto.SHA256 && hash != crypto.SHA384 && hash != crypto.SHA512 || !id.plain() {
		if name == "" {
			name = id.oid
		}
		return 0, fmt.Errorf("digest algorithm %s or its parameters: only SHA-256, SHA-384 and SHA-512 are accepted", name)
	}
	return hash, nil
}

// findSigner returns the certificate that the signer is named by: the given one or, if that is nil, one of the message.
func (m *foreign) findSigner(given *cert.Certificate) (*cert.Certificate, error) {
	if given != nil {
		if !m.names(given) {
			return nil, errors.New("the signer is named as somebody else than the given certificate")
		}
		return usable(given)
	}
	var found *cert.Certificate
	for _, raw := range m.certificates {
		c, err := cert.Parse(raw)
		if err != nil || !m.names(c) {
			continue // of a chain, and no business of ours
		}
		if found != nil && !bytes.Equal(found.Raw, c.Raw) {
			return nil, errors.New("two certificates in the message are named as the signer's")
		}
		found = c
	}
	if found == nil {
		return nil, errors.New("the signer's certificate is not in the message")
	}
	return usable(found)
}

func usable(c *cert.Certificate) (*cert.Certificate, error) {
	if c.PublicKey == nil {
		return nil, errors.New("the signer's certificate has no public key")
	}
	return c, mayVerify(c)
}

// names reports whether the signer identifier is that of the certificate.
func (m *foreign) names(c *cert.Certificate) bool {
	if m.keyID != nil {
		return bytes.Equal(m.keyID, c.SubjectKeyID)
	}
	return bytes.Equal(m.issuer, c.Issuer.Raw) && bytes.Equal(m.serial, c.SerialRaw)
}

// Attributes of others that mean something to us.
const (
	attrContentType   = "1.2.840.113549.1.9.3"
	attrMessageDigest = "1.2.840.113549.1.9.4"
	attrSigningTime   = "1.2.840.113549.1.9.5"
	attrSigningCert   = "1.2.840.113549.1.9.16.2.12"
	attrSigningCertV2 = "1.2.840.113549.1.9.16.2.47"
	attrProtection    = "1.2.840.113549.1.9.52"
)

// checkAttributes holds the signed attributes against everything else.
func (m *foreign) checkAttributes(hash crypto.Hash, content []byte, signer *cert.Certificate) (at time.Time, err error) {
	seen := map[string]bool{}
	for _, raw := range m.attributes {
		oid, value, err := readAttribute(raw)
		if err != nil {
			return at, fmt.Errorf("signed attributes: %w", err)
		}
		if seen[oid] {
			return at, fmt.Errorf("signed attribute %s stands twice", oid)
		}
		seen[oid] = true
		switch oid {
		case attrContentType:
			if got, err := value.one(der.TagOID); err != nil {
				return at, fmt.Errorf("signed attribute contentType: %w", err)
			} else if got, err := got.OID(); err != nil || got != oidData.String() {
				return at, errors.New("signed attribute contentType is not the type of the content")
			}
		case attrMessageDigest:
			if got, err := value.one(der.TagOctetString); err != nil {
				return at, fmt.Errorf("signed attribute messageDigest: %w", err)
			} else if !bytes.Equal(got.Content, digest(hash, content)) {
				return at, errors.New("the content is not the one that was signed: its digest differs")
			}
		case attrSigningTime:
			if at, err = value.time(); err != nil {
				return at, fmt.Errorf("signed attribute signingTime: %w", err)
			}
		case attrSigningCert:
			return at, errors.New("signed attribute signingCertificate names the certificate by SHA-1")
		case attrSigningCertV2:
			if err := value.namesCertificate(signer); err != nil {
				return at, fmt.Errorf("signed attribute signingCertificateV2: %w", err)
			}
		case attrProtection:
			if err := value.protects(m.digestAlgorithm, m.signatureAlgorithm); err != nil {
				return at, fmt.Errorf("signed attribute CMSAlgorithmProtection: %w", err)
			}
		}
	}
	switch {
	case !seen[attrContentType]:
		return at, errors.New("signed attribute contentType is missing")
	case !seen[attrMessageDigest]:
		return at, errors.New("signed attribute messageDigest is missing")
	}
	return at, nil
}
