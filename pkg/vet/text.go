package vet

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
)

const fixText = "re-issue: openssl req -utf8 -subj '…' with each value as it should be read"

// textRules: how the text of subject and issuer is written, RFC 5280 4.1.2.4 and appendix A.
func textRules() []Rule {
	return []Rule{{
		ID: "EFGS-823", Name: "string-type", Clause: "RFC 5280 4.1.2.4", Roles: all(), Path: pathSubject,
		Title: "text in a name is a PrintableString or UTF8String, and what it holds is allowed in it",
		Why:   "readers turn other types into different text, or refuse them; so names stop being equal",
		Fix:   fixText,
		Good:  "UTF8String", Bad: "T61String, BMPString; a UTF8String that is not UTF-8",
		Cases: []string{"invalid"},
		check: stringType,
	}, {
		ID: "EFGS-824", Name: "string-limits", Clause: "RFC 5280 A.1", Roles: all(), Path: pathSubject,
		Title: "text in a name keeps to its upper bound: CN, O and OU 64, L and ST 128, e-mail address 255 characters",
		Why:   "stores and readers cut longer text, or refuse it",
		Fix:   "shorten the value",
		Good:  "O=Robert Koch-Institut", Bad: "an O of 65 characters",
		check: onNames(func(a cert.Attribute) string {
			if most, n := upperBound(a.OID), utf8.RuneCountInString(a.Value); most > 0 && n > most {
				return fmt.Sprintf("%s has %d characters, at most %d allowed", cert.AttributeName(a.OID), n, most)
			}
			return ""
		}),
	}, {
		ID: "EFGS-825", Name: "email-ia5", Clause: "RFC 5280 4.1.2.6", Roles: all(), Path: pathSubject,
		Title: "an e-mail address in a name is an IA5String",
		Why:   "it is the only type that PKCS #9 gives it",
		Fix:   "openssl writes the right type by itself; do not set string_mask for it",
		Good:  "IA5String pki@example.de", Bad: "UTF8String pki@example.de",
		check: onNames(func(a cert.Attribute) string {
			if a.OID == cert.OIDEmail && a.Tag != der.TagIA5String {
				return "the e-mail address is a " + der.TagName(a.Tag) + ", IA5String required"
			}
			return ""
		}),
	}, {
		ID: "EFGS-826", Name: "text-hygiene", Clause: "practice", Roles: all(), Path: pathSubject,
		Title: "text in a name has no control or invisible characters, no stray blanks, no broken accents, no mixed alphabets",
		Why:   "what people read must be what is there: two names that look alike must be alike",
		Fix:   fixText,
		Good:  "O=Ministère de la Santé", Bad: "O=MinistÃ¨re de la SantÃ©; CN with a trailing blank",
		check: onNames(func(a cert.Attribute) string {
			if what := untidy(a.Value); what != "" {
				return cert.AttributeName(a.OID) + " " + quote(a.Value) + " has " + what
			}
			return ""
		}),
	}}
}

const pathIssuer = "tbsCertificate.issuer"

// eachAttribute visits the subject, and the issuer where it is another name.
func (x *exam) eachAttribute(visit func(path string, a cert.Attribute)) {
	names := []struct {
		path string
		name cert.Name
	}{{pathSubject, x.c.Subject}, {pathIssuer, x.c.Issuer}}
	if bytes.Equal(x.c.Subject.Raw, x.c.Issuer.Raw) {
		names = names[:1]
	}
	for _, n := range names {
		for _, rdn := range n.name.RDNs {
			for _, a := range rdn {
				visit(n.path, a)
			}
		}
	}
}

// onNames runs check on every attribute of the names; check says what is wrong, or "".
func onNames(check func(cert.Attribute) string) func(*exam) outcome {
	return func(x *exam) outcome {
		if len(x.c.Subject.Raw) == 0 {
			return unknown("the subject cannot be read")
		}
		var problems []problem
		x.eachAttribute(func(path string, a cert.Attribute) {
			if msg := check(a); msg != "" {
				problems = append(problems, problem{msg: msg, path: path})
			}
		})
		return passUnless(problems)
	}
}

func stringType(x *exam) outcome {
	var problems []problem
	for _, f := range x.c.Faults {
		if isTextFault(f) {
			problems = append(problems, problem{msg: fmt.Sprintf("%s (byte %d)", f.Msg, f.Offset), path: f.Path, kase: "invalid"})
		}
	}
	x.eachAttribute(func(path string, a cert.Attribute) {
		switch a.Tag {
		case der.TagPrintableString, der.TagUTF8String:
			return
		case der.TagT61String, der.TagBMPString, der.TagUniversalString:
		case der.TagIA5String, der.TagVisibleString, der.TagNumericString:
			if !strings.HasPrefix(a.OID, "2.5.4.") {
				return // as in an e-mail address or a domain component
			}
		default:
			return // not text: one of the faults above
		}
		problems = append(problems, problem{path: path, msg: fmt.Sprintf("%s is a %s, PrintableString or UTF8String required", cert.AttributeName(a.OID), der.TagName(a.Tag))})
	})
	if len(x.c.Subject.Raw) == 0 && len(problems) == 0 {
		return unknown("the subject cannot be read")
	}
	return passUnless(problems)
}

// isTextFault reports whether a fault is about the characters of a name's text.
func isTextFault(f cert.Fault) bool {
	inName := strings.HasPrefix(f.Path, pathSubject+" ") || strings.HasPrefix(f.Path, pathIssuer+" ")
	return inName && (strings.Contains(f.Msg, "String ") || strings.HasSuffix(f.Msg, "is not a string type"))
}

// upperBound is the most characters that an attribute may have, 0 if there is no bound.
func upperBound(oid string) int {
	switch oid {
	case cert.OIDCommonName, cert.OIDOrganization, cert.OIDOrganizationalUnit, "2.5.4.5", "2.5.4.12":
		return 64
	case cert.OIDLocality, cert.OIDState:
		return 128
	case cert.OIDEmail:
		return 255
	}
	return 0
}

// untidy says what is wrong with a text that people are to read, or "".
func untidy(s string) string {
	if plain(s) {
		return ""
	}
	switch {
	case mojibake(s): // first: its control characters are not anybody's intention
		return "accented letters that went through the wrong character set"
	case strings.TrimSpace(s) != s:
		return "a blank at its beginning or end"
	case mixedAlphabets(s):
		return "a word of Latin letters mixed with look-alikes of another alphabet"
	}
	for _, r := range s {
		switch {
		case unicode.IsControl(r):
			return fmt.Sprintf("the control character U+%04X", r)
		case unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r):
			return fmt.Sprintf("the invisible character U+%04X", r)
		}
	}
	if r, found := cert.Unseen(s); found {
		return fmt.Sprintf("the invisible character U+%04X", r)
	}
	return ""
}

// plain is the usual case: printable ASCII without blanks at its ends.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s == "" || s[0] != ' ' && s[len(s)-1] != ' '
}

// mojibake finds UTF-8 that was read as ISO 8859-1 and written as UTF-8 again.
func mojibake(s string) bool {
	runes := []rune(s)
	for i, r := range runes {
		length := 0
		switch {
		case r >= 0xc3 && r <= 0xdf: // not C2: "Â" before a sign may be meant
			length = 2
		case r >= 0xe0 && r <= 0xef:
			length = 3
		}
		if length == 0 || i+length > len(runes) {
			continue
		}
		octets := []byte{byte(r)}
		for _, next := range runes[i+1 : i+length] {
			if next < 0x80 || next > 0xbf {
				break
			}
			octets = append(octets, byte(next))
		}
		if len(octets) == length && utf8.Valid(octets) {
			return true
		}
	}
	return false
}

// mixedAlphabets finds a word with Latin and also Greek or Cyrillic letters.
func mixedAlphabets(s string) bool {
	latin, other := false, false
	for _, r := range s {
		switch {
		case !unicode.IsLetter(r):
			latin, other = false, false
		case unicode.Is(unicode.Latin, r):
			latin = true
		case unicode.In(r, unicode.Greek, unicode.Cyrillic):
			other = true
		}
		if latin && other {
			return true
		}
	}
	return false
}
