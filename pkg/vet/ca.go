package vet

import "github.com/efgsta/efgsta/pkg/cert"

// caRules: all four certificates are those of end entities.
func caRules() []Rule {
	return []Rule{{
		ID: "EFGS-820", Name: "ca-true", Clause: "Governance 4.3-4.5", Roles: all(), Path: "extensions.basicConstraints", NeverWaivable: true,
		Title: "the certificate is not that of a CA",
		Why:   "a CA in the trust list vouches for whatever it issues",
		Fix:   `openssl req -x509 … -addext "basicConstraints=critical,CA:FALSE" (its default is CA:TRUE)`,
		Good:  "CA:FALSE, or no basicConstraints", Bad: "CA:TRUE",
		check: caTrue,
	}, {
		ID: "EFGS-821", Name: "certsign-without-ca", Clause: "RFC 5280 4.2.1.9", Roles: all(), Path: pathKU,
		Title: "a certificate that is no CA's has neither keyCertSign nor cRLSign",
		Why:   "RFC 5280 forbids it; common guides tell people to set it all the same, so in a self-issued certificate it is milder",
		Fix:   fixKU,
		Good:  "digitalSignature", Bad: "digitalSignature, keyCertSign",
		Cases: []string{"self-issued"},
		check: onKU(certSignWithoutCA),
	}, {
		ID: "EFGS-822", Name: "pathlen-no-ca", Clause: "RFC 5280 4.2.1.9", Roles: all(), Path: "extensions.basicConstraints",
		Title: "a certificate that is no CA's has no path length",
		Why:   "RFC 5280 forbids it; some readers refuse it",
		Fix:   `openssl … -addext "basicConstraints=critical,CA:FALSE"`,
		Good:  "CA:FALSE", Bad: "CA:FALSE, pathlen:0",
		check: func(x *exam) outcome {
			switch bc := x.c.BasicConstraints; {
			case bc == nil && x.extension(oidBasicConstraints) != nil:
				return unknown("the basicConstraints cannot be read")
			case bc != nil && !bc.CA && bc.PathLen >= 0:
				return fail("the certificate is not a CA's, but has a path length of %d", bc.PathLen)
			}
			return pass()
		},
	}}
}

func caTrue(x *exam) outcome {
	bc := x.c.BasicConstraints
	switch {
	case bc == nil && x.extension(oidBasicConstraints) != nil:
		return unknown("the basicConstraints cannot be read")
	case bc != nil && bc.CA:
		return fail("the certificate is a CA's (basicConstraints CA:TRUE)")
	}
	return pass()
}

func certSignWithoutCA(x *exam, ku cert.KeyUsage) outcome {
	bits := ku & (cert.KeyCertSign | cert.CRLSign)
	if bc := x.c.BasicConstraints; bits == 0 || bc != nil && bc.CA {
		return pass()
	}
	if x.c.SelfIssued() {
		return failCase("self-issued", "the key usage has %s, but the certificate is not a CA's", kuNames(bits))
	}
	return fail("the key usage has %s, but the certificate is not a CA's", kuNames(bits))
}
