package sigalg

import "math/big"

// weierstrass is the group of y² = x³ + ax + b over a prime field, for the
// curves that Go has not. crypto/elliptic's generic arithmetic takes a to be -3
// and panics elsewhere, so this is for any a. It is slow and takes a time that
// depends on the numbers: for public ones only.
type weierstrass struct {
	p, a, b, n *big.Int
	g          affine
	quotient   big.Int // of the last reduction, kept for its memory: one group serves one goroutine
}

// affine is a point other than the one at infinity.
type affine struct{ x, y *big.Int }

// jacobian is the point (x/z², y/z³), or with z = 0 the one at infinity.
type jacobian struct{ x, y, z *big.Int }

// group returns the group of a curve whose parameters are in domains, or nil.
func (c *Curve) group() *weierstrass {
	for i := range domains {
		if d := &domains[i]; c != nil && d.name == c.Name {
			return &weierstrass{
				p: hexInt(d.p), a: hexInt(d.a), b: hexInt(d.b), n: hexInt(d.n),
				g: affine{hexInt(d.x), hexInt(d.y)},
			}
		}
	}
	return nil
}

// hexInt reads a number of domains, which a test has read before.
func hexInt(s string) *big.Int {
	n, _ := new(big.Int).SetString(s, 16)
	return n
}

func (c *weierstrass) mul(x, y *big.Int) *big.Int {
	z := new(big.Int).Mul(x, y)
	c.quotient.QuoRem(z, c.p, z)
	return z
}

func (c *weierstrass) sub(x, y *big.Int) *big.Int {
	z := new(big.Int).Sub(x, y)
	if z.Sign() < 0 {
		z.Add(z, c.p)
	}
	return z
}

// twice is 2x, reduced.
func (c *weierstrass) twice(x *big.Int) *big.Int {
	z := new(big.Int).Lsh(x, 1)
	if z.Cmp(c.p) >= 0 {
		z.Sub(z, c.p)
	}
	return z
}

// rhs is x³ + ax + b.
func (c *weierstrass) rhs(x *big.Int) *big.Int {
	z := c.mul(x, x)
	z.Add(z, c.a)
	z.Mul(z, x)
	z.Add(z, c.b)
	return z.Mod(z, c.p)
}

// has reports whether the coordinates are reduced and on the curve.
func (c *weierstrass) has(q affine) bool {
	return q.x.Cmp(c.p) < 0 && q.y.Cmp(c.p) < 0 && c.mul(q.y, q.y).Cmp(c.rhs(q.x)) == 0
}

func (c *weierstrass) double(q jacobian) jacobian {
	if q.z.Sign() == 0 || q.y.Sign() == 0 {
		return jacobian{new(big.Int), new(big.Int), new(big.Int)}
	}
	yy, zz := c.mul(q.y, q.y), c.mul(q.z, q.z)
	s := c.twice(c.twice(c.mul(q.x, yy)))
	m := c.mul(q.x, q.x)
	m.Mul(m, big.NewInt(3))
	m.Add(m, c.mul(c.a, c.mul(zz, zz)))
	m.Mod(m, c.p)
	x := c.sub(c.mul(m, m), c.twice(s))
	y := c.sub(c.mul(m, c.sub(s, x)), c.twice(c.twice(c.twice(c.mul(yy, yy)))))
	return jacobian{x, y, c.twice(c.mul(q.y, q.z))}
}

// add also adds a point to itself, to its negative and to infinity.
func (c *weierstrass) add(q jacobian, r affine) jacobian {
	if q.z.Sign() == 0 {
		return jacobian{r.x, r.y, big.NewInt(1)}
	}
	zz := c.mul(q.z, q.z)
	h := c.sub(c.mul(r.x, zz), q.x)
	w := c.sub(c.mul(r.y, c.mul(zz, q.z)), q.y)
	if h.Sign() == 0 {
		if w.Sign() == 0 {
			return c.double(q)
		}
		return jacobian{new(big.Int), new(big.Int), new(big.Int)}
	}
	hh := c.mul(h, h)
	hhh, v := c.mul(hh, h), c.mul(q.x, hh)
	x := c.sub(c.sub(c.mul(w, w), hhh), c.twice(v))
	y := c.sub(c.mul(w, c.sub(v, x)), c.mul(q.y, hhh))
	return jacobian{x, y, c.mul(q.z, h)}
}

// affine returns the plain coordinates; ok is false at infinity.
func (c *weierstrass) affine(q jacobian) (r affine, ok bool) {
	if q.z.Sign() == 0 {
		return affine{}, false
	}
	inverse := new(big.Int).ModInverse(q.z, c.p)
	square := c.mul(inverse, inverse)
	return affine{c.mul(q.x, square), c.mul(q.y, c.mul(square, inverse))}, true
}

// combine is u·G + v·Q, both products in one pass over the bits.
func (c *weierstrass) combine(u, v *big.Int, q affine) jacobian {
	both, finite := c.affine(c.add(jacobian{c.g.x, c.g.y, big.NewInt(1)}, q))
	sum := jacobian{new(big.Int), new(big.Int), new(big.Int)}
	for i := max(u.BitLen(), v.BitLen()) - 1; i >= 0; i-- {
		sum = c.double(sum)
		switch {
		case u.Bit(i) == 1 && v.Bit(i) == 1:
			if finite { // or Q is -G, and their sum is nothing
				sum = c.add(sum, both)
			}
		case u.Bit(i) == 1:
			sum = c.add(sum, c.g)
		case v.Bit(i) == 1:
			sum = c.add(sum, q)
		}
	}
	return sum
}

// verify is ECDSA verification, SEC 1 4.1.4.
func (c *weierstrass) verify(q affine, digest, signature []byte) error {
	r, s, err := dsaSignature(signature)
	if err != nil || r.Cmp(c.n) >= 0 || s.Cmp(c.n) >= 0 {
		return ErrSignature
	}
	w := new(big.Int).ModInverse(s, c.n)
	if w == nil {
		return ErrSignature
	}
	u := leftmost(digest, c.n)
	u.Mul(u, w).Mod(u, c.n)
	v := w.Mul(r, w)
	v.Mod(v, c.n)
	sum, ok := c.affine(c.combine(u, v, q))
	return verdict(ok && sum.x.Mod(sum.x, c.n).Cmp(r) == 0)
}

// leftmost is the number in the leftmost bits of a digest, as many as n has.
func leftmost(digest []byte, n *big.Int) *big.Int {
	if octets := (n.BitLen() + 7) / 8; len(digest) > octets {
		digest = digest[:octets]
	}
	z := new(big.Int).SetBytes(digest)
	if over := 8*len(digest) - n.BitLen(); over > 0 {
		z.Rsh(z, uint(over))
	}
	return z
}
