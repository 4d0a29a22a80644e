package vet

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

const pathSAN = "extensions.subjectAltName"

// tlsRules: names and issuance of the TLS certificates, Governance 4.3 and 2.2.
func tlsRules() []Rule {
	tls := []Role{NBTLS, EFGSTLS}
	return []Rule{{
		ID: "EFGS-409", Name: "san-dns", Clause: "Governance 4.3", Roles: tls, Path: pathSAN,
		Title: "a TLS certificate has a DNS name in subjectAltName, and each is well formed",
		Why:   "4.3: SubjectAltName dnsName; milder where the certificate is not a server's",
		Fix:   `openssl req … -addext "subjectAltName=DNS:efgs.example.de"`,
		Good:  "DNS:efgs.example.de", Bad: "no subjectAltName, DNS:localhost, DNS:efgs.example.de.",
		Cases: []string{"no-server-auth"},
		check: sanDNS,
	}, {
		ID: "EFGS-410", Name: "cn-in-san", Clause: "CA/Browser Forum BR 7.1.4.3", Roles: tls, Path: pathSubject,
		Title: "the common name of a TLS certificate is one of its DNS names or IP addresses",
		Why:   "verifiers look at subjectAltName only",
		Fix:   "repeat the CN as a DNS name in subjectAltName",
		Good:  "CN=efgs.example.de, DNS:efgs.example.de", Bad: "CN=other.example.de, DNS:efgs.example.de",
		check: cnInSAN,
	}, {
		ID: "EFGS-412", Name: "tls-not-self-signed", Clause: "Governance 2.2, 4.3", Roles: tls, Path: "tbsCertificate.issuer",
		Title: "a TLS certificate is issued by a CA, not by itself",
		Why:   "2.2: issued by publicly trusted certificate authorities",
		Fix:   "have a publicly trusted CA issue it",
		Good:  "issued by a public CA", Bad: "issuer equal to subject",
		check: tlsNotSelfSigned,
	}, {
		ID: "EFGS-413", Name: "tls-cabf-oid", Clause: "Governance 2.2, CA/Browser Forum BR 7.1.2.7", Roles: tls, Path: "extensions.certificatePolicies",
		Title: "a TLS certificate has a policy of the CA/Browser Forum (2.23.140.1.…)",
		Why:   "publicly trusted CAs must write one; it is a sign of a public CA, not a proof",
		Fix:   "have a publicly trusted CA issue it",
		Good:  "2.23.140.1.2.2 (organization validated)", Bad: "no certificatePolicies",
		check: func(x *exam) outcome {
			switch {
			case x.faulty("certificatePolicies"):
				return unknown("the certificatePolicies cannot be read")
			case !issuedUnderBR(x.c):
				return fail("the certificatePolicies have none of the CA/Browser Forum's")
			}
			return pass()
		},
	}}
}

func (x *exam) san() (*cert.SAN, outcome, bool) {
	if x.faulty("subjectAltName") {
		return nil, unknown("the subjectAltName cannot be read"), false
	}
	if x.c.SAN == nil {
		return &cert.SAN{}, skip(), true
	}
	return x.c.SAN, skip(), true
}

func sanDNS(x *exam) outcome {
	san, o, ok := x.san()
	if !ok {
		return o
	}
	kase := "no-server-auth"
	if slices.Contains(x.c.ExtKeyUsage, cert.EKUServerAuth) {
		kase = ""
	}
	if len(san.DNS) == 0 {
		return failCase(kase, "there is no DNS name in subjectAltName")
	}
	var problems []problem
	for _, name := range san.DNS {
		// A wildcard is well formed; whether one is wise is another question.
		if msg := hostProblem(strings.TrimPrefix(name, "*.")); msg != "" {
			problems = append(problems, problem{msg: fmt.Sprintf("the DNS name %s %s", quote(name), msg), kase: kase})
		}
	}
	return passUnless(problems)
}

// hostProblem says what is wrong with a fully qualified host name, or "".
func hostProblem(name string) string {
	switch {
	case name == "":
		return "is empty"
	case len(name) > 253:
		return "is longer than 253 characters"
	case strings.HasSuffix(name, "."):
		return "ends in a dot"
	}
	labels := strings.Split(name, ".")
	if len(labels) < 2 {
		return "is not fully qualified"
	}
	for _, l := range labels {
		if l == "" || len(l) > 63 {
			return "has a label that is empty or longer than 63 characters"
		}
		if l[0] == '-' || l[len(l)-1] == '-' {
			return "has a label that begins or ends with a hyphen"
		}
		for _, c := range []byte(l) {
			if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
				return "has characters other than letters, digits and hyphens"
			}
		}
	}
	return ""
}

func cnInSAN(x *exam) outcome {
	san, o, ok := x.san()
	switch {
	case !ok:
		return o
	case len(san.DNS) == 0 && len(san.IP) == 0:
		return skip() // EFGS-409 has it: one cause, one finding
	}
	cns, o, ok := x.attributes(cert.OIDCommonName)
	if !ok || len(cns) == 0 {
		return o // without a CN it is EFGS-306's
	}
	for _, cn := range cns {
		if !slices.ContainsFunc(san.DNS, func(n string) bool { return strings.EqualFold(n, cn.Value) }) && !isOneOf(cn.Value, san.IP) {
			return fail("the common name %s is not among the subjectAltName entries", quote(cn.Value))
		}
	}
	return pass()
}

func isOneOf(text string, ips [][]byte) bool {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(ips, func(ip []byte) bool {
		a, ok := netip.AddrFromSlice(ip)
		return ok && a == addr
	})
}

func tlsNotSelfSigned(x *exam) outcome {
	if len(x.c.Subject.Raw) == 0 || len(x.c.Issuer.Raw) == 0 {
		return unknown("subject or issuer cannot be read")
	}
	if x.c.SelfIssued() {
		return fail("the certificate is self-issued, a publicly trusted CA is required")
	}
	err := x.c.CheckSelfSignature()
	switch {
	case err == nil:
		return fail("the certificate is signed with its own key under another issuer's name")
	case errors.Is(err, sigalg.ErrUnsupported) && x.sameKind():
		return unknown("the signature algorithm cannot be checked here, so neither can self-signing be ruled out")
	}
	return pass()
}

// sameKind reports whether the certificate's own key could have made a signature of its algorithm.
func (x *exam) sameKind() bool {
	k := x.c.PublicKey
	if k == nil {
		return false
	}
	switch x.c.Algorithm.Scheme {
	case sigalg.RSAPKCS1v15, sigalg.RSAPSS:
		return k.OID == oidRSA || k.OID == oidRSAPSS
	case sigalg.ECDSA:
		return k.OID == oidEC
	case sigalg.DSA:
		return k.OID == oidDSA
	}
	return true
}
