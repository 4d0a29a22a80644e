package sigalg

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"
)

// Verify checks signature over message. It returns nil, ErrSignature or
// ErrUnsupported (wrapped). A key of another kind than the scheme needs is ErrSignature.
func (a Algorithm) Verify(k *PublicKey, message, signature []byte) error {
	if k == nil {
		return fmt.Errorf("%w: no public key", ErrUnsupported)
	}
	if err := a.fits(k); err != nil {
		return err
	}
	if a.Scheme == Ed25519 {
		pub, ok := k.Std.(ed25519.PublicKey)
		if !ok {
			return fmt.Errorf("%w: Ed25519 key that could not be read", ErrUnsupported)
		}
		return verdict(ed25519.Verify(pub, message, signature))
	}
	if !canHash(a.Hash) {
		return fmt.Errorf("%w: %s", ErrUnsupported, a)
	}
	digest := sum(a.Hash, message)
	switch a.Scheme {
	case RSAPKCS1v15:
		return verifyPKCS1(k, a.Hash, digest, signature)
	case RSAPSS:
		return a.verifyPSS(k, digest, signature)
	case ECDSA:
		return verifyECDSA(k, digest, signature)
	case DSA:
		return verifyDSA(k, digest, signature)
	}
	return fmt.Errorf("%w: %s", ErrUnsupported, a)
}

// fits checks that the key is one of the scheme's kind.
func (a Algorithm) fits(k *PublicKey) error {
	var ok bool
	switch a.Scheme {
	case RSAPKCS1v15:
		ok = k.Algorithm == "RSA"
	case RSAPSS:
		ok = k.Algorithm == "RSA" || k.Algorithm == "RSASSA-PSS"
	case ECDSA:
		ok = k.Algorithm == "EC"
	case DSA, Ed25519:
		ok = k.Algorithm == string(a.Scheme)
	default:
		return fmt.Errorf("%w: %s", ErrUnsupported, a)
	}
	if k.Algorithm == "unknown" {
		return fmt.Errorf("%w: public key algorithm %s", ErrUnsupported, k.OID)
	}
	if !ok {
		return fmt.Errorf("%w: %s cannot be made with an %s key", ErrSignature, a, k.Algorithm)
	}
	return nil
}

// canHash reports whether the hash is linked in. MD5 and older are not, on purpose:
// a signature over them proves nothing.
func canHash(h crypto.Hash) bool {
	return h != 0 && h != crypto.MD4 && h != crypto.MD5 && h != crypto.MD5SHA1 && h != crypto.RIPEMD160 && h.Available()
}

func sum(h crypto.Hash, message []byte) []byte {
	d := h.New()
	d.Write(message)
	return d.Sum(nil)
}

func verdict(ok bool) error {
	if !ok {
		return ErrSignature
	}
	return nil
}

func (k *PublicKey) curveName() string {
	switch {
	case k.Curve != nil && k.ExplicitCurve:
		return "explicit parameters of " + k.Curve.Name
	case k.Curve != nil:
		return k.Curve.Name
	case k.CurveOID != "":
		return "curve " + k.CurveOID
	}
	return "an unknown curve"
}

// byStdlib reports whether crypto/rsa takes the key: it refuses less than 1024
// bits, an even modulus and a public exponent that is even or has over 31 bits.
func byStdlib(k *PublicKey) (*rsa.PublicKey, bool) {
	pub, ok := k.Std.(*rsa.PublicKey)
	return pub, ok && pub.N.BitLen() >= 1024 && pub.N.Bit(0) == 1 && pub.E&1 == 1 && pub.E > 1
}

func verifyPKCS1(k *PublicKey, h crypto.Hash, digest, signature []byte) error {
	if pub, ok := byStdlib(k); ok {
		return verdict(rsa.VerifyPKCS1v15(pub, h, digest, signature) == nil)
	}
	em, err := k.rawRSA(signature)
	if err != nil {
		return err
	}
	return verdict(checkPKCS1(em, h, digest))
}

func (a Algorithm) verifyPSS(k *PublicKey, digest, signature []byte) error {
	p := a.PSS
	switch {
	case p == nil || p.Hash != a.Hash:
		return fmt.Errorf("%w: %s without its parameters", ErrUnsupported, a)
	case p.Broken:
		return fmt.Errorf("%w: %s with parameters that cannot be read", ErrUnsupported, a)
	case p.MGFHashOID == "" && p.MGFHash == 0:
		return fmt.Errorf("%w: RSASSA-PSS with a mask generation function other than MGF1", ErrUnsupported)
	case !canHash(p.MGFHash):
		return fmt.Errorf("%w: RSASSA-PSS with mask generation over hash %q", ErrUnsupported, p.MGFHashOID)
	case p.Trailer != 1:
		return fmt.Errorf("%w: RSASSA-PSS with trailer field %d", ErrUnsupported, p.Trailer)
	case p.SaltLength < 0 || p.SaltLength > maxKeyBits/8:
		return fmt.Errorf("%w: RSASSA-PSS with a salt of %d bytes", ErrSignature, p.SaltLength)
	}
	if r := k.PSS; r != nil && (r.Broken || r.HashOID != p.HashOID || r.MGFHashOID != p.MGFHashOID || p.SaltLength < r.SaltLength || r.Trailer != p.Trailer) {
		// RFC 4055 1.2: the key's own parameters bind every signature made with it.
		return fmt.Errorf("%w: RSASSA-PSS parameters differ from those the key is restricted to", ErrSignature)
	}
	// crypto/rsa has one hash for both uses, and reads a salt length of 0 as "any".
	if pub, ok := byStdlib(k); ok && p.MGFHash == p.Hash && p.SaltLength > 0 {
		return verdict(rsa.VerifyPSS(pub, p.Hash, digest, signature, &rsa.PSSOptions{SaltLength: p.SaltLength}) == nil)
	}
	em, err := k.rawRSA(signature)
	if err != nil {
		return err
	}
	return verdict(checkPSS(em, k.N.BitLen()-1, p, digest))
}
