package gateway

import (
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// CheckCertificate says whether the gateway can use this certificate as a row of
// the type: thumbprint beginning 00, DN headers, explicit curves, size. The error
// wraps ErrUnfit and has Hint.
func CheckCertificate(c *cert.Certificate, typ string) error {
	if c == nil {
		return unfit(hintRenderAgain, "no certificate")
	}
	if !validType(typ) {
		return unfit(hintRenderAgain, "type %q is neither %s nor %s", typ, Authentication, Signing)
	}
	if err := checkThumbprint(c.Thumbprint().String()); err != nil {
		return err
	}
	if n := len(c.PEM()); n > MaxRawData {
		return errRawDataSize(n)
	}
	if _, err := countryOf(c); err != nil {
		return err
	}
	if typ == Authentication {
		return checkAuthentication(c)
	}
	return checkSigning(c)
}

// checkThumbprint refuses one hash in 256. The gateway turns a hash into hex by
// way of a big integer and restores one lost zero, not two, so it looks for a
// thumbprint of 62 digits or fewer where its load balancer asks for 64.
func checkThumbprint(thumbprint string) error {
	if strings.HasPrefix(thumbprint, "00") {
		return unfit("ask the member state to have the certificate issued again: any change of serial number or validity gives another hash",
			"the SHA-256 thumbprint begins with 00 and the gateway loses leading zeros when it compares")
	}
	return nil
}

func errRawDataSize(n int) error {
	return unfit("ask the member state for a certificate with fewer or smaller extensions",
		"the PEM text has %d characters, the column holds %d", n, MaxRawData)
}

// countryOf demands what the gateway demands of the subject: one C, alone in its
// RDN, two upper-case letters. It takes the first attribute of the RDN that holds
// C to be C, and counts such RDNs.
func countryOf(c *cert.Certificate) (string, error) {
	var country string
	var found int
	for _, rdn := range c.Subject.RDNs {
		for _, a := range rdn {
			if a.OID != cert.OIDCountry {
				continue
			}
			if len(rdn) != 1 {
				return "", unfit(hintReissue, "C shares its relative distinguished name with other attributes")
			}
			country = a.Value
			found++
		}
	}
	switch {
	case found == 0:
		return "", unfit(hintReissue, "the subject has no C")
	case found > 1:
		return "", unfit(hintReissue, "the subject has %d C, the gateway takes one", found)
	case !cert.IsCountryCode(country):
		return "", unfit(hintReissue, "C is %q, not two upper-case letters", country)
	}
	return country, nil
}

// checkAuthentication looks at the subject as the gateway reads it from the header
// that the load balancer sets: URL-decoded, split at every comma and every equals
// sign, first C wins. A value holding one of these can hide C or bring another one.
func checkAuthentication(c *cert.Certificate) error {
	for _, rdn := range c.Subject.RDNs {
		for _, a := range rdn {
			if i := strings.IndexFunc(a.Value, breaksHeader); i >= 0 {
				return unfit(hintReissue, "subject value %q (%s) holds %q, which the gateway misreads in its DN header",
					a.Value, a.OID, firstRune(a.Value[i:]))
			}
		}
	}
	if c.BasicConstraints != nil && c.BasicConstraints.CA {
		return unfit("ask the member state for the certificate of its own client, not for that of the authority that issued it",
			"it is a CA certificate: the gateway would trust every callback server below it")
	}
	return nil
}

func breaksHeader(r rune) bool {
	return strings.ContainsRune(`,=%+"`, r) || r < ' ' || r == 0x7f
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// checkSigning refuses keys with which the gateway cannot verify a batch.
func checkSigning(c *cert.Certificate) error {
	const hint = "ask the member state for an NBBS with an RSA key, or one on P-256, P-384 or P-521 named by its OID"
	k := c.PublicKey
	if k == nil {
		return unfit(hint, "it has no readable public key")
	}
	switch k.Algorithm {
	case "EC":
		if k.ExplicitCurve {
			return unfit(hint, "its EC key spells the curve out instead of naming it, which the gateway cannot read")
		}
		if k.Curve == nil {
			return unfit(hint, "its EC key is on an unknown curve (%s)", k.CurveOID)
		}
		if !namedByJava(k.Curve.Name) {
			return unfit(hint, "its EC key is on %s, which the gateway's Java does not have", k.Curve.Name)
		}
	case "RSASSA-PSS":
		return unfit(hint, "its key is marked for RSASSA-PSS only, with which the gateway cannot verify a batch")
	}
	return nil
}

// namedByJava reports the curves that Java 17 verifies with; it dropped all others.
func namedByJava(curve string) bool {
	return curve == "P-256" || curve == "P-384" || curve == "P-521"
}
