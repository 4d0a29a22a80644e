// Package sigalg knows signature algorithms: it maps an X.509 or CMS
// AlgorithmIdentifier to a scheme, a hash and parameters and back, reads public
// keys that Go's crypto/x509 refuses, verifies raw signatures and makes them
// through a crypto.Signer.
package sigalg

import (
	"crypto"
	"errors"
	"fmt"
)

// ErrUnsupported marks an algorithm, key or parameter that this package can name but not verify.
var ErrUnsupported = errors.New("unsupported signature algorithm")

// ErrSignature marks a signature that does not verify.
var ErrSignature = errors.New("signature does not verify")

// Scheme is how a signature is made, apart from its hash.
type Scheme string

// The schemes of Governance 4.1 and those seen beside them.
const (
	RSAPKCS1v15 Scheme = "RSA-PKCS1-v1_5"
	RSAPSS      Scheme = "RSASSA-PSS"
	ECDSA       Scheme = "ECDSA"
	DSA         Scheme = "DSA"
	Ed25519     Scheme = "Ed25519"
	Unknown     Scheme = "unknown"
)

// PSSParams are the RSASSA-PSS-params of RFC 4055, defaults filled in.
type PSSParams struct {
	HashOID    string
	MGFHashOID string      // "" if the mask generation function is not MGF1
	Hash       crypto.Hash // 0 if HashOID has no crypto.Hash
	MGFHash    crypto.Hash // 0 if MGFHashOID has no crypto.Hash
	SaltLength int         // bytes
	Trailer    int
	Absent     bool // no parameters, or an empty SEQUENCE: the SHA-1 defaults apply
	Broken     bool // could not be read to their end: what was not reached is the default
}

// Algorithm is one signature algorithm with its parameters.
type Algorithm struct {
	Scheme   Scheme
	Hash     crypto.Hash // 0 for Ed25519, unknown, and hashes crypto.Hash cannot name
	HashName string      // "SHA-256", "SHA-1", "SHAKE128" …, "" if unknown
	OID      string      // dotted, as read; set by Identifier's inverse too
	PSS      *PSSParams  // RSAPSS only
}

// New returns the algorithm for scheme and hash (SHA-256, 384 or 512), with salt
// length equal to the hash length for RSAPSS. It is the form we sign with.
func New(s Scheme, h crypto.Hash) (Algorithm, error) {
	if h != crypto.SHA256 && h != crypto.SHA384 && h != crypto.SHA512 {
		return Algorithm{}, fmt.Errorf("%w: %s with hash %v, only SHA-256, SHA-384 and SHA-512 are used to sign", ErrUnsupported, s, h)
	}
	hash := hashOf(h)
	if s == RSAPSS {
		return Algorithm{
			Scheme: RSAPSS, Hash: h, HashName: hash.name, OID: oidPSS,
			PSS: &PSSParams{HashOID: hash.oid, MGFHashOID: hash.oid, Hash: h, MGFHash: h, SaltLength: h.Size(), Trailer: 1},
		}, nil
	}
	for i := range identifiers {
		// The first entry of a scheme and hash is the usual one.
		if id := &identifiers[i]; id.scheme == s && id.hash == hash.name && (s == RSAPKCS1v15 || s == ECDSA) {
			return Algorithm{Scheme: s, Hash: h, HashName: hash.name, OID: id.oid}, nil
		}
	}
	return Algorithm{}, fmt.Errorf("%w: %s is not used to sign", ErrUnsupported, s)
}

// String names the algorithm for people: "RSA PKCS#1 v1.5 with SHA-256".
func (a Algorithm) String() string {
	name := string(a.Scheme)
	switch a.Scheme {
	case Unknown, "":
		if a.OID == "" {
			return "unknown signature algorithm"
		}
		return "unknown signature algorithm " + a.OID
	case Ed25519:
		return name
	case RSAPKCS1v15:
		name = "RSA PKCS#1 v1.5"
	}
	hash := a.HashName
	if hash == "" {
		hash = "an unknown hash"
	}
	return name + " with " + hash
}
