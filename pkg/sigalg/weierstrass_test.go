package sigalg

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"math/big"
	"strings"
	"testing"
)

// The curves that Go has not, verified against OpenSSL.
func TestVerifyECDSAOnOtherCurves(t *testing.T) {
	names := []string{"secp256k1", "prime192v1", "secp224k1"}
	for _, size := range []string{"192", "224", "256", "320", "384", "512"} {
		names = append(names, "brainpoolP"+size+"r1", "brainpoolP"+size+"t1")
	}
	for _, c := range names {
		key, pub := opensslKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+c)
		k := parsed(t, pub)
		if k.Std != nil {
			t.Errorf("%s: Go has it", c)
		}
		for dgst, h := range map[string]crypto.Hash{"-sha256": crypto.SHA256, "-sha512": crypto.SHA512} {
			sig := opensslSign(t, key, message, dgst)
			a := Algorithm{Scheme: ECDSA, Hash: h}
			if err := a.Verify(k, message, sig); err != nil {
				t.Errorf("%s %s: %v", c, dgst, err)
			}
			if h == crypto.SHA256 {
				rejects(t, c, a, k, sig)
			}
		}
		compressed := publicOf(t, key, "-ec_conv_form", "compressed")
		sig := opensslSign(t, key, message, "-sha256")
		if err := (Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}).Verify(parsed(t, compressed), message, sig); err != nil {
			t.Errorf("%s, compressed: %v", c, err)
		}
	}
}

func TestVerifyECDSARefuses(t *testing.T) {
	_, pub := opensslKey(t, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1")
	k := parsed(t, pub)
	n := k.Curve.group().n
	one := big.NewInt(1)
	a := Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}
	for what, sig := range map[string][]byte{
		"r and s 0":      unhex(t, "30 06 02 01 00 02 01 00"),
		"r and s 1":      dsaPair(t, one, one),
		"r is the order": dsaPair(t, n, one),
		"s is the order": dsaPair(t, one, n),
		"negative":       unhex(t, "30 06 02 01 ff 02 01 ff"),
		"not minimal":    unhex(t, "30 08 02 02 00 01 02 02 00 01"),
		"not DER at all": {1, 2, 3},
	} {
		if err := a.Verify(k, message, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", what, err)
		}
	}
	bad := *k
	bad.Point = bytes.Clone(k.Point)
	bad.Point[64] ^= 1
	if err := a.Verify(&bad, message, dsaPair(t, one, one)); !errors.Is(err, ErrUnsupported) {
		t.Errorf("point off the curve: %v", err)
	}
	binary := &PublicKey{Algorithm: "EC", Curve: curveByName("sect283k1")}
	if err := a.Verify(binary, message, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("binary curve: %v", err)
	}
}

// On the curves that Go has, both arithmetics agree, good and bad.
func TestOwnArithmeticAgreesWithStdlib(t *testing.T) {
	for _, curve := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		name := curve.Params().Name
		priv, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := priv.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		c := curveByName(name).group()
		q, form, err := c.point(point)
		if err != nil || form != Uncompressed {
			t.Fatalf("%s: %s %v", name, form, err)
		}
		digest := sha256.Sum256([]byte(name))
		sig, err := ecdsa.SignASN1(rand.Reader, priv, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		if err := c.verify(q, digest[:], sig); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		digest[0] ^= 1
		if err := c.verify(q, digest[:], sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%s, another digest: %v", name, err)
		}
	}
}

// The numbers of every curve: the generator is on it, and its multiples by the order and around are right.
func TestDomains(t *testing.T) {
	one := big.NewInt(1)
	for _, d := range domains {
		named := curveByName(d.name)
		if named == nil {
			t.Fatalf("%s is no curve", d.name)
		}
		c := named.group()
		if !c.has(c.g) || c.n.BitLen() != named.OrderBits || !c.n.ProbablyPrime(4) || !c.p.ProbablyPrime(4) {
			t.Errorf("%s: generator, order or prime", d.name)
		}
		less := new(big.Int).Sub(c.n, one)
		// (n-1)·G is -G; with 1·G more there is nothing left.
		if r, ok := c.affine(c.combine(less, new(big.Int), c.g)); !ok || r.x.Cmp(c.g.x) != 0 || r.y.Cmp(c.sub(new(big.Int), c.g.y)) != 0 {
			t.Errorf("%s: (n-1)·G is not -G", d.name)
		}
		if _, ok := c.affine(c.combine(less, one, c.g)); ok {
			t.Errorf("%s: n·G is not infinity", d.name)
		}
		// With Q = -G, u·G + v·Q is (u-v)·G, and the bits that both have cancel out.
		minus := affine{c.g.x, c.sub(new(big.Int), c.g.y)}
		if r, ok := c.affine(c.combine(big.NewInt(7), big.NewInt(6), minus)); !ok || r.x.Cmp(c.g.x) != 0 || r.y.Cmp(c.g.y) != 0 {
			t.Errorf("%s: 7·G - 6·G is not G", d.name)
		}
	}
}

func TestCheckPoint(t *testing.T) {
	for _, curve := range []string{"P-256", "brainpoolP256r1", "P-192"} {
		c := curveByName(curve).group()
		size := (c.p.BitLen() + 7) / 8
		x, y := c.g.x.FillBytes(make([]byte, size)), c.g.y.FillBytes(make([]byte, size))
		odd := byte(c.g.y.Bit(0))
		check := func(parts ...[]byte) (PointForm, error) {
			k, _ := ParsePublicKey(ecKey(t, curve, bytes.Join(parts, nil)))
			return k.CheckPoint()
		}
		for form, first := range map[PointForm]byte{Uncompressed: 4, Hybrid: 6 + odd} {
			if got, err := check([]byte{first}, x, y); got != form || err != nil {
				t.Errorf("%s %s: %q, %v", curve, form, got, err)
			}
		}
		if got, err := check([]byte{2 + odd}, x); got != Compressed || err != nil {
			t.Errorf("%s compressed: %q, %v", curve, got, err)
		}
		for _, point := range [][]byte{bytes.Join([][]byte{{4}, x, y}, nil), append([]byte{3 - odd}, x...)} {
			if k, _ := ParsePublicKey(ecKey(t, curve, point)); !k.IsGenerator() {
				t.Errorf("%s: %x is not known for the generator", curve, point)
			}
		}
		if k, _ := ParsePublicKey(ecKey(t, curve, bytes.Join([][]byte{{4}, y, x}, nil))); k.IsGenerator() {
			t.Errorf("%s: another point is taken for the generator", curve)
		}
		last := bytes.Clone(y)
		last[size-1] ^= 1
		for what, point := range map[string][][]byte{
			"prime":       {{4}, c.p.Bytes(), y},
			"equation":    {{4}, x, last},
			"infinity":    {{0}},
			"octets":      {{4}, x},
			"0 octets":    {},
			"expected":    {{5}, x, y},
			"its equatio": {{6 + odd ^ 1}, x, y},
		} {
			if _, err := check(point...); !errors.Is(err, ErrPoint) || !strings.Contains(err.Error(), what) {
				t.Errorf("%s: %v does not say %q", curve, err, what)
			}
		}
	}
	for _, k := range []*PublicKey{{Algorithm: "EC"}, {Algorithm: "EC", Curve: curveByName("sect283k1")}} {
		if _, err := k.CheckPoint(); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", k.curveName(), err)
		}
	}
}

func BenchmarkVerifyECDSA(b *testing.B) {
	for _, name := range []string{"brainpoolP256r1", "brainpoolP384r1", "brainpoolP512r1"} {
		key, pub := opensslKey(b, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:"+name)
		sig := opensslSign(b, key, message, "-sha256")
		k, err := ParsePublicKey(pub)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := (Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}).Verify(k, message, sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
