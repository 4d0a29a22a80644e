package vet

// chainRules: what Governance 3.1 asks of public TLS certificates beyond the
// certificate itself. The evidence comes from outside; without it they say what is missing.
func chainRules() []Rule {
	tls := []Role{NBTLS, EFGSTLS}
	return []Rule{{
		ID: "EFGS-601", Name: "chain", Clause: "Governance 3.1, 2.2", Roles: tls, Path: "tbsCertificate.issuer",
		Title: "a TLS certificate has a path to a publicly trusted root",
		Why:   "3.1: shall include the verification of the CA chain",
		Fix:   "openssl verify -purpose any -CAfile roots.pem -untrusted chain.pem FILE",
		Good:  "a path to a root that all major browsers include", Bad: "a private CA",
		check: func(*exam) outcome {
			return unknown("no trusted roots: the path to a publicly trusted CA has to be verified outside")
		},
	}, {
		ID: "EFGS-602", Name: "revoked", Clause: "Governance 3.1, 3.3", Roles: tls, Path: "tbsCertificate.serialNumber",
		Title: "a TLS certificate is not revoked by its CA",
		Why:   "3.1: shall include the revocation status",
		Fix:   "openssl verify -crl_check -CRLfile issuer.crl -CAfile roots.pem -untrusted chain.pem FILE",
		Good:  "not on the issuer's current revocation list", Bad: "on it",
		check: func(*exam) outcome {
			return unknown("no revocation list: the issuer's current one has to be consulted outside")
		},
	}}
}
