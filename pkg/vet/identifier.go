package vet

import "bytes"

const (
	oidSubjectKeyID   = "2.5.29.14"
	oidAuthorityKeyID = "2.5.29.35"
)

// identifierRules: what tells certificates and their keys apart.
func identifierRules() []Rule {
	return []Rule{{
		ID: "EFGS-507", Name: "issuer-serial-unique", Clause: "RFC 5280 4.1.2.2", Roles: all(), Path: pathSerial,
		Title: "no other certificate has the same issuer and serial number",
		Why:   "CMS signatures name their certificate by issuer and serial number",
		Fix:   "re-issue with another serial number; openssl x509 -req -set_serial 0x$(openssl rand -hex 16)",
		Good:  "a serial number for each", Bad: "two certificates numbered 1 under one issuer",
		check: issuerSerialUnique,
	}, {
		ID: "EFGS-604", Name: "ski-aki", Clause: "RFC 5280 4.2.1.1", Roles: all(), Path: "extensions.authorityKeyIdentifier",
		Title: "a self-issued certificate's authority key identifier is its own subject key identifier",
		Why:   "path building follows these identifiers to another key otherwise",
		Fix:   `openssl req -x509 … -addext "subjectKeyIdentifier=hash" -addext "authorityKeyIdentifier=keyid"`,
		Good:  "both the same", Bad: "identifiers of two keys",
		check: skiAKI,
	}, {
		ID: "EFGS-829", Name: "key-identifiers", Clause: "RFC 5280 4.2.1.1, 4.2.1.2", Roles: all(), Path: "extensions",
		Title: "the certificate has a subject key identifier, and one from a CA an authority key identifier",
		Why:   "they let software find the right certificate among several of one name",
		Fix:   `openssl … -addext "subjectKeyIdentifier=hash"; in an extension file also authorityKeyIdentifier=keyid`,
		Good:  "both", Bad: "neither",
		check: keyIdentifiers,
	}}
}

func issuerSerialUnique(x *exam) outcome {
	if x.Others == nil {
		return unknown("there is no other certificate to compare with (--with FILE)")
	}
	if x.c.Serial == nil || len(x.c.Issuer.Raw) == 0 {
		return unknown("issuer or serial number cannot be read")
	}
	var problems []problem
	for _, o := range x.Others.sameNumber(x.c) {
		if !o.is(x.c) {
			problems = append(problems, problem{msg: "issuer and serial number are also those of another certificate, " + o.label()})
		}
	}
	if len(problems) == 0 && x.Others.lacksOther(x.c) {
		return unknown("there is no other end entity's certificate to compare with (--with FILE)")
	}
	return passUnless(problems)
}

func skiAKI(x *exam) outcome {
	switch {
	case !x.c.SelfIssued() || len(x.c.SubjectKeyID) == 0 || len(x.c.AuthorityKeyID) == 0:
		return skip() // EFGS-829 says what is missing
	case !bytes.Equal(x.c.SubjectKeyID, x.c.AuthorityKeyID):
		return fail("subject and authority key identifier differ, though the certificate is self-issued")
	}
	return pass()
}

func keyIdentifiers(x *exam) outcome {
	var problems []problem
	if x.extension(oidSubjectKeyID) == nil {
		problems = append(problems, problem{msg: "there is no subject key identifier"})
	}
	switch {
	case x.c.SelfIssued(): // RFC 5280 4.2.1.1 lets it be left out there
	case x.extension(oidAuthorityKeyID) == nil:
		problems = append(problems, problem{msg: "there is no authority key identifier"})
	case len(x.c.AuthorityKeyID) == 0 && !x.faulty("authorityKeyIdentifier"):
		problems = append(problems, problem{msg: "the authority key identifier names no key (keyIdentifier)"})
	}
	return passUnless(problems)
}
