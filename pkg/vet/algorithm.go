package vet

import (
	"math/big"
	"slices"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

// Key algorithms of the table in Governance 4.1, by OID.
const (
	oidRSA    = "1.2.840.113549.1.1.1"
	oidRSAPSS = "1.2.840.113549.1.1.10"
	oidEC     = "1.2.840.10045.2.1"
	oidDSA    = "1.2.840.10040.4.1"

	oidSM2 = "1.2.156.10197.1.301" // a curve: keys for SM2 call themselves EC keys
)

const (
	pathSPKI   = "tbsCertificate.subjectPublicKeyInfo"
	pathSigAlg = "signatureAlgorithm"

	fixRSA = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:3072 -out key.pem"
	fixEC  = "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:named_curve -out key.pem"
	fixPSS = "openssl req … -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest -sigopt rsa_mgf1_md:sha256"
)

// algorithmRules: the key and the signature algorithm, Governance 4.1.
func algorithmRules() []Rule {
	return []Rule{{
		ID: "EFGS-101", Name: "key-algorithm", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI,
		Title: "the key is RSA, EC or DSA",
		Why:   "the table of 4.1 is closed: EdDSA and others are not in it",
		Fix:   fixEC,
		Good:  "rsaEncryption, id-RSASSA-PSS, id-ecPublicKey, id-dsa", Bad: "Ed25519, X25519, ML-DSA, SM2",
		check: keyAlgorithm,
	}, {
		ID: "EFGS-102", Name: "rsa-modulus-min", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title:  "an RSA modulus has at least 3000 bits",
		Why:    "4.1: Min. 3000 Bit RSA Modulus (n); the gateway's own design asks for 3072, so less is noted",
		Fix:    fixRSA,
		Good:   "3000, 3072 or 4096 bits",
		Bad:    "2048 or 2999 bits",
		Params: []string{"bits", "recommended-bits"}, Cases: []string{"below-recommended"},
		check: onRSA(rsaModulusMin),
	}, {
		ID: "EFGS-103", Name: "rsa-exponent-min", Clause: "Governance 4.1", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "an RSA public exponent is odd and greater than 2^16",
		Why:   "4.1: with a public exponent e > 2^16",
		Fix:   fixRSA,
		Good:  "65537", Bad: "3, 65535, 65536",
		Params: []string{"min"},
		check:  onRSA(rsaExponentMin),
	}, {
		ID: "EFGS-104", Name: "rsa-exponent-max", Clause: "ETSI TS 119 312 6.2.2", Roles: all(), Path: pathSPKI,
		Title: "an RSA public exponent is below 2^256",
		Why:   "many verifiers stop long before: one above 2^31-1 is noted",
		Fix:   fixRSA,
		Good:  "65537", Bad: "2^256+1",
		Params: []string{"bits"}, Cases: []string{"over-31-bits"},
		check: onRSA(rsaExponentMax),
	}, {
		ID: "EFGS-105", Name: "rsa-padding-legacy", Clause: "Governance 4.1", Roles: all(), Path: pathSigAlg,
		Title: "an RSA signature uses RSASSA-PSS rather than PKCS#1 v1.5",
		Why:   "4.1 calls RSA-PKCS#1 v1.5 legacy and recommends RSA-PSS; whoever is signed by a CA cannot choose",
		Fix:   fixPSS,
		Good:  "RSASSA-PSS with SHA-256, ECDSA", Bad: "sha256WithRSAEncryption",
		Cases: []string{"ca-issued"},
		check: rsaPaddingLegacy,
	}, {
		ID: "EFGS-114", Name: "sig-hash", Clause: "Governance 4.1", Roles: all(), Path: pathSigAlg,
		Title: "the signature's hash is SHA-2 with at least 256 bits, or better",
		Why:   "4.1: SHA-2 with an output length of at least 256 Bit or better",
		Fix:   "sign with -sha256: openssl req … -sha256, openssl x509 -req … -sha256",
		Good:  "SHA-256, SHA-384, SHA-512", Bad: "SHA-1, SHA-224, MD5",
		check: sigHash,
	}, {
		ID: "EFGS-115", Name: "sig-hash-rare", Clause: "interoperability", Roles: all(), Path: pathSigAlg,
		Title: "the signature's hash is SHA-256, SHA-384 or SHA-512",
		Why:   "SHA-3, SHA-512/256 and SHAKE256 are good enough for 4.1, but deployed verifiers do not know them",
		Fix:   "sign with -sha256",
		Good:  "SHA-256", Bad: "SHA3-256, SHA-512/256",
		check: sigHashRare,
	}, {
		ID: "EFGS-116", Name: "hash-vs-curve", Clause: "NIST SP 800-57 5.6.2", Roles: all(), Path: pathSigAlg,
		Title: "a self-issued certificate's hash is as long as the order of its curve",
		Why:   "the shorter of the two decides how strong the signature is",
		Fix:   "sign P-384 with -sha384, P-521 with -sha512",
		Good:  "P-256 with SHA-256, P-384 with SHA-384", Bad: "P-384 with SHA-256",
		check: hashVsCurve,
	}}
}

func hashVsCurve(x *exam) outcome {
	// Of a CA's key only the CA knows the curve.
	k, a := x.c.PublicKey, x.c.Algorithm
	if !x.c.SelfIssued() || a.Scheme != sigalg.ECDSA || a.Hash == 0 || k == nil || k.Curve == nil {
		return skip()
	}
	// 521 bits have no hash of their own: SHA-512 is theirs.
	if bits := a.Hash.Size() * 8; bits < k.Curve.OrderBits && bits < 512 {
		return fail("%s gives %d bits for a curve of %d", a.HashName, bits, k.Curve.OrderBits)
	}
	return pass()
}

// keyState tells why a rule about one kind of key cannot look at this one.
// ok is true if the key is of that kind and its OID is known.
func (x *exam) keyState(oids ...string) (k *sigalg.PublicKey, o outcome, ok bool) {
	k = x.c.PublicKey
	if k == nil || k.OID == "" {
		return nil, unknown("the public key cannot be read"), false
	}
	return k, skip(), slices.Contains(oids, k.OID)
}

func keyAlgorithm(x *exam) outcome {
	k, o, ok := x.keyState(oidRSA, oidRSAPSS, oidEC, oidDSA)
	switch {
	case ok && k.CurveOID == oidSM2:
		return fail("the curve SM2 is for signatures of SM2, which is not RSA, ECDSA or DSA")
	case ok:
		return pass()
	case k == nil:
		return o
	case k.Algorithm == "" || k.Algorithm == "unknown":
		return fail("the key algorithm %s is not RSA, EC or DSA", k.OID)
	}
	return fail("the key algorithm %s is not RSA, EC or DSA", k.Algorithm)
}

func onRSA(check func(x *exam, n, e *big.Int) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		k, o, ok := x.keyState(oidRSA, oidRSAPSS)
		if !ok {
			return o
		}
		if k.N == nil || k.E == nil {
			return unknown("the RSA public key cannot be read")
		}
		return check(x, k.N, k.E)
	}
}

func rsaModulusMin(x *exam, n, _ *big.Int) outcome {
	bits, least, better := n.BitLen(), x.param("bits"), x.param("recommended-bits")
	switch {
	case n.Sign() <= 0:
		return fail("RSA modulus is not positive")
	case bits < least:
		return fail("RSA modulus has %d bits, at least %d required", bits, least)
	case bits < better:
		return failCase("below-recommended", "RSA modulus has %d bits: enough, but %d is what systems around expect", bits, better)
	}
	return pass()
}

func rsaExponentMin(x *exam, _, e *big.Int) outcome {
	least := big.NewInt(int64(x.param("min")))
	switch {
	case e.Cmp(least) < 0:
		return fail("RSA public exponent is %s, at least %s required", short(e), least)
	case e.Bit(0) == 0:
		return fail("RSA public exponent %s is even", short(e))
	}
	return pass()
}

func rsaExponentMax(x *exam, _, e *big.Int) outcome {
	switch most := x.param("bits"); {
	case e.BitLen() > most:
		return fail("RSA public exponent has %d bits, at most %d allowed", e.BitLen(), most)
	case e.BitLen() > 31:
		return failCase("over-31-bits", "RSA public exponent has %d bits; many verifiers read at most 31", e.BitLen())
	}
	return pass()
}

// short prints a number that an attacker may have made long.
func short(n *big.Int) string {
	if n.BitLen() > 64 {
		return "of " + big.NewInt(int64(n.BitLen())).String() + " bits"
	}
	return n.String()
}

func rsaPaddingLegacy(x *exam) outcome {
	switch x.c.Algorithm.Scheme {
	case "", sigalg.Unknown:
		return unknown("the signature algorithm is not known")
	case sigalg.RSAPSS:
		return pass()
	case sigalg.RSAPKCS1v15:
	default:
		return skip()
	}
	if !x.c.SelfIssued() {
		return failCase("ca-issued", "signed by its CA with PKCS#1 v1.5 (legacy); RSASSA-PSS is recommended")
	}
	return fail("signed with PKCS#1 v1.5 (legacy), RSASSA-PSS is recommended")
}

// Hash names as pkg/sigalg gives them. "Or better" of 4.1 is read as the SHA-3 family and SHA-512/256.
var (
	usualHashes = []string{"SHA-256", "SHA-384", "SHA-512"}
	rareHashes  = []string{"SHA-512/256", "SHA3-256", "SHA3-384", "SHA3-512", "SHAKE256"}
)

func sigHash(x *exam) outcome {
	a := x.c.Algorithm
	if a.OID == "" {
		return unknown("the signature algorithm cannot be read")
	}
	switch a.Scheme {
	case sigalg.RSAPKCS1v15, sigalg.RSAPSS, sigalg.ECDSA, sigalg.DSA:
	default:
		return fail("the signature algorithm %s is not in the table of 4.1", schemeName(a))
	}
	switch {
	case slices.Contains(usualHashes, a.HashName), slices.Contains(rareHashes, a.HashName):
		return pass()
	case a.HashName == "":
		return fail("the signature's hash is not known, SHA-256 or better required")
	}
	return fail("the signature's hash is %s, SHA-256 or better required", a.HashName)
}

func schemeName(a sigalg.Algorithm) string {
	if a.Scheme == sigalg.Unknown {
		return a.OID
	}
	return string(a.Scheme)
}

func sigHashRare(x *exam) outcome {
	name := x.c.Algorithm.HashName
	switch {
	case slices.Contains(usualHashes, name):
		return pass()
	case slices.Contains(rareHashes, name):
		return fail("%s is known to few verifiers", name)
	}
	return skip() // EFGS-114 has it
}
