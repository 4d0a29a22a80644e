package vet

import (
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
)

// typed writes a subject of C=DE and one attribute of any string type.
func typed(oid string, tag byte, value string) func(*spec) {
	return func(s *spec) {
		s.subject = seq(tlv(0x31, attr("C=DE")), tlv(0x31, seq(oidDER(oid), tlv(tag, []byte(value)))))
		s.issuer = s.subject
	}
}

// generalNames is a subjectAltName of these, by tag.
func generalNames(critical bool, names ...[]byte) func(*spec) {
	return with(oidSAN, extension(oidSAN, critical, seq(names...)))
}

func nameVectors() map[string]vectors {
	dns := func(name string) []byte { return tlv(0x82, []byte(name)) }
	email := func(name string) []byte { return tlv(0x81, []byte(name)) }
	uri := func(name string) []byte { return tlv(0x86, []byte(name)) }
	ip := func(octets ...byte) []byte { return tlv(0x87, octets) }
	other := tlv(0xa0, oidDER("1.2.3.4"), tlv(0xa0, tlv(12, []byte("x"))))
	broken := func(s *spec) { s.subject = tlv(5) }
	empty := func(s *spec) { s.subject = seq() }
	cn := func(value string) func(*spec) { return subject("C=DE", "CN="+value) }
	unreadableSAN := with(oidSAN, extension(oidSAN, false, tlv(5)))
	return map[string]vectors{
		"EFGS-305": {
			good:    []vector{{what: "DE"}, {what: "GR", edit: subject("C=GR")}, {what: "not a country at all is another rule's", edit: subject("C=XX")}},
			bad:     []vector{{what: "US", edit: subject("C=US"), says: "US"}, {what: "GB", edit: subject("C=GB")}, {what: "NO", edit: subject("C=NO"), severity: SeverityNotice}, {what: "CH", role: NBTLS, edit: subject("C=CH"), severity: SeverityNotice, says: "associated"}},
			skipped: []vector{{what: "none", edit: subject("O=x")}},
		},
		"EFGS-312": {
			good: []vector{{what: "real values"}, {what: "a host that is called so", edit: cn("test-efgs.example.de")}, {what: "part of a word", edit: subject("O=Testbiotech", "CN=Attestation")}},
			bad: []vector{{what: "angle brackets", edit: subject("O=<Provider>"), says: "<Provider>"}, {what: "OpenSSL's O", edit: subject("O=Internet Widgits Pty Ltd")}, {what: "OpenSSL's ST", edit: cn("Some-State")},
				{what: "test", edit: cn("Test Signer"), says: "CN"}, {what: "test in brackets", edit: cn("EFGS (test)")}, {what: "example", edit: subject("OU=example")}, {what: "reserved domain", edit: cn("efgs.example.com")}, {what: "reserved domain of an address", edit: subject("E=a@example.org")}},
			open: []vector{{what: "unreadable", edit: broken}},
		},
		"EFGS-411": {
			good: []vector{{what: "a public host", role: NBTLS}, {what: "no names", role: NBTLS, edit: without(oidSAN)}},
			bad: []vector{{what: "an address for a DNS name", role: NBTLS, edit: with(oidSAN, san("efgs.example.de", "192.0.2.1")), says: "IP address for a DNS name"}, {what: "an onion", role: NBTLS, edit: with(oidSAN, san("efgs.example.de", "a.onion")), says: "internal or reserved"}, {what: "wildcard", role: NBTLS, edit: generalNames(false, dns("*.example.de")), says: "wildcard"}, {what: "address", role: NBTLS, edit: generalNames(false, ip(192, 0, 2, 1)), says: "192.0.2.1"}, {what: "address that is none", role: NBTLS, edit: generalNames(false, ip(1, 2, 3)), says: "010203"},
				{what: "e-mail", role: EFGSTLS, edit: generalNames(false, email("a@b.de"))}, {what: "URI", role: NBTLS, edit: generalNames(false, uri("https://b.de"))}, {what: "internal", role: NBTLS, edit: generalNames(false, dns("efgs.LOCAL")), says: "internal"},
				{what: "reserved", role: NBTLS, edit: generalNames(false, dns("example.com"))}, {what: "otherName", role: NBTLS, edit: generalNames(false, other), says: "1 name of another kind"}},
			open: []vector{{what: "unreadable", role: NBTLS, edit: unreadableSAN}},
		},
		"EFGS-413": {
			good: []vector{{what: "organization validated", role: NBTLS}, {what: "beside another", role: NBTLS, edit: with(oidPolicies, policies("1.2.3.4", "2.23.140.1.2.1"))}},
			bad:  []vector{{what: "no policies", role: NBTLS, edit: without(oidPolicies)}, {what: "another policy", role: EFGSTLS, edit: with(oidPolicies, policies("1.2.3.4"))}, {what: "one below", role: NBTLS, edit: with(oidPolicies, policies("2.23.140.1.2.2.1"))}},
			open: []vector{{what: "unreadable", role: NBTLS, edit: with(oidPolicies, extension(oidPolicies, false, tlv(5)))}},
		},
		"EFGS-705": {
			good:    []vector{{what: "first"}},
			bad:     []vector{{what: "last", edit: subject("CN=x", "O=y", "C=DE")}},
			open:    []vector{{what: "unreadable", edit: broken}},
			skipped: []vector{{what: "none", edit: subject("O=x")}, {what: "empty", edit: empty}},
		},
		"EFGS-823": {
			good: []vector{{what: "UTF8String"}, {what: "IA5String of a domain component", edit: typed("0.9.2342.19200300.100.1.25", 22, "de")}},
			bad: []vector{{what: "T61String", edit: typed(cert.OIDOrganization, 20, "x"), says: "T61String"}, {what: "BMPString", edit: typed(cert.OIDOrganization, 30, "\x00x")}, {what: "UniversalString", edit: typed(cert.OIDOrganization, 28, "\x00\x00\x00x")}, {what: "IA5String", edit: typed(cert.OIDCommonName, 22, "x")},
				{what: "not UTF-8", edit: typed(cert.OIDOrganization, 12, "\xff"), severity: SeverityError, says: "UTF-8"}, {what: "@ in a PrintableString", edit: typed(cert.OIDOrganization, 19, "a@b"), severity: SeverityError, says: "40"}, {what: "no string", edit: typed(cert.OIDOrganization, 2, "\x01"), severity: SeverityError, says: "INTEGER"},
				{what: "issuer", edit: func(s *spec) {
					s.issuer = seq(tlv(0x31, seq(oidDER(cert.OIDOrganization), tlv(20, []byte("x")))))
				}},
				{what: "issuer, beside an unreadable subject", severity: SeverityError, edit: func(s *spec) {
					s.issuer = seq(tlv(0x31, seq(oidDER(cert.OIDOrganization), tlv(12, []byte("\xff")))))
					s.subject = tlv(5)
				}}},
			open: []vector{{what: "unreadable", edit: broken}},
		},
		"EFGS-824": {
			good: []vector{{what: "short"}, {what: "64 characters, more octets", edit: cn(strings.Repeat("é", 64))}, {what: "no bound", edit: typed("2.5.4.13", 12, strings.Repeat("x", 2000))}},
			bad: []vector{{what: "CN of 65", edit: cn(strings.Repeat("x", 65)), says: "65"}, {what: "L of 129", edit: subject("L=" + strings.Repeat("x", 129))}, {what: "e-mail of 256", edit: subject("E=" + strings.Repeat("x", 256))},
				{what: "issuer", edit: func(s *spec) { s.issuer = name("O=" + strings.Repeat("x", 65)) }}},
			open: []vector{{what: "unreadable", edit: broken}},
		},
		"EFGS-825": {
			good: []vector{{what: "IA5String"}, {what: "none", edit: cn("x")}},
			bad:  []vector{{what: "UTF8String", edit: typed(cert.OIDEmail, der.TagUTF8String, "a@b.de"), says: "UTF8String"}},
		},
		"EFGS-826": {
			good: []vector{{what: "plain"}, {what: "accents", edit: subject("O=Ministère de la Santé", "CN=Łódź")}, {what: "Greek", edit: subject("O=Υπουργείο Υγείας ABC")}, {what: "Cyrillic", edit: subject("O=Министерство")}, {what: "a degree sign and a quotation", edit: subject("O=«N° 1»", "CN=Ã")}, {what: "empty", edit: cn("")}},
			bad: []vector{{what: "mojibake", edit: subject("O=MinistÃ¨re"), says: "character set"}, {what: "mojibake of three", edit: subject("O=Xâ\u0082¬"), says: "character set"}, {what: "C1 control character", edit: cn("x\u0082y"), says: "U+0082"}, {what: "trailing blank", edit: cn("x "), says: "blank"}, {what: "NUL", edit: cn("x\x00y"), says: "U+0000"}, {what: "newline", edit: cn("x\ny")},
				{what: "right to left", edit: cn("x\u202ey"), says: "U+202E"}, {what: "zero width", edit: cn("x\u200by")}, {what: "a filler of Hangul", edit: cn("x\u3164y"), says: "U+3164"}, {what: "a variation selector", edit: cn("x\ufe0fy"), says: "U+FE0F"}, {what: "a Cyrillic a", edit: cn("B\u0430nk"), says: "alphabet"}},
			open: []vector{{what: "unreadable", edit: broken}},
		},
		"EFGS-827": {
			good: []vector{{what: "a DNS name", role: NBTLS}, {what: "all kinds", edit: generalNames(false, dns("a.de"), email("a@b.de"), uri("https://b.de/x"), uri("urn:x"), uri("az:x"), ip(1, 2, 3, 4), ip(make([]byte, 16)...), other)}},
			bad: []vector{{what: "5 octets", edit: generalNames(false, ip(1, 2, 3, 4, 5)), says: "5 octets"}, {what: "NUL", edit: generalNames(false, dns("a.de\x00.evil.com")), says: "control"}, {what: "empty DNS name", edit: generalNames(false, dns(""))}, {what: "blank", edit: generalNames(false, dns(" "))},
				{what: "e-mail without @", edit: generalNames(false, email("x"))}, {what: "relative URI", edit: generalNames(false, uri("b.de")), says: "absolute"}, {what: "no scheme", edit: generalNames(false, uri("1x:y"))}, {what: "nothing behind the scheme", edit: generalNames(false, uri("https://"))}},
			open:    []vector{{what: "unreadable", edit: unreadableSAN}},
			skipped: []vector{{what: "no subjectAltName"}},
		},
		"EFGS-828": {
			good: []vector{{what: "a subject"}, {what: "empty, with a critical subjectAltName", edit: both(empty, generalNames(true, dns("a.de")))}},
			bad:  []vector{{what: "empty, without", edit: empty, says: "no subjectAltName"}, {what: "empty, not critical", edit: both(empty, generalNames(false, dns("a.de"))), says: "not critical"}},
			open: []vector{{what: "unreadable", edit: broken}},
		},
	}
}
