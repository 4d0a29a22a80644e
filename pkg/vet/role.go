package vet

import (
	"slices"

	"github.com/efgsta/efgsta/pkg/cert"
)

// RoleOf decides by content which of the four templates a certificate follows.
// Where the content does not tell, the role is "" and the reason says what to
// give. country is the member state that brings it, if known: EFGSTLS has none.
func RoleOf(c *cert.Certificate, country string) (role Role, reason string) {
	cns, cs := c.Subject.Values(cert.OIDCommonName), c.Countries()
	client, server := slices.Contains(c.ExtKeyUsage, cert.EKUClientAuth), slices.Contains(c.ExtKeyUsage, cert.EKUServerAuth)
	names := c.SAN != nil && len(c.SAN.DNS) > 0
	switch {
	case slices.Contains(cns, anchorCN) && slices.Contains(cs, anchorC) && !client && !server:
		return EFGSTA, "the subject is that of the EFGSTA (4.5)"
	case client:
		return NBTLS, "the extended key usage has TLS client authentication (for the gateway's own: --type efgstls)"
	case (server || names) && country != "":
		return NBTLS, "it is a TLS certificate of a member state"
	case server:
		return "", "TLS server authentication alone fits an EFGSTLS or an unfinished NBTLS: give --type nbtls or efgstls"
	case names:
		return "", "a DNS name without extended key usage: give --type nbtls, efgstls or nbbs"
	case c.ExtKeyUsage != nil:
		return "", "the extended key usage fits no template: give --type"
	case c.KeyUsage == nil:
		return "", "there is no key usage to tell by: give --type"
	case *c.KeyUsage&cert.DigitalSignature == 0:
		return "", "the key usage lacks digitalSignature: give --type"
	case *c.KeyUsage&(cert.KeyEncipherment|cert.DataEncipherment|cert.KeyAgreement) != 0:
		return "", "the key usage also has encryption or key agreement: give --type"
	}
	return NBBS, "digitalSignature without extended key usage (4.4)"
}
