package vet

import "github.com/efgsta/efgsta/pkg/cert"

// CountryFault says why two letters are no country by EFGS-304 (Governance 3.2), or
// nothing if they are one. It is for those who make a name, before it is in a certificate.
func CountryFault(code string) string { return cISO(cert.Attribute{Value: code}) }
