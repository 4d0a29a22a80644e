package vet

import (
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

func encodingVectors() map[string]vectors {
	curve := func(oid string, size int) func(*spec) {
		return func(s *spec) { s.spki = curveSPKI(oidDER(oid), size) }
	}
	const p384, p521, bp256, k256 = "1.3.132.0.34", "1.3.132.0.35", "1.3.36.3.3.2.8.1.1.7", "1.3.132.0.10"
	sha384, sha512 := signedBy(algID("1.2.840.10045.4.3.3", nil)), signedBy(algID("1.2.840.10045.4.3.4", nil))
	date := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	days := func(from time.Time, n int) func(*spec) {
		return func(s *spec) { s.from, s.to = from, from.AddDate(0, 0, n).Add(-time.Second) }
	}
	end := t0.AddDate(0, 0, 400)
	// times writes both times as text, of a type by its tag.
	times := func(tag byte, from, to string) func(*spec) {
		return func(s *spec) { s.validity = seq(tlv(tag, []byte(from)), tlv(tag, []byte(to))) }
	}
	serial := func(b ...byte) func(*spec) { return func(s *spec) { s.serial = b } }
	bits := func(b ...byte) func(*spec) { return with(oidKeyUsage, extension(oidKeyUsage, true, tlv(3, b))) }
	other := func(edit func(*spec)) func(*Request) {
		return func(r *Request) {
			s := goodSpec(NBBS)
			s.to, s.spki = s.to.Add(time.Hour), ecSPKI(strangerKey())
			if edit != nil {
				edit(s)
			}
			c, err := cert.Parse(s.der())
			if err != nil {
				panic(err)
			}
			r.Others = knowing(Known{Certificate: c, Role: NBBS, Country: "DE", Source: "the other one"})
		}
	}
	ids := func(ski, aki byte) func(*spec) {
		return both(with(oidSubjectKeyID, keyID(ski)), with(oidAuthorityKeyID, authorityKeyID(aki)))
	}
	dsaKey := func(s *spec) { s.spki = dsaSPKI(3072, 256) }
	constraints := func(content ...[]byte) func(*spec) {
		return with(oidBasicConstraints, extension(oidBasicConstraints, true, seq(content...)))
	}
	unreadableKU := with(oidKeyUsage, extension(oidKeyUsage, true, tlv(5)))
	return map[string]vectors{
		"EFGS-113": {good: []vector{{what: "EC"}, {what: "RSA", edit: rsaKey(3072, 65537)}}, bad: []vector{{what: "DSA", edit: dsaKey}}, open: []vector{{what: "unreadable", edit: unreadableKey}}},
		"EFGS-116": {
			good:    []vector{{what: "P-256 with SHA-256"}, {what: "P-384 with SHA-384", edit: both(curve(p384, 48), sha384)}, {what: "P-521 with SHA-512", edit: both(curve(p521, 66), sha512)}},
			bad:     []vector{{what: "P-384 with SHA-256", edit: curve(p384, 48), says: "256 bits for a curve of 384"}, {what: "P-521 with SHA-384", edit: both(curve(p521, 66), sha384)}},
			skipped: []vector{{what: "issued by a CA", edit: both(curve(p384, 48), issued)}, {what: "RSA", edit: rsaKey(3072, 65537)}},
		},
		"EFGS-207": {
			good:    []vector{{what: "in its life"}, {what: "three months to the second", ask: at(date(2021, 7, 6))}},
			bad:     []vector{{what: "a second less", ask: at(date(2021, 7, 6).Add(time.Second)), says: "3 months"}, {what: "the last second", ask: at(end)}, {what: "an NBTLS", role: NBTLS, ask: at(end.AddDate(0, -2, 0))}},
			skipped: []vector{{what: "expired", ask: at(end.Add(time.Second))}},
			open:    []vector{{what: "no time given", ask: at(time.Time{})}},
		},
		"EFGS-209": {
			good: []vector{{what: "398 days in 2020", role: NBTLS, edit: days(t0, 398)}, {what: "825 days before", role: NBTLS, edit: days(t0.AddDate(0, 0, -1), 825)}, {what: "200 days in 2026", role: NBTLS, edit: days(date(2026, 3, 15), 200)}},
			bad: []vector{{what: "a second over 398 days", role: NBTLS, edit: func(s *spec) { s.to = t0.AddDate(0, 0, 398) }, says: "398"}, {what: "398 days in 2026", role: EFGSTLS, edit: days(date(2026, 3, 15), 398), says: "200"},
				{what: "200 days in 2027", role: NBTLS, edit: days(date(2027, 3, 15), 200), says: "100"}, {what: "100 days in 2029", role: NBTLS, edit: days(date(2029, 3, 15), 100), says: "47"}},
			skipped: []vector{{what: "no policy", role: NBTLS, edit: without(oidPolicies)}, {what: "before there was a limit", role: NBTLS, edit: days(date(2017, 1, 1), 1000)}},
		},
		"EFGS-407": {
			good: []vector{{what: "none"}, {what: "both", role: NBTLS}},
			bad:  []vector{{what: "any", edit: with(oidEKU, eku(cert.EKUAny))}, {what: "any beside others", role: NBTLS, edit: with(oidEKU, eku(cert.EKUClientAuth, cert.EKUAny))}},
			open: []vector{{what: "unreadable", edit: with(oidEKU, extension(oidEKU, false, tlv(5)))}},
		},
		"EFGS-507": {
			good: []vector{{what: "nothing else"}, {what: "another number", ask: other(serial(9, 9, 9, 9, 9, 9, 9, 9))}, {what: "another issuer", ask: other(func(s *spec) { s.issuer = name("CN=another") })}, {what: "itself", ask: func(r *Request) { r.Others = knowing(Known{Certificate: r.Certificate}) }}},
			bad:  []vector{{what: "the same", ask: other(nil), says: "the other one"}},
			open: []vector{{what: "nothing to compare with", ask: func(r *Request) { r.Others = nil }, says: "--with"}, {what: "unreadable serial", edit: serial()}},
		},
		"EFGS-604": {
			good:    []vector{{what: "the same", edit: ids(7, 7)}},
			bad:     []vector{{what: "two keys", edit: ids(7, 8)}},
			skipped: []vector{{what: "issued by a CA", edit: both(ids(7, 8), issued)}, {what: "no authority key identifier", edit: without(oidAuthorityKeyID)}},
		},
		"EFGS-707": {
			good:    []vector{{what: "P-256"}, {what: "P-521", edit: curve(p521, 66)}},
			bad:     []vector{{what: "brainpoolP256r1", edit: curve(bp256, 32), says: "brainpoolP256r1"}, {what: "secp256k1", edit: curve(k256, 32)}},
			open:    []vector{{what: "unknown", edit: curve("1.2.3.4", 32)}},
			skipped: []vector{{what: "RSA", edit: rsaKey(3072, 65537)}},
		},
		"EFGS-804": {
			good: []vector{{what: "9 octets"}, {what: "8 octets and the sign", edit: serial(0, 0x80, 1, 2, 3, 4, 5, 6, 7)}},
			bad:  []vector{{what: "1", edit: serial(1), says: "1 octet,"}, {what: "7 octets", edit: serial(1, 2, 3, 4, 5, 6, 7), says: "7 octets"}, {what: "7 octets and the sign", edit: serial(0, 0x80, 2, 3, 4, 5, 6, 7)}},
			open: []vector{{what: "unreadable", edit: serial()}},
		},
		"EFGS-806": {
			good:    []vector{{what: "ECDSA"}, {what: "RSA", edit: signedBy(rsaAlg(oidSHA256RSA))}},
			bad:     []vector{{what: "ECDSA with NULL", edit: signedBy(rsaAlg(oidECDSASHA256))}, {what: "RSA without", edit: signedBy(algID(oidSHA256RSA, nil)), says: "not NULL"}, {what: "RSA with others", edit: signedBy(algID(oidSHA256RSA, seq()))}, {what: "DSA with NULL", edit: signedBy(rsaAlg("2.16.840.1.101.3.4.3.2"))}},
			skipped: []vector{{what: "PSS", edit: signedBy(pssAlg(sha256OID, sha256OID, 32, 1))}, {what: "unknown", edit: signedBy(algID("1.2.3.4", nil))}},
		},
		"EFGS-810": {
			good: []vector{{what: "UTCTime"}, {what: "GeneralizedTime from 2050", edit: func(s *spec) { s.to = date(2051, 1, 1) }}},
			bad: []vector{{what: "no seconds", edit: times(23, "2009010000Z", "2109010000Z"), says: "seconds"}, {what: "offset", edit: times(23, "200901000000+0200", "210901000000+0200"), says: "offset"}, {what: "fraction", edit: times(24, "20500901000000.5Z", "20510901000000.5Z")},
				{what: "GeneralizedTime before 2050", edit: times(24, "20200901000000Z", "20210901000000Z"), says: "2050"}, {what: "no time zone", edit: times(24, "20500901000000", "20510901000000")}, {what: "no time at all", edit: times(23, "nonsense", "nonsense"), says: "no time"},
				{what: "year 9999", edit: func(s *spec) { s.to = date(9999, 12, 31) }, severity: SeverityNotice, says: "9999"}},
			open: []vector{{what: "missing", edit: func(s *spec) { s.validity = seq() }}},
		},
		"EFGS-812": {
			good: []vector{{what: "known ones"}, {what: "unknown, not critical", edit: with("1.2.3.4", extension("1.2.3.4", false, tlv(5)))}},
			bad:  []vector{{what: "unknown", edit: with("1.2.3.4", extension("1.2.3.4", true, tlv(5))), says: "1.2.3.4"}, {what: "precertificate", edit: with(oidPoison, extension(oidPoison, true, tlv(5))), says: "precertificate"}},
		},
		"EFGS-815": {good: []vector{{what: "none"}}, bad: []vector{{what: "subjectUniqueID", edit: func(s *spec) { s.spki = append(s.spki, tlv(0x82, []byte{0, 1})...) }}, {what: "issuerUniqueID", edit: func(s *spec) { s.spki = append(s.spki, tlv(0x81, []byte{0, 1})...) }}}},
		"EFGS-816": {
			good:    []vector{{what: "digitalSignature"}, {what: "nine bits", edit: usage(cert.DigitalSignature | cert.DecipherOnly)}},
			bad:     []vector{{what: "zero bits at the end", edit: bits(0, 0x80), says: "zero bits"}, {what: "a zero octet at the end", edit: bits(7, 0x80, 0)}, {what: "no bit set", edit: bits(7, 0), severity: SeverityError}, {what: "empty", edit: bits(0), severity: SeverityError, says: "no bit"}},
			open:    []vector{{what: "unreadable", edit: unreadableKU}},
			skipped: []vector{{what: "none", edit: without(oidKeyUsage)}},
		},
		"EFGS-822": {
			good: []vector{{what: "none"}, {what: "CA:FALSE", edit: constraints()}, {what: "a CA's", edit: constraints(tlv(1, []byte{0xff}), integer(0))}},
			bad:  []vector{{what: "CA:FALSE, pathlen:0", edit: constraints(integer(0)), says: "of 0"}},
			open: []vector{{what: "unreadable", edit: with(oidBasicConstraints, extension(oidBasicConstraints, true, tlv(5)))}},
		},
		"EFGS-829": {
			good: []vector{{what: "both"}, {what: "self-issued without the authority's", edit: without(oidAuthorityKeyID)}},
			bad: []vector{{what: "no subject key identifier", edit: without(oidSubjectKeyID), says: "subject key"}, {what: "from a CA without the authority's", edit: both(issued, without(oidAuthorityKeyID)), says: "authority key"},
				{what: "from a CA, by issuer and serial number only", edit: both(issued, with(oidAuthorityKeyID, extension(oidAuthorityKeyID, false, seq(tlv(0xa1, tlv(0xa4, name("C=DE"))), tlv(0x82, []byte{1}))))), says: "names no key"}},
		},
	}
}
