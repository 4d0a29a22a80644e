package vet

import (
	"bytes"
	"crypto/elliptic"
	"math/big"
	"runtime"
	"slices"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// One key in any encoding is one key; another key is not.
func TestIndexKeys(t *testing.T) {
	spki := ecSPKI(testKey())
	point := spki[len(spki)-65:]
	negative := bytes.Clone(point)
	new(big.Int).Sub(elliptic.P256().Params().P, new(big.Int).SetBytes(point[33:])).FillBytes(negative[33:])
	p256 := oidDER("1.2.840.10045.3.1.7")
	n := plainNumber(3072)
	rsaBits := bitString(seq(bigInteger(n), integer(65537)))
	dsa := func(seed int64) []byte {
		return seq(algID(oidDSA, seq(bigInteger(plainNumber(3072)), bigInteger(plainNumber(256)), integer(2))), bitString(integer(seed)))
	}
	for name, c := range map[string]struct {
		a, b []byte
		same bool
	}{
		"itself":           {spki, spki, true},
		"compressed":       {spki, compressedSPKI(testKey()), true},
		"hybrid":           {spki, seq(algID(oidEC, p256), bitString(append([]byte{6 + point[64]&1}, point[1:]...))), true},
		"negated":          {spki, seq(algID(oidEC, p256), bitString(negative)), true},
		"explicit":         {spki, seq(algID(oidEC, explicitP256()), bitString(point)), true},
		"another point":    {spki, ecSPKI(strangerKey()), false},
		"id-RSASSA-PSS":    {seq(rsaAlg(oidRSA), rsaBits), seq(algID(oidRSAPSS, nil), rsaBits), true},
		"another exponent": {seq(rsaAlg(oidRSA), rsaBits), seq(rsaAlg(oidRSA), bitString(seq(bigInteger(n), integer(65539)))), true},
		"another modulus":  {seq(rsaAlg(oidRSA), rsaBits), seq(rsaAlg(oidRSA), bitString(seq(bigInteger(plainNumber(3073)), integer(65537)))), false},
		"DSA":              {dsa(5), dsa(5), true},
		"another DSA":      {dsa(5), dsa(6), false},
		"unknown":          {seq(algID("1.2.3.4", nil), bitString([]byte{1})), seq(algID("1.2.3.4", nil), bitString([]byte{1})), true},
		"another unknown":  {seq(algID("1.2.3.4", nil), bitString([]byte{1})), seq(algID("1.2.3.4", nil), bitString([]byte{2})), false},
	} {
		of := func(spki []byte) *cert.Certificate {
			return earlier(NBBS, func(s *spec) { s.spki = spki })
		}
		ix := knowing(Known{Certificate: earlier(NBBS, func(s *spec) { s.spki = ecSPKI(caKey()) })}, Known{Certificate: of(c.a), Source: "a"})
		found := ix.sameKey(of(c.b))
		if len(found) == 1 != c.same || c.same && found[0].label() != "a" {
			t.Errorf("%s: %d found, want %v", name, len(found), c.same)
		}
	}
	if ix := knowing(Known{}, Known{Certificate: &cert.Certificate{}}); len(ix.sameKey(&cert.Certificate{})) != 0 || ix.Len() != 1 {
		t.Error("no key equals no key")
	}
}

// A run over 10,000 certificates keeps a few megabytes of them.
func TestIndexIsSmall(t *testing.T) {
	const many = 10000
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	der := goodSpec(NBBS).der()
	before := heap()
	ix := NewIndex()
	for i := range int64(many) {
		c, err := cert.Parse(bytes.Clone(der))
		if err != nil {
			t.Fatal(err)
		}
		c.Serial = big.NewInt(i)
		c.PublicKey = &sigalg.PublicKey{N: new(big.Int).Lsh(big.NewInt(2*i+3), 3056)}
		ix.Add(Known{Certificate: c, Role: NBBS, Country: "DE", Source: "some/where/nbbs.pem"})
	}
	if used := heap() - before; used > 8<<20 {
		t.Errorf("%d bytes for %d certificates", used, ix.Len())
	}
	if ix.Len() != many || len(ix.moduli) != maxModuli || !ix.uncompared {
		t.Errorf("%d entries, %d moduli", ix.Len(), len(ix.moduli))
	}
}

// The trees find what comparing each pair finds, for any number of moduli.
func TestSharedFactors(t *testing.T) {
	for many := range 40 {
		var moduli []comparand
		for i := range many {
			// Products of small odd primes, of which some have one in common.
			p, q := nextPrime(big.NewInt(int64(100+7*i%83))), nextPrime(big.NewInt(int64(1000+31*i)))
			moduli = append(moduli, comparand{n: new(big.Int).Mul(p, q), id: identity{byte(i)}})
		}
		c := compareModuli(moduli)
		for i, m := range moduli {
			shares := slices.ContainsFunc(moduli, func(o comparand) bool { return o.id != m.id && common(o.n, m.n) })
			switch other := c.partners[m.id]; {
			case shares != (other >= 0):
				t.Errorf("%d moduli, %s: %d, want %v", many, m.n, other, shares)
			case shares && (int(other) == i || !common(moduli[other].n, m.n)):
				t.Errorf("%d moduli, %s: has nothing in common with %s", many, m.n, moduli[other].n)
			}
		}
	}
}

func BenchmarkSharedFactors(b *testing.B) {
	var moduli []comparand
	for i := range maxModuli {
		n := plainNumber(3072)
		moduli = append(moduli, comparand{n: n.Add(n, big.NewInt(int64(2*i))), id: identity{byte(i), byte(i >> 8)}})
	}
	for b.Loop() {
		compareModuli(moduli)
	}
}

// What somebody happened to give is no evidence that there is nothing else.
func TestPartialIndex(t *testing.T) {
	of := func(role Role, edits ...func(*spec)) *cert.Certificate {
		s := goodSpec(role)
		for _, edit := range edits {
			edit(s)
		}
		c, err := cert.Parse(s.der())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	older := func(s *spec) { s.from = t0.AddDate(-1, 0, 0) }
	newer := func(s *spec) { s.from = t0.AddDate(0, 1, 0) }
	authority := func(s *spec) { older(s); s.extensions = [][]byte{basicConstraints(true)} }
	other := func(s *spec) { s.spki, s.serial = ecSPKI(newKey()), []byte{0x4b, 1, 2, 3, 4, 5, 6, 7, 8} }
	subject := of(NBBS)
	none := map[string]bool{}
	nothing := map[string]bool{"EFGS-501": true, "EFGS-507": true, "EFGS-504": true, "EFGS-208": true}
	renewal := map[string]bool{"EFGS-504": true, "EFGS-208": true}
	for name, test := range map[string]struct {
		known []Known
		open  map[string]bool
	}{
		"nothing":                    {nil, nothing},
		"itself":                     {[]Known{{Certificate: subject, Role: NBBS, Country: "DE"}}, nothing},
		"itself as another's":        {[]Known{{Certificate: subject}}, nothing},
		"a CA":                       {[]Known{{Certificate: of(NBBS, other, authority), Role: NBBS, Country: "DE"}}, nothing},
		"a national key":             {[]Known{{Certificate: bareKey(newKey())}}, nothing},
		"another role":               {[]Known{{Certificate: of(NBTLS, other, older), Role: NBTLS, Country: "DE"}}, renewal},
		"another member state":       {[]Known{{Certificate: of(NBBS, other, older), Role: NBBS, Country: "FR"}}, renewal},
		"a later one":                {[]Known{{Certificate: of(NBBS, other, newer), Role: NBBS, Country: "DE"}}, renewal},
		"of no role":                 {[]Known{{Certificate: of(NBBS, other, older), Country: "DE"}}, renewal},
		"an earlier one":             {[]Known{{Certificate: of(NBBS, other, older), Role: NBBS, Country: "DE"}}, none},
		"an earlier one, no country": {[]Known{{Certificate: of(NBBS, other, older), Role: NBBS}}, none},
		"itself, and an earlier one": {[]Known{{Certificate: subject, Role: NBBS, Country: "DE"}, {Certificate: of(NBBS, other, older), Role: NBBS, Country: "DE"}}, none},
	} {
		ix := NewPartialIndex()
		for _, k := range test.known {
			ix.Add(k)
		}
		for id := range nothing {
			r, _ := Find(id)
			req := Request{Certificate: subject, Role: NBBS, Country: "DE", At: t0, Others: ix}
			o, _ := guarded(r.check, &exam{Request: &req, c: subject, setting: defaultEngine(t).policy.Rules[id]})
			if (o.state == notEvaluated) != test.open[id] || o.state == failed && name != "itself as another's" {
				t.Errorf("%s: %s: state %d, %+v", name, id, o.state, o.problems)
			}
			req.Others = NewIndex()
			for _, k := range test.known {
				req.Others.Add(k)
			}
			if o, _ := guarded(r.check, &exam{Request: &req, c: subject, setting: defaultEngine(t).policy.Rules[id]}); o.state == notEvaluated {
				t.Errorf("%s: %s is not evaluated, although everything is known", name, id)
			}
		}
	}
}
