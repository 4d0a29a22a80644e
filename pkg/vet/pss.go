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
		Why:   "absent parameters, or an empty SEQUENCE, mean SHA-1; so does an empty SEQUENCE in an id-RSASSA-PSS key, which then signs with nothing else (RFC 4055 1.2). A key without parameters is bound to none",
		Fix:   fixPSS,
		Good:  "SHA-256, MGF1 with SHA-256, salt 32", Bad: "no parameters, MGF1 with SHA-1, trailer 2, a key bound to SHA-1",
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

// pssUse is one place that has RSASSA-PSS-params: the signature's algorithm, or a key that is bound to them.
type pssUse struct {
	*sigalg.PSSParams
	what, path string
	key        bool
}

// pssUses: the SHAKE forms of RSASSA-PSS have no parameters, and a key without any is not bound.
func (x *exam) pssUses() []pssUse {
	var uses []pssUse
	if a := x.c.Algorithm; a.Scheme == sigalg.RSAPSS && a.PSS != nil {
		uses = append(uses, pssUse{a.PSS, "RSASSA-PSS", "", false})
	}
	if k := x.c.PublicKey; k != nil && k.PSS != nil {
		uses = append(uses, pssUse{k.PSS, "the RSASSA-PSS key is bound to parameters of its own:", pathSPKI + ".algorithm.parameters", true})
	}
	return uses
}

// onPSS holds a check against each use; one that cannot be told leaves the rule open unless another fails.
func onPSS(check func(x *exam, u pssUse) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		all := skip()
		for _, u := range x.pssUses() {
			o := check(x, u)
			for i := range o.problems {
				o.problems[i].path = u.path
			}
			switch {
			case o.state == all.state:
				all.problems = append(all.problems, o.problems...)
			case o.state == failed, o.state == notEvaluated && all.state != failed, all.state == notApplicable:
				all = o
			}
		}
		return all
	}
}

func pssParams(x *exam, u pssUse) outcome {
	switch {
	case u.Absent && u.key:
		return fail("the RSASSA-PSS key is bound to empty parameters, which means SHA-1 and MGF1 with SHA-1")
	case u.Absent:
		return fail("RSASSA-PSS parameters are absent, which means SHA-1 and MGF1 with SHA-1")
	}
	var problems []problem
	add := func(format string, args ...any) {
		problems = append(problems, problem{msg: u.what + " " + fmt.Sprintf(format, args...)})
	}
	if u.Broken {
		add("parameters cannot be read to their end")
	}
	least := x.param("hash-bits")
	bits, known := hashBits(u.HashOID)
	if !known || bits < least {
		add("hash is %s, at least %d bits required", hashLabel(u.HashOID), least)
	}
	switch mgf, ok := hashBits(u.MGFHashOID); {
	case u.MGFHashOID == "":
		add("mask generation function is not MGF1 with a hash")
	case !ok || mgf < least:
		add("uses MGF1 with %s, at least %d bits required", hashLabel(u.MGFHashOID), least)
	}
	if u.Trailer != 1 {
		add("trailer field is %d, 1 required", u.Trailer)
	}
	// Only a self-issued certificate carries the key that the salt must fit into; a key's own parameters always do.
	most := -1
	if k := x.c.PublicKey; (u.key || x.c.SelfIssued()) && k != nil && k.N != nil && known {
		most = (k.N.BitLen()-1+7)/8 - bits/8 - 2
	}
	switch {
	case u.SaltLength < 0:
		add("salt length is %d", u.SaltLength)
	case most >= 0 && u.SaltLength > most:
		add("salt of %d bytes does not fit the key, at most %d", u.SaltLength, most)
	}
	return passUnless(problems)
}

func pssMGFMismatch(_ *exam, u pssUse) outcome {
	switch {
	case u.Broken:
		return unknown("%s parameters cannot be read to their end (EFGS-106)", u.what)
	case u.MGFHashOID == "":
		return skip() // EFGS-106 has it
	case u.HashOID != u.MGFHashOID:
		return fail("%s hash is %s, but MGF1 uses %s", u.what, hashLabel(u.HashOID), hashLabel(u.MGFHashOID))
	}
	return pass()
}

// pssSalt: a key's own parameters name the shortest salt that it allows, and nobody has to take that one.
func pssSalt(_ *exam, u pssUse) outcome {
	bits, ok := hashBits(u.HashOID)
	switch {
	case u.key:
		return skip()
	case u.Broken:
		return unknown("RSASSA-PSS parameters cannot be read to their end (EFGS-106), so the salt's length is not known")
	case !ok:
		return unknown("the hash %s is not known, so neither is its length", u.HashOID)
	case u.SaltLength < bits/8:
		return fail("RSASSA-PSS salt has %d bytes, %d (the hash's length) recommended", u.SaltLength, bits/8)
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
		return "one without a readable name"
	}
	return oid
}
