package vet

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/cert"
)

// spec is a certificate to be, every part of it free: what crypto/x509 would
// never write can be written here.
type spec struct {
	version          int    // 1 leaves the field out
	spellVersion     bool   // but not then
	serial           []byte // content octets
	inner, outer     []byte // AlgorithmIdentifiers
	issuer, subject  []byte // Names
	from, to         time.Time
	validity         []byte // in place of from and to
	spki             []byte
	extensions       [][]byte
	extensionsSuffix []byte // behind the list of extensions, inside the TBSCertificate
	signature        []byte // in place of a real one by signer
	signer           *ecdsa.PrivateKey
}

var t0 = time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC)

const (
	oidSHA256RSA   = "1.2.840.113549.1.1.11"
	oidECDSASHA256 = "1.2.840.10045.4.3.2"
)

// goodSpec is a certificate that its role accepts without a word, but for the
// evidence that nobody gives: NBBS and EFGSTA sign themselves, TLS comes from a CA.
func goodSpec(role Role) *spec {
	k := testKey()
	s := &spec{
		version: 3, serial: []byte{0x4a, 1, 2, 3, 4, 5, 6, 7, 8},
		inner: algID(oidECDSASHA256, nil), outer: algID(oidECDSASHA256, nil),
		subject: name(templateSubject(role)...),
		from:    t0, to: t0.AddDate(0, 0, 400),
		spki: ecSPKI(k), extensions: [][]byte{keyUsage(cert.DigitalSignature), keyID(1), authorityKeyID(1)}, signer: k,
	}
	s.issuer = s.subject
	switch role {
	case NBTLS, EFGSTLS:
		s.issuer = name("C=DE", "O=Public CA", "CN=Issuing CA 1")
		s.extensions = append(s.extensions, eku(cert.EKUClientAuth, cert.EKUServerAuth), san("efgs.example.de"), policies(oidOrganizationValidated))
		s.to = t0.AddDate(0, 0, 397) // public CAs may give 398 days
		s.signer = caKey()
	}
	return s
}

// templateSubject is the subject of goodSpec, by attribute.
func templateSubject(role Role) []string {
	switch role {
	case NBTLS, EFGSTLS:
		return []string{"C=DE", "O=Provider", "OU=Unit", "CN=efgs.example.de", "E=pki@example.de"}
	case EFGSTA:
		return []string{"C=BE", "O=European Commission", "CN=" + anchorCN}
	}
	return []string{"C=DE", "O=Provider", "OU=Unit", "L=Berlin", "CN=Batch Signer", "E=pki@example.de"}
}

// amended is the template's subject with some attributes changed ("CN=x") or left out ("CN").
func amended(role Role, changes ...string) func(*spec) {
	rdns := templateSubject(role)
	for _, change := range changes {
		key, _, replaced := strings.Cut(change, "=")
		i := slices.IndexFunc(rdns, func(a string) bool { return strings.HasPrefix(a, key+"=") })
		switch {
		case replaced && i >= 0:
			rdns[i] = change
		case replaced:
			rdns = append(rdns, change)
		case i >= 0:
			rdns = slices.Delete(rdns, i, i+1)
		}
	}
	return subject(rdns...)
}

// Keys are made once: no test changes them.
var (
	testKey = sync.OnceValue(newKey)
	caKey   = sync.OnceValue(newKey)
	// strangerKey is that of nobody else.
	strangerKey = sync.OnceValue(newKey)
)

func newKey() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
}

func ecSPKI(k *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalPKIXPublicKey(k.Public())
	if err != nil {
		panic(err)
	}
	return der
}

// der encodes the certificate and signs it; again, if the thumbprint comes out as EFGS-701 forbids.
func (s *spec) der() []byte {
	tbs := seq(s.fields()...)
	if s.signature != nil {
		return seq(tbs, s.outer, bitString(s.signature))
	}
	digest := sha256.Sum256(tbs)
	for {
		signature, err := ecdsa.SignASN1(rand.Reader, s.signer, digest[:])
		if err != nil {
			panic(err)
		}
		der := seq(tbs, s.outer, bitString(signature))
		if t := sha256.Sum256(der); t[0] != 0 {
			return der
		}
	}
}

func (s *spec) fields() [][]byte {
	var f [][]byte
	if s.version != 1 || s.spellVersion {
		f = append(f, tlv(0xa0, integer(int64(s.version-1))))
	}
	validity := s.validity
	if validity == nil {
		validity = seq(utcTime(s.from), utcTime(s.to))
	}
	f = append(f, tlv(2, s.serial), s.inner, s.issuer, validity, s.subject, s.spki)
	if s.extensions != nil {
		f = append(f, tlv(0xa3, seq(s.extensions...)))
	}
	return append(f, s.extensionsSuffix)
}

func (s *spec) certificate(t *testing.T) *cert.Certificate {
	t.Helper()
	c, err := cert.Parse(s.der())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// extension replaces the extension of the same OID, or adds it; nil removes it.
func (s *spec) extension(oid string, ext []byte) {
	var kept [][]byte
	for _, e := range s.extensions {
		if !strings.Contains(string(e), string(oidDER(oid))) {
			kept = append(kept, e)
		}
	}
	if ext != nil {
		kept = append(kept, ext)
	}
	s.extensions = kept
}

// selfIssue makes the subject the issuer too, and signs with its own key.
func (s *spec) selfIssue() { s.issuer, s.signer = s.subject, testKey() }

// fromCA gives it another issuer and that issuer's signature.
func (s *spec) fromCA() {
	s.issuer, s.signer = name("C=DE", "O=CA", "CN=CA"), caKey()
	s.extension(oidAuthorityKeyID, authorityKeyID(2))
}

// DER by hand.

func tlv(tag byte, contents ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.Tag(tag), func(b *cryptobyte.Builder) {
		for _, c := range contents {
			b.AddBytes(c)
		}
	})
	return b.BytesOrPanic()
}

func seq(contents ...[]byte) []byte { return tlv(0x30, contents...) }

func oidDER(dotted string) []byte {
	o, err := x509.ParseOID(dotted)
	if err != nil {
		panic(err)
	}
	b, err := o.MarshalBinary()
	if err != nil {
		panic(err)
	}
	return tlv(6, b)
}

func integer(n int64) []byte { return bigInteger(big.NewInt(n)) }

func bigInteger(n *big.Int) []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(n)
	return b.BytesOrPanic()
}

func bitString(content []byte) []byte { return tlv(3, []byte{0}, content) }

func utcTime(t time.Time) []byte {
	if t.Year() >= 2050 {
		return tlv(24, []byte(t.UTC().Format("20060102150405Z")))
	}
	return tlv(23, []byte(t.UTC().Format("060102150405Z")))
}

func algID(oid string, params []byte) []byte { return seq(oidDER(oid), params) }

func rsaAlg(oid string) []byte { return algID(oid, tlv(5)) }

// pssAlg writes RSASSA-PSS-params with every field, also where it equals its default.
func pssAlg(hash, mgf string, salt, trailer int64) []byte {
	return algID(oidRSAPSS, seq(
		tlv(0xa0, rsaAlg(hash)),
		tlv(0xa1, algID("1.2.840.113549.1.1.8", rsaAlg(mgf))),
		tlv(0xa2, integer(salt)),
		tlv(0xa3, integer(trailer)),
	))
}

// attr writes "C=DE": C is a PrintableString and E an IA5String, others are UTF8Strings.
func attr(text string) []byte {
	k, v, _ := strings.Cut(text, "=")
	oid := map[string]string{
		"C": cert.OIDCountry, "O": cert.OIDOrganization, "OU": cert.OIDOrganizationalUnit,
		"CN": cert.OIDCommonName, "L": cert.OIDLocality, "E": cert.OIDEmail,
	}[k]
	tag := byte(12)
	switch k {
	case "C":
		tag = 19
	case "E":
		tag = 22
	}
	return seq(oidDER(oid), tlv(tag, []byte(v)))
}

// name writes one RDN per argument; "C=DE+O=x" is an RDN of two.
func name(rdns ...string) []byte {
	var out [][]byte
	for _, rdn := range rdns {
		var set [][]byte
		for _, a := range strings.Split(rdn, "+") {
			if a != "" {
				set = append(set, attr(a))
			}
		}
		out = append(out, tlv(0x31, set...))
	}
	return seq(out...)
}

func extension(oid string, critical bool, value []byte) []byte {
	if critical {
		return seq(oidDER(oid), tlv(1, []byte{0xff}), tlv(4, value))
	}
	return seq(oidDER(oid), tlv(4, value))
}

func keyUsageBits(ku cert.KeyUsage) []byte {
	var bits [2]byte
	highest := -1
	for i := range 9 {
		if ku&(1<<i) != 0 {
			bits[i/8] |= 0x80 >> (i % 8)
			highest = i
		}
	}
	if highest < 0 {
		return tlv(3, []byte{0})
	}
	return tlv(3, []byte{byte(7 - highest%8)}, bits[:highest/8+1])
}

func keyUsage(ku cert.KeyUsage) []byte { return extension(oidKeyUsage, true, keyUsageBits(ku)) }

func eku(oids ...string) []byte {
	var list [][]byte
	for _, o := range oids {
		list = append(list, oidDER(o))
	}
	return extension(oidEKU, false, seq(list...))
}

func san(dns ...string) []byte {
	var list [][]byte
	for _, d := range dns {
		list = append(list, tlv(0x82, []byte(d)))
	}
	return extension(oidSAN, false, seq(list...))
}

// keyID is a subject key identifier of 20 octets, all the same, and authorityKeyID the other one.
func keyID(b byte) []byte {
	return extension(oidSubjectKeyID, false, tlv(4, bytes.Repeat([]byte{b}, 20)))
}

func authorityKeyID(b byte) []byte {
	return extension(oidAuthorityKeyID, false, seq(tlv(0x80, bytes.Repeat([]byte{b}, 20))))
}

func policies(oids ...string) []byte {
	var list [][]byte
	for _, o := range oids {
		list = append(list, seq(oidDER(o)))
	}
	return extension(oidPolicies, false, seq(list...))
}

const (
	oidPolicies              = "2.5.29.32"
	oidOrganizationValidated = "2.23.140.1.2.2"
)

func basicConstraints(ca bool) []byte {
	if ca {
		return extension(oidBasicConstraints, true, seq(tlv(1, []byte{0xff})))
	}
	return extension(oidBasicConstraints, true, seq())
}

const (
	oidEKU = "2.5.29.37"
	oidSAN = "2.5.29.17"
)

// rsaSPKI has a modulus of the right size that is no product of primes: rules about
// sizes do not verify signatures, and making real keys takes seconds.
func rsaSPKI(bits uint, e *big.Int) []byte {
	n := new(big.Int).Lsh(big.NewInt(1), bits-1)
	n.Add(n, big.NewInt(12345))
	return seq(rsaAlg(oidRSA), bitString(seq(bigInteger(n), bigInteger(e))))
}

func rsaKey(bits uint, e int64) func(*spec) {
	return func(s *spec) { s.spki = rsaSPKI(bits, big.NewInt(e)) }
}

// curveSPKI has a point that is not on the curve, of which Go may know nothing.
func curveSPKI(params []byte, coordinate int) []byte {
	point := append([]byte{4}, make([]byte, 2*coordinate)...)
	for i := range point[1:] {
		point[i+1] = byte(i + 1)
	}
	return seq(algID(oidEC, params), bitString(point))
}

// explicitP256 spells out the parameters of P-256.
func explicitP256() []byte {
	c := elliptic.P256().Params()
	bytes32 := func(n *big.Int) []byte { return n.FillBytes(make([]byte, 32)) }
	a := new(big.Int).Sub(c.P, big.NewInt(3))
	return seq(
		integer(1),
		seq(oidDER("1.2.840.10045.1.1"), bigInteger(c.P)),
		seq(tlv(4, bytes32(a)), tlv(4, bytes32(c.B))),
		tlv(4, []byte{4}, bytes32(c.Gx), bytes32(c.Gy)),
		bigInteger(c.N),
		integer(1),
	)
}

// dsaSPKI has numbers that belong together where soundDSA has some, else numbers of the right size.
func dsaSPKI(p, q uint) []byte {
	if n := soundDSA(p, q); n != nil {
		return n.spki()
	}
	number := func(bits uint) []byte {
		n := new(big.Int).Lsh(big.NewInt(1), bits-1)
		return bigInteger(n.Add(n, big.NewInt(1)))
	}
	return seq(algID(oidDSA, seq(number(p), number(q), integer(2))), bitString(integer(4)))
}
