package sigalg

import (
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
)

// ErrPoint marks an EC public key that is no point of its curve.
var ErrPoint = errors.New("not a point of the curve")

// PointForm is how an EC point is written, SEC 1 2.3.3.
type PointForm string

// The forms of a point. RFC 5480 knows the first two.
const (
	Uncompressed PointForm = "uncompressed"
	Compressed   PointForm = "compressed"
	Hybrid       PointForm = "hybrid"
)

// CheckPoint tells the form of an EC key's point and whether it is on the curve,
// reduced and not at infinity (ErrPoint otherwise). On a curve whose parameters
// are not known here it is ErrUnsupported.
func (k *PublicKey) CheckPoint() (PointForm, error) {
	if _, ok := k.Std.(*ecdsa.PublicKey); ok { // read and checked by Go, which takes no hybrid ones
		if len(k.Point) > 0 && k.Point[0] == 4 {
			return Uncompressed, nil
		}
		return Compressed, nil
	}
	c := k.Curve.group()
	if c == nil {
		return "", fmt.Errorf("%w: points of %s", ErrUnsupported, k.curveName())
	}
	_, form, err := c.point(k.Point)
	return form, err
}

// point reads an encoded point and sees to it that it is one of the curve.
func (c *weierstrass) point(b []byte) (affine, PointForm, error) {
	size := (c.p.BitLen() + 7) / 8
	var form PointForm
	switch {
	case len(b) == 1 && b[0] == 0:
		return affine{}, "", fmt.Errorf("%w: it is the point at infinity", ErrPoint)
	case len(b) == 1+2*size && b[0] == 4:
		form = Uncompressed
	case len(b) == 1+2*size && b[0]&^1 == 6:
		form = Hybrid
	case len(b) == 1+size && b[0]&^1 == 2:
		form = Compressed
	default:
		return affine{}, "", fmt.Errorf("%w: %d octets are no form of one, %d are expected", ErrPoint, len(b), 1+2*size)
	}
	q := affine{x: new(big.Int).SetBytes(b[1 : 1+size])}
	switch {
	case q.x.Cmp(c.p) >= 0:
		return q, form, fmt.Errorf("%w: x is not below the field's prime", ErrPoint)
	case form == Compressed:
		q.y = new(big.Int).ModSqrt(c.rhs(q.x), c.p)
		if q.y == nil {
			return q, form, fmt.Errorf("%w: no point has this x", ErrPoint)
		}
		if q.y.Bit(0) != uint(b[0]&1) {
			q.y = c.sub(new(big.Int), q.y)
		}
		return q, form, nil
	}
	q.y = new(big.Int).SetBytes(b[1+size:])
	if !c.has(q) || form == Hybrid && q.y.Bit(0) != uint(b[0]&1) {
		return q, form, fmt.Errorf("%w: the coordinates do not satisfy its equation", ErrPoint)
	}
	return q, form, nil
}

// verifyECDSA takes Go's arithmetic where Go could read the key, else our own.
func verifyECDSA(k *PublicKey, digest, signature []byte) error {
	if pub, ok := k.Std.(*ecdsa.PublicKey); ok {
		return verdict(ecdsa.VerifyASN1(pub, digest, signature))
	}
	c := k.Curve.group()
	if c == nil {
		return fmt.Errorf("%w: ECDSA on %s", ErrUnsupported, k.curveName())
	}
	q, _, err := c.point(k.Point)
	if err != nil {
		return fmt.Errorf("%w: ECDSA with a key that is %w", ErrUnsupported, err)
	}
	return c.verify(q, digest, signature)
}

// IsGenerator reports whether an EC key is the generator of its curve or the
// generator's negative, whose private keys everyone knows: 1 and -1.
func (k *PublicKey) IsGenerator() bool {
	for i := range domains {
		if d := &domains[i]; k.Curve != nil && d.name == k.Curve.Name {
			size := (len(d.p) + 1) / 2
			return len(k.Point) > size && hexNumber(k.Point[1:1+size]) == d.x
		}
	}
	return false
}
