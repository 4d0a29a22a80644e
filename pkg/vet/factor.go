package vet

import "math/big"

// primorial is the product of all primes below 752, the bound of NIST SP 800-89 5.3.3.
const primorial = "2f62be4e08c1d818ae4e6dda34d81c490d7f774a2224bc5675d45d60e5b0d6644489b0b43650febd8f1db74a66d06d790b89" +
	"d6eea3e6a95d91269595ad729ad804d7b6b727852fe0a166efa25fdd370442141509b02eb42890e2d6aaa2977e4d89067d64" +
	"67a649ef22572bc4471817f290c4e22c3d6d9a5acabf886126667de9c7c2"

// smallFactor returns the smallest prime below 752 that divides n, or 0.
func smallFactor(n *big.Int) int {
	product, ok := new(big.Int).SetString(primorial, 16)
	if !ok {
		return 0
	}
	// One division by the product does for one by each of the 133 primes, nearly always.
	common := product.GCD(nil, nil, product, n)
	if common.IsInt64() && common.Int64() == 1 {
		return 0
	}
	rest := new(big.Int)
	for d := int64(2); d < 752; d++ {
		if rest.Mod(common, big.NewInt(d)).Sign() == 0 {
			return int(d)
		}
	}
	return 0
}

// squareModulus has many factors, so that few residues are those of squares; its square fits 64 bits.
const squareModulus = 64 * 63 * 65 * 11

// fermat looks for factors of an odd n near its square root: n = a²-b² for an a among
// the first rounds above it. Residues rule out nearly every a, and cost no long arithmetic.
func fermat(n *big.Int, rounds uint64) (p, q *big.Int, found bool) {
	if n.Sign() <= 0 || n.Bit(0) == 0 {
		return nil, nil, false
	}
	a := new(big.Int).Sqrt(n)
	if new(big.Int).Mul(a, a).Cmp(n) < 0 {
		a.Add(a, big.NewInt(1))
	}
	modulus := big.NewInt(squareModulus)
	aRest := new(big.Int).Mod(a, modulus).Uint64()
	nRest := new(big.Int).Mod(n, modulus).Uint64()
	for i := range rounds {
		r := (aRest + i) % squareModulus
		if !maybeSquare((r*r + squareModulus - nRest) % squareModulus) {
			continue
		}
		x := new(big.Int).SetUint64(i)
		x.Add(x, a)
		square := new(big.Int).Mul(x, x)
		square.Sub(square, n)
		b := new(big.Int).Sqrt(square)
		if new(big.Int).Mul(b, b).Cmp(square) != 0 {
			continue
		}
		if p = new(big.Int).Sub(x, b); p.IsInt64() && p.Int64() == 1 {
			return nil, nil, false // n = 1·n: all that there is
		}
		return p, new(big.Int).Add(x, b), true
	}
	return nil, nil, false
}

// maybeSquare is false only for residues modulo squareModulus that no square has.
// A set bit is a residue that squares have.
func maybeSquare(r uint64) bool {
	const (
		by64 = 1<<0 | 1<<1 | 1<<4 | 1<<9 | 1<<16 | 1<<17 | 1<<25 | 1<<33 | 1<<36 | 1<<41 | 1<<49 | 1<<57
		by63 = 1<<0 | 1<<1 | 1<<4 | 1<<7 | 1<<9 | 1<<16 | 1<<18 | 1<<22 | 1<<25 | 1<<28 | 1<<36 | 1<<37 | 1<<43 | 1<<46 | 1<<49 | 1<<58
		by11 = 1<<0 | 1<<1 | 1<<3 | 1<<4 | 1<<5 | 1<<9
		by13 = 1<<0 | 1<<1 | 1<<3 | 1<<4 | 1<<9 | 1<<10 | 1<<12
		by5  = 1<<0 | 1<<1 | 1<<4
	)
	return by64>>(r%64)&1 == 1 && by63>>(r%63)&1 == 1 && by11>>(r%11)&1 == 1 && by13>>(r%13)&1 == 1 && by5>>(r%5)&1 == 1
}

// Lengths of a repetition in a key's bytes: periods that are looked for, and how many
// bytes must repeat. 16 of them come about by chance once in 2^115 keys.
const (
	maxPeriod   = 16
	minRepeated = 16
)

// repetition returns the period of a stretch of bytes that repeats itself, or 0.
func repetition(b []byte) int {
	for period := 1; period <= maxPeriod; period++ {
		run := 0
		for i := period; i < len(b); i++ {
			if b[i] != b[i-period] {
				run = 0
				continue
			}
			if run++; run == minRepeated {
				return period
			}
		}
	}
	return 0
}

// rocaMark reports whether a modulus is a power of 65537 modulo each of the small primes
// that tell: so are all of the faulty chips', and one in 2^27 others (CVE-2017-15361).
func rocaMark(n *big.Int) bool {
	rest := new(big.Int)
	for _, p := range []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		if !isPower(rest.Mod(n, big.NewInt(p)).Int64(), 65537%p, p) {
			return false
		}
	}
	return true
}

// isPower reports whether r is a power of g modulo the prime p.
func isPower(r, g, p int64) bool {
	for power, i := int64(1), int64(0); i < p; i++ {
		if power == r {
			return true
		}
		power = power * g % p
	}
	return false
}
