package sigalg

import (
	"errors"
	"fmt"
	"math/big"
)

// ErrDomain marks DSA numbers that do not belong together.
var ErrDomain = errors.New("not a DSA key")

// CheckDSA sees to it that the numbers of a DSA key belong together (FIPS 186-4 4.1 and A.1): p is odd, q is a
// prime that divides p-1, g and y are other than 1 and of order q. Otherwise anyone can make signatures, or the
// private key is a few bits long. With full it also asks whether p is prime, which takes as long as all the rest.
// The error is ErrDomain; ErrUnsupported for numbers that are missing or too long to compute with.
func (k *PublicKey) CheckDSA(full bool) error {
	p, q, g, y := k.P, k.Q, k.G, k.Y
	switch {
	case p == nil || q == nil || g == nil || y == nil:
		return fmt.Errorf("%w: a DSA key with numbers that cannot be read", ErrUnsupported)
	case p.Sign() <= 0 || p.Bit(0) == 0:
		return fmt.Errorf("%w: p is not odd and positive", ErrDomain)
	case q.Sign() <= 0 || q.Cmp(p) >= 0:
		return fmt.Errorf("%w: q is not between 0 and p", ErrDomain)
	case q.BitLen() > maxSubgroupBits:
		return fmt.Errorf("%w: a DSA key with q of %d bits, more than %d", ErrUnsupported, q.BitLen(), maxSubgroupBits)
	case !q.ProbablyPrime(0):
		return fmt.Errorf("%w: q is not a prime", ErrDomain)
	}
	one := big.NewInt(1)
	if rest := new(big.Int).Sub(p, one); rest.Mod(rest, q).Sign() != 0 {
		return fmt.Errorf("%w: q does not divide p-1", ErrDomain)
	}
	for _, n := range []struct {
		name  string
		value *big.Int
	}{{"g", g}, {"y", y}} {
		switch {
		case n.value.Cmp(one) <= 0 || n.value.Cmp(p) >= 0:
			return fmt.Errorf("%w: %s is not between 1 and p", ErrDomain, n.name)
		case new(big.Int).Exp(n.value, q, p).Cmp(one) != 0:
			return fmt.Errorf("%w: %s is not of order q", ErrDomain, n.name)
		}
	}
	if full && !p.ProbablyPrime(0) {
		return fmt.Errorf("%w: p is not a prime", ErrDomain)
	}
	return nil
}
