package sigalg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
	"math/big"

	"github.com/efgsta/efgsta/pkg/der"
)

// maxKeyBits caps the numbers of a key, so that no certificate can keep a verifier busy.
const maxKeyBits = 16384

const (
	oidRSA     = "1.2.840.113549.1.1.1"
	oidEC      = "1.2.840.10045.2.1"
	oidDSA     = "1.2.840.10040.4.1"
	oidEd25519 = "1.3.101.112"
)

// Curve is an elliptic curve by name.
type Curve struct {
	Name      string // "P-256", "brainpoolP256r1", "secp256k1", "sect283k1" …
	OID       string
	OrderBits int  // bit length of the group order
	Binary    bool // characteristic two
}

// PublicKey is a SubjectPublicKeyInfo as far as it could be read.
type PublicKey struct {
	Algorithm string // "RSA", "RSASSA-PSS" (id-RSASSA-PSS key), "EC", "DSA", "Ed25519", or "unknown"
	OID       string // dotted OID of the key algorithm

	N, E *big.Int   // RSA
	PSS  *PSSParams // RSASSA-PSS: what the key is restricted to, nil if nothing

	Curve         *Curve // EC: nil if unknown or not told
	ExplicitCurve bool   // EC: ECParameters is a SEQUENCE; Curve is the named curve it equals, if any
	CurveOID      string // EC: as read
	Point         []byte // EC: the encoded point

	P, Q, G, Y *big.Int // DSA

	Std crypto.PublicKey // *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey where Go has one, else nil
}

// ParsePublicKey reads a DER SubjectPublicKeyInfo. With an error it still returns
// what could be read (never nil). An EC point that is not on its curve is an error;
// Std is then nil.
func ParsePublicKey(spki []byte) (*PublicKey, error) {
	k := &PublicKey{Algorithm: "unknown"}
	in, err := sequence(spki)
	if err != nil {
		return k, fmt.Errorf("SubjectPublicKeyInfo: %w", err)
	}
	id, err := expect(in, der.TagSequence)
	if err != nil {
		return k, fmt.Errorf("SubjectPublicKeyInfo: %w", err)
	}
	oid, params, idErr := readIdentifier(id.Raw)
	k.OID = oid
	bits, err := keyBits(in)
	if err == nil {
		err = idErr
	}
	if keyErr := k.read(params, bits); keyErr != nil && err == nil {
		err = fmt.Errorf("%s key: %w", k.Algorithm, keyErr)
	}
	return k, err
}

// keyBits reads the subjectPublicKey, as much of it as is there.
func keyBits(in *der.Reader) ([]byte, error) {
	e, err := expect(in, der.TagBitString)
	if err != nil {
		return nil, fmt.Errorf("subjectPublicKey: %w", err)
	}
	bits, unused, err := e.BitString()
	if err == nil && unused != 0 {
		err = &der.Error{Offset: e.Offset, Msg: "BIT STRING that is not whole octets"}
	}
	if err == nil {
		err = end(in)
	}
	if err != nil {
		err = fmt.Errorf("subjectPublicKey: %w", err)
	}
	return bits, err
}

func (k *PublicKey) read(params *der.Element, bits []byte) error {
	switch k.OID {
	case oidRSA:
		k.Algorithm = "RSA"
		return k.readRSA(bits)
	case oidPSS:
		k.Algorithm = "RSASSA-PSS"
		err := k.readRSA(bits)
		if params != nil {
			var pssErr error
			if k.PSS, pssErr = parsePSS(params); err == nil {
				err = pssErr
			}
		}
		return err
	case oidEC:
		k.Algorithm = "EC"
		return k.readEC(params, bits)
	case oidDSA:
		k.Algorithm = "DSA"
		return k.readDSA(params, bits)
	case oidEd25519:
		k.Algorithm = "Ed25519"
		if len(bits) != ed25519.PublicKeySize {
			return fmt.Errorf("%d octets instead of %d", len(bits), ed25519.PublicKeySize)
		}
		k.Std = ed25519.PublicKey(bits)
	}
	return nil
}

func (k *PublicKey) readRSA(bits []byte) error {
	in, err := sequence(bits)
	if err != nil {
		return err
	}
	n, err := in.Next()
	if err != nil {
		return fmt.Errorf("modulus: %w", err)
	}
	if k.N, err = positive(n, maxKeyBits); err != nil {
		err = fmt.Errorf("modulus: %w", err)
	}
	e, eErr := in.Next()
	if eErr == nil {
		k.E, eErr = positive(e, maxKeyBits)
	}
	if eErr == nil {
		eErr = end(in)
	}
	if eErr != nil && err == nil {
		err = fmt.Errorf("public exponent: %w", eErr)
	}
	k.setRSA()
	return err
}

// setRSA makes the standard key where Go can work with it.
func (k *PublicKey) setRSA() {
	if k.N == nil || k.E == nil || k.N.Sign() <= 0 || k.E.Sign() <= 0 || k.E.BitLen() > 31 {
		return
	}
	k.Std = &rsa.PublicKey{N: k.N, E: int(k.E.Int64())}
}

func (k *PublicKey) readDSA(params *der.Element, bits []byte) error {
	var err error
	if params == nil {
		err = fmt.Errorf("%w: parameters are inherited from the issuer", ErrUnsupported)
	} else {
		err = k.readDSAParams(params)
	}
	r, yErr := der.NewReader(bits, limits(), der.BER)
	if yErr == nil {
		var y der.Element
		if y, yErr = r.Next(); yErr == nil {
			k.Y, yErr = positive(y, maxKeyBits)
		}
		if yErr == nil {
			yErr = end(r)
		}
	}
	if err == nil && yErr != nil {
		err = fmt.Errorf("y: %w", yErr)
	}
	return err
}

func (k *PublicKey) readDSAParams(params *der.Element) error {
	in, err := sequence(params.Raw)
	if err != nil {
		return fmt.Errorf("parameters: %w", err)
	}
	for _, to := range []**big.Int{&k.P, &k.Q, &k.G} {
		e, err := in.Next()
		if err != nil {
			return fmt.Errorf("parameters: %w", err)
		}
		if *to, err = positive(e, maxKeyBits); err != nil {
			return fmt.Errorf("parameters: %w", err)
		}
	}
	return end(in)
}

// FromStd wraps a Go public key.
func FromStd(pub crypto.PublicKey) (*PublicKey, error) {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		if pub == nil || pub.N == nil || pub.N.Sign() <= 0 || pub.E <= 0 {
			break
		}
		return &PublicKey{Algorithm: "RSA", OID: oidRSA, N: pub.N, E: big.NewInt(int64(pub.E)), Std: pub}, nil
	case *ecdsa.PublicKey:
		if pub == nil || pub.Curve == nil {
			break
		}
		curve := curveByName(pub.Params().Name)
		if curve == nil {
			return nil, fmt.Errorf("%w: curve %s", ErrUnsupported, pub.Params().Name)
		}
		point, err := pub.Bytes()
		if err != nil {
			return nil, fmt.Errorf("EC key: %w", err)
		}
		return &PublicKey{Algorithm: "EC", OID: oidEC, Curve: curve, CurveOID: curve.OID, Point: point, Std: pub}, nil
	case ed25519.PublicKey:
		if len(pub) != ed25519.PublicKeySize {
			break
		}
		return &PublicKey{Algorithm: "Ed25519", OID: oidEd25519, Std: pub}, nil
	}
	return nil, fmt.Errorf("%w: public key of type %T", ErrUnsupported, pub)
}

// Bits is the size people speak of: modulus bits, group order bits, bits of p.
// It is 0 where that could not be read.
func (k *PublicKey) Bits() int {
	switch {
	case k.N != nil:
		return k.N.BitLen()
	case k.Curve != nil:
		return k.Curve.OrderBits
	case k.P != nil:
		return k.P.BitLen()
	case k.Algorithm == "Ed25519":
		return 256
	}
	return 0
}
