package vet

import (
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

const (
	oidKeyUsage         = "2.5.29.15"
	oidBasicConstraints = "2.5.29.19"

	pathKU  = "extensions.keyUsage"
	pathEKU = "extensions.extKeyUsage"

	fixKU  = `openssl req … -addext "keyUsage=critical,digitalSignature"`
	fixEKU = `openssl req … -addext "extendedKeyUsage=clientAuth,serverAuth"`
)

// usageRules: key usage and extended key usage, Governance 4.3 to 4.5.
func usageRules() []Rule {
	return []Rule{{
		ID: "EFGS-401", Name: "ku-present", Clause: "Governance 4.3-4.5", Roles: all(), Path: pathKU,
		Title: "the certificate has a key usage extension",
		Why:   "every template has it; openssl x509 -req without an extension file drops it silently",
		Fix:   fixKU,
		Good:  "keyUsage=critical,digitalSignature", Bad: "no extensions at all",
		check: kuPresent,
	}, {
		ID: "EFGS-402", Name: "ku-digital-signature", Clause: "Governance 4.3-4.5", Roles: all(), Path: pathKU,
		Title: "the key usage contains digitalSignature",
		Why:   "every template: Key Usage Digital Signature",
		Fix:   fixKU,
		Good:  "digitalSignature", Bad: "keyEncipherment alone, keyCertSign alone",
		Implies: []string{"EFGS-403"},
		check: onKU(func(_ *exam, ku cert.KeyUsage) outcome {
			if ku&cert.DigitalSignature == 0 {
				return fail("the key usage %s lacks digitalSignature", kuNames(ku))
			}
			return pass()
		}),
	}, {
		ID: "EFGS-403", Name: "ku-extra", Clause: "Governance 4.3-4.5", Roles: all(), Path: pathKU,
		Title: "the key usage has nothing but digitalSignature; for TLS with an RSA key also keyEncipherment",
		Why:   "a key used for one thing only cannot be turned against another",
		Fix:   fixKU,
		Good:  "digitalSignature", Bad: "digitalSignature, keyAgreement",
		Cases: []string{"non-repudiation"},
		check: onKU(kuExtra),
	}, {
		ID: "EFGS-404", Name: "ku-critical", Clause: "RFC 5280 4.2.1.3", Roles: all(), Path: pathKU,
		Title: "the key usage is marked critical",
		Why:   "otherwise a verifier may pass over it",
		Fix:   fixKU,
		Good:  "keyUsage=critical,…", Bad: "keyUsage=digitalSignature",
		check: onKU(func(x *exam, _ cert.KeyUsage) outcome {
			if !x.c.KeyUsageCritical {
				return fail("the key usage is not marked critical")
			}
			return pass()
		}),
	}, {
		ID: "EFGS-405", Name: "eku-client", Clause: "Governance 4.3", Roles: []Role{NBTLS}, Path: pathEKU,
		Title: "the extended key usage contains client authentication",
		Why:   "the national backend is the client of the gateway's mutual TLS",
		Fix:   fixEKU,
		Good:  "clientAuth, serverAuth", Bad: "serverAuth alone",
		check: wantsEKU(cert.EKUClientAuth, "client authentication (1.3.6.1.5.5.7.3.2)"),
	}, {
		ID: "EFGS-406", Name: "eku-server", Clause: "Governance 4.3", Roles: []Role{NBTLS, EFGSTLS}, Path: pathEKU,
		Title: "the extended key usage contains server authentication",
		Why:   "the template has both; a backend's certificate is used as a client's, so there it is milder",
		Fix:   fixEKU,
		Good:  "clientAuth, serverAuth", Bad: "clientAuth alone",
		check: wantsEKU(cert.EKUServerAuth, "server authentication (1.3.6.1.5.5.7.3.1)"),
	}, {
		ID: "EFGS-408", Name: "eku-signing", Clause: "Governance 2.3, 4.4, 4.5", Roles: []Role{NBBS, EFGSTA}, Path: pathEKU,
		Title: "a signing certificate has no extended key usage, above all none for TLS",
		Why:   "the templates have none; one for TLS makes the signing certificate usable at the gateway's door",
		Fix:   "leave extendedKeyUsage out",
		Good:  "no extended key usage", Bad: "clientAuth",
		Cases: []string{"other"},
		check: ekuSigning,
	}, {
		ID: "EFGS-407", Name: "eku-any", Clause: "practice", Roles: all(), Path: pathEKU,
		Title: "the extended key usage does not contain anyExtendedKeyUsage",
		Why:   "it allows everything, and makes what stands beside it meaningless",
		Fix:   fixEKU,
		Good:  "clientAuth, serverAuth", Bad: "clientAuth, anyExtendedKeyUsage",
		Implies: []string{"EFGS-408"},
		check: func(x *exam) outcome {
			have, o, ok := x.eku()
			switch {
			case !ok:
				return o
			case slices.Contains(have, cert.EKUAny):
				return fail("the extended key usage has anyExtendedKeyUsage")
			}
			return pass()
		},
	}}
}

func kuPresent(x *exam) outcome {
	if x.extension(oidKeyUsage) == nil {
		return fail("there is no key usage extension")
	}
	return pass()
}

// onKU runs check where there is a key usage; none at all is EFGS-401.
func onKU(check func(*exam, cert.KeyUsage) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		if x.c.KeyUsage == nil {
			if x.extension(oidKeyUsage) != nil {
				return unknown("the key usage cannot be read")
			}
			return skip()
		}
		return check(x, *x.c.KeyUsage)
	}
}

func kuExtra(x *exam, ku cert.KeyUsage) outcome {
	// Signing certificates and lists is EFGS-821's.
	extra := ku &^ (cert.DigitalSignature | cert.KeyCertSign | cert.CRLSign)
	rsa := x.c.PublicKey != nil && x.c.PublicKey.OID == oidRSA
	if (x.Role == NBTLS || x.Role == EFGSTLS) && rsa {
		extra &^= cert.KeyEncipherment
	}
	var problems []problem
	if rest := extra &^ cert.NonRepudiation; rest != 0 {
		problems = append(problems, problem{msg: "the key usage also has " + kuNames(rest)})
	}
	if extra&cert.NonRepudiation != 0 {
		problems = append(problems, problem{msg: "the key usage also has nonRepudiation", kase: "non-repudiation"})
	}
	return passUnless(problems)
}

func kuNames(ku cert.KeyUsage) string {
	names := []string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
		"keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"}
	var set []string
	for i, name := range names {
		if ku&(1<<i) != 0 {
			set = append(set, name)
		}
	}
	if len(set) == 0 {
		return "(empty)"
	}
	return strings.Join(set, ", ")
}

// eku returns the extended key usages; unreadable ones give an outcome instead.
func (x *exam) eku() ([]string, outcome, bool) {
	if x.faulty("extKeyUsage") {
		return nil, unknown("the extended key usage cannot be read"), false
	}
	return x.c.ExtKeyUsage, skip(), true
}

func wantsEKU(oid, name string) func(*exam) outcome {
	return func(x *exam) outcome {
		have, o, ok := x.eku()
		if !ok {
			return o
		}
		for _, h := range have {
			if h == oid {
				return pass()
			}
		}
		if len(have) == 0 {
			return fail("there is no extended key usage, %s required", name)
		}
		return fail("the extended key usage lacks %s", name)
	}
}

func ekuSigning(x *exam) outcome {
	have, o, ok := x.eku()
	if !ok {
		return o
	}
	var problems []problem
	for _, h := range have {
		switch h {
		case cert.EKUClientAuth:
			problems = append(problems, problem{msg: "the signing certificate is also for TLS client authentication"})
		case cert.EKUServerAuth:
			problems = append(problems, problem{msg: "the signing certificate is also for TLS server authentication"})
		default:
			problems = append(problems, problem{msg: "the signing certificate has the extended key usage " + h, kase: "other"})
		}
	}
	return passUnless(problems)
}
