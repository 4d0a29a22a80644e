package sigalg

import (
	"fmt"
	"math/big"

	"github.com/efgsta/efgsta/pkg/der"
)

// maxSubgroupBits caps q, the length of both exponents.
const maxSubgroupBits = 1024

// verifyDSA is FIPS 186-4 4.7. All numbers are public.
func verifyDSA(k *PublicKey, digest, signature []byte) error {
	if k.P == nil || k.Q == nil || k.G == nil || k.Y == nil || k.P.Sign() <= 0 || k.Q.Sign() <= 0 || k.Q.BitLen() > maxSubgroupBits {
		return fmt.Errorf("%w: DSA key that is broken or has a subgroup of more than %d bits", ErrUnsupported, maxSubgroupBits)
	}
	one := big.NewInt(1)
	if k.G.Cmp(one) <= 0 || k.G.Cmp(k.P) >= 0 || k.Y.Cmp(one) <= 0 || k.Y.Cmp(k.P) >= 0 {
		// With g or y of 0 or 1 anyone can make signatures.
		return fmt.Errorf("%w: DSA key whose g or y is out of range", ErrSignature)
	}
	r, s, err := dsaSignature(signature)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if r.Sign() <= 0 || s.Sign() <= 0 || r.Cmp(k.Q) >= 0 || s.Cmp(k.Q) >= 0 {
		return ErrSignature
	}
	w := new(big.Int).ModInverse(s, k.Q)
	if w == nil {
		return ErrSignature
	}
	u1 := leftmost(digest, k.Q)
	u1.Mul(u1, w)
	u1.Mod(u1, k.Q)
	u2 := w.Mul(r, w)
	u2.Mod(u2, k.Q)
	v := new(big.Int).Exp(k.G, u1, k.P)
	v.Mul(v, new(big.Int).Exp(k.Y, u2, k.P))
	v.Mod(v, k.P)
	v.Mod(v, k.Q)
	return verdict(v.Cmp(r) == 0)
}

// dsaSignature reads Dss-Sig-Value, in strict DER.
func dsaSignature(signature []byte) (r, s *big.Int, err error) {
	if err := der.Check(signature, limits()); err != nil {
		return nil, nil, err
	}
	in, err := sequence(signature)
	if err != nil {
		return nil, nil, err
	}
	for _, to := range []**big.Int{&r, &s} {
		e, err := in.Next()
		if err != nil {
			return nil, nil, err
		}
		if *to, err = positive(e, maxSubgroupBits); err != nil {
			return nil, nil, err
		}
	}
	return r, s, end(in)
}
