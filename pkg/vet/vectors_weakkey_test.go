package vet

import (
	"bytes"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/titanous/rocacheck"

	"github.com/efgsta/efgsta/pkg/cert"
)

// modulus puts an RSA key of this modulus into the certificate.
func modulus(n *big.Int) func(*spec) {
	return func(s *spec) {
		s.spki = seq(rsaAlg(oidRSA), bitString(seq(bigInteger(n), integer(65537))))
	}
}

func randomPrime(bits int) *big.Int {
	p, err := rand.Prime(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return p
}

// sound is the product of two primes that are far from each other. Their size does not
// matter to the rules about weak keys, but the time it takes to find them does.
var sound = sync.OnceValue(func() *big.Int { return new(big.Int).Mul(randomPrime(512), randomPrime(500)) })

// nextPrime is the first prime above n.
func nextPrime(n *big.Int) *big.Int {
	p := new(big.Int).Add(n, big.NewInt(1))
	for !p.ProbablyPrime(20) {
		p.Add(p, big.NewInt(1))
	}
	return p
}

// rocaModulus has the mark of the faulty chips: modulo each small prime it is a power of 65537.
func rocaModulus() *big.Int { return rocaNumber(power2(2900)) }

// rocaNumber is such a number, about as much larger than the product of the small primes as it is told.
func rocaNumber(times *big.Int) *big.Int {
	product := big.NewInt(1)
	for p := int64(2); p < 168; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(p))
		}
	}
	n := new(big.Int).Exp(big.NewInt(65537), big.NewInt(1234567), product)
	return n.Add(n, product.Mul(product, times))
}

func pointOf(point ...[]byte) func(*spec) {
	return func(s *spec) {
		s.spki = seq(algID(oidEC, oidDER("1.2.840.10045.3.1.7")), bitString(bytes.Join(point, nil)))
	}
}

func weakKeyVectors() map[string]vectors {
	const bp256 = "1.3.36.3.3.2.8.1.1.7"
	key := ecSPKI(testKey())
	x, y := key[len(key)-64:len(key)-32], key[len(key)-32:]
	off := bytes.Clone(y)
	off[31] ^= 1
	prime := randomPrime(512)
	generator := elliptic.P256().Params()
	gx, gy := generator.Gx.FillBytes(make([]byte, 32)), generator.Gy.FillBytes(make([]byte, 32))
	minus := new(big.Int).Sub(generator.P, generator.Gy).FillBytes(make([]byte, 32))
	bare := func(s *spec) {
		s.spki = seq(algID(oidRSA, nil), bitString(seq(bigInteger(sound()), integer(65537))))
	}
	pss := func(s *spec) {
		s.spki = seq(algID(oidRSAPSS, nil), bitString(seq(bigInteger(sound()), integer(65537))))
	}
	negative := func(s *spec) {
		s.spki = seq(rsaAlg(oidRSA), bitString(seq(integer(-15), integer(-3))))
	}
	pattern := func(period int) func(*spec) {
		part := make([]byte, period)
		for i := range part {
			part[i] = byte(0x91 + 7*i)
		}
		return modulus(new(big.Int).SetBytes(bytes.Repeat(part, 384/period)))
	}
	multiple := func(d uint16) func(*spec) {
		k, err := ecdh.P256().NewPrivateKey(big.NewInt(int64(d)).FillBytes(make([]byte, 32)))
		if err != nil {
			panic(err)
		}
		return pointOf(k.PublicKey().Bytes())
	}
	product := modulus(sound())
	intake := func(r *Request) { r.Intake = true }
	required := func(r *Request) { r.Require = []string{"rsa-structure"} }
	wide := func(n, e *big.Int) func(*spec) {
		return func(s *spec) { s.spki = seq(rsaAlg(oidRSA), bitString(seq(bigInteger(n), bigInteger(e)))) }
	}
	return map[string]vectors{
		"EFGS-901": {
			good: []vector{{what: "two primes, at the intake", edit: product, ask: intake}, {what: "two primes, required", edit: product, ask: required}, {what: "id-RSASSA-PSS without parameters", edit: pss, ask: intake}},
			bad: []vector{{what: "even", edit: modulus(power2(3071)), says: "even"}, {what: "no parameters", edit: bare, says: "NULL"}, {what: "negative", edit: negative, says: "exponent is not positive"}, {what: "a prime, at the intake", edit: modulus(prime), ask: intake, says: "is prime"}, {what: "a prime, required", edit: modulus(prime), ask: required, says: "is prime"},
				{what: "an exponent above the modulus", edit: wide(sound(), new(big.Int).Add(sound(), big.NewInt(2))), says: "not below"}, {what: "an exponent that is the modulus", edit: wide(sound(), sound()), says: "not below"},
				{what: "modulus 0", edit: modulus(new(big.Int)), says: "not positive"}},
			open: []vector{{what: "unreadable", edit: func(s *spec) { s.spki = seq(rsaAlg(oidRSA), bitString([]byte{5, 0})) }}, {what: "two primes, for a linter", edit: product, says: "not tried"}, {what: "a prime, for a linter", edit: modulus(prime), says: "not tried"},
				{what: "two primes, something else required", edit: product, ask: func(r *Request) { r.Require = []string{"EFGS-902"} }, says: "not tried"}},
			skipped: []vector{{what: "EC"}},
		},
		"EFGS-902": {
			good: []vector{{what: "two primes", edit: product}, {what: "factor 757", edit: modulus(new(big.Int).Mul(prime, big.NewInt(757)))}},
			bad: []vector{{what: "factor 3", edit: modulus(new(big.Int).Mul(prime, big.NewInt(3))), says: "by 3"}, {what: "factor 751", edit: modulus(new(big.Int).Mul(prime, big.NewInt(751))), says: "by 751"},
				{what: "even", edit: modulus(power2(3071)), says: "by 2"}, {what: "factors 7 and 11", edit: modulus(new(big.Int).Mul(prime, big.NewInt(77))), says: "by 7"}},
			skipped: []vector{{what: "EC"}, {what: "negative", edit: negative}},
		},
		"EFGS-903": {
			good: []vector{{what: "two primes", edit: product}, {what: "a prime alone", edit: modulus(prime)}, {what: "found by one round more", edit: modulus(nearFactors(100))}},
			bad: []vector{{what: "a prime and the next", edit: modulus(new(big.Int).Mul(prime, nextPrime(prime))), says: "512 bits"}, {what: "a square", edit: modulus(new(big.Int).Mul(prime, prime))},
				{what: "found within 100 rounds", edit: modulus(nearFactors(99))}},
			skipped: []vector{{what: "EC"}, {what: "even", edit: modulus(power2(3071))}},
		},
		"EFGS-904": {
			good:    []vector{{what: "two primes", edit: product}},
			bad:     []vector{{what: "the mark", edit: modulus(rocaModulus()), says: "ROCA"}},
			skipped: []vector{{what: "EC"}},
		},
		"EFGS-908": {
			good: []vector{{what: "P-256"}, {what: "brainpoolP256r1", edit: brainpool}},
			bad: []vector{{what: "off the curve", edit: pointOf([]byte{4}, x, off), says: "equation"}, {what: "infinity", edit: pointOf([]byte{0}), says: "infinity"}, {what: "x not reduced", edit: pointOf([]byte{4}, bytes.Repeat([]byte{255}, 32), y), says: "prime"},
				{what: "short", edit: pointOf([]byte{4}, x, y[:31]), says: "octets"}, {what: "compressed", edit: pointOf([]byte{2 + y[31]&1}, x), severity: SeverityWarning}, {what: "hybrid", edit: pointOf([]byte{6 + y[31]&1}, x, y), says: "hybrid"},
				{what: "off brainpoolP256r1", edit: func(s *spec) { s.spki = curveSPKI(oidDER(bp256), 32) }, says: "equation"}},
			open:    []vector{{what: "binary curve", edit: func(s *spec) { s.spki = curveSPKI(oidDER("1.3.132.0.16"), 36) }}},
			skipped: []vector{{what: "RSA", edit: product}},
		},
		"EFGS-909": {
			good: []vector{{what: "RSA", edit: product}, {what: "EC"}, {what: "EC, at the intake", ask: intake}, {what: "brainpoolP256r1", edit: brainpool}},
			bad: []vector{{what: "one byte repeated", edit: pattern(1), says: "every 1 byte"}, {what: "16 bytes repeated", edit: pattern(16), says: "every 16 bytes"}, {what: "zeros inside", edit: rsaKey(3072, 65537)},
				{what: "the generator", edit: pointOf([]byte{4}, gx, gy), says: "generator"}, {what: "its negative", edit: pointOf([]byte{4}, gx, minus), says: "-1"}, {what: "private key 2", edit: multiple(2), says: "key is 2 or"}, {what: "private key 12345, at the intake", edit: multiple(12345), ask: intake, says: "12345"},
				{what: "private key 12345, required", edit: multiple(12345), ask: func(r *Request) { r.Require = []string{"all"} }, says: "12345"}, {what: "DSA", edit: func(s *spec) { s.spki = dsaWithY(power2(2000)) }}},
			skipped: []vector{{what: "Ed25519", edit: func(s *spec) { s.spki = seq(algID("1.3.101.112", nil), bitString(make([]byte, 32))) }}},
			open:    []vector{{what: "unreadable", edit: unreadableKey}},
		},
		"EFGS-910": {
			good: []vector{{what: "8192 bits", edit: rsaKey(8192, 65537)}},
			bad:  []vector{{what: "8193 bits", edit: rsaKey(8193, 65537), says: "8193"}},
		},
	}
}

func dsaWithY(y *big.Int) []byte {
	return seq(algID(oidDSA, seq(bigInteger(power2(3071)), bigInteger(power2(255)), integer(2))), bitString(bigInteger(y)))
}

// brainpool is a key that OpenSSL made on brainpoolP256r1.
func brainpool(s *spec) {
	point, ok := new(big.Int).SetString(brainpoolPoint, 16)
	if !ok {
		panic("brainpoolPoint")
	}
	s.spki = seq(algID(oidEC, oidDER("1.3.36.3.3.2.8.1.1.7")), bitString(point.Bytes()))
}

const brainpoolPoint = "0450695631c621092ad79f9766307b639f622ce92ef0f44eded94899b3812266295d1cf8af4e2b748dfa906767c6ee64af80818e98ef1846fd53c78b7528d2cdf9"

// nearFactors is a number that Fermat's method factors in this round, counted from 0, and not before.
func nearFactors(round int64) *big.Int {
	// With p = a-b and q = a+b, the root of p·q = a²-b² is about a - b²/2a.
	a := new(big.Int).Add(power2(512), big.NewInt(1))
	b := new(big.Int).Sqrt(new(big.Int).Mul(a, big.NewInt(2*round+1)))
	if b.Bit(0) == a.Bit(0) {
		b.Sub(b, big.NewInt(1)) // an odd number is wanted
	}
	return new(big.Int).Mul(new(big.Int).Sub(a, b), new(big.Int).Add(a, b))
}

func TestPrimorial(t *testing.T) {
	want := big.NewInt(1)
	for p := int64(2); p < 752; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			want.Mul(want, big.NewInt(p))
		}
	}
	if want.Text(16) != primorial {
		t.Error("primorial is not the product of the primes below 752")
	}
	for n := int64(1); n < 5000; n++ {
		want := 0
		for d := int64(2); d < 752; d++ {
			if n%d == 0 {
				want = int(d)
				break
			}
		}
		if got := smallFactor(big.NewInt(n)); got != want {
			t.Errorf("smallFactor(%d) = %d, want %d", n, got, want)
		}
	}
}

func TestFermat(t *testing.T) {
	for _, round := range []int64{0, 1, 50, 98} {
		n := nearFactors(round)
		p, q, found := fermat(n, uint64(round)+1)
		if !found || new(big.Int).Mul(p, q).Cmp(n) != 0 {
			t.Errorf("round %d: found %v", round, found)
		}
		if round == 0 {
			continue
		}
		if _, _, found := fermat(n, uint64(round)); found {
			t.Errorf("round %d: found earlier", round)
		}
	}
	// Small numbers: with enough rounds every odd composite is factored, and nothing else.
	for n := int64(1); n < 2000; n += 2 {
		p, q, found := fermat(big.NewInt(n), 2000)
		if found != (n > 1 && !big.NewInt(n).ProbablyPrime(0)) {
			t.Errorf("%d: found %v", n, found)
		}
		if found && (p.Int64() <= 1 || p.Int64()*q.Int64() != n) {
			t.Errorf("%d is not %s·%s", n, p, q)
		}
	}
}

func TestRepetition(t *testing.T) {
	random := make([]byte, 512)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	if p := repetition(random); p != 0 {
		t.Errorf("random bytes repeat every %d", p)
	}
	for _, c := range []struct {
		text string
		want int
	}{
		{"", 0}, {strings.Repeat("a", 16), 0}, {strings.Repeat("a", 17), 1}, {strings.Repeat("ab", 9), 2}, {"xyz" + strings.Repeat("0123456789abcdef", 2), 16},
	} {
		if got := repetition([]byte(c.text)); got != c.want {
			t.Errorf("repetition(%q) = %d, want %d", c.text, got, c.want)
		}
	}
}

// A package of others says the same of marked and of ordinary moduli.
func TestROCAAgrees(t *testing.T) {
	ask := func(n *big.Int) bool {
		own, theirs := rocaMark(n), rocacheck.IsWeak(&rsa.PublicKey{N: n, E: 65537})
		if own != theirs {
			t.Errorf("%x: %v, rocacheck says %v", n, own, theirs)
		}
		return own
	}
	n := rocaModulus()
	if !ask(n) {
		t.Error("the mark was not seen")
	}
	step := big.NewInt(1)
	for range 20000 {
		ask(n.Add(n, step))
	}
	if ask(sound()) {
		t.Error("an ordinary modulus is taken for marked")
	}
	// One prime at a time: the residues of the last are reached only through all the others.
	product := big.NewInt(1)
	for p := int64(2); p < 158; p++ {
		if big.NewInt(p).ProbablyPrime(0) {
			product.Mul(product, big.NewInt(p))
		}
	}
	marked := new(big.Int).Exp(big.NewInt(65537), big.NewInt(4711), product)
	for _, p := range []int64{11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157} {
		rest := new(big.Int).Div(product, big.NewInt(p))
		weak := 0
		for range p {
			if ask(marked.Add(marked, rest)) {
				weak++
			}
		}
		if weak == 0 || int64(weak) == p {
			t.Errorf("modulo %d, %d residues are those of marked keys", p, weak)
		}
	}
}

// The rules about weak keys may not slow a short check down.
func BenchmarkWeakKeys(b *testing.B) {
	e := defaultEngine(b)
	n := new(big.Int).Mul(randomPrime(1536), randomPrime(1536))
	for _, v := range []vector{{what: "RSA 3072", edit: modulus(n)}, {what: "P-256"}, {what: "brainpoolP256r1", edit: brainpool}} {
		s := goodSpec(NBBS)
		if v.edit != nil {
			v.edit(s)
		}
		c, err := cert.Parse(s.der())
		if err != nil {
			b.Fatal(err)
		}
		req := Request{Certificate: c, Role: NBBS, At: t0.Add(time.Hour)}
		b.Run(v.what, func(b *testing.B) {
			for b.Loop() {
				for _, r := range weakKeyRules() {
					r.check(&exam{Request: &req, c: req.Certificate, setting: e.policy.Rules[r.ID]})
				}
			}
		})
	}
}
