package sigalg

import (
	"math/big"
	"testing"
)

func TestSmallPrivateKey(t *testing.T) {
	if len(domains) > len(few) {
		t.Fatalf("%d curves, and room for %d", len(domains), len(few))
	}
	for _, name := range []string{"P-256", "P-384", "P-521", "brainpoolP256r1", "secp256k1"} {
		curve := curveByName(name)
		c := curve.group()
		size := (c.p.BitLen() + 7) / 8
		for _, one := range []struct {
			d         *big.Int
			few, many int // 0: not found
		}{
			{big.NewInt(1), 1, 1}, {big.NewInt(2), 2, 2}, {big.NewInt(64), 64, 64}, {big.NewInt(65), 0, 65}, {big.NewInt(256), 0, 256}, {big.NewInt(257), 0, 257},
			{big.NewInt(512), 0, 512}, {big.NewInt(12345), 0, 12345}, {big.NewInt(65535), 0, 65535}, {big.NewInt(65536), 0, 65536}, {big.NewInt(1 << 20), 0, 0},
			{new(big.Int).Sub(c.n, big.NewInt(2)), 2, 2}, {new(big.Int).Sub(c.n, big.NewInt(12345)), 0, 12345}, {new(big.Int).Rsh(c.n, 1), 0, 0},
		} {
			p, ok := c.affine(c.combine(one.d, new(big.Int), c.g))
			if !ok {
				t.Fatal("infinity")
			}
			point := append([]byte{4}, p.x.FillBytes(make([]byte, size))...)
			k := &PublicKey{Algorithm: "EC", OID: oidEC, Curve: curve, Point: append(point, p.y.FillBytes(make([]byte, size))...)}
			if d, found := k.SmallPrivateKey(false); d != one.few || found != (one.few != 0) {
				t.Errorf("%s, %s: %d, %v among few", name, one.d, d, found)
			}
			if d, found := k.SmallPrivateKey(true); d != one.many || found != (one.many != 0) {
				t.Errorf("%s, %s: %d, %v among many", name, one.d, d, found)
			}
		}
	}
	if _, found := (&PublicKey{Curve: curveByName("P-256"), Point: []byte{4}}).SmallPrivateKey(true); found {
		t.Error("found without a point")
	}
	if _, found := (&PublicKey{}).SmallPrivateKey(true); found {
		t.Error("found without a curve")
	}
}
