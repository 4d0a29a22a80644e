package vet

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// sanRules: the names of subjectAltName beside what 4.3 asks for.
func sanRules() []Rule {
	return []Rule{{
		ID: "EFGS-411", Name: "san-kinds", Clause: "practice", Roles: []Role{NBTLS, EFGSTLS}, Path: pathSAN,
		Title: "a TLS certificate names public hosts only: no wildcards, addresses, e-mail, URIs or internal names",
		Why:   "4.3 wants a dnsName; a wildcard shares the key's door with other hosts, an internal name is nobody's",
		Fix:   `openssl req … -addext "subjectAltName=DNS:efgs.example.de"`,
		Good:  "DNS:efgs.example.de", Bad: "DNS:*.example.de, IP:192.0.2.1, DNS:192.0.2.1, DNS:efgs.local",
		check: sanKinds,
	}, {
		ID: "EFGS-827", Name: "san-syntax", Clause: "RFC 5280 4.2.1.6", Roles: all(), Path: pathSAN,
		Title: "every name of subjectAltName has the form of its kind",
		Why:   "readers that stop at a NUL, or take five octets for an address, see another name",
		Fix:   `openssl req … -addext "subjectAltName=DNS:efgs.example.de"`,
		Good:  "IP of 4 or 16 octets, URI:https://example.de", Bad: "IP of 5 octets, a NUL in a DNS name, URI:example.de",
		check: sanSyntax,
	}, {
		ID: "EFGS-828", Name: "empty-subject-san-critical", Clause: "RFC 5280 4.1.2.6", Roles: all(), Path: pathSAN,
		Title: "if the subject is empty, subjectAltName is there and critical",
		Why:   "otherwise the certificate names nobody",
		Fix:   fixSubject,
		Good:  "a subject", Bad: "an empty subject and no subjectAltName",
		Implies: []string{"EFGS-301", "EFGS-302", "EFGS-306", "EFGS-307", "EFGS-308", "EFGS-309", "EFGS-310", "EFGS-808"},
		check:   emptySubjectSAN,
	}}
}

func sanKinds(x *exam) outcome {
	san, o, ok := x.san()
	if !ok {
		return o
	}
	var problems []problem
	add := func(kind, name string) {
		problems = append(problems, problem{msg: fmt.Sprintf("subjectAltName has %s, %s", kind, quote(name))})
	}
	for _, n := range san.DNS {
		switch {
		case strings.Contains(n, "*"):
			add("a wildcard", n)
		case isAddress(n):
			add("an IP address for a DNS name", n)
		case internalName(n), hiddenService(n):
			add("an internal or reserved name", n)
		}
	}
	for _, ip := range san.IP {
		text := fmt.Sprintf("%x", ip)
		if a, ok := netip.AddrFromSlice(ip); ok {
			text = a.String()
		}
		add("an IP address", text)
	}
	for _, n := range san.Email {
		add("an e-mail address", n)
	}
	for _, n := range san.URI {
		add("a URI", n)
	}
	if san.Other > 0 {
		problems = append(problems, problem{msg: "subjectAltName has " + count(san.Other, "name") + " of another kind"})
	}
	return passUnless(problems)
}

// isAddress reports whether a DNS name is an IP address, which readers take for one or for the other.
func isAddress(name string) bool {
	_, err := netip.ParseAddr(strings.TrimSuffix(name, "."))
	return err == nil
}

// hiddenService reports whether a DNS name is one of RFC 7686, which is in no DNS.
func hiddenService(name string) bool {
	n := strings.ToLower(strings.TrimSuffix(name, "."))
	return n == "onion" || strings.HasSuffix(n, ".onion")
}

// internalName reports whether a DNS name is under a domain that RFC 2606, RFC 6761,
// RFC 6762 or common use keep out of the public tree.
func internalName(name string) bool {
	n := strings.ToLower(strings.TrimSuffix(name, "."))
	for _, top := range []string{"local", "localhost", "localdomain", "internal", "intranet", "lan", "corp", "home", "test", "example", "invalid", "example.com", "example.net", "example.org"} {
		if rest, ok := strings.CutSuffix(n, top); ok && (rest == "" || rest[len(rest)-1] == '.') {
			return true
		}
	}
	return false
}

func sanSyntax(x *exam) outcome {
	san, o, ok := x.san()
	if !ok || x.c.SAN == nil {
		return o
	}
	var problems []problem
	add := func(kind, name, what string) {
		problems = append(problems, problem{msg: fmt.Sprintf("the %s %s %s", kind, quote(name), what)})
	}
	for _, n := range san.DNS {
		if hasBlanks(n) {
			add("DNS name", n, "has control characters or blanks, or is empty")
		}
	}
	for _, n := range san.Email {
		if local, domain, ok := strings.Cut(n, "@"); hasBlanks(n) || !ok || local == "" || domain == "" {
			add("e-mail address", n, "is not one")
		}
	}
	for _, n := range san.URI {
		if hasBlanks(n) || !absoluteURI(n) {
			add("URI", n, "is not absolute")
		}
	}
	for _, ip := range san.IP {
		if len(ip) != 4 && len(ip) != 16 {
			problems = append(problems, problem{msg: fmt.Sprintf("an IP address has %s, 4 or 16 required", count(len(ip), "octet"))})
		}
	}
	return passUnless(problems)
}

func hasBlanks(s string) bool {
	return s == "" || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// absoluteURI: a scheme, a colon, and something behind it (RFC 3986 4.3).
func absoluteURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || scheme == "" || rest == "" || rest == "//" {
		return false
	}
	for i, r := range strings.ToLower(scheme) {
		if (r < 'a' || r > 'z') && (i == 0 || !strings.ContainsRune("0123456789+-.", r)) {
			return false
		}
	}
	return true
}

func emptySubjectSAN(x *exam) outcome {
	if len(x.c.Subject.Raw) == 0 {
		return unknown("the subject cannot be read")
	}
	if len(x.c.Subject.RDNs) > 0 {
		return pass()
	}
	e := x.extension(oidSubjectAltName)
	switch {
	case e == nil:
		return fail("the subject is empty, and there is no subjectAltName")
	case !e.Critical:
		return fail("the subject is empty, but the subjectAltName is not critical")
	}
	return pass()
}

const oidSubjectAltName = "2.5.29.17"

// issuedUnderBR reports whether the certificate says that it follows the Baseline Requirements
// of the CA/Browser Forum. Anyone can write that; it proves nothing.
func issuedUnderBR(c *cert.Certificate) bool {
	for _, oid := range c.PolicyOIDs {
		switch oid {
		case "2.23.140.1.1", "2.23.140.1.2.1", "2.23.140.1.2.2", "2.23.140.1.2.3":
			return true
		}
	}
	return false
}
