package vet

import (
	"math/big"

	"github.com/efgsta/efgsta/pkg/cert"
)

// maxModuli caps the RSA keys that are compared with each other: the time grows with the
// square of their number, and this many of 3072 bits take some seconds.
const maxModuli = 2000

// sharedFactorRules: two moduli with a prime in common are both factored by one division.
func sharedFactorRules() []Rule {
	return []Rule{{
		ID: "EFGS-907", Name: "rsa-shared-factor", Clause: "Heninger et al. 2012", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "an RSA modulus has no factor in common with that of another certificate",
		Why:   "two devices that start with the same randomness choose one prime alike; whoever has both certificates has both private keys",
		Fix:   fixRSA,
		Good:  "moduli that share nothing", Bad: "p·q in one certificate and p·r in another",
		check: onRSA(rsaSharedFactor),
	}}
}

func rsaSharedFactor(x *exam, n, _ *big.Int) outcome {
	switch {
	case n.Sign() <= 0:
		return skip() // EFGS-901 has it
	case x.Others == nil:
		return unknown("there is no other certificate to compare the modulus with (--with FILE)")
	}
	partner, compared := x.Others.sharesFactor(x.c)
	switch {
	case !compared:
		return unknown("only the first %d RSA keys are compared with each other, and this one is not among them", maxModuli)
	case partner != nil:
		return fail("the RSA modulus has a factor in common with that of %s: both private keys can be computed", partner.label())
	}
	return pass()
}

// comparand is the modulus of an RSA key in an Index.
type comparand struct {
	n  *big.Int
	id identity
	at int32 // position in the entries
}

// comparison is what came of comparing all moduli.
type comparison struct {
	product  *big.Int           // of all moduli
	partners map[identity]int32 // position of another modulus in the list, -1 for no common factor
}

// sharesFactor returns a certificate whose modulus has a factor in common with that of
// c without being the same, or nil. compared is false for a key beyond maxModuli.
func (ix *Index) sharesFactor(c *cert.Certificate) (partner *entry, compared bool) {
	id, ok := keyIdentity(c)
	if !ok || c.PublicKey.N == nil {
		return nil, false
	}
	ix.compare.Do(func() { ix.compared = compareModuli(ix.moduli) })
	other, known := ix.compared.partners[id]
	switch {
	case !known && ix.uncompared:
		return nil, false
	case !known:
		other = ix.compared.partnerOf(ix.moduli, c.PublicKey.N)
	}
	if other < 0 {
		return nil, true
	}
	return &ix.entries[ix.moduli[other].at], true
}

// partnerOf looks for a common factor of the moduli and a number that is not one of them.
func (c *comparison) partnerOf(moduli []comparand, n *big.Int) int32 {
	if !common(n, new(big.Int).Mod(c.product, n)) {
		return -1
	}
	for i, m := range moduli {
		if common(n, m.n) {
			return int32(i)
		}
	}
	return -1
}

// compareModuli finds, for each modulus n, another with a common factor. The product of
// all others modulo n has a factor in common with n if and only if one of them has; a tree
// of products, and a second one of remainders from its root down, give it with a few long
// multiplications and divisions.
func compareModuli(moduli []comparand) *comparison {
	c := &comparison{product: big.NewInt(1), partners: make(map[identity]int32, len(moduli))}
	if len(moduli) == 0 {
		return c
	}
	level := make([]*big.Int, len(moduli))
	for i, m := range moduli {
		level[i] = m.n
		c.partners[m.id] = -1
	}
	tree := [][]*big.Int{level}
	for len(level) > 1 {
		level = products(level)
		tree = append(tree, level)
	}
	c.product = level[0]
	rests := []*big.Int{big.NewInt(1)}
	for i := len(tree) - 2; i >= 0; i-- {
		rests = remainders(rests, tree[i])
	}
	var weak []int32
	for i, m := range moduli {
		if common(m.n, rests[i]) {
			weak = append(weak, int32(i))
		}
	}
	for _, i := range weak {
		for _, j := range weak {
			if i != j && common(moduli[i].n, moduli[j].n) {
				c.partners[moduli[i].id] = j
				break
			}
		}
	}
	return c
}

// products multiplies neighbours; an odd one out goes up as it is.
func products(level []*big.Int) []*big.Int {
	up := make([]*big.Int, 0, (len(level)+1)/2)
	for i := 0; i < len(level); i += 2 {
		if i+1 == len(level) {
			up = append(up, level[i])
			continue
		}
		up = append(up, new(big.Int).Mul(level[i], level[i+1]))
	}
	return up
}

// remainders goes down one level: the product of all moduli but a child's own, modulo the
// child, is that of its parent times the child's sibling.
func remainders(parents, level []*big.Int) []*big.Int {
	down := make([]*big.Int, len(level))
	for i, n := range level {
		rest := new(big.Int).Mod(parents[i/2], n)
		if sibling := i ^ 1; sibling < len(level) {
			rest.Mul(rest, new(big.Int).Mod(level[sibling], n))
			rest.Mod(rest, n)
		}
		down[i] = rest
	}
	return down
}

// common reports whether two numbers have a common factor above 1.
func common(a, b *big.Int) bool {
	gcd := new(big.Int).GCD(nil, nil, a, b)
	return !gcd.IsInt64() || gcd.Int64() != 1
}
