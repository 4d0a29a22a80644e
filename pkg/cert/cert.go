// Package cert reads certificates as people bring them: any container it knows,
// and a model of an X.509 certificate that is never refused for being odd. What
// cannot be decoded becomes a Fault with its place, and reading goes on.
package cert

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"math/big"
	"time"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

// Fault is a part that could not be decoded, or decoded only by reading loosely.
type Fault struct {
	Path   string // "tbsCertificate.serialNumber", "extensions[2] keyUsage" …
	Offset int    // byte offset in the certificate's DER
	Msg    string
}

// Thumbprint is the SHA-256 of a certificate's DER.
type Thumbprint [sha256.Size]byte

// String is lower-case hex, 64 characters, as the gateway stores it.
func (t Thumbprint) String() string { return hex.EncodeToString(t[:]) }

// Extension is one extension, undecoded.
type Extension struct {
	OID      string
	Critical bool
	Value    []byte // extnValue's content
	Offset   int
}

// KeyUsage bits, RFC 5280 4.2.1.3: bit n of the BIT STRING is 1<<n.
type KeyUsage uint16

// The key usage bits by name.
const (
	DigitalSignature KeyUsage = 1 << iota
	NonRepudiation
	KeyEncipherment
	DataEncipherment
	KeyAgreement
	KeyCertSign
	CRLSign
	EncipherOnly
	DecipherOnly
)

// SAN is a decoded subjectAltName: the name forms that rules ask about.
type SAN struct {
	DNS, Email, URI []string
	IP              [][]byte
	Other           int // names of other forms
}

// Certificate is a certificate as far as it could be read. Fields that could not
// be read are zero and a Fault says why.
type Certificate struct {
	Raw          []byte // the DER (or BER) as found
	TBS          []byte // tbsCertificate, whole element
	Version      int    // 1, 2, 3; 0 if unreadable
	Serial       *big.Int
	SerialRaw    []byte // content octets
	Issuer       Name
	Subject      Name
	NotBefore    time.Time // zero if unreadable
	NotAfter     time.Time
	SPKI         []byte            // SubjectPublicKeyInfo, whole element
	PublicKey    *sigalg.PublicKey // nil only if SPKI is missing
	Signature    []byte            // signatureValue, without the unused-bits octet
	Algorithm    sigalg.Algorithm  // outer signatureAlgorithm
	AlgorithmRaw []byte            // outer AlgorithmIdentifier, DER
	TBSAlgRaw    []byte            // inner AlgorithmIdentifier, DER
	UniqueIDs    bool              // issuerUniqueID or subjectUniqueID is present
	Extensions   []Extension

	KeyUsage         *KeyUsage // nil if absent or unreadable
	KeyUsageCritical bool
	ExtKeyUsage      []string // OIDs; nil if the extension is absent
	BasicConstraints *BasicConstraints
	SAN              *SAN
	SubjectKeyID     []byte
	AuthorityKeyID   []byte
	PolicyOIDs       []string

	Faults []Fault
}

// BasicConstraints of RFC 5280 4.2.1.9.
type BasicConstraints struct {
	CA         bool
	PathLen    int  // -1 if absent
	CARawFalse bool // cA FALSE is encoded, which DER leaves out
}

// Extended key usage OIDs of Governance 4.3.
const (
	EKUServerAuth = "1.3.6.1.5.5.7.3.1"
	EKUClientAuth = "1.3.6.1.5.5.7.3.2"
	EKUAny        = "2.5.29.37.0"
)

// ErrNotCertificate marks bytes that are not even a SEQUENCE shaped like a certificate.
var ErrNotCertificate = errors.New("not a certificate")

// Thumbprint is the SHA-256 of the DER.
func (c *Certificate) Thumbprint() Thumbprint { return sha256.Sum256(c.Raw) }

// SPKISHA256 is the SHA-256 of the SubjectPublicKeyInfo, by which keys are told apart.
func (c *Certificate) SPKISHA256() Thumbprint { return sha256.Sum256(c.SPKI) }

// PEM is the canonical text that the operator signs and the gateway stores:
// one block, 64 columns, LF, one trailing LF, byte-identical to `openssl x509`.
func (c *Certificate) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// Countries returns every countryName in the subject, in order.
func (c *Certificate) Countries() []string { return c.Subject.Values(OIDCountry) }

// SelfIssued reports whether subject and issuer are one name, as RFC 5280 7.1 compares them: verifiers take
// the two for the same, however each is spelt. Where every byte counts, compare Subject.Raw and Issuer.Raw.
func (c *Certificate) SelfIssued() bool {
	return len(c.Subject.Raw) > 0 && len(c.Issuer.Raw) > 0 && c.Subject.Equal(c.Issuer)
}

// CheckSelfSignature verifies the certificate's signature with its own key. The
// error is sigalg.ErrSignature or sigalg.ErrUnsupported.
func (c *Certificate) CheckSelfSignature() error { return c.CheckSignedBy(c) }

// CheckSignedBy verifies the certificate's signature with issuer's key; it looks
// at nothing else. The error is sigalg.ErrSignature or sigalg.ErrUnsupported.
func (c *Certificate) CheckSignedBy(issuer *Certificate) error {
	return c.Algorithm.Verify(issuer.PublicKey, c.TBS, c.Signature)
}
