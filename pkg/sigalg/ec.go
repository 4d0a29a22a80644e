package sigalg

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"errors"
	"fmt"
	"math/big"

	"github.com/efgsta/efgsta/pkg/der"
)

// readEC reads ECParameters (RFC 5480, and the explicit form of X9.62) and the point.
func (k *PublicKey) readEC(params *der.Element, bits []byte) error {
	k.Point = bits
	var err error
	switch {
	case params == nil:
		err = errors.New("curve is not told")
	case params.Is(der.TagOID):
		if k.CurveOID, err = params.OID(); err == nil {
			k.Curve = curveByOID(k.CurveOID)
		}
	case params.Is(der.TagNull):
		err = errors.New("curve is left to the issuer (implicitCurve)")
	case params.Is(der.TagSequence):
		k.ExplicitCurve = true
		k.Curve, err = explicitCurve(params.Raw)
	default:
		err = &der.Error{Offset: params.Offset, Msg: "ECParameters is " + params.Kind()}
	}
	if err != nil {
		return err
	}
	return k.setEC()
}

// setEC makes the standard key where Go has the curve. Go's own check is what
// keeps points that are not on it away from the arithmetic.
func (k *PublicKey) setEC() error {
	curve := stdCurve(k.Curve)
	if curve == nil {
		return nil
	}
	point := k.Point
	if len(point) == 1+(curve.Params().BitSize+7)/8 && (point[0] == 2 || point[0] == 3) {
		x, y := elliptic.UnmarshalCompressed(curve, point)
		if x == nil {
			return errors.New("compressed point is not on the curve")
		}
		size := (curve.Params().BitSize + 7) / 8
		point = make([]byte, 1+2*size)
		point[0] = 4
		x.FillBytes(point[1 : 1+size])
		y.FillBytes(point[1+size:])
	}
	pub, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return fmt.Errorf("point of %d octets is not an uncompressed or compressed point of the curve", len(k.Point))
	}
	k.Std = pub
	return nil
}

func stdCurve(c *Curve) elliptic.Curve {
	if c == nil {
		return nil
	}
	switch c.Name {
	case "P-224":
		return elliptic.P224()
	case "P-256":
		return elliptic.P256()
	case "P-384":
		return elliptic.P384()
	case "P-521":
		return elliptic.P521()
	}
	return nil
}

const oidPrimeField = "1.2.840.10045.1.1"

// explicitCurve finds the named curve that SpecifiedECDomain parameters equal in
// every number, generator included: the same curve with another generator is
// another group. It returns nil for parameters that equal none.
func explicitCurve(raw []byte) (*Curve, error) {
	var d domain
	if err := d.read(raw); err != nil {
		return nil, fmt.Errorf("explicit curve parameters: %w", err)
	}
	for i := range domains {
		if known := &domains[i]; known.p == d.p && known.a == d.a && known.b == d.b && known.n == d.n && known.x == d.x && (d.y == "" || known.y == d.y) {
			return curveByName(known.name), nil
		}
	}
	return nil, nil
}

// read reads a SpecifiedECDomain over a prime field; over any other field it
// leaves d empty. A compressed generator leaves y empty.
func (d *domain) read(raw []byte) error {
	in, err := sequence(raw)
	if err != nil {
		return err
	}
	if _, err = expect(in, der.TagInteger); err != nil {
		return err
	}
	field, err := expect(in, der.TagSequence)
	if err != nil {
		return err
	}
	fieldOID, prime, err := readIdentifier(field.Raw)
	if err != nil || fieldOID != oidPrimeField || prime == nil {
		return err
	}
	p, err := positive(*prime, maxKeyBits)
	if err != nil {
		return err
	}
	curve, err := expect(in, der.TagSequence)
	if err != nil {
		return err
	}
	coefficients, err := in.Enter(curve)
	if err != nil {
		return err
	}
	a, err := expect(coefficients, der.TagOctetString)
	if err != nil {
		return err
	}
	b, err := expect(coefficients, der.TagOctetString)
	if err != nil {
		return err
	}
	generator, err := expect(in, der.TagOctetString)
	if err != nil {
		return err
	}
	order, err := in.Next()
	if err != nil {
		return err
	}
	n, err := positive(order, maxKeyBits)
	if err != nil {
		return err
	}
	d.p, d.n = p.Text(16), n.Text(16)
	d.a, d.b = hexNumber(a.Content), hexNumber(b.Content)
	size := (p.BitLen() + 7) / 8
	switch g := generator.Content; {
	case len(g) == 1+2*size && g[0]&^1 != 2:
		d.x, d.y = hexNumber(g[1:1+size]), hexNumber(g[1+size:])
	case len(g) == 1+size:
		d.x = hexNumber(g[1:])
	}
	return nil
}

func hexNumber(b []byte) string { return new(big.Int).SetBytes(b).Text(16) }
