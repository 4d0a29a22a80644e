package vet

import (
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

func validityVectors() map[string]vectors {
	life := func(from, to time.Time) func(*spec) {
		return func(s *spec) { s.from, s.to = from, to }
	}
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	const day, second = 24 * time.Hour, time.Second
	leap := date(2020, 2, 29)
	broken := func(s *spec) { s.validity = tlv(5) }
	end := t0.AddDate(0, 0, 400)
	return map[string]vectors{
		"EFGS-201": {
			good: []vector{{what: "400 days"}, {what: "365 days, last second included", edit: life(t0, t0.Add(365*day-second))}, {what: "365 days", edit: life(t0, t0.Add(365*day))},
				{what: "29 to 28 February", edit: life(leap, date(2021, 2, 28).Add(-second))}},
			bad: []vector{{what: "a second short", edit: life(t0, t0.Add(365*day-2*second)), says: "364 days and 23h59m59s"}, {what: "364 days", edit: life(t0, t0.Add(364*day-second)), says: "for 364 days,"},
				{what: "backwards", edit: life(t0, t0.Add(-day)), says: "no time at all"}},
			open: []vector{{what: "unreadable", edit: broken}},
		},
		"EFGS-202": {
			good: []vector{{what: "400 days"}, {what: "two calendar years to the second", edit: life(t0, date(2022, 9, 1))}, {what: "29 February to 1 March", edit: life(leap, date(2022, 3, 1))}},
			bad: []vector{{what: "a second more", edit: life(t0, date(2022, 9, 1).Add(second)), says: "730 days and 2s"}, {what: "29 February and a second", edit: life(leap, date(2022, 3, 1).Add(second))},
				{what: "for ever", edit: life(t0, date(2120, 1, 1))}, {what: "to the year 9999", edit: life(t0, date(9999, 12, 31))}},
		},
		"EFGS-203": {
			good: []vector{{what: "400 days"}, {what: "a calendar year", edit: life(t0, date(2021, 9, 1).Add(-second))}, {what: "two years less the second", edit: life(t0, date(2022, 9, 1).Add(-second))}, {what: "too long anyway", edit: life(t0, date(2023, 9, 1))}},
			bad: []vector{{what: "365 days across 29 February", edit: life(date(2019, 9, 1), date(2019, 9, 1).Add(365*day-second)), says: "365 days"},
				{what: "two years to the second", edit: life(t0, date(2022, 9, 1)), says: "last second"}},
		},
		"EFGS-204": {
			good: []vector{{what: "in its life"}, {what: "at its last second", ask: at(end)}},
			bad:  []vector{{what: "a second later", ask: at(end.Add(second)), says: "2021-10-06"}},
			open: []vector{{what: "no time given", ask: at(time.Time{})}},
		},
		"EFGS-205": {
			good: []vector{{what: "in its life"}, {what: "at its first second", ask: at(t0)}},
			bad:  []vector{{what: "a second earlier", ask: at(t0.Add(-second)), says: "2020-09-01"}},
		},
		"EFGS-206": {
			good: []vector{{what: "in its life"}, {what: "a month before", ask: at(date(2021, 9, 6))},
				{what: "clamped to the end of February", edit: life(date(2020, 3, 1), date(2021, 3, 31)), ask: at(date(2021, 2, 28))}},
			bad: []vector{{what: "less than a month before", ask: at(date(2021, 9, 6).Add(second)), says: "29 days left"}, {what: "the last second", ask: at(end)},
				{what: "a second after the end of February", edit: life(date(2020, 3, 1), date(2021, 3, 31)), ask: at(date(2021, 2, 28).Add(second))}},
			skipped: []vector{{what: "expired", ask: at(end.Add(second))}},
		},
	}
}

func subjectVectors() map[string]vectors {
	country := func(c string) func(*spec) { return subject("C="+c, "O=x", "CN=x") }
	utf8Country := func(s *spec) {
		s.subject = seq(tlv(0x31, seq(oidDER(cert.OIDCountry), tlv(12, []byte("DE")))))
	}
	broken := func(s *spec) { s.subject = tlv(5) }
	none := func(r *Request) { r.Country = "" }
	return map[string]vectors{
		"EFGS-301": {
			good: []vector{{what: "one"}},
			bad:  []vector{{what: "none", edit: subject("O=x"), says: "no country"}, {what: "two", edit: subject("C=DE", "C=FR"), says: "2 countries"}, {what: "two in one RDN", edit: subject("C=DE+C=FR"), says: "2 countries"}, {what: "EFGSTA", role: EFGSTA, edit: amended(EFGSTA, "C")}},
			open: []vector{{what: "unreadable subject", edit: broken}},
		},
		"EFGS-302": {
			good: []vector{{what: "DE by DE"}},
			bad:  []vector{{what: "FR by DE", edit: country("FR"), says: "FR"}, {what: "letter case counts", edit: country("de")}, {what: "none", edit: subject("O=x")}, {what: "the second one", edit: subject("C=DE", "C=FR")}},
			open: []vector{{what: "member state not given", ask: none, says: "--country"}},
		},
		"EFGS-303": {
			good:    []vector{{what: "DE"}},
			bad:     []vector{{what: "lower case", edit: country("de")}, {what: "three letters", edit: country("DEU")}, {what: "blank", edit: country("D ")}, {what: "UTF8String", edit: utf8Country, says: "PrintableString"}, {what: "empty", edit: country("")}},
			skipped: []vector{{what: "none", edit: subject("O=x")}},
		},
		"EFGS-304": {
			good: []vector{{what: "DE"}, {what: "GR", edit: country("GR")}, {what: "case is another rule's", edit: country("de")}},
			bad: []vector{{what: "EL", edit: country("EL"), says: "GR"}, {what: "UK", edit: country("UK"), says: "GB"}, {what: "EU", edit: country("EU"), says: "member state"},
				{what: "XX", edit: country("XX"), says: "XX"}, {what: "AN", edit: country("AN")}, {what: "YU", edit: country("YU")}, {what: "three letters", edit: country("DEU")}, {what: "empty", edit: country("")}, {what: "two codes", edit: country("DE FR")}},
		},
	}
}

func templateVectors() map[string]vectors {
	const unit = "a subject without it"
	rehearsal := func(r *Request) { r.Rehearsal = true }
	ta := func(rdns ...string) func(*spec) {
		return subject(append([]string{"C=BE", "O=European Commission", "CN=" + anchorCN}, rdns...)...)
	}
	return map[string]vectors{
		"EFGS-306": {good: []vector{{what: "CN"}}, bad: []vector{{what: unit, edit: subject("C=DE", "O=x"), says: "no common name"}, {what: "blank", edit: subject("C=DE", "CN=  "), says: "blank"}, {what: "a filler of Hangul", edit: amended(NBBS, "CN=\u3164"), says: "blank"}, {what: "a pattern of Braille without dots", edit: amended(NBBS, "CN=\u2800"), says: "blank"}, {what: "zero width", edit: amended(NBBS, "CN=\u200b\ufe0f"), says: "blank"}, {what: "EFGSTA", role: EFGSTA, edit: amended(EFGSTA, "CN")}}},
		"EFGS-307": {good: []vector{{what: "O"}}, bad: []vector{{what: unit, edit: subject("C=DE")}, {what: "EFGSTA", role: EFGSTA, edit: subject("C=BE"), severity: SeverityError}, {what: "blank", edit: subject("C=DE", "O=\t")}},
			open: []vector{{what: "unreadable subject", edit: func(s *spec) { s.subject = tlv(5) }}}},
		"EFGS-308": {good: []vector{{what: "OU"}}, bad: []vector{{what: unit, edit: subject("C=DE", "O=x")}}},
		"EFGS-309": {good: []vector{{what: "e-mail"}}, bad: []vector{{what: unit, edit: subject("C=DE"), says: "no e-mail"},
			{what: "no domain", edit: subject("E=pki@")}, {what: "no at", edit: subject("E=pki.example.de")}, {what: "blank inside", edit: subject("E=p ki@example.de")}, {what: "two", edit: subject("E=a@b.de@c.de")}}},
		"EFGS-310": {good: []vector{{what: "L"}}, bad: []vector{{what: unit, edit: subject("C=DE", "O=x")}}},
		"EFGS-311": {
			good: []vector{{what: "the template", role: EFGSTA}, {what: "with an OU", role: EFGSTA, edit: ta("OU=x")}},
			bad: []vector{{what: "other CN", role: EFGSTA, edit: subject("C=BE", "O=x", "CN=efgs-ta"), says: "common name"}, {what: "other C", role: EFGSTA, edit: subject("C=DE", "O=x", "CN="+anchorCN), says: "country"},
				{what: "no O", role: EFGSTA, edit: subject("C=BE", "CN="+anchorCN), says: "organization"}, {what: "two CN", role: EFGSTA, edit: ta("CN=x")}},
		},
		"EFGS-313": {
			good: []vector{{what: "production", role: EFGSTA}, {what: "rehearsal", role: EFGSTA, edit: ta("OU=REHEARSAL"), ask: rehearsal}},
			bad: []vector{{what: "rehearsal's in production", role: EFGSTA, edit: ta("OU=REHEARSAL")}, {what: "hidden in production", role: EFGSTA, edit: ta("OU=x", "L=our Rehearsal")},
				{what: "production's in rehearsal", role: EFGSTA, ask: rehearsal}, {what: "two OU in rehearsal", role: EFGSTA, edit: ta("OU=REHEARSAL", "OU=x"), ask: rehearsal}},
			skipped: []vector{{what: "not asked", role: EFGSTA, edit: ta("OU=REHEARSAL"), ask: func(r *Request) { r.AnyEnvironment = true }}},
		},
	}
}

func usageVectors() map[string]vectors {
	const ds, ke = cert.DigitalSignature, cert.KeyEncipherment
	unreadable := with(oidKeyUsage, extension(oidKeyUsage, true, tlv(5)))
	brokenEKU := with(oidEKU, extension(oidEKU, false, tlv(5)))
	rsaTLS := both(rsaKey(3072, 65537), usage(ds|ke))
	return map[string]vectors{
		"EFGS-401": {good: []vector{{what: "there"}}, bad: []vector{{what: "not there", edit: without(oidKeyUsage)}, {what: "no extensions", edit: func(s *spec) { s.extensions = nil }}}},
		"EFGS-402": {good: []vector{{what: "digitalSignature"}, {what: "and more", edit: usage(ds | cert.KeyCertSign)}}, bad: []vector{{what: "keyEncipherment alone", edit: usage(ke), says: "keyEncipherment"}, {what: "empty", edit: usage(0), says: "empty"}},
			open: []vector{{what: "unreadable", edit: unreadable}}, skipped: []vector{{what: "not there", edit: without(oidKeyUsage)}}},
		"EFGS-403": {
			good: []vector{{what: "digitalSignature"}, {what: "TLS with RSA", role: NBTLS, edit: rsaTLS}, {what: "keyCertSign is another rule's", edit: usage(ds | cert.KeyCertSign | cert.CRLSign)}},
			bad: []vector{{what: "keyEncipherment for signing", edit: both(rsaKey(3072, 65537), usage(ds|ke)), says: "keyEncipherment"}, {what: "keyEncipherment with EC", role: NBTLS, edit: usage(ds | ke)},
				{what: "keyAgreement", edit: usage(ds | cert.KeyAgreement)}, {what: "decipherOnly", edit: usage(ds | cert.DecipherOnly), says: "decipherOnly"}, {what: "nonRepudiation", edit: usage(ds | cert.NonRepudiation), severity: SeverityNotice}},
		},
		"EFGS-404": {good: []vector{{what: "critical"}}, bad: []vector{{what: "not critical", edit: with(oidKeyUsage, extension(oidKeyUsage, false, keyUsageBits(ds)))}}},
		"EFGS-405": {good: []vector{{what: "both", role: NBTLS}, {what: "client", role: NBTLS, edit: with(oidEKU, eku(cert.EKUClientAuth))}},
			bad:  []vector{{what: "server", role: NBTLS, edit: with(oidEKU, eku(cert.EKUServerAuth))}, {what: "none", role: NBTLS, edit: without(oidEKU), says: "no extended key usage"}, {what: "any", role: NBTLS, edit: with(oidEKU, eku(cert.EKUAny))}},
			open: []vector{{what: "unreadable", role: NBTLS, edit: brokenEKU}}},
		"EFGS-406": {good: []vector{{what: "both", role: NBTLS}}, bad: []vector{{what: "NBTLS client only", role: NBTLS, edit: with(oidEKU, eku(cert.EKUClientAuth))}, {what: "EFGSTLS client only", role: EFGSTLS, edit: with(oidEKU, eku(cert.EKUClientAuth)), severity: SeverityError}}},
		"EFGS-408": {good: []vector{{what: "none"}}, bad: []vector{{what: "client", edit: with(oidEKU, eku(cert.EKUClientAuth)), says: "client"}, {what: "server", role: EFGSTA, edit: with(oidEKU, eku(cert.EKUServerAuth)), says: "server"},
			{what: "e-mail", edit: with(oidEKU, eku("1.3.6.1.5.5.7.3.4")), severity: SeverityNotice}}, open: []vector{{what: "unreadable", edit: brokenEKU}}},
	}
}

func tlsVectors() map[string]vectors {
	names := func(dns ...string) func(*spec) { return with(oidSAN, san(dns...)) }
	clientOnly := with(oidEKU, eku(cert.EKUClientAuth))
	ip := func(s *spec) {
		s.subject = name("C=DE", "O=x", "CN=192.0.2.1")
		s.extension(oidSAN, extension(oidSAN, false, seq(tlv(0x87, []byte{192, 0, 2, 1}))))
	}
	return map[string]vectors{
		"EFGS-409": {
			good: []vector{{what: "a name", role: NBTLS}, {what: "several and a wildcard", role: NBTLS, edit: names("efgs.example.de", "*.example.de")}},
			bad: []vector{{what: "none", role: NBTLS, edit: without(oidSAN)}, {what: "none, client only", role: NBTLS, edit: both(without(oidSAN), clientOnly), severity: SeverityWarning},
				{what: "one label", role: NBTLS, edit: names("localhost"), says: "qualified"}, {what: "trailing dot", role: NBTLS, edit: names("efgs.example.de."), says: "dot"}, {what: "underscore", role: NBTLS, edit: names("a_b.example.de")},
				{what: "long label", role: NBTLS, edit: names(strings.Repeat("a", 64) + ".de")}, {what: "long name", role: NBTLS, edit: names(strings.Repeat("a.", 126) + "de")}, {what: "empty label", role: EFGSTLS, edit: names("a..de")}, {what: "hyphen", role: NBTLS, edit: names("-a.de")},
				{what: "a good and a bad one", role: NBTLS, edit: names("efgs.example.de", "x y.de")}, {what: "empty", role: NBTLS, edit: names("")}},
			open: []vector{{what: "unreadable", role: NBTLS, edit: with(oidSAN, extension(oidSAN, false, tlv(5)))}},
		},
		"EFGS-410": {
			good:    []vector{{what: "the same", role: NBTLS}, {what: "letter case", role: NBTLS, edit: names("EFGS.example.DE")}, {what: "an address", role: NBTLS, edit: ip}},
			bad:     []vector{{what: "another", role: NBTLS, edit: names("other.example.de")}, {what: "no DNS name, another address", role: EFGSTLS, edit: generalNames(false, tlv(0x87, []byte{192, 0, 2, 1}))}},
			skipped: []vector{{what: "no CN", role: NBTLS, edit: subject("C=DE", "O=x")}, {what: "no names, which is another rule's", role: NBTLS, edit: without(oidSAN)}},
		},
		"EFGS-412": {
			good: []vector{{what: "issued by a CA", role: NBTLS}},
			bad:  []vector{{what: "self-issued", role: NBTLS, edit: func(s *spec) { s.selfIssue() }, says: "self-issued"}, {what: "own key under another name", role: NBTLS, edit: func(s *spec) { s.signer = testKey() }, says: "own key"}},
			open: []vector{{what: "unreadable issuer", role: NBTLS, edit: func(s *spec) { s.issuer = tlv(5) }}, {what: "ECDSA on a curve that cannot be computed", role: NBTLS, edit: func(s *spec) { s.spki = curveSPKI(oidDER("1.3.132.0.16"), 36) }}},
		},
	}
}

func gatewayVectors() map[string]vectors {
	// One certificate in 256 has such a thumbprint; the signature stays the same, so that looking for it is quick.
	zero := func(s *spec) {
		s.signature = []byte{1}
		for i := range 1 << 16 {
			s.serial = []byte{1, byte(i >> 8), byte(i)}
			if c, err := cert.Parse(s.der()); err == nil && c.Thumbprint()[0] == 0 {
				return
			}
		}
	}
	return map[string]vectors{
		"EFGS-701": {good: []vector{{what: "not 00"}}, bad: []vector{{what: "00", edit: zero, says: "00"}, {what: "00 of an NBTLS", role: NBTLS, edit: zero}}},
		"EFGS-702": {
			good: []vector{{what: "plain", role: NBTLS}, {what: "C alone, others together", role: NBTLS, edit: subject("C=DE", "O=x+CN=y")}},
			bad: []vector{{what: "comma", role: NBTLS, edit: subject("O=x,C=FR", "C=DE"), says: "character ,"}, {what: "equals", role: NBTLS, edit: subject("C=DE", "O=a=b"), says: "character ="}, {what: "percent", role: NBTLS, edit: subject("C=DE", "O=100%"), says: "character %"},
				{what: "quote", role: NBTLS, edit: subject("C=DE", `O="x"`)}, {what: "C with another", role: NBTLS, edit: subject("C=DE+O=x"), says: "RDN"},
				{what: "plus", role: NBTLS, edit: func(s *spec) {
					s.subject = seq(tlv(0x31, seq(oidDER(cert.OIDOrganization), tlv(12, []byte("a+b")))))
				}, says: "character +"}},
			open: []vector{{what: "unreadable", role: NBTLS, edit: func(s *spec) { s.subject = tlv(5) }}},
		},
		"EFGS-703": {good: []vector{{what: "alone"}}, bad: []vector{{what: "not alone", edit: subject("C=DE+O=x", "CN=y")}, {what: "of an NBTLS", role: NBTLS, edit: subject("C=DE+O=x", "CN=y")}}, open: []vector{{what: "unreadable", edit: func(s *spec) { s.subject = tlv(5) }}}},
	}
}
