package vet

import (
	"errors"
	"slices"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

// Curves that BSI and SOG-IS agree on, by OID: P-256, P-384, P-521, brainpoolP256r1, 384r1, 512r1, FRP256v1.
var agreedCurves = []string{
	"1.2.840.10045.3.1.7", "1.3.132.0.34", "1.3.132.0.35",
	"1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.11", "1.3.36.3.3.2.8.1.1.13",
	"1.2.250.1.223.101.256.1",
}

// curveRules: elliptic-curve and DSA parameters, Governance 4.1.
func curveRules() []Rule {
	return []Rule{{
		ID: "EFGS-109", Name: "ec-named-curve", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI + ".algorithm.parameters",
		Title: "an EC key names its curve",
		Why:   "4.1: Named curves shall be used for EC-DSA; spelt-out parameters have been used to forge, and the gateway cannot read them",
		Fix:   fixEC,
		Good:  "namedCurve prime256v1", Bad: "explicit parameters, even those of P-256",
		check: onEC(ecNamedCurve),
	}, {
		ID: "EFGS-110", Name: "ec-size", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI + ".algorithm.parameters", NeverWaivable: true,
		Title: "an EC group order has at least 250 bits",
		Why:   "4.1: Min. 250 Bit, read as the order of the group, not the size of the field",
		Fix:   fixEC,
		Good:  "P-256, brainpoolP256r1", Bad: "P-224, prime239v1, sect233k1",
		Params:  []string{"bits"},
		Implies: []string{"EFGS-111"},
		check:   onEC(ecSize),
	}, {
		ID: "EFGS-111", Name: "ec-agreed-curve", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI + ".algorithm.parameters",
		Title: "an EC curve is one of P-256, P-384, P-521, brainpoolP256r1, 384r1, 512r1, FRP256v1",
		Why:   "4.1: chosen based on the recommendation from BSI or SOG-IS, whose lists hold prime curves only",
		Fix:   fixEC,
		Good:  "P-256", Bad: "secp256k1, brainpoolP320r1; binary curves",
		Cases: []string{"binary-or-unknown"},
		check: onEC(ecAgreedCurve),
	}, {
		ID: "EFGS-112", Name: "dsa-size", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI + ".algorithm.parameters", NeverWaivable: true,
		Title: "a DSA key has p of at least 3000 and q of at least 250 bits, and numbers that belong together",
		Why:   "4.1: Min. 3000 Bit prime p, 250 Bit key q; read as a minimum, since no standard size is 250. With g or y of 1, or of another order than q, the size says nothing; that p is prime is asked where a certificate is taken in",
		Fix:   fixEC,
		Good:  "3072/256", Bad: "2048/256, 3072/224; q that does not divide p-1, g = 1, y not of order q",
		Params:  []string{"p-bits", "q-bits"},
		Implies: []string{"EFGS-113"},
		check:   dsaSize,
	}, {
		ID: "EFGS-113", Name: "dsa-deprecated", Clause: "BSI TR-02102-1, FIPS 186-5", Roles: all(), Path: pathSPKI,
		Title: "the key is not DSA",
		Why:   "4.1 allows it, but nobody makes new DSA keys any more: FIPS 186-5 withdrew it, BSI ends it in 2029, public CAs may not issue it",
		Fix:   fixEC,
		Good:  "EC, RSA", Bad: "DSA",
		check: func(x *exam) outcome {
			k, o, dsa := x.keyState(oidDSA)
			switch {
			case k == nil:
				return o
			case dsa:
				return fail("the key is a DSA key; RSA or EC is what others still support")
			}
			return pass()
		},
	}}
}

func onEC(check func(*exam, *sigalg.PublicKey) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		k, o, ok := x.keyState(oidEC)
		if !ok {
			return o
		}
		return check(x, k)
	}
}

func ecNamedCurve(_ *exam, k *sigalg.PublicKey) outcome {
	switch {
	case k.ExplicitCurve && k.Curve != nil:
		return fail("the curve is spelt out in explicit parameters (those of %s); name it instead", k.Curve.Name)
	case k.ExplicitCurve:
		return fail("the curve is spelt out in explicit parameters that are those of no known curve")
	case k.CurveOID == "":
		return fail("the key names no curve")
	}
	return pass()
}

func ecSize(x *exam, k *sigalg.PublicKey) outcome {
	if k.Curve == nil {
		return unknown("the curve is not known, so neither is the order of its group")
	}
	if least := x.param("bits"); k.Curve.OrderBits < least {
		return fail("the group order of %s has %d bits, at least %d required", k.Curve.Name, k.Curve.OrderBits, least)
	}
	return pass()
}

func ecAgreedCurve(_ *exam, k *sigalg.PublicKey) outcome {
	switch {
	case k.Curve == nil && k.CurveOID != "":
		return failCase("binary-or-unknown", "the curve %s is not known", k.CurveOID)
	case k.Curve == nil:
		return failCase("binary-or-unknown", "the curve is not known")
	case k.Curve.Binary:
		return failCase("binary-or-unknown", "the curve %s is over a binary field", k.Curve.Name)
	case !slices.Contains(agreedCurves, k.Curve.OID):
		return fail("the curve %s is not among those that BSI or SOG-IS agree on", k.Curve.Name)
	}
	return pass()
}

func dsaSize(x *exam) outcome {
	k, o, ok := x.keyState(oidDSA)
	if !ok {
		return o
	}
	if k.P == nil || k.Q == nil {
		return unknown("the DSA parameters cannot be read")
	}
	p, q := k.P.BitLen(), k.Q.BitLen()
	if leastP, leastQ := x.param("p-bits"), x.param("q-bits"); k.P.Sign() <= 0 || k.Q.Sign() <= 0 || p < leastP || q < leastQ {
		return fail("DSA has p of %d and q of %d bits, at least %d and %d required", p, q, leastP, leastQ)
	}
	switch err := k.CheckDSA(x.Intake); {
	case errors.Is(err, sigalg.ErrDomain):
		return fail("the DSA key's numbers do not belong together: %v", err)
	case err != nil:
		return unknown("the DSA key cannot be checked: %v", err)
	}
	return pass()
}
