package vet

import (
	"bytes"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

func structureVectors() map[string]vectors {
	serial := func(b ...byte) func(*spec) { return func(s *spec) { s.serial = b } }
	version := func(n int) func(*spec) { return func(s *spec) { s.version = n } }
	long := bytes.Repeat([]byte{0x7f}, 20)
	emptyRDN := seq(tlv(0x31))
	twice := func(s *spec) { s.extensions = append(s.extensions, keyUsage(cert.DigitalSignature)) }
	constraints := func(value []byte) func(*spec) {
		return with(oidBasicConstraints, extension(oidBasicConstraints, true, value))
	}
	const ds = cert.DigitalSignature
	return map[string]vectors{
		"EFGS-801": {good: []vector{{what: "3"}}, bad: []vector{{what: "1", edit: both(version(1), func(s *spec) { s.extensions = nil }), says: "version 1, version 3"}, {what: "1 with extensions", edit: version(1), says: "extensions"}, {what: "2", edit: version(2)}, {what: "4", edit: version(4), says: "4"}}},
		"EFGS-802": {good: []vector{{what: "random"}, {what: "top bit set", edit: serial(0, 0x80)}}, bad: []vector{{what: "zero", edit: serial(0)}, {what: "negative", edit: serial(0xff, 0x01)}, {what: "not minimal", edit: serial(0, 1), says: "leading zeros"}},
			open: []vector{{what: "empty", edit: serial()}}},
		"EFGS-803": {good: []vector{{what: "20 octets", edit: serial(long...)}}, bad: []vector{{what: "21 octets", edit: serial(append([]byte{0x7f}, long...)...), says: "21"}, {what: "20 octets and the sign", edit: serial(append([]byte{0, 0x80}, long[:19]...)...)}}},
		"EFGS-805": {good: []vector{{what: "the same"}}, bad: []vector{{what: "another", edit: func(s *spec) { s.inner = rsaAlg(oidSHA256RSA) }}, {what: "parameters differ", edit: func(s *spec) { s.inner = algID(oidECDSASHA256, tlv(5)) }}}},
		"EFGS-807": {good: []vector{{what: "CA", edit: issued}}, bad: []vector{{what: "empty", edit: func(s *spec) { s.issuer = seq() }, says: "empty"}, {what: "empty RDN", edit: func(s *spec) { s.issuer = emptyRDN }, says: "RDN"}}, open: []vector{{what: "unreadable", edit: func(s *spec) { s.issuer = tlv(5) }}}},
		"EFGS-808": {good: []vector{{what: "subject"}}, bad: []vector{{what: "empty", edit: func(s *spec) { s.subject = seq() }, says: "empty"}, {what: "empty RDN", edit: func(s *spec) { s.subject = emptyRDN }, says: "RDN"}}, open: []vector{{what: "unreadable", edit: func(s *spec) { s.subject = tlv(5) }}}},
		"EFGS-809": {
			good: []vector{{what: "in order"}, {what: "a moment", edit: func(s *spec) { s.to = s.from }}},
			bad:  []vector{{what: "backwards", edit: func(s *spec) { s.to = s.from.Add(-time.Second) }}},
			open: []vector{{what: "unreadable", edit: func(s *spec) { s.validity = seq(tlv(23, []byte("nonsense")), utcTime(t0)) }}},
		},
		"EFGS-811": {good: []vector{{what: "one of each"}}, bad: []vector{{what: "two key usages", edit: twice, says: "2.5.29.15"}}},
		"EFGS-813": {
			good: []vector{{what: "all readable"}, {what: "twice is another rule's", edit: twice}, {what: "a private one", edit: with("1.2.3.4", extension("1.2.3.4", false, []byte("not DER")))}},
			bad: []vector{{what: "key usage is NULL", edit: with(oidKeyUsage, extension(oidKeyUsage, true, tlv(5)))}, {what: "empty EKU", edit: with(oidEKU, eku())}, {what: "trailing bytes", edit: with(oidEKU, extension(oidEKU, false, append(seq(oidDER(cert.EKUAny)), 5, 0)))},
				{what: "BOOLEAN 01", edit: constraints(seq(tlv(1, []byte{1})))}},
		},
		"EFGS-814": {
			good: []vector{{what: "DER"}, {what: "version 4 is another rule's", edit: version(4)}},
			bad: []vector{{what: "trailing data in the TBSCertificate", edit: func(s *spec) { s.extensionsSuffix = tlv(5) }}, {what: "length not minimal", edit: func(s *spec) { s.issuer = append([]byte{0x30, 0x81, byte(len(s.issuer) - 2)}, s.issuer[2:]...) }},
				{what: "serial is NULL", edit: func(s *spec) { s.serial = nil }}, {what: "unreadable key", edit: unreadableKey}, {what: "version 1 spelt out", edit: func(s *spec) { s.version = 1; s.spellVersion = true }},
				{what: "cA FALSE spelt out", edit: constraints(seq(tlv(1, []byte{0}))), severity: SeverityWarning, says: "FALSE"}},
		},
		"EFGS-820": {good: []vector{{what: "no basicConstraints"}, {what: "CA:FALSE", edit: with(oidBasicConstraints, basicConstraints(false))}}, bad: []vector{{what: "CA:TRUE", edit: with(oidBasicConstraints, basicConstraints(true))}, {what: "CA:TRUE of an NBTLS", role: NBTLS, edit: with(oidBasicConstraints, basicConstraints(true))}},
			open: []vector{{what: "unreadable", edit: constraints(tlv(5))}}},
		"EFGS-821": {
			good: []vector{{what: "neither"}, {what: "of a CA", edit: both(usage(ds|cert.KeyCertSign), with(oidBasicConstraints, basicConstraints(true)))}},
			bad: []vector{{what: "self-issued keyCertSign", edit: usage(ds | cert.KeyCertSign), severity: SeverityWarning}, {what: "issued keyCertSign", edit: both(issued, usage(ds|cert.KeyCertSign))},
				{what: "cRLSign beside CA:FALSE", role: NBTLS, edit: both(usage(ds|cert.CRLSign), with(oidBasicConstraints, basicConstraints(false))), says: "cRLSign"}},
		},
	}
}
