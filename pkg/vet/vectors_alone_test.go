package vet

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"math/big"
	randv2 "math/rand/v2"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
)

// plainNumber is an odd number without small factors and without a pattern, the
// same in every run. It need not be a product of two primes: no rule can tell.
func plainNumber(bits int) *big.Int {
	r := randv2.NewChaCha8([32]byte{byte(bits), byte(bits >> 8)})
	b := make([]byte, (bits+7)/8)
	for i := range b {
		b[i] = byte(r.Uint64())
	}
	n := new(big.Int).SetBytes(b)
	n.Rsh(n, uint(8*len(b)-bits)).SetBit(n, bits-1, 1).SetBit(n, 0, 1)
	for smallFactor(n) != 0 {
		n.Add(n, big.NewInt(2))
	}
	return n
}

// closeFactors is the product of a plain number and the next one.
func closeFactors(bits int) *big.Int {
	p := plainNumber(bits)
	q := new(big.Int).Add(p, big.NewInt(2))
	for smallFactor(q) != 0 {
		q.Add(q, big.NewInt(2))
	}
	return p.Mul(p, q)
}

// plainRSA is a certificate of a CA over an RSA key that only its sizes tell from a good one.
func plainRSA(bits int, e *big.Int) func(*spec) {
	return both(issued, func(s *spec) {
		s.spki = seq(rsaAlg(oidRSA), bitString(seq(bigInteger(plainNumber(bits)), bigInteger(e))))
	})
}

// onCurve is a key that is really on its curve. The certificate is self-signed with it where it was self-signed before.
func onCurve(curve elliptic.Curve) func(*spec) {
	return func(s *spec) {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		s.spki = ecSPKI(k)
		if bytes.Equal(s.issuer, s.subject) {
			s.signer = k
		}
	}
}

// lonelyVectors break one rule and nothing else, where the other vectors of that
// rule are made for the rule alone and break their neighbours' too.
func lonelyVectors() map[string]vector {
	f4 := big.NewInt(65537)
	ca := func(n *big.Int) func(*spec) { return both(issued, modulus(n)) }
	generator := elliptic.P256().Params()
	gx, gy := generator.Gx.FillBytes(make([]byte, 32)), generator.Gy.FillBytes(make([]byte, 32))
	names := func(dns ...string) func(*spec) { return with(oidSAN, san(dns...)) }
	serial := func(b ...byte) func(*spec) { return func(s *spec) { s.serial = b } }
	utf8Email := func(s *spec) {
		var rdns [][]byte
		for _, a := range templateSubject(NBBS) {
			rdns = append(rdns, tlv(0x31, attr(a)))
		}
		rdns[5] = tlv(0x31, seq(oidDER(cert.OIDEmail), tlv(der.TagUTF8String, []byte("pki@example.de"))))
		s.subject = seq(rdns...)
		s.issuer = s.subject
	}
	zero := func(s *spec) {
		s.signature = []byte{1}
		for i := range 1 << 16 {
			s.serial = []byte{0x4a, 1, 2, 3, 4, 5, 6, byte(i >> 8), byte(i)}
			if c, err := cert.Parse(s.der()); err == nil && c.Thumbprint()[0] == 0 {
				return
			}
		}
	}
	return map[string]vector{
		"EFGS-102": {what: "a good key, but short", edit: plainRSA(2048, f4)},
		"EFGS-103": {what: "a good key, but for e", edit: plainRSA(3072, big.NewInt(3))},
		"EFGS-104": {what: "a good key, but for e", edit: plainRSA(3072, new(big.Int).Add(power2(256), big.NewInt(1)))},
		"EFGS-110": {what: "a point on P-224", role: NBTLS, edit: onCurve(elliptic.P224())},
		"EFGS-112": {what: "DSA of a CA", edit: both(issued, func(s *spec) { s.spki = dsaSPKI(2048, 256) })},
		"EFGS-113": {what: "DSA of a CA", edit: both(issued, func(s *spec) { s.spki = dsaSPKI(3072, 256) })},
		"EFGS-115": {what: "a CA's ECDSA with SHA3-256", edit: both(issued, signedBy(algID("2.16.840.1.101.3.4.3.10", nil)))},
		"EFGS-116": {what: "P-384 and its own signature", edit: onCurve(elliptic.P384())},
		"EFGS-206": {what: "an EFGSTA, of which no three months are wanted", role: EFGSTA, ask: at(t0.AddDate(0, 0, 390))},
		"EFGS-301": {what: "no country, and nobody's", role: EFGSTLS, edit: amended(EFGSTLS, "C")},
		"EFGS-302": {what: "FR by DE, all else in order", edit: amended(NBBS, "C=FR")},
		"EFGS-303": {what: "lower case, and nobody's", role: EFGSTLS, edit: amended(EFGSTLS, "C=de")},
		"EFGS-304": {what: "XX, and nobody's", role: EFGSTLS, edit: amended(EFGSTLS, "C=XX")},
		"EFGS-305": {what: "US by US", edit: amended(NBBS, "C=US"), ask: func(r *Request) { r.Country = "US" }},
		"EFGS-306": {what: "the template without CN", edit: amended(NBBS, "CN")},
		"EFGS-307": {what: "the template without O", edit: amended(NBBS, "O")},
		"EFGS-308": {what: "the template without OU", edit: amended(NBBS, "OU")},
		"EFGS-309": {what: "the template without e-mail", edit: amended(NBBS, "E")},
		"EFGS-310": {what: "the template without L", edit: amended(NBBS, "L")},
		"EFGS-312": {what: "the template with a test's CN", edit: amended(NBBS, "CN=Test Signer")},
		"EFGS-402": {what: "keyEncipherment alone, of an RSA key for TLS", role: NBTLS, edit: both(plainRSA(3072, f4), usage(cert.KeyEncipherment))},
		"EFGS-407": {what: "any beside both", role: NBTLS, edit: with(oidEKU, eku(cert.EKUClientAuth, cert.EKUServerAuth, cert.EKUAny))},
		"EFGS-409": {what: "an underscore beside the right name", role: NBTLS, edit: names("efgs.example.de", "a_b.example.de")},
		"EFGS-411": {what: "a wildcard beside the right name", role: NBTLS, edit: names("efgs.example.de", "*.example.de")},
		"EFGS-701": {what: "00 and a long serial number", role: NBTLS, edit: zero},
		"EFGS-702": {what: "equals sign in the template", role: NBTLS, edit: amended(NBTLS, "O=a=b")},
		"EFGS-703": {what: "not alone in the template", edit: subject("C=DE+O=Provider", "OU=Unit", "L=Berlin", "CN=Batch Signer", "E=pki@example.de")},
		"EFGS-705": {what: "the template the other way round", edit: subject("E=pki@example.de", "CN=Batch Signer", "L=Berlin", "OU=Unit", "O=Provider", "C=DE")},
		"EFGS-707": {what: "a point on brainpoolP256r1", edit: both(issued, brainpool)},
		"EFGS-802": {what: "negative, of nine octets", edit: serial(0x81, 1, 2, 3, 4, 5, 6, 7, 8)},
		"EFGS-825": {what: "the template with a UTF8String", edit: utf8Email},
		"EFGS-826": {what: "the template with a blank", edit: amended(NBBS, "CN=Batch Signer ")},
		"EFGS-901": {what: "a good key without parameters", edit: both(issued, func(s *spec) {
			s.spki = seq(algID(oidRSA, nil), bitString(seq(bigInteger(plainNumber(3072)), bigInteger(f4))))
		})},
		"EFGS-902": {what: "of 3072 bits", edit: ca(new(big.Int).Mul(plainNumber(3072), big.NewInt(3)))},
		"EFGS-903": {what: "of 3074 bits", edit: ca(closeFactors(1537))},
		"EFGS-904": {what: "the mark and no pattern", edit: ca(rocaNumber(plainNumber(2900)))},
		"EFGS-909": {what: "a CA's certificate over the generator", edit: both(issued, pointOf([]byte{4}, gx, gy))},
		"EFGS-910": {what: "a good key, but long", edit: plainRSA(8193, f4)},
	}
}
