package vet

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// bareKey is a public key as it is given without a certificate.
func bareKey(k *ecdsa.PrivateKey) *cert.Certificate { return bareSPKI(ecSPKI(k)) }

func bareSPKI(spki []byte) *cert.Certificate {
	key, err := sigalg.ParsePublicKey(spki)
	if err != nil {
		panic(err)
	}
	return &cert.Certificate{SPKI: spki, PublicKey: key}
}

// compressedSPKI is a P-256 key with its point compressed.
func compressedSPKI(k *ecdsa.PrivateKey) []byte {
	spki := ecSPKI(k)
	point := spki[len(spki)-65:]
	return seq(algID(oidEC, oidDER("1.2.840.10045.3.1.7")), bitString(append([]byte{2 + point[64]&1}, point[1:33]...)))
}

// blocked is a list of these lines.
func blocked(lines ...string) *Blocklist {
	b, err := ReadBlocklist("blocked.txt", strings.NewReader(strings.Join(lines, "\n")))
	if err != nil {
		panic(err)
	}
	return b
}

// strangersBlocked is a list of both kinds, of keys that no vector has.
func strangersBlocked() *Blocklist {
	return blocked(strings.Repeat("00", 10), strings.Repeat("00", 32))
}

// earlier is a certificate like the template's but for what edit does, with another serial number.
func earlier(role Role, edit func(*spec)) *cert.Certificate {
	s := goodSpec(role)
	s.serial = []byte{0x4b, 8, 7, 6, 5, 4, 3, 2, 1}
	if edit != nil {
		edit(s)
	}
	c, err := cert.Parse(s.der())
	if err != nil {
		panic(err)
	}
	return c
}

func since(from time.Time) func(*spec) { return func(s *spec) { s.from = from } }

func knownAs(c *cert.Certificate, role Role, country string) func(*Request) {
	return func(r *Request) {
		r.Others = knowing(Known{Certificate: r.Certificate, Role: r.Role, Country: r.Country, Source: "itself"}, Known{Certificate: c, Role: role, Country: country, Source: "the other one"})
	}
}

func stranger(s *spec) { s.spki = ecSPKI(strangerKey()) }

// weakKey is too short for 4.1.
var weakKey = sync.OnceValue(func() *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

// weakRoot trusts the CA of the template's TLS certificates, if it had a key that is too short.
func weakRoot(r *Request) {
	s := goodSpec(NBTLS)
	s.subject, s.spki = s.issuer, ecSPKI(weakKey())
	s.extensions = [][]byte{keyUsage(cert.KeyCertSign | cert.CRLSign), basicConstraints(true), keyID(1)}
	ca, err := x509.ParseCertificate(s.der())
	if err != nil {
		panic(err)
	}
	r.Evidence = &Evidence{Roots: newRoots("roots.pem", []root{{Certificate: ca}})}
}

// neighbourVectors: rules that look at other certificates too.
func neighbourVectors() map[string]vectors {
	nothing := func(r *Request) { r.Others = nil }
	noTimes := func(s *spec) { s.validity = seq() }
	twoYears := t0.AddDate(0, 0, 400).AddDate(-2, 0, 0) // before the template ends
	together := func(country string) func(*Request) {
		return func(r *Request) {
			tls := earlier(NBTLS, both(stranger, subject("C="+country, "O=x", "CN=y")))
			r.Submission = []Known{{Certificate: r.Certificate, Role: r.Role, Source: "the nbbs"}, {Certificate: tls, Role: NBTLS, Source: "the nbtls"}}
		}
	}
	alone := func(r *Request) { r.Submission = []Known{{Certificate: r.Certificate, Role: r.Role}} }
	afterTLS := func(r *Request) {
		alone(r)
		r.Others.Add(Known{Certificate: earlier(NBTLS, stranger), Role: NBTLS, Country: "DE"})
	}
	elsewhere := func(edit func(*spec)) func(*Request) {
		return func(r *Request) {
			r.OtherEnvironments = knowing(Known{Certificate: earlier(NBBS, edit), Source: "acceptance.pem"})
		}
	}
	return map[string]vectors{
		"EFGS-117": {
			good: []vector{{what: "a CA with P-256", role: NBTLS, ask: proof(true)}, {what: "the same, beside the roots", role: EFGSTLS, ask: proof(false)}},
			bad:  []vector{{what: "a CA with P-224", role: NBTLS, edit: func(s *spec) { s.signer = weakKey() }, ask: weakRoot, says: "224 bits"}},
			skipped: []vector{{what: "nothing given", role: NBTLS}, {what: "self-issued", ask: proof(true)},
				{what: "another CA", role: NBTLS, edit: func(s *spec) { s.issuer = name("CN=another") }, ask: proof(true)}},
		},
		"EFGS-208": {
			good: []vector{{what: "nothing else"}, {what: "two years to the second", ask: knownAs(earlier(NBBS, since(twoYears)), NBBS, "DE")}, {what: "an old certificate with another key", ask: knownAs(earlier(NBBS, both(stranger, since(date(2015, 1, 1)))), NBBS, "DE")},
				{what: "its successor", ask: knownAs(earlier(NBBS, since(date(2021, 1, 1))), NBBS, "DE")}, {what: "a bare key, which has no time", ask: func(r *Request) { r.Others.Add(Known{Certificate: bareKey(testKey())}) }}},
			bad:  []vector{{what: "a second more", ask: knownAs(earlier(NBBS, since(twoYears.Add(-time.Second))), NBBS, "DE"), says: "the other one"}, {what: "in an NBTLS", ask: knownAs(earlier(NBTLS, since(date(2018, 1, 1))), NBTLS, "DE")}},
			open: []vector{{what: "nothing to compare with", ask: nothing, says: "--with"}, {what: "unreadable key", edit: func(s *spec) { s.spki = tlv(5) }}, {what: "no validity", edit: noTimes}},
		},
		"EFGS-504": {
			good: []vector{{what: "nothing else"}, {what: "a predecessor with another key", ask: knownAs(earlier(NBBS, both(stranger, since(date(2020, 1, 1)))), NBBS, "DE")}, {what: "its successor", ask: knownAs(earlier(NBBS, since(date(2021, 1, 1))), NBBS, "DE")},
				{what: "an NBTLS, which EFGS-501 has", ask: knownAs(earlier(NBTLS, since(date(2020, 1, 1))), NBTLS, "DE")}, {what: "another state's", ask: knownAs(earlier(NBBS, since(date(2020, 1, 1))), NBBS, "FR")}},
			bad:  []vector{{what: "a predecessor with its key", ask: knownAs(earlier(NBBS, since(date(2020, 1, 1))), NBBS, "DE"), says: "the other one"}, {what: "an NBTLS's", role: NBTLS, ask: knownAs(earlier(NBTLS, since(date(2020, 1, 1))), NBTLS, "DE")}},
			open: []vector{{what: "nothing to compare with", ask: nothing, says: "--with"}},
		},
		"EFGS-505": {
			good: []vector{{what: "both", ask: together("DE")}, {what: "the NBTLS came before", ask: afterTLS}, {what: "an NBTLS, and an NBBS too", role: NBTLS, ask: func(r *Request) {
				alone(r)
				r.Submission = append(r.Submission, Known{Role: NBBS, Certificate: r.Certificate})
			}}},
			bad:     []vector{{what: "an NBBS alone", ask: alone, says: "no NBTLS"}, {what: "an NBTLS alone", role: NBTLS, ask: alone, says: "no NBBS"}},
			skipped: []vector{{what: "no submission"}},
		},
		"EFGS-506": {
			good:    []vector{{what: "one country", ask: together("DE")}},
			bad:     []vector{{what: "two countries", ask: together("FR"), says: "“FR” in the nbtls"}},
			skipped: []vector{{what: "no submission"}, {what: "no country", edit: subject("O=x"), ask: together("FR")}},
		},
		"EFGS-508": {
			good: []vector{{what: "nothing else"}, {what: "another key", ask: elsewhere(stranger)}},
			bad:  []vector{{what: "the same key", ask: elsewhere(nil), says: "acceptance.pem"}},
			open: []vector{{what: "nothing given", ask: func(r *Request) { r.OtherEnvironments = nil }, says: "--other-environment"}, {what: "unreadable key", edit: func(s *spec) { s.spki = tlv(5) }}},
		},
	}
}

// outsideVectors: rules that need lists from outside, and one about the EFGSTA.
func outsideVectors() map[string]vectors {
	national := func(spki []byte) func(*Request) {
		return func(r *Request) {
			r.Others = knowing(Known{Certificate: bareSPKI(spki), Source: "the public key in national.pem"})
		}
	}
	debian := func(r *Request) {
		sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", r.Certificate.PublicKey.N))
		r.Blocklists = []*Blocklist{strangersBlocked(), blocked(fmt.Sprintf("# RSA\n%x", sum[10:]))}
	}
	known := func(spki []byte) func(*Request) {
		return func(r *Request) {
			r.Blocklists = []*Blocklist{strangersBlocked(), blocked(fmt.Sprintf("%X", sha256.Sum256(spki)))}
		}
	}
	plain := plainRSA(3072, big.NewInt(65537))
	prime := plainNumber(1540)
	product := func(bits int) func(*spec) {
		return both(issued, modulus(new(big.Int).Mul(prime, plainNumber(bits))))
	}
	rsaIn := func(edit func(*spec), self bool) func(*Request) {
		return func(r *Request) {
			r.Others = knowing(Known{Certificate: earlier(NBBS, edit), Role: NBBS, Country: "FR", Source: "other.pem"})
			if self {
				r.Others.Add(Known{Certificate: r.Certificate, Role: NBBS, Country: "DE"})
			}
		}
	}
	many := func(r *Request) {
		r.Others = NewIndex()
		for i := range int64(maxModuli + 1) {
			r.Others.Add(Known{Certificate: &cert.Certificate{PublicKey: &sigalg.PublicKey{N: big.NewInt(2*i + 3)}}})
		}
	}
	return map[string]vectors{
		"EFGS-502": {
			good: []vector{{what: "another key"}},
			bad:  []vector{{what: "the key", ask: national(ecSPKI(testKey())), says: "national.pem"}, {what: "the key, compressed", ask: national(compressedSPKI(testKey()))}},
			open: []vector{{what: "certificates alone", ask: knownAs(earlier(NBTLS, stranger), NBTLS, "DE"), says: "--with"}, {what: "nothing", ask: func(r *Request) { r.Others = nil }}, {what: "unreadable key", edit: func(s *spec) { s.spki = tlv(5) }}},
		},
		"EFGS-704": {
			good: []vector{{what: "ECDSA", role: EFGSTA}, {what: "RSA", role: EFGSTA, edit: both(rsaKey(3072, 65537), signedBy(rsaAlg(oidSHA256RSA)))}},
			bad: []vector{{what: "RSASSA-PSS", role: EFGSTA, edit: both(issued, signedBy(pssAlg(sha256OID, sha256OID, 32, 1))), says: "RSASSA-PSS"}, {what: "an EC key signed by an RSA key", role: EFGSTA, edit: signedBy(rsaAlg(oidSHA256RSA)), says: "EC"},
				{what: "Ed25519", role: EFGSTA, edit: signedBy(algID("1.3.101.112", nil)), says: "Ed25519"}, {what: "unknown", role: EFGSTA, edit: signedBy(algID("1.2.3.4", nil)), says: "1.2.3.4"}},
			open: []vector{{what: "unreadable key", role: EFGSTA, edit: unreadableKey}, {what: "unreadable algorithm", role: EFGSTA, edit: func(s *spec) { s.outer = seq(tlv(5)) }}},
		},
		"EFGS-905": {
			good:    []vector{{what: "on no list", edit: plain}},
			bad:     []vector{{what: "on the list", edit: plain, ask: debian, says: "blocked.txt"}},
			open:    []vector{{what: "no list", edit: plain, ask: func(r *Request) { r.Blocklists = nil }, says: "--blocklist"}, {what: "a list of other things", edit: plain, ask: func(r *Request) { r.Blocklists = []*Blocklist{blocked(strings.Repeat("00", 32))} }}},
			skipped: []vector{{what: "EC"}},
		},
		"EFGS-906": {
			good: []vector{{what: "on no list"}},
			bad:  []vector{{what: "on the list", ask: known(ecSPKI(testKey())), says: "blocked.txt"}, {what: "in another encoding", edit: func(s *spec) { s.spki = compressedSPKI(testKey()) }, ask: known(ecSPKI(testKey()))}},
			open: []vector{{what: "no list", ask: func(r *Request) { r.Blocklists = nil }, says: "--blocklist"}, {what: "a list of other things", ask: func(r *Request) { r.Blocklists = []*Blocklist{blocked(strings.Repeat("00", 10))} }}, {what: "unreadable key", edit: func(s *spec) { s.spki = nil }}},
		},
		"EFGS-907": {
			good: []vector{{what: "nothing else", edit: plain}, {what: "another modulus", edit: plain, ask: rsaIn(product(1533), true)}, {what: "itself", edit: plain, ask: knownAs(earlier(NBBS, stranger), NBTLS, "DE")}, {what: "its own modulus elsewhere, which EFGS-501 has", edit: plain, ask: rsaIn(plain, true)}},
			bad: []vector{{what: "a prime in common", edit: product(1533), ask: rsaIn(product(1534), true), says: "other.pem"}, {what: "with one that came before", edit: product(1533), ask: rsaIn(product(1534), false), says: "other.pem"},
				{what: "found among many", edit: product(1533), ask: func(r *Request) {
					rsaIn(product(1534), true)(r)
					r.Others.Add(Known{Certificate: earlier(NBBS, plain)})
				}, says: "other.pem"}},
			open:    []vector{{what: "nothing to compare with", edit: plain, ask: func(r *Request) { r.Others = nil }, says: "--with"}, {what: "too many", edit: plain, ask: many, says: "2000"}},
			skipped: []vector{{what: "EC"}, {what: "negative", edit: func(s *spec) { s.spki = seq(rsaAlg(oidRSA), bitString(seq(integer(-15), integer(-3)))) }}},
		},
	}
}
