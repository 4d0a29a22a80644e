package vet

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

// pssRules: the parameters of an RSASSA-PSS signature, Governance 4.1 and RFC 4055.
func pssRules() []Rule {
	return []Rule{{
		ID: "EFGS-106", Name: "pss-params", Clause: "Governance 4.1", Roles: all(), Path: pathSigAlg + ".parameters",
		Title: "RSASSA-PSS parameters are given and sound: hash and MGF1 hash of at least 256 bits, trailer 1, salt that fits",
		Why:   "absent parameters, or an empty SEQUENCE, mean SHA-1",
		Fix:   fixPSS,
		Good:  "SHA-256, MGF1 with SHA-256, salt 32", Bad: "no parameters, MGF1 with SHA-1, trailer 2",
		Params: []string{"hash-bits"},
		check:  onPSS(pssParams),
	}, {
		ID: "EFGS-107", Name: "pss-mgf-mismatch", Clause: "RFC 8017 8.1", Roles: all(), Path: pathSigAlg + ".parameters",
		Title: "RSASSA-PSS uses the same hash for MGF1 as for the message",
		Why:   "RFC 8017 recommends it, and many verifiers know nothing else",
		Fix:   fixPSS,
		Good:  "SHA-256, MGF1 with SHA-256", Bad: "SHA-256, MGF1 with SHA-512",
		check: onPSS(pssMGFMismatch),
	}, {
		ID: "EFGS-108", Name: "pss-salt", Clause: "RFC 4055 3.1", Roles: all(), Path: pathSigAlg + ".parameters",
		Title: "an RSASSA-PSS salt is at least as long as the hash",
		Why:   "the recommendations that 4.1 points to ask for the hash's length",
		Fix:   fixPSS,
		Good:  "salt 32 with SHA-256", Bad: "salt 20 (the default) or 0 with SHA-256",
		check: onPSS(pssSalt),
	}}
}

func onPSS(check func(x *exam, p *sigalg.PSSParams) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		// The SHAKE forms of RSASSA-PSS have no parameters.
		if x.c.Algorithm.Scheme != sigalg.RSAPSS || x.c.Algorithm.PSS == nil {
			return skip()
		}
		return check(x, x.c.Algorithm.PSS)
	}
}

func pssParams(x *exam, p *sigalg.PSSParams) outcome {
	if p.Absent {
		return fail("RSASSA-PSS parameters are absent, which means SHA-1 and MGF1 with SHA-1")
	}
	var problems []problem
	add := func(format string, args ...any) {
		problems = append(problems, problem{msg: fmt.Sprintf(format, args...)})
	}
	least := x.param("hash-bits")
	bits, known := hashBits(p.HashOID)
	if !known || bits < least {
		add("RSASSA-PSS hash is %s, at least %d bits required", hashLabel(p.HashOID), least)
	}
	if mgf, ok := hashBits(p.MGFHashOID); !ok || mgf < least {
		add("RSASSA-PSS uses MGF1 with %s, at least %d bits required", hashLabel(p.MGFHashOID), least)
	}
	if p.Trailer != 1 {
		add("RSASSA-PSS trailer field is %d, 1 required", p.Trailer)
	}
	// Only a self-issued certificate carries the key that the salt must fit into.
	most := -1
	if k := x.c.PublicKey; x.c.SelfIssued() && k != nil && k.N != nil && known {
		most = (k.N.BitLen()-1+7)/8 - bits/8 - 2
	}
	switch {
	case p.SaltLength < 0:
		add("RSASSA-PSS salt length is %d", p.SaltLength)
	case most >= 0 && p.SaltLength > most:
		add("RSASSA-PSS salt of %d bytes does not fit the key, at most %d", p.SaltLength, most)
	}
	return passUnless(problems)
}

func pssMGFMismatch(_ *exam, p *sigalg.PSSParams) outcome {
	if p.HashOID != p.MGFHashOID {
		return fail("RSASSA-PSS hash is %s, but MGF1 uses %s", hashLabel(p.HashOID), hashLabel(p.MGFHashOID))
	}
	return pass()
}

func pssSalt(_ *exam, p *sigalg.PSSParams) outcome {
	bits, ok := hashBits(p.HashOID)
	if !ok {
		return unknown("the hash %s is not known, so neither is its length", p.HashOID)
	}
	if p.SaltLength < bits/8 {
		return fail("RSASSA-PSS salt has %d bytes, %d (the hash's length) recommended", p.SaltLength, bits/8)
	}
	return pass()
}

// hashes by OID: output length in bits, and name.
var hashes = map[string]struct {
	bits int
	name string
}{
	"1.2.840.113549.2.5":      {128, "MD5"},
	"1.3.14.3.2.26":           {160, "SHA-1"},
	"1.3.36.3.2.1":            {160, "RIPEMD-160"},
	"2.16.840.1.101.3.4.2.1":  {256, "SHA-256"},
	"2.16.840.1.101.3.4.2.2":  {384, "SHA-384"},
	"2.16.840.1.101.3.4.2.3":  {512, "SHA-512"},
	"2.16.840.1.101.3.4.2.4":  {224, "SHA-224"},
	"2.16.840.1.101.3.4.2.5":  {224, "SHA-512/224"},
	"2.16.840.1.101.3.4.2.6":  {256, "SHA-512/256"},
	"2.16.840.1.101.3.4.2.7":  {224, "SHA3-224"},
	"2.16.840.1.101.3.4.2.8":  {256, "SHA3-256"},
	"2.16.840.1.101.3.4.2.9":  {384, "SHA3-384"},
	"2.16.840.1.101.3.4.2.10": {512, "SHA3-512"},
}

func hashBits(oid string) (int, bool) {
	h, ok := hashes[oid]
	return h.bits, ok
}

func hashLabel(oid string) string {
	if h, ok := hashes[oid]; ok {
		return h.name
	}
	if oid == "" {
		return "missing"
	}
	return oid
}
