package cert

import (
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseFaults(t *testing.T) {
	good := goodParts(t)
	alter := func(f func(p *parts)) []byte { p := good; f(&p); return p.build(t) }
	ext := func(list ...string) []byte {
		var all []byte
		for _, e := range list {
			all = append(all, seq(t, asn1.SEQUENCE, unhex(t, e))...)
		}
		return seq(t, asn1.Tag(3).ContextSpecific().Constructed(), seq(t, asn1.SEQUENCE, all))
	}
	validity := func(from, to string) []byte {
		return seq(t, asn1.SEQUENCE, seq(t, asn1.UTCTime, []byte(from)), seq(t, asn1.UTCTime, []byte(to)))
	}
	type check = func(c *Certificate) bool
	keeps := func(c *Certificate) bool { // everything but what the case breaks
		return c.PublicKey != nil && c.PublicKey.Std != nil && len(c.Signature) > 60 && c.Algorithm.Scheme == sigalg.ECDSA
	}
	for _, c := range []struct {
		name string
		raw  []byte
		path string // of the first fault; "" for none
		ok   check
	}{
		{"good", alter(func(*parts) {}), "", keeps},
		{"v1", alter(func(p *parts) { p.version, p.tail = nil, nil }), "", func(c *Certificate) bool { return c.Version == 1 && keeps(c) }},
		{"v1 encoded", alter(func(p *parts) { p.version = unhex(t, "a0 03 02 01 00") }), "tbsCertificate.version", func(c *Certificate) bool { return c.Version == 1 && keeps(c) }},
		{"v2", alter(func(p *parts) { p.version = unhex(t, "a0 03 02 01 01") }), "", func(c *Certificate) bool { return c.Version == 2 && keeps(c) }},
		{"v4", alter(func(p *parts) { p.version = unhex(t, "a0 03 02 01 03") }), "tbsCertificate.version", func(c *Certificate) bool { return c.Version == 0 && keeps(c) }},
		{"version a string", alter(func(p *parts) { p.version = unhex(t, "a0 03 04 01 02") }), "tbsCertificate.version", keeps},
		{"serial negative", alter(func(p *parts) { p.serial = unhex(t, "02 01 80") }), "", func(c *Certificate) bool { return c.Serial.Int64() == -128 && keeps(c) }},
		{"serial padded", alter(func(p *parts) { p.serial = unhex(t, "02 02 00 05") }), "tbsCertificate.serialNumber", func(c *Certificate) bool {
			return c.Serial.Int64() == 5 && len(c.SerialRaw) == 2 && keeps(c)
		}},
		{"serial empty", alter(func(p *parts) { p.serial = unhex(t, "02 00") }), "tbsCertificate.serialNumber", func(c *Certificate) bool { return c.Serial == nil && keeps(c) }},
		{"serial missing", alter(func(p *parts) { p.serial = nil }), "tbsCertificate.serialNumber", func(c *Certificate) bool { return c.Serial == nil && keeps(c) }},
		{"serial a string", alter(func(p *parts) { p.serial = unhex(t, "04 01 05") }), "tbsCertificate.serialNumber", keeps},
		{"issuer a string", alter(func(p *parts) { p.issuer = unhex(t, "0c 01 41") }), "tbsCertificate.issuer", func(c *Certificate) bool { return len(c.Subject.RDNs) == 3 && keeps(c) }},
		{"not an RDN", alter(func(p *parts) { p.subject = unhex(t, "30 0d 05 00 31 09 30 07 06 03 55 04 06 13 00") }), "tbsCertificate.subject", func(c *Certificate) bool { return len(c.Subject.RDNs) == 1 && keeps(c) }},
		{"no seconds", alter(func(p *parts) { p.validity = validity("2008010000Z", "210801000000Z") }), "tbsCertificate.validity.notBefore", func(c *Certificate) bool {
			return c.NotBefore.Equal(notBefore) && c.NotAfter.Equal(notAfter) && keeps(c)
		}},
		{"offset", alter(func(p *parts) { p.validity = validity("200801000000Z", "210801020000+0200") }), "tbsCertificate.validity.notAfter", func(c *Certificate) bool {
			return c.NotBefore.Equal(notBefore) && c.NotAfter.Equal(notAfter) && keeps(c)
		}},
		{"no time", alter(func(p *parts) { p.validity = validity("yesterday", "210801000000Z") }), "tbsCertificate.validity.notBefore", func(c *Certificate) bool {
			return c.NotBefore.IsZero() && c.NotAfter.Equal(notAfter) && keeps(c)
		}},
		{"one time", alter(func(p *parts) { p.validity = seq(t, asn1.SEQUENCE, seq(t, asn1.UTCTime, []byte("200801000000Z"))) }), "tbsCertificate.validity.notAfter", keeps},
		{"GeneralizedTime in 2020", alter(func(p *parts) {
			p.validity = seq(t, asn1.SEQUENCE, seq(t, asn1.GeneralizedTime, []byte("20200801000000Z")), seq(t, asn1.UTCTime, []byte("210801000000Z")))
		}), "tbsCertificate.validity.notBefore", func(c *Certificate) bool { return c.NotBefore.Equal(notBefore) && keeps(c) }},
		{"key broken", alter(func(p *parts) { p.spki = unhex(t, "30 02 05 00") }), "tbsCertificate.subjectPublicKeyInfo", func(c *Certificate) bool { return c.PublicKey != nil && len(c.Signature) > 60 }},
		{"unique identifiers", alter(func(p *parts) { p.tail = unhex(t, "81 02 00 01 82 02 00 01") }), "", func(c *Certificate) bool { return c.UniqueIDs && keeps(c) }},
		{"rubbish at the end", alter(func(p *parts) { p.tail = unhex(t, "05 00") }), "tbsCertificate", keeps},
		{"algorithm broken", alter(func(p *parts) { p.alg = unhex(t, "05 00") }), "signatureAlgorithm", func(c *Certificate) bool { return c.Algorithm.Scheme == sigalg.Unknown && len(c.Signature) > 60 }},
		{"inner algorithm broken", alter(func(p *parts) { p.tbsAlg = unhex(t, "30 00") }), "tbsCertificate.signature", keeps},
		{"signature a string", alter(func(p *parts) { p.sig = unhex(t, "04 01 00") }), "signatureValue", func(c *Certificate) bool { return c.Signature == nil }},
		{"signature missing", alter(func(p *parts) { p.sig = nil }), "signatureValue", func(c *Certificate) bool { return c.PublicKey.Std != nil }},
		{"duplicate", alter(func(p *parts) {
			p.tail = ext("06 03 55 1d 0f 04 04 03 02 07 80", "06 03 55 1d 0f 04 04 03 02 01 06")
		}), "extensions[1] keyUsage", func(c *Certificate) bool {
			return len(c.Extensions) == 2 && *c.KeyUsage == DigitalSignature && keeps(c)
		}},
		{"critical FALSE", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 01 01 00 04 04 03 02 07 80") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return !c.KeyUsageCritical && *c.KeyUsage == DigitalSignature && keeps(c)
		}},
		{"critical 01", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 01 01 01 04 04 03 02 07 80") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return c.KeyUsageCritical && *c.KeyUsage == DigitalSignature && keeps(c)
		}},
		{"key usage a string", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 04 03 04 01 80") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return c.KeyUsage == nil && len(c.Extensions) == 1 && keeps(c)
		}},
		{"key usage zero", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 04 04 03 02 00 00") }), "", func(c *Certificate) bool { return *c.KeyUsage == 0 && keeps(c) }},
		{"key usage with a tenth bit", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 04 05 03 03 05 80 20") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return *c.KeyUsage == DigitalSignature && keeps(c)
		}},
		{"empty EKU", alter(func(p *parts) { p.tail = ext("06 03 55 1d 25 04 02 30 00") }), "extensions[0] extKeyUsage", func(c *Certificate) bool {
			return c.ExtKeyUsage != nil && len(c.ExtKeyUsage) == 0 && keeps(c)
		}},
		{"cA FALSE", alter(func(p *parts) { p.tail = ext("06 03 55 1d 13 04 05 30 03 01 01 00") }), "", func(c *Certificate) bool {
			return !c.BasicConstraints.CA && c.BasicConstraints.CARawFalse && keeps(c)
		}},
		{"path length without cA", alter(func(p *parts) { p.tail = ext("06 03 55 1d 13 04 05 30 03 02 01 03") }), "", func(c *Certificate) bool {
			return c.BasicConstraints.PathLen == 3 && !c.BasicConstraints.CA && keeps(c)
		}},
		{"negative path length", alter(func(p *parts) { p.tail = ext("06 03 55 1d 13 04 08 30 06 01 01 ff 02 01 ff") }), "extensions[0] basicConstraints", func(c *Certificate) bool {
			return c.BasicConstraints.CA && c.BasicConstraints.PathLen == -1 && keeps(c)
		}},
		{"SAN not ASCII", alter(func(p *parts) { p.tail = ext("06 03 55 1d 11 04 05 30 03 82 01 e4") }), "extensions[0] subjectAltName", func(c *Certificate) bool {
			return len(c.SAN.DNS) == 1 && c.SAN.DNS[0] == "\uFFFD" && keeps(c)
		}},
		{"SAN of others", alter(func(p *parts) { p.tail = ext("06 03 55 1d 11 04 08 30 06 88 01 2a a4 01 00") }), "extensions[0] subjectAltName", func(c *Certificate) bool {
			return c.SAN.Other == 2 && keeps(c)
		}},
		{"SAN of no name", alter(func(p *parts) { p.tail = ext("06 03 55 1d 11 04 04 30 02 05 00") }), "extensions[0] subjectAltName", func(c *Certificate) bool {
			return c.SAN != nil && c.SAN.Other == 0 && keeps(c)
		}},
		{"value not DER", alter(func(p *parts) { p.tail = ext("06 03 55 1d 1f 04 03 30 81 00") }), "extensions[0] cRLDistributionPoints", keeps},
		{"value with more behind", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 04 06 03 02 07 80 05 00") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return *c.KeyUsage == DigitalSignature && keeps(c)
		}},
		{"value empty", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 04 00") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return c.KeyUsage == nil && keeps(c)
		}},
		{"value a BIT STRING", alter(func(p *parts) { p.tail = ext("06 03 55 1d 0f 03 01 00") }), "extensions[0] keyUsage", func(c *Certificate) bool {
			return len(c.Extensions) == 1 && keeps(c)
		}},
		{"unknown extension of anything", alter(func(p *parts) { p.tail = ext("06 02 2a 03 04 01 ff") }), "", func(c *Certificate) bool {
			return c.Extensions[0].OID == "1.2.3" && keeps(c)
		}},
		{"no extension at all", alter(func(p *parts) { p.tail = unhex(t, "a3 02 30 00") }), "tbsCertificate.extensions", keeps},
		{"trailing", append(alter(func(*parts) {}), 0, 1), "certificate", func(c *Certificate) bool { return keeps(c) && c.CheckSelfSignature() == nil }},
		{"four fields", seq(t, asn1.SEQUENCE, alter(func(*parts) {})[4:], unhex(t, "05 00")), "certificate", keeps},
	} {
		got := parse(t, c.raw)
		switch {
		case c.path == "" && len(got.Faults) > 0:
			t.Errorf("%s: fault %+v", c.name, got.Faults[0])
		case c.path != "" && len(got.Faults) == 0:
			t.Errorf("%s: no fault", c.name)
		case c.path != "" && got.Faults[0].Path != c.path:
			t.Errorf("%s: fault %+v, want one of %s", c.name, got.Faults[0], c.path)
		}
		if !c.ok(got) {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}

func TestParseBER(t *testing.T) {
	good := goodParts(t).build(t)
	indefinite := append(append([]byte{0x30, 0x80}, good[4:]...), 0, 0)
	c := parse(t, indefinite)
	if len(c.Faults) == 0 || c.Faults[0].Offset != 0 || c.CheckSelfSignature() != nil || !bytes.Equal(c.Raw, indefinite) {
		t.Errorf("indefinite: %+v", c.Faults)
	}
	cut := parse(t, good[:len(good)-10])
	if len(cut.Faults) == 0 || cut.PublicKey.Std == nil || len(cut.Signature) == 0 {
		t.Errorf("cut: %+v", cut.Faults)
	}
	for n := range good {
		if c, err := Parse(good[:n]); n > 4 && (err != nil || len(c.Faults) == 0) {
			t.Fatalf("first %d bytes: %v", n, err)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{"", "30", "31 00", "02 01 05", "10 00", "a0 00", "30 82"} {
		if c, err := Parse(unhex(t, in)); !errors.Is(err, ErrNotCertificate) || c != nil {
			t.Errorf("%q: %v, %v", in, c, err)
		}
	}
	for _, in := range []string{"30 00", "30 02 30 00", "30 80"} {
		if c, err := Parse(unhex(t, in)); err != nil || len(c.Faults) == 0 {
			t.Errorf("%q: %v", in, err)
		} else if err := c.CheckSelfSignature(); !errors.Is(err, sigalg.ErrUnsupported) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// A certificate of nothing but faults must not grow a list without end.
func TestFaultsAreCapped(t *testing.T) {
	p := goodParts(t)
	p.subject = seq(t, asn1.SEQUENCE, bytes.Repeat([]byte{5, 0}, 10000))
	if n := len(parse(t, p.build(t)).Faults); n != maxFaults {
		t.Errorf("%d faults", n)
	}
}

func TestCheckSignedBy(t *testing.T) {
	caRaw, subRaw, leafRaw := chain(t)
	ca, sub, leaf := parse(t, caRaw), parse(t, subRaw), parse(t, leafRaw)
	for _, c := range []struct {
		name       string
		of, issuer *Certificate
		want       error
	}{
		{"leaf by sub", leaf, sub, nil},
		{"sub by ca", sub, ca, nil},
		{"ca by itself", ca, ca, nil},
		{"leaf by ca", leaf, ca, sigalg.ErrSignature},
		{"leaf by itself", leaf, leaf, sigalg.ErrSignature},
	} {
		if err := c.of.CheckSignedBy(c.issuer); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if !ca.SelfIssued() || leaf.SelfIssued() || (&Certificate{}).SelfIssued() {
		t.Error("self-issued")
	}
}

func TestName(t *testing.T) {
	p := goodParts(t)
	attr := func(oid, value string) []byte { return seq(t, asn1.SEQUENCE, unhex(t, oid), unhex(t, value)) }
	cn, c, o := "06 03 55 04 03", "06 03 55 04 06", "06 03 55 04 0a"
	p.subject = seq(t, asn1.SEQUENCE,
		seq(t, asn1.SET, attr(cn, "0c 05 61 2c 62 3d 22")),
		seq(t, asn1.SET, attr(c, "13 02 44 45"), attr(o, "1e 04 00 41 20 ac")),
		seq(t, asn1.SET, attr(c, "13 02 66 72")),
		seq(t, asn1.SET, attr("06 02 2a 03", "14 03 20 e4 20")),
		seq(t, asn1.SET, attr(o, "02 01 05")),
		seq(t, asn1.SET, attr(o, "0c 02 23 31")),
	)
	got := parse(t, p.build(t))
	if want := `CN=a\,b=\", C=DE+O=A€, C=fr, 1.2.3=\ ä\ , O=#05, O=\#1`; got.Subject.String() != want {
		t.Errorf("%s\nwant %s", got.Subject, want)
	}
	if c := got.Countries(); !reflect.DeepEqual(c, []string{"DE", "fr"}) {
		t.Errorf("countries %v", c)
	}
	if v := got.Subject.Values("2.5.4.99"); v != nil {
		t.Errorf("values of nothing: %v", v)
	}
	rdn := got.Subject.RDNs[1]
	if len(rdn) != 2 || rdn[1].Tag != 30 || !bytes.Equal(rdn[1].Raw, []byte{0, 0x41, 0x20, 0xac}) {
		t.Errorf("%+v", rdn)
	}
	if len(got.Faults) != 1 || got.Faults[0].Path != "tbsCertificate.subject O" {
		t.Errorf("%+v", got.Faults)
	}
}
