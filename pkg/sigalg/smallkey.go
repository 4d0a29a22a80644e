package sigalg

import (
	"math/big"
	"sync"
)

// Bounds of the private keys that SmallPrivateKey looks for.
const (
	FewPrivateKeys  = 1 << 6  // what costs a look-up
	ManyPrivateKeys = 1 << 16 // what costs a few milliseconds
)

// few holds, for each of domains, the multiples of its generator up to FewPrivateKeys, made when they are first
// asked for and never written again.
var few [64]struct {
	once sync.Once
	keys map[string]int
}

// SmallPrivateKey looks for an EC key's private key among 1 to FewPrivateKeys, or with many among 1 to
// ManyPrivateKeys, and their negatives, which have the same x. It returns the number without its sign. On a curve
// whose parameters are not known here nothing is found.
func (k *PublicKey) SmallPrivateKey(many bool) (d int, found bool) {
	for i := range domains {
		if k.Curve == nil || domains[i].name != k.Curve.Name || i >= len(few) {
			continue
		}
		size := (len(domains[i].p) + 1) / 2
		if len(k.Point) <= size {
			return 0, false
		}
		f := &few[i]
		f.once.Do(func() { f.keys = k.Curve.group().multiples(FewPrivateKeys) })
		if d, found = f.keys[string(k.Point[1:1+size])]; found || !many {
			return d, found
		}
		c := k.Curve.group()
		q, _, err := c.point(k.Point)
		if err != nil {
			return 0, false
		}
		return c.search(q)
	}
	return 0, false
}

// octets is x as it stands in a point.
func (c *weierstrass) octets(x *big.Int) string {
	return string(x.FillBytes(make([]byte, (c.p.BitLen()+7)/8)))
}

// multiples are the first so many multiples of the generator, by their x.
func (c *weierstrass) multiples(most int) map[string]int {
	keys := make(map[string]int, most)
	sum := c.g
	for d := 1; d <= most; d++ {
		keys[c.octets(sum.x)] = d
		sum, _ = c.affine(c.add(jacobian{sum.x, sum.y, big.NewInt(1)}, c.g))
	}
	return keys
}

// search takes large steps from q, and from its negative, down to the first few multiples of the generator.
func (c *weierstrass) search(q affine) (d int, found bool) {
	const near, step = 256, 512
	keys := c.multiples(near)
	stride, _ := c.affine(c.combine(big.NewInt(step), new(big.Int), c.g))
	back := affine{stride.x, c.sub(new(big.Int), stride.y)}
	for _, from := range []affine{q, {q.x, c.sub(new(big.Int), q.y)}} {
		at := jacobian{from.x, from.y, big.NewInt(1)}
		for gone := 0; gone <= ManyPrivateKeys; gone += step {
			here, finite := c.affine(at)
			if !finite {
				return gone, true
			}
			if b, near := keys[c.octets(here.x)]; near {
				return c.exactly(from, gone+b, gone-b)
			}
			at = c.add(jacobian{here.x, here.y, big.NewInt(1)}, back)
		}
	}
	return 0, false
}

// exactly tells which of two numbers is the one whose multiple of the generator is q.
func (c *weierstrass) exactly(q affine, candidates ...int) (d int, found bool) {
	for _, d := range candidates {
		if d <= 0 {
			continue
		}
		if p, ok := c.affine(c.combine(big.NewInt(int64(d)), new(big.Int), c.g)); ok && p.x.Cmp(q.x) == 0 {
			return d, true
		}
	}
	return 0, false
}
