package vet

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// weakKeyRules: keys of a good size that are weak all the same. 4.1 wants strength; these have none.
func weakKeyRules() []Rule {
	return []Rule{{
		ID: "EFGS-901", Name: "rsa-structure", Clause: "RFC 8017 3.1, RFC 3279 2.3.1", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "an RSA key has a positive odd modulus that is no prime, a positive exponent below it, and NULL for parameters",
		Why:   "an even modulus or a prime is factored already, and software that writes such keys got more wrong; whether it is a prime takes long to try, so check leaves that part open unless the rule is required, and submit and plan try it",
		Fix:   fixRSA,
		Good:  "a key as openssl writes it", Bad: "an even modulus, absent parameters",
		Implies: []string{"EFGS-902"},
		check:   rsaStructure,
	}, {
		ID: "EFGS-902", Name: "rsa-small-factor", Clause: "NIST SP 800-89 5.3.3", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "no prime below 752 divides an RSA modulus",
		Why:   "a small factor comes from a broken generator or a damaged key, and makes the rest easy",
		Fix:   fixRSA,
		Good:  "a product of two large primes", Bad: "a modulus that 3 divides",
		check: onRSA(rsaSmallFactor),
	}, {
		ID: "EFGS-903", Name: "rsa-fermat", Clause: "CA/Browser Forum BR 6.1.1.3", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "the factors of an RSA modulus are not close to each other",
		Why:   "Fermat's method finds close factors at once: CVE-2022-26320, printers and other devices",
		Fix:   fixRSA,
		Good:  "two independent primes", Bad: "a prime and the next one",
		Params: []string{"rounds"},
		check:  onRSA(rsaFermat),
	}, {
		ID: "EFGS-904", Name: "roca", Clause: "CVE-2017-15361", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "an RSA key does not bear the mark of the ROCA chips",
		Why:   "their keys can be factored: CVE-2017-15361, smart cards and TPMs of 2012 to 2017",
		Fix:   "make the key outside of that chip, or update its firmware and make a new one: " + fixRSA,
		Good:  "a key as openssl makes it", Bad: "a key made by a chip with the faulty library",
		check: onRSA(roca),
	}, {
		ID: "EFGS-908", Name: "ec-point", Clause: "RFC 5480 2.2, SEC 1 3.2.2", Roles: all(), Path: pathSPKI + ".subjectPublicKey", NeverWaivable: true,
		Title: "an EC key is a point of its curve, written uncompressed",
		Why:   "another point belongs to another, weaker group; few readers know the hybrid form, and not all the compressed one",
		Fix:   "openssl ec … -conv_form uncompressed rewrites the form; for anything else: " + fixEC,
		Good:  "04, x, y", Bad: "a point off the curve; 02, x",
		Cases: []string{"compressed"},
		check: onEC(ecPoint),
	}, {
		ID: "EFGS-909", Name: "key-pattern", Clause: "practice", Roles: all(), Path: pathSPKI,
		Title: "a key is not made of repeated bytes, nor a small multiple of its curve's generator",
		Why:   "numbers with a pattern were made up or come from a generator that failed; such a multiple has a private key that anyone can count to: check counts to 64, submit and plan, and check where the rule is required, to 65536",
		Fix:   fixNewKey,
		Good:  "a key that looks random", Bad: "a modulus with 32 times the byte 00, the point G, -G or 2·G",
		check: keyPattern,
	}, {
		ID: "EFGS-910", Name: "rsa-huge", Clause: "interoperability", Roles: all(), Path: pathSPKI,
		Title: "an RSA modulus has at most 8192 bits",
		Why:   "Go's TLS refuses larger ones, and every verification costs the reader time",
		Fix:   fixRSA,
		Good:  "3072 bits", Bad: "16384 bits",
		Params: []string{"bits"},
		check: onRSA(func(x *exam, n, _ *big.Int) outcome {
			if most := x.param("bits"); n.BitLen() > most {
				return fail("RSA modulus has %d bits, more than %d", n.BitLen(), most)
			}
			return pass()
		}),
	}}
}

func rsaStructure(x *exam) outcome {
	k, o, ok := x.keyState(oidRSA, oidRSAPSS)
	if !ok {
		return o
	}
	if k.N == nil || k.E == nil {
		return unknown("the RSA public key cannot be read")
	}
	var problems []problem
	add := func(msg string) { problems = append(problems, problem{msg: msg}) }
	untried := false
	switch {
	case k.N.Sign() <= 0:
		add("RSA modulus is not positive")
	case k.N.Bit(0) == 0:
		add("RSA modulus is even")
	// For a product of two primes this is one round of Miller and Rabin, and still takes ten times as long as all
	// other rules and reading together.
	case !x.Intake && !x.requires(&Rule{ID: "EFGS-901", Name: "rsa-structure"}):
		untried = true
	case k.N.ProbablyPrime(0):
		add("RSA modulus is prime")
	}
	switch {
	case k.E.Sign() <= 0:
		add("RSA public exponent is not positive")
	case k.E.Cmp(k.N) >= 0 && k.N.Sign() > 0:
		add("RSA public exponent is not below the modulus")
	}
	// Those of id-RSASSA-PSS are something else.
	if params, ok := keyParameters(x.c.SPKI); ok && k.OID == oidRSA && (params == nil || !params.Is(der.TagNull)) {
		add("the parameters of the RSA key are not NULL")
	}
	if untried && len(problems) == 0 {
		o := unasked("whether the RSA modulus is a prime was not tried: that takes longer than all other rules together, so it waits for the intake, or --require EFGS-901")
		o.optional = true // status does not try again what submit tried
		return o
	}
	return passUnless(problems)
}

// keyParameters returns the parameters of a SubjectPublicKeyInfo's algorithm, nil if there are none.
func keyParameters(spki []byte) (params *der.Element, ok bool) {
	in, ok := inside(spki)
	if !ok {
		return nil, false
	}
	id, err := in.Next()
	if err != nil {
		return nil, false
	}
	return parameters(id.Raw)
}

// parameters returns the parameters of an AlgorithmIdentifier, nil if there are none.
func parameters(identifier []byte) (params *der.Element, ok bool) {
	in, ok := inside(identifier)
	if !ok {
		return nil, false
	}
	if _, err := in.Next(); err != nil {
		return nil, false
	}
	if !in.More() {
		return nil, true
	}
	e, err := in.Next()
	return &e, err == nil
}

// inside opens the one constructed element of b.
func inside(b []byte) (*der.Reader, bool) {
	r, err := der.NewReader(b, der.Limits{}, der.BER)
	if err != nil {
		return nil, false
	}
	e, err := r.Next()
	if err != nil {
		return nil, false
	}
	in, err := r.Enter(e)
	return in, err == nil
}

func rsaSmallFactor(_ *exam, n, _ *big.Int) outcome {
	if n.Sign() <= 0 {
		return skip() // EFGS-901 has it
	}
	if p := smallFactor(n); p != 0 {
		return fail("RSA modulus can be divided by %d", p)
	}
	return pass()
}

func rsaFermat(x *exam, n, _ *big.Int) outcome {
	if n.Sign() <= 0 || n.Bit(0) == 0 {
		return skip() // EFGS-901 has it
	}
	if p, q, found := fermat(n, uint64(x.param("rounds"))); found {
		apart := new(big.Int).Sub(q, p)
		return fail("RSA modulus was factored: its factors differ in the lowest %d of their %d bits only", apart.BitLen(), p.BitLen())
	}
	return pass()
}

func roca(_ *exam, n, _ *big.Int) outcome {
	if n.Sign() > 0 && rocaMark(n) {
		return fail("the RSA key was made by a faulty chip (ROCA) and can be factored")
	}
	return pass()
}

func ecPoint(_ *exam, k *sigalg.PublicKey) outcome {
	form, err := k.CheckPoint()
	switch {
	case errors.Is(err, sigalg.ErrPoint):
		return fail("the EC key is %v", err)
	case err != nil:
		return unknown("the curve cannot be computed on here, so the point cannot be checked")
	case form == sigalg.Hybrid:
		return fail("the EC key is in hybrid form, which RFC 5480 does not have")
	case form == sigalg.Compressed:
		return failCase("compressed", "the EC key is in compressed form, which not every reader knows")
	}
	return pass()
}

// pointIsBad reports whether EFGS-908 fails on the key's point.
func (x *exam) pointIsBad() bool {
	if x.c.PublicKey == nil || x.c.PublicKey.Algorithm != "EC" {
		return false
	}
	form, err := x.c.PublicKey.CheckPoint()
	return errors.Is(err, sigalg.ErrPoint) || form == sigalg.Hybrid
}

func keyPattern(x *exam) outcome {
	k := x.c.PublicKey
	if k == nil || k.OID == "" {
		return unknown("the public key cannot be read")
	}
	var number []byte
	switch {
	case k.N != nil:
		number = k.N.Bytes()
	case len(k.Point) > 0:
		if k.IsGenerator() {
			return fail("the EC key is the generator of its curve: the private key is 1 or -1")
		}
		if d, found := k.SmallPrivateKey(x.Intake || x.requires(&Rule{ID: "EFGS-909", Name: "key-pattern"})); found {
			return fail("the EC key is a small multiple of its curve's generator: the private key is %d or -%d", d, d)
		}
		number = k.Point
	case k.Y != nil:
		number = k.Y.Bytes()
	default:
		return skip()
	}
	if period := repetition(number); period != 0 {
		return fail("the key has a stretch that repeats itself every %s", count(period, "byte"))
	}
	return pass()
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
