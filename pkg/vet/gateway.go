package vet

import (
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// gatewayRules: what the deployed gateway's code can match.
func gatewayRules() []Rule {
	return []Rule{{
		ID: "EFGS-701", Name: "gw-thumbprint", Clause: "gateway: thumbprint", Roles: []Role{NBTLS, NBBS}, Path: "",
		Title: "the certificate's SHA-256 does not begin with the byte 00",
		Why:   "the gateway drops leading zero bytes when it prints a thumbprint, so such a certificate never matches its row",
		Fix:   "re-issue the certificate: a new serial number is enough",
		Good:  "3f0a…", Bad: "00c5… (one certificate in 256)",
		check: func(x *exam) outcome {
			if t := x.c.Thumbprint(); t[0] == 0 {
				return fail("the certificate's SHA-256 begins with 00 (%s…): the gateway can never match it", cert.ShortHex(t.String()))
			}
			return pass()
		},
	}, {
		ID: "EFGS-702", Name: "gw-dn-split", Clause: "gateway: client subject", Roles: []Role{NBTLS}, Path: pathSubject,
		Title: "no subject value of an NBTLS has , = % + or \", and C shares its RDN with nothing",
		Why:   "the gateway splits the subject at commas and equals signs and decodes it like a URL: O=“x,C=FR” reads as France, a percent sign fails for ever",
		Fix:   "re-issue with a subject free of these characters",
		Good:  "O=Sogei SpA", Bad: "O=Sogei, S.p.A.; C=DE+CN=x",
		check: gwDNSplit,
	}, {
		ID: "EFGS-703", Name: "gw-c-alone", Clause: "gateway: batch signature", Roles: []Role{NBTLS, NBBS}, Path: pathSubject, NeverWaivable: true,
		Title: "C is alone in its relative distinguished name",
		Why:   "the gateway takes the first attribute of that RDN for the country, whatever it is",
		Fix:   "re-issue without -multivalue-rdn and without '+' in -subj",
		Good:  "/C=DE/O=x", Bad: "/C=DE+O=x",
		Implies: []string{"EFGS-702"},
		check:   gwCAlone,
	}, {
		ID: "EFGS-704", Name: "gw-ta-sigalg", Clause: "gateway: trust anchor", Roles: []Role{EFGSTA}, Path: pathSigAlg,
		Title: "the EFGSTA's own signature algorithm is one that the gateway can verify its signatures with",
		Why:   "the gateway takes the algorithm of the operator's signatures from the EFGSTA's certificate, without parameters: RSASSA-PSS fails, and so does one that does not fit the key",
		Fix:   "openssl req -x509 -sha256 … without -sigopt rsa_padding_mode:pss, signed with the key itself",
		Good:  "sha256WithRSAEncryption with an RSA key, ecdsa-with-SHA256 with an EC key", Bad: "RSASSA-PSS",
		check: gwAnchorAlgorithm,
	}, {
		ID: "EFGS-705", Name: "gw-c-first", Clause: "gateway: operator script", Roles: []Role{NBTLS, NBBS}, Path: pathSubject,
		Title: "C is the first part of the subject",
		Why:   "the gateway project's own script cuts the country out of the subject's first bytes; efgsta does not need it",
		Fix:   "openssl req … -subj '/C=DE/O=…/CN=…', in this order",
		Good:  "C=DE, O=x, CN=y", Bad: "CN=y, O=x, C=DE",
		check: func(x *exam) outcome {
			switch rdns := x.c.Subject.RDNs; {
			case len(x.c.Subject.Raw) == 0:
				return unknown("the subject cannot be read")
			case len(rdns) == 0 || len(x.c.Countries()) == 0:
				return skip() // EFGS-301 has it
			case !hasCountry(rdns[0]):
				return fail("C is not the first part of the subject")
			}
			return pass()
		},
	}, {
		ID: ruleCanonical, Name: "gw-pem-canonical", Clause: "gateway: operator script", Roles: []Role{NBTLS, NBBS}, Path: "file",
		Title: "the file is the certificate in PEM and nothing else",
		Why:   "the operator's signature covers one PEM block in lines of 64 with LF; efgsta makes that text itself, other tools sign the file as it came",
		Fix:   "openssl x509 -in FILE -out out.pem",
		Good:  "a file as openssl x509 writes it", Bad: "CRLF, text before the block, DER, an archive",
	}, {
		ID: "EFGS-707", Name: "jdk-curve", Clause: "gateway: Java runtime", Roles: []Role{NBBS}, Path: pathSPKI,
		Title: "an EC key is on P-256, P-384 or P-521",
		Why:   "later Java runtimes verify no other curve by themselves: Java 17 says “Curve not supported” of brainpool and secp256k1",
		Fix:   fixEC,
		Good:  "P-256", Bad: "brainpoolP256r1",
		check: onEC(func(_ *exam, k *sigalg.PublicKey) outcome {
			if k.Curve == nil {
				return unknown("the curve is not known")
			}
			switch k.Curve.Name {
			case "P-256", "P-384", "P-521":
				return pass()
			}
			return fail("the curve %s is not one that current Java runtimes verify by themselves", k.Curve.Name)
		}),
	}}
}

func gwAnchorAlgorithm(x *exam) outcome {
	k, a := x.c.PublicKey, x.c.Algorithm
	if k == nil || k.OID == "" || a.OID == "" {
		return unknown("the key or the signature algorithm cannot be read")
	}
	fits := map[sigalg.Scheme]string{sigalg.RSAPKCS1v15: "RSA", sigalg.ECDSA: "EC", sigalg.DSA: "DSA"}
	switch {
	case a.Scheme == sigalg.RSAPSS:
		return fail("the EFGSTA is signed with RSASSA-PSS, whose parameters the gateway does not set")
	case fits[a.Scheme] == "":
		return fail("the EFGSTA is signed with %s, which the gateway does not have", schemeName(a))
	case fits[a.Scheme] != k.Algorithm:
		return fail("the EFGSTA is signed with %s, but its own key, which signs for the gateway, is %s", schemeName(a), k.Algorithm)
	}
	return pass()
}

func gwDNSplit(x *exam) outcome {
	if len(x.c.Subject.Raw) == 0 {
		return unknown("the subject cannot be read")
	}
	var problems []problem
	for _, rdn := range x.c.Subject.RDNs {
		if len(rdn) > 1 && hasCountry(rdn) {
			problems = append(problems, problem{msg: "C shares its RDN with another attribute, so the gateway finds no country"})
		}
		for _, a := range rdn {
			if i := strings.IndexAny(a.Value, `,=%+"`); i >= 0 {
				problems = append(problems, problem{msg: fmt.Sprintf("the subject value %s has the character %c, which the gateway misreads", quote(a.Value), a.Value[i])})
			}
		}
	}
	return passUnless(problems)
}

func gwCAlone(x *exam) outcome {
	if len(x.c.Subject.Raw) == 0 {
		return unknown("the subject cannot be read")
	}
	for _, rdn := range x.c.Subject.RDNs {
		if len(rdn) > 1 && hasCountry(rdn) {
			return fail("C shares its RDN with another attribute")
		}
	}
	return pass()
}

func hasCountry(rdn cert.RDN) bool {
	for _, a := range rdn {
		if a.OID == cert.OIDCountry {
			return true
		}
	}
	return false
}
