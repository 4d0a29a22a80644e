package vet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// encodingRules: how RFC 5280 wants the fields written, beyond being DER.
func encodingRules() []Rule {
	return []Rule{{
		ID: "EFGS-804", Name: "serial-entropy", Clause: "CA/Browser Forum BR 7.1", Roles: all(), Path: pathSerial,
		Title: "the serial number has at least 8 octets, room for 64 random bits",
		Why:   "a number that can be guessed helped to forge certificates when a hash was broken",
		Fix:   "openssl x509 -req … -set_serial 0x$(openssl rand -hex 16)",
		Good:  "16 random octets", Bad: "1, 2, 3 …",
		Params: []string{"octets"},
		check:  serialEntropy,
	}, {
		ID: "EFGS-806", Name: "sigalg-params", Clause: "RFC 3279 2.2, RFC 5758 3.2", Roles: all(), Path: pathSigAlg + ".parameters",
		Title: "the signature algorithm has NULL for parameters with RSA PKCS#1 v1.5, and none with ECDSA and DSA",
		Why:   "strict readers refuse the other form",
		Fix:   "the issuing software is at fault: re-issue with another",
		Good:  "ecdsa-with-SHA256 without parameters", Bad: "ecdsa-with-SHA256 with NULL",
		check: sigalgParams,
	}, {
		ID: "EFGS-810", Name: "time-form", Clause: "RFC 5280 4.1.2.5", Roles: all(), Path: pathValidity,
		Title: "times are UTCTime until 2049 and GeneralizedTime from 2050, in UTC, with seconds and without fractions",
		Why:   "readers take other forms for different times, or refuse them",
		Fix:   "the issuing software is at fault: re-issue with another",
		Good:  "UTCTime 200901000000Z", Bad: "UTCTime 2009010000Z, 200901000000+0200",
		Cases: []string{"no-end"},
		check: timeForm,
	}, {
		ID: "EFGS-812", Name: "unknown-critical", Clause: "RFC 5280 4.2", Roles: all(), Path: "extensions",
		Title: "no critical extension is unknown",
		Why:   "whoever does not know a critical extension must refuse the certificate",
		Fix:   "have it issued without that extension, or with the extension not critical",
		Good:  "keyUsage critical", Bad: "1.2.3.4 critical; the poison of a precertificate",
		check: unknownCritical,
	}, {
		ID: "EFGS-815", Name: "unique-ids", Clause: "RFC 5280 4.1.2.8", Roles: all(), Path: "tbsCertificate",
		Title: "the certificate has no issuerUniqueID or subjectUniqueID",
		Why:   "RFC 5280 forbids them; readers differ on what they mean",
		Fix:   "the issuing software is at fault: re-issue with another",
		Good:  "none", Bad: "subjectUniqueID",
		check: func(x *exam) outcome {
			if x.c.UniqueIDs {
				return fail("the certificate has an issuerUniqueID or subjectUniqueID")
			}
			return pass()
		},
	}, {
		ID: "EFGS-816", Name: "ku-encoding", Clause: "RFC 5280 4.2.1.3, X.690 11.2.2", Roles: all(), Path: pathKU,
		Title: "the key usage has at least one bit set, and ends with a bit that is",
		Why:   "a key usage of nothing allows nothing; DER drops trailing zero bits",
		Fix:   fixKU,
		Good:  "03 02 07 80", Bad: "03 02 00 80, 03 01 00",
		Cases: []string{"empty"},
		check: onKU(kuEncoding),
	}}
}

func serialEntropy(x *exam) outcome {
	if x.c.Serial == nil {
		return unknown("the serial number cannot be read")
	}
	if n, least := (x.c.Serial.BitLen()+7)/8, x.param("octets"); n < least {
		return fail("the serial number has %s, at least %d recommended", count(n, "octet"), least)
	}
	return pass()
}

func sigalgParams(x *exam) outcome {
	switch x.c.Algorithm.Scheme {
	case sigalg.RSAPKCS1v15, sigalg.ECDSA, sigalg.DSA:
	default:
		return skip() // RSASSA-PSS is EFGS-106's
	}
	params, ok := parameters(x.c.AlgorithmRaw)
	switch {
	case !ok:
		return unknown("the signature algorithm cannot be read")
	case x.c.Algorithm.Scheme == sigalg.RSAPKCS1v15:
		if params == nil || !params.Is(der.TagNull) {
			return fail("the parameters of %s are not NULL", x.c.Algorithm)
		}
	case params != nil:
		return fail("%s has parameters, where there should be none", x.c.Algorithm)
	}
	return pass()
}

func timeForm(x *exam) outcome {
	var problems []problem
	for _, f := range x.c.Faults {
		if isTimeFault(f) {
			problems = append(problems, problem{msg: fmt.Sprintf("%s (byte %d)", f.Msg, f.Offset), path: f.Path})
		}
	}
	switch {
	case len(problems) > 0:
	case x.c.NotBefore.IsZero() || x.c.NotAfter.IsZero():
		return unknown("the validity cannot be read")
	case x.c.NotAfter.Year() == 9999:
		return failCase("no-end", "the certificate has no well-defined end (year 9999)")
	}
	return passUnless(problems)
}

// isTimeFault reports whether a fault is about the form of notBefore or notAfter.
func isTimeFault(f cert.Fault) bool {
	return strings.HasPrefix(f.Path, pathValidity+".") && strings.Contains(f.Msg, "Time ")
}

// oidPoison marks a precertificate, RFC 6962 3.1.
const oidPoison = "1.3.6.1.4.1.11129.2.4.3"

func unknownCritical(x *exam) outcome {
	var problems []problem
	for _, e := range x.c.Extensions {
		switch {
		case !e.Critical || cert.ExtensionName(e.OID) != e.OID:
		case e.OID == oidPoison:
			problems = append(problems, problem{msg: "this is a precertificate, which is only for certificate transparency logs"})
		default:
			problems = append(problems, problem{msg: fmt.Sprintf("the extension %s is critical and not known", e.OID)})
		}
	}
	return passUnless(problems)
}

func kuEncoding(x *exam, ku cert.KeyUsage) outcome {
	if ku == 0 {
		return failCase("empty", "the key usage has no bit set")
	}
	r, err := der.NewReader(x.extension(oidKeyUsage).Value, der.Limits{}, der.BER)
	if err != nil {
		return unknown("the key usage cannot be read")
	}
	e, err := r.Next()
	if err != nil {
		return unknown("the key usage cannot be read")
	}
	octets, unused, err := e.BitString()
	if err != nil || len(octets) == 0 {
		return unknown("the key usage cannot be read")
	}
	if octets[len(octets)-1]>>unused&1 == 0 {
		return fail("the key usage ends in zero bits, which DER leaves out")
	}
	return pass()
}

// ownFault reports whether a fault is what a rule of its own fails on, so that
// EFGS-813 and EFGS-814, which take all others, need not.
func (x *exam) ownFault(f cert.Fault) bool {
	switch {
	case f.Path == pathVersion:
		return x.c.Version == 0
	case isTextFault(f), isTimeFault(f):
		return true
	case f.Path == pathSPKI && strings.HasPrefix(f.Msg, "EC key: "):
		return x.pointIsBad()
	}
	for i, e := range x.c.Extensions {
		if e.Offset == f.Offset && slices.ContainsFunc(x.c.Extensions[:i], func(d cert.Extension) bool { return d.OID == e.OID }) {
			return true
		}
	}
	return false
}
