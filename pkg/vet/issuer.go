package vet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// issuerRules: the CA's key, where the CA's certificate was given.
func issuerRules() []Rule {
	return []Rule{{
		ID: "EFGS-117", Name: "issuer-strength", Clause: "Governance 4.1", Roles: all(), Path: "issuer",
		Title: "the key that issued the certificate is as strong as 4.1 wants",
		Why:   "4.1 is about certificates in this context; whoever has the CA's key can issue any of them. CAs of 2020 mostly had RSA with 2048 bits, hence milder",
		Fix:   "ask the CA for a certificate from an intermediate with RSA 3072 or more, or P-256 or P-384",
		Good:  "issued by a CA with RSA 4096", Bad: "issued by a CA with RSA 2048",
		check: issuerStrength,
	}}
}

func issuerStrength(x *exam) outcome {
	if x.c.SelfIssued() || x.Evidence == nil {
		return skip()
	}
	issuer := x.path().issuer
	if issuer == nil {
		return skip() // EFGS-601 says that it is not given
	}
	ca, err := cert.Parse(issuer.Raw)
	if err != nil {
		return unknown("the certificate of the issuer %s cannot be read", quote(issuer.Subject.String()))
	}
	var problems []problem
	for _, r := range slices.Concat(algorithmRules(), curveRules()) {
		// The rules about the key, and not those about the signature over the CA's certificate.
		if strings.HasPrefix(r.Path, pathSPKI) {
			problems = append(problems, x.ofIssuer(r, ca)...)
		}
	}
	return passUnless(problems)
}

// ofIssuer holds a rule of severity error against the issuer's certificate.
func (x *exam) ofIssuer(r Rule, ca *cert.Certificate) []problem {
	var problems []problem
	setting := x.policy.Rules[r.ID]
	o := r.check(&exam{Request: x.Request, c: ca, setting: setting})
	for _, p := range o.problems {
		severity := severityFor(setting, x.Role)
		if p.kase != "" {
			severity = setting.Cases[p.kase]
		}
		if o.state == failed && severity == SeverityError {
			problems = append(problems, problem{msg: fmt.Sprintf("issued by %s: %s (%s)", quote(ca.Subject.String()), p.msg, r.ID)})
		}
	}
	return problems
}
