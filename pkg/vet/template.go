package vet

import (
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Subject of the trust anchor, Governance 4.5.
const (
	anchorCN = "EU Federation Gateway Service"
	anchorC  = "BE"

	rehearsalOU = "REHEARSAL"
)

const fixSubject = "openssl req … -subj '/C=DE/O=Provider/OU=Unit/CN=Common Name'"

// templateRules: what else the templates of Governance 4.3 to 4.5 want in a subject.
func templateRules() []Rule {
	return []Rule{{
		ID: "EFGS-306", Name: "subject-cn", Clause: "Governance 4.3-4.5", Roles: all(), Path: pathSubject,
		Title: "the subject has a common name (CN) that is not blank",
		Why:   "cn stands in every template; the successor's text has it bold",
		Fix:   fixSubject,
		Good:  "CN=efgs.example.de", Bad: "no CN, a CN of blanks or of characters that show nothing",
		Implies: []string{"EFGS-311"},
		check:   wants(cert.OIDCommonName, "common name (CN)"),
	}, {
		ID: "EFGS-307", Name: "subject-o", Clause: "Governance 4.3-4.5", Roles: all(), Path: pathSubject,
		Title: "the subject has an organization (O) that is not blank",
		Why:   "o stands in every template; the successor's text recommends it",
		Fix:   fixSubject,
		Good:  "O=Robert Koch-Institut", Bad: "no O",
		Implies: []string{"EFGS-311"},
		check:   wants(cert.OIDOrganization, "organization (O)"),
	}, {
		ID: "EFGS-308", Name: "subject-ou", Clause: "Governance 4.3, 4.4", Roles: []Role{NBTLS, NBBS}, Path: pathSubject,
		Title: "the subject has an organizational unit (OU)",
		Why:   "ou stands in the templates; public CAs may no longer put it in",
		Fix:   fixSubject,
		Good:  "OU=Health", Bad: "no OU",
		check: wants(cert.OIDOrganizationalUnit, "organizational unit (OU)"),
	}, {
		ID: "EFGS-309", Name: "subject-email", Clause: "Governance 4.3, 4.4", Roles: []Role{NBTLS, NBBS}, Path: pathSubject,
		Title: "the subject has a contact e-mail address",
		Why:   "e stands in the templates",
		Fix:   "openssl req … -subj '/C=DE/…/emailAddress=contact@example.de'",
		Good:  "emailAddress=pki@example.de", Bad: "no e-mail address, pki@",
		check: subjectEmail,
	}, {
		ID: "EFGS-310", Name: "subject-l", Clause: "Governance 4.4", Roles: []Role{NBBS}, Path: pathSubject,
		Title: "the subject has a locality (L)",
		Why:   "L stands in the template",
		Fix:   "openssl req … -subj '/C=DE/L=Berlin/…'",
		Good:  "L=Berlin", Bad: "no L",
		check: wants(cert.OIDLocality, "locality (L)"),
	}, {
		ID: "EFGS-311", Name: "ta-subject", Clause: "Governance 4.5", Roles: []Role{EFGSTA}, Path: pathSubject,
		Title: "the EFGSTA's subject is CN=EU Federation Gateway Service, O=<Provider>, C=BE",
		Why:   "the template is short, and all of it is required",
		Fix:   "efgsta anchor create --organization … writes it",
		Good:  "C=BE, O=European Commission, CN=EU Federation Gateway Service", Bad: "CN=efgs-ta",
		check: taSubject,
	}, {
		ID: "EFGS-313", Name: "anchor-environment", Clause: "Governance 4.5", Roles: []Role{EFGSTA}, Path: pathSubject,
		Title: "a rehearsal EFGSTA carries OU=REHEARSAL, and no other does",
		Why:   "keys keep the two worlds apart where a signature cannot",
		Fix:   "create an EFGSTA of its own for each environment",
		Good:  "rehearsal: OU=REHEARSAL; production: no such OU", Bad: "the other way round",
		check: anchorEnvironment,
	}, {
		ID: "EFGS-312", Name: "placeholder", Clause: "practice", Roles: all(), Path: pathSubject,
		Title: "no subject value is a placeholder, a default of a tool, or for testing",
		Why:   "such a value was forgotten, or the certificate is for another environment",
		Fix:   fixSubject,
		Good:  "O=Robert Koch-Institut", Bad: "O=<Provider>, O=Internet Widgits Pty Ltd, ST=Some-State, CN=Test",
		check: placeholders,
	}}
}

// placeholders looks at whole words: a host called test-efgs.example.de is somebody's choice.
func placeholders(x *exam) outcome {
	if len(x.c.Subject.Raw) == 0 {
		return unknown("the subject cannot be read")
	}
	var problems []problem
	for _, rdn := range x.c.Subject.RDNs {
		for _, a := range rdn {
			if isPlaceholder(a.Value) {
				problems = append(problems, problem{msg: "the subject's " + cert.AttributeName(a.OID) + " " + quote(a.Value) + " looks like a placeholder"})
			}
		}
	}
	return passUnless(problems)
}

func isPlaceholder(value string) bool {
	v := strings.ToLower(value)
	for _, part := range []string{"internet widgits", "some-state", "default company", "default city", "your organi"} {
		if strings.Contains(v, part) {
			return true
		}
	}
	if i := strings.IndexByte(v, '<'); i >= 0 && strings.IndexByte(v[i:], '>') > 0 {
		return true
	}
	for _, word := range strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune(" \t_/,;:()[]\"'", r) }) {
		switch word {
		case "test", "example", "dummy", "changeme", "placeholder", "todo", "tbd":
			return true
		}
		if _, host, ok := strings.Cut(word, "@"); ok {
			word = host
		}
		if strings.Contains(word, ".") && internalName(word) {
			return true
		}
	}
	return false
}

// wants is the check for one attribute that must be there and not blank.
func wants(oid, name string) func(*exam) outcome {
	return func(x *exam) outcome {
		as, o, ok := x.attributes(oid)
		if !ok {
			return o
		}
		for _, a := range as {
			if !cert.Blank(a.Value) {
				return pass()
			}
		}
		if len(as) > 0 {
			return fail("the subject's %s is blank", name)
		}
		return fail("the subject has no %s", name)
	}
}

func subjectEmail(x *exam) outcome {
	as, o, ok := x.attributes(cert.OIDEmail)
	if !ok {
		return o
	}
	if len(as) == 0 {
		return fail("the subject has no e-mail address")
	}
	for _, a := range as {
		if !addressLike(a.Value) {
			return fail("the subject's e-mail address %s is not one", quote(a.Value))
		}
	}
	return pass()
}

// addressLike is local@domain.tld in printable ASCII: enough to write to a contact.
func addressLike(s string) bool {
	local, domain, ok := strings.Cut(s, "@")
	if !ok || local == "" || len(local) > 64 {
		return false
	}
	for _, r := range local {
		if r <= ' ' || r > '~' || strings.ContainsRune(`"(),:;<>[\]`, r) {
			return false
		}
	}
	return hostProblem(domain) == ""
}

func taSubject(x *exam) outcome {
	cn, o, ok := x.attributes(cert.OIDCommonName)
	if !ok {
		return o
	}
	c, _, _ := x.attributes(cert.OIDCountry)
	org, _, _ := x.attributes(cert.OIDOrganization)
	var problems []problem
	if len(cn) != 1 || cn[0].Value != anchorCN {
		problems = append(problems, problem{msg: "the common name is " + quote(strings.Join(values(cn), "”, “")) + ", " + quote(anchorCN) + " required"})
	}
	if len(c) != 1 || c[0].Value != anchorC {
		problems = append(problems, problem{msg: "the country is " + quote(strings.Join(values(c), "”, “")) + ", BE required"})
	}
	if len(org) == 0 {
		problems = append(problems, problem{msg: "the organization (O) is missing"})
	}
	return passUnless(problems)
}

func anchorEnvironment(x *exam) outcome {
	if x.AnyEnvironment {
		return skip()
	}
	ous, o, ok := x.attributes(cert.OIDOrganizationalUnit)
	if !ok {
		return o
	}
	if x.Rehearsal {
		if len(ous) != 1 || ous[0].Value != rehearsalOU {
			return fail("a rehearsal needs an EFGSTA with exactly OU=%s, this one has %s", rehearsalOU, quote(strings.Join(values(ous), "”, “")))
		}
		return pass()
	}
	// In any attribute and any spelling: nothing that calls itself a rehearsal may sign for real.
	for _, rdn := range x.c.Subject.RDNs {
		for _, a := range rdn {
			if strings.Contains(strings.ToUpper(a.Value), rehearsalOU) {
				return fail("an EFGSTA of a rehearsal (%s) cannot be used outside of it", quote(a.Value))
			}
		}
	}
	return pass()
}
