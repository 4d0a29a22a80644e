package vet

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

const (
	pathVersion = "tbsCertificate.version"
	pathSerial  = "tbsCertificate.serialNumber"
)

// structureRules: Governance 1.3 says "an X.509 v3 certificate"; RFC 5280 and X.690 say what that is.
func structureRules() []Rule {
	return []Rule{{
		ID: "EFGS-801", Name: "version-3", Clause: "Governance 1.3", Roles: all(), Path: pathVersion,
		Title: "the certificate is X.509 version 3",
		Why:   "only version 3 has extensions, and so a key usage",
		Fix:   "openssl x509 -req … -extfile ext.cnf makes version 3; without extensions it makes version 1",
		Good:  "version 3", Bad: "version 1, version 1 with extensions",
		Implies: []string{"EFGS-401", "EFGS-829"},
		check:   version3,
	}, {
		ID: "EFGS-802", Name: "serial-positive", Clause: "RFC 5280 4.1.2.2", Roles: all(), Path: pathSerial,
		Title: "the serial number is positive and minimally encoded",
		Why:   "it tells certificates of an issuer apart; common libraries refuse others",
		Fix:   "openssl x509 -req … -set_serial 0x$(openssl rand -hex 16)",
		Good:  "a random number", Bad: "0, -1",
		check: serialPositive,
	}, {
		ID: "EFGS-803", Name: "serial-length", Clause: "RFC 5280 4.1.2.2", Roles: all(), Path: pathSerial,
		Title: "the serial number has at most 20 octets",
		Why:   "relying parties need not read longer ones",
		Fix:   "openssl x509 -req … -set_serial 0x$(openssl rand -hex 16)",
		Good:  "16 octets", Bad: "21 octets",
		Params: []string{"octets"},
		check:  serialLength,
	}, {
		ID: "EFGS-805", Name: "sigalg-match", Clause: "RFC 5280 4.1.1.2", Roles: all(), Path: pathSigAlg,
		Title: "the algorithm that is signed is the algorithm that is named outside",
		Why:   "the outer one is not protected by the signature",
		Fix:   "the issuing software is at fault: re-issue with another",
		Good:  "both sha256WithRSAEncryption", Bad: "sha256 inside, sha1 outside",
		check: sigalgMatch,
	}, {
		ID: "EFGS-807", Name: "issuer-non-empty", Clause: "RFC 5280 4.1.2.4", Roles: all(), Path: "tbsCertificate.issuer",
		Title: "the issuer has at least one RDN, and no empty one",
		Why:   "a certificate without issuer belongs to nobody",
		Fix:   "re-issue",
		Good:  "C=DE, CN=CA", Bad: "an empty sequence",
		check: func(x *exam) outcome { return nonEmpty("issuer", x.c.Issuer) },
	}, {
		ID: "EFGS-808", Name: "subject-non-empty", Clause: "RFC 5280 4.1.2.6", Roles: all(), Path: pathSubject,
		Title: "the subject has at least one RDN, and no empty one",
		Why:   "the templates all have a subject",
		Fix:   fixSubject,
		Good:  "C=DE, O=…, CN=…", Bad: "an empty sequence",
		Implies: []string{"EFGS-301", "EFGS-302", "EFGS-306", "EFGS-307", "EFGS-308", "EFGS-309", "EFGS-310", "EFGS-828"},
		check:   func(x *exam) outcome { return nonEmpty("subject", x.c.Subject) },
	}, {
		ID: "EFGS-809", Name: "time-order", Clause: "RFC 5280 4.1.2.5", Roles: all(), Path: pathValidity,
		Title: "notBefore is not after notAfter",
		Why:   "otherwise the certificate is never valid",
		Fix:   "re-issue with the right dates",
		Good:  "2020-09-01 to 2021-09-01", Bad: "the other way round",
		Implies: []string{"EFGS-201", "EFGS-204"},
		check: func(x *exam) outcome {
			if x.c.NotBefore.IsZero() || x.c.NotAfter.IsZero() {
				return unknown("the validity cannot be read")
			}
			if x.c.NotBefore.After(x.c.NotAfter) {
				return fail("notBefore %s is after notAfter %s", stamp(x.c.NotBefore), stamp(x.c.NotAfter))
			}
			return pass()
		},
	}, {
		ID: "EFGS-811", Name: "duplicate-extension", Clause: "RFC 5280 4.2", Roles: all(), Path: "extensions",
		Title: "no extension stands twice",
		Why:   "two readers may take a different one of the two",
		Fix:   "remove the second from the extension file",
		Good:  "one keyUsage", Bad: "two keyUsage",
		check: duplicateExtension,
	}, {
		ID: "EFGS-813", Name: "extension-decode", Clause: "RFC 5280 4.2", Roles: all(), Path: "extensions",
		Title: "every known extension can be decoded",
		Why:   "what cannot be read cannot be vetted",
		Fix:   "the issuing software is at fault: re-issue with another",
		Good:  "extensions as openssl writes them", Bad: "a key usage that is not a BIT STRING",
		check: func(x *exam) outcome { return faults(x, true) },
	}, {
		ID: "EFGS-814", Name: "der-strict", Clause: "X.690 10, 11", Roles: all(), Path: "tbsCertificate",
		Title: "the certificate is DER throughout, with nothing after it",
		Why:   "two readers may take bytes that are not DER for two different things",
		Fix:   "openssl x509 -in FILE -out out.pem rewrites the outside; otherwise re-issue",
		Good:  "definite minimal lengths", Bad: "indefinite lengths, trailing bytes",
		Cases: []string{"basic-constraints-false"},
		check: func(x *exam) outcome { return faults(x, false) },
	}}
}

func version3(x *exam) outcome {
	switch v := x.c.Version; {
	case v == 0:
		for _, f := range x.c.Faults {
			if f.Path == pathVersion {
				return fail("the version cannot be read: %s", f.Msg)
			}
		}
		return unknown("the version cannot be read")
	case v == 3:
		return pass()
	case len(x.c.Extensions) > 0:
		return fail("X.509 version %d, although it has extensions; version 3 required", v)
	default:
		return fail("X.509 version %d, version 3 required", v)
	}
}

func serialPositive(x *exam) outcome {
	raw := x.c.SerialRaw
	switch {
	case x.c.Serial == nil || len(raw) == 0:
		return unknown("the serial number cannot be read")
	case x.c.Serial.Sign() <= 0:
		return fail("the serial number is not positive")
	case len(raw) > 1 && raw[0] == 0 && raw[1] < 0x80:
		return fail("the serial number has needless leading zeros")
	}
	return pass()
}

func serialLength(x *exam) outcome {
	n, most := len(x.c.SerialRaw), x.param("octets")
	switch {
	case n == 0:
		return unknown("the serial number cannot be read")
	case n > most:
		return fail("the serial number has %d octets, at most %d allowed", n, most)
	}
	return pass()
}

func sigalgMatch(x *exam) outcome {
	if len(x.c.AlgorithmRaw) == 0 || len(x.c.TBSAlgRaw) == 0 {
		return unknown("a signature algorithm cannot be read")
	}
	if !bytes.Equal(x.c.AlgorithmRaw, x.c.TBSAlgRaw) {
		return fail("the signed certificate names another signature algorithm than the one outside, %s", x.c.Algorithm)
	}
	return pass()
}

func nonEmpty(what string, n cert.Name) outcome {
	if len(n.Raw) == 0 {
		return unknown("the %s cannot be read", what)
	}
	if len(n.RDNs) == 0 {
		return fail("the %s is empty", what)
	}
	for _, rdn := range n.RDNs {
		if len(rdn) == 0 {
			return fail("the %s has an empty RDN", what)
		}
	}
	return pass()
}

func duplicateExtension(x *exam) outcome {
	seen := map[string]int{}
	var problems []problem
	for _, e := range x.c.Extensions {
		if seen[e.OID]++; seen[e.OID] == 2 {
			problems = append(problems, problem{msg: fmt.Sprintf("the extension %s stands more than once", e.OID)})
		}
	}
	return passUnless(problems)
}

// faults turns everything that could not be decoded into findings: those inside
// extensions are EFGS-813's, all others EFGS-814's, so that none is lost.
func faults(x *exam, inExtensions bool) outcome {
	var problems []problem
	for _, f := range x.c.Faults {
		if strings.Contains(f.Path, "extensions") == inExtensions && !x.ownFault(f) {
			problems = append(problems, problem{msg: fmt.Sprintf("%s (byte %d)", f.Msg, f.Offset), path: f.Path})
		}
	}
	if bc := x.c.BasicConstraints; !inExtensions && bc != nil && bc.CARawFalse {
		problems = append(problems, problem{msg: "basicConstraints spells out cA FALSE, which DER leaves out", kase: "basic-constraints-false"})
	}
	return passUnless(problems)
}
