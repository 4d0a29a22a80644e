package vet

import (
	"bytes"
	"crypto/ecdsa"
	"math/big"

	"github.com/efgsta/efgsta/pkg/cert"
)

const (
	sha1OID   = "1.3.14.3.2.26"
	sha224OID = "2.16.840.1.101.3.4.2.4"
	sha256OID = "2.16.840.1.101.3.4.2.1"
	sha512OID = "2.16.840.1.101.3.4.2.3"
)

func unreadableKey(s *spec) { s.spki = seq(tlv(5), bitString([]byte{1})) }

func exponent(e *big.Int) func(*spec) {
	return func(s *spec) { s.spki = rsaSPKI(3072, e) }
}

func power2(n uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), n) }

func algorithmVectors() map[string]vectors {
	pss := func(hash, mgf string, salt, trailer int64) func(*spec) {
		return both(issued, signedBy(pssAlg(hash, mgf, salt, trailer)))
	}
	// bound is a CA's certificate over a key of 3072 bits that is id-RSASSA-PSS with these parameters.
	bound := func(alg []byte) func(*spec) {
		return both(issued, func(s *spec) {
			s.spki = seq(alg, bitString(seq(bigInteger(plainNumber(3072)), integer(65537))))
		})
	}
	hugeSalt := both(issued, signedBy(algID(oidRSAPSS, seq(tlv(0xa0, rsaAlg(sha256OID)), tlv(0xa1, algID("1.2.840.113549.1.1.8", rsaAlg(sha256OID))), tlv(0xa2, bigInteger(power2(70)))))))
	ed25519 := func(s *spec) { s.spki = seq(algID("1.3.101.112", nil), bitString(make([]byte, 32))) }
	return map[string]vectors{
		"EFGS-101": {
			good: []vector{{what: "P-256"}, {what: "RSA", edit: rsaKey(3072, 65537)}, {what: "DSA", edit: func(s *spec) { s.spki = dsaSPKI(3072, 256) }},
				{what: "id-RSASSA-PSS", edit: func(s *spec) {
					s.spki = seq(algID(oidRSAPSS, nil), bitString(seq(bigInteger(power2(3071)), integer(65537))))
				}}},
			bad: []vector{{what: "Ed25519", edit: ed25519, says: "Ed25519"},
				{what: "X25519", edit: func(s *spec) { s.spki = seq(algID("1.3.101.110", nil), bitString(make([]byte, 32))) }, says: "1.3.101.110"},
				{what: "SM2", edit: func(s *spec) { s.spki = curveSPKI(oidDER("1.2.156.10197.1.301"), 32) }, says: "SM2"}},
			open: []vector{{what: "unreadable key", edit: unreadableKey}},
		},
		"EFGS-102": {
			good:    []vector{{what: "3072 bits", edit: rsaKey(3072, 65537)}, {what: "4096 bits", edit: rsaKey(4096, 65537)}},
			bad:     []vector{{what: "2048 bits", edit: rsaKey(2048, 65537), says: "2048 bits"}, {what: "2999 bits", edit: rsaKey(2999, 65537), says: "2999"}, {what: "3000 bits is enough, but noted", edit: rsaKey(3000, 65537), severity: SeverityNotice, says: "3072"}, {what: "3071 bits", edit: rsaKey(3071, 65537), severity: SeverityNotice}},
			open:    []vector{{what: "unreadable key", edit: unreadableKey}, {what: "unreadable modulus", edit: func(s *spec) { s.spki = seq(rsaAlg(oidRSA), bitString([]byte{5, 0})) }}},
			skipped: []vector{{what: "EC"}},
		},
		"EFGS-103": {
			good:    []vector{{what: "65537", edit: rsaKey(3072, 65537)}, {what: "65539", edit: rsaKey(3072, 65539)}},
			bad:     []vector{{what: "65535", edit: rsaKey(3072, 65535), says: "65535"}, {what: "65536", edit: rsaKey(3072, 65536), says: "at least 65537"}, {what: "3", edit: rsaKey(3072, 3)}, {what: "even", edit: rsaKey(3072, 65538), says: "even"}},
			skipped: []vector{{what: "EC"}},
		},
		"EFGS-104": {
			good: []vector{{what: "65537", edit: rsaKey(3072, 65537)}, {what: "2^31-1", edit: rsaKey(3072, 1<<31-1)}},
			bad: []vector{{what: "2^256+1", edit: exponent(new(big.Int).Add(power2(256), big.NewInt(1))), says: "257 bits"},
				{what: "2^31+1", edit: rsaKey(3072, 1<<31+1), severity: SeverityNotice},
				{what: "2^256-1", edit: exponent(new(big.Int).Sub(power2(256), big.NewInt(1))), severity: SeverityNotice}},
		},
		"EFGS-105": {
			good: []vector{{what: "PSS", edit: pss(sha256OID, sha256OID, 32, 1)}},
			bad: []vector{{what: "self-issued PKCS#1", edit: signedBy(rsaAlg(oidSHA256RSA))},
				{what: "CA-issued PKCS#1", role: NBTLS, edit: signedBy(rsaAlg(oidSHA256RSA)), severity: SeverityNotice}},
			open:    []vector{{what: "unknown algorithm", edit: signedBy(algID("1.2.3.4", nil))}},
			skipped: []vector{{what: "ECDSA"}},
		},
		"EFGS-106": {
			good: []vector{{what: "SHA-256, salt 32", edit: pss(sha256OID, sha256OID, 32, 1)}, {what: "salt 0 is sound, if short", edit: pss(sha256OID, sha256OID, 0, 1)},
				{what: "a key bound to SHA-256", edit: bound(pssAlg(sha256OID, sha256OID, 32, 1))},
				{what: "largest salt of a 3072-bit key", edit: both(rsaKey(3072, 65537), signedBy(pssAlg(sha256OID, sha256OID, 384-32-2, 1)))}},
			bad: []vector{{what: "no parameters", edit: signedBy(algID(oidRSAPSS, nil)), says: "absent"}, {what: "empty parameters", edit: signedBy(algID(oidRSAPSS, seq())), says: "absent"},
				{what: "SHA-1", edit: pss(sha1OID, sha256OID, 32, 1), says: "hash is SHA-1"}, {what: "MGF1 with SHA-1", edit: pss(sha256OID, sha1OID, 32, 1), says: "MGF1 with SHA-1"},
				{what: "SHA-224", edit: pss(sha224OID, sha224OID, 28, 1)}, {what: "trailer 2", edit: pss(sha256OID, sha256OID, 32, 2), says: "trailer"},
				{what: "negative salt", edit: pss(sha256OID, sha256OID, -1, 1), says: "-1"},
				{what: "salt beyond a 3072-bit key", edit: both(rsaKey(3072, 65537), signedBy(pssAlg(sha256OID, sha256OID, 384-32-1, 1))), says: "at most 350"},
				{what: "a key bound to SHA-1, by an empty SEQUENCE", edit: bound(algID(oidRSAPSS, seq())), says: "key is bound to empty parameters"}, {what: "a key bound to SHA-224", edit: bound(pssAlg(sha224OID, sha224OID, 28, 1)), says: "hash is SHA-224"},
				{what: "a key bound to trailer 2", edit: bound(pssAlg(sha256OID, sha256OID, 32, 2)), says: "trailer"}, {what: "a key bound to an unknown hash", edit: bound(pssAlg("1.2.3.4", sha256OID, 32, 1)), says: "hash is 1.2.3.4"},
				{what: "a key bound to a salt that it has no room for", edit: bound(pssAlg(sha256OID, sha256OID, 351, 1)), says: "at most 350"},
				{what: "not MGF1", edit: both(issued, signedBy(algID(oidRSAPSS, seq(tlv(0xa0, rsaAlg(sha256OID)), tlv(0xa1, algID("1.2.3", rsaAlg(sha256OID))), tlv(0xa2, integer(32)))))), says: "is not MGF1"},
				{what: "salt of 2^70", edit: hugeSalt, says: "cannot be read to their end"}},
			skipped: []vector{{what: "ECDSA"}, {what: "a key bound to nothing", edit: bound(algID(oidRSAPSS, nil))}, {what: "RSASSA-PSS with SHAKE256", edit: signedBy(algID("1.3.6.1.5.5.7.6.31", nil))}},
		},
		"EFGS-107": {
			good: []vector{{what: "same hash", edit: pss(sha256OID, sha256OID, 32, 1)}},
			bad:  []vector{{what: "other hash", edit: pss(sha256OID, sha512OID, 32, 1), says: "SHA-512"}, {what: "other hash in the key", edit: bound(pssAlg(sha256OID, sha512OID, 32, 1)), says: "key is bound"}},
			open: []vector{{what: "salt of 2^70", edit: hugeSalt, says: "cannot be read"}},
		},
		"EFGS-108": {
			good: []vector{{what: "salt 32", edit: pss(sha256OID, sha256OID, 32, 1)}, {what: "salt 64", edit: pss(sha256OID, sha256OID, 64, 1)}},
			bad:  []vector{{what: "salt 20", edit: pss(sha256OID, sha256OID, 20, 1), says: "20 bytes"}, {what: "salt 0", edit: pss(sha256OID, sha256OID, 0, 1)}},
			open: []vector{{what: "unknown hash", edit: pss("1.2.3.4", sha256OID, 32, 1)}, {what: "salt of 2^70", edit: hugeSalt, says: "cannot be read"}},
		},
		"EFGS-114": {
			good: []vector{{what: "ECDSA with SHA-256"}, {what: "RSA with SHA-512", edit: signedBy(rsaAlg("1.2.840.113549.1.1.13"))}, {what: "SHA3-256", edit: signedBy(rsaAlg("2.16.840.1.101.3.4.3.14"))}},
			bad: []vector{{what: "SHA-1", edit: signedBy(rsaAlg("1.2.840.113549.1.1.5")), says: "SHA-1"}, {what: "SHA-1 by its other OID", edit: signedBy(rsaAlg("1.3.14.3.2.29")), says: "SHA-1"},
				{what: "MD5", edit: signedBy(rsaAlg("1.2.840.113549.1.1.4"))}, {what: "ECDSA with SHA-224", edit: signedBy(algID("1.2.840.10045.4.3.1", nil))},
				{what: "SHA-512/224", edit: signedBy(rsaAlg("1.2.840.113549.1.1.15"))}, {what: "SHAKE128", edit: signedBy(algID("1.3.6.1.5.5.7.6.30", nil)), says: "SHAKE128"},
				{what: "unknown", edit: signedBy(algID("1.2.3.4", nil)), says: "1.2.3.4"}, {what: "Ed25519", edit: signedBy(algID("1.3.101.112", nil)), says: "Ed25519"},
				{what: "PSS defaults", edit: signedBy(algID(oidRSAPSS, nil)), says: "SHA-1"}},
			open: []vector{{what: "unreadable", edit: func(s *spec) { s.outer = seq(tlv(5)) }}},
		},
		"EFGS-115": {
			good:    []vector{{what: "SHA-256"}, {what: "SHA-384", edit: signedBy(rsaAlg("1.2.840.113549.1.1.12"))}},
			bad:     []vector{{what: "SHA-512/256", edit: signedBy(rsaAlg("1.2.840.113549.1.1.16"))}, {what: "ECDSA with SHA3-256", edit: signedBy(algID("2.16.840.1.101.3.4.3.10", nil))}, {what: "SHAKE256", edit: signedBy(algID("1.3.6.1.5.5.7.6.31", nil))}},
			skipped: []vector{{what: "SHA-1", edit: signedBy(rsaAlg("1.2.840.113549.1.1.5"))}},
		},
	}
}

func curveVectors() map[string]vectors {
	curve := func(oid string, size int) func(*spec) {
		return func(s *spec) { s.spki = curveSPKI(oidDER(oid), size) }
	}
	explicit := func(s *spec) {
		point := ecSPKI(testKey())
		s.spki = seq(algID(oidEC, explicitP256()), bitString(point[len(point)-65:]))
	}
	const (
		p224, bp256, bp320 = "1.3.132.0.33", "1.3.36.3.3.2.8.1.1.7", "1.3.36.3.3.2.8.1.1.9"
		k256, prime239     = "1.3.132.0.10", "1.2.840.10045.3.1.4"
		sect233, sect283   = "1.3.132.0.26", "1.3.132.0.16"
	)
	dsa := func(p, q uint) func(*spec) { return func(s *spec) { s.spki = dsaSPKI(p, q) } }
	return map[string]vectors{
		"EFGS-109": {
			good: []vector{{what: "P-256"}, {what: "brainpoolP256r1", edit: curve(bp256, 32)}},
			bad: []vector{{what: "explicit P-256", edit: explicit, says: "P-256"},
				{what: "implicit curve", edit: func(s *spec) { s.spki = curveSPKI(tlv(5), 32) }, says: "names no curve"},
				{what: "no parameters", edit: func(s *spec) { s.spki = curveSPKI(nil, 32) }, says: "names no curve"},
				{what: "explicit nonsense", edit: func(s *spec) { s.spki = curveSPKI(seq(integer(1)), 32) }, says: "no known curve"}},
			skipped: []vector{{what: "RSA", edit: rsaKey(3072, 65537)}},
		},
		"EFGS-110": {
			good: []vector{{what: "P-256"}, {what: "brainpoolP256r1", edit: curve(bp256, 32)}, {what: "secp256k1", edit: curve(k256, 32)}, {what: "sect283k1", edit: curve(sect283, 36)}},
			bad:  []vector{{what: "P-224", edit: curve(p224, 28), says: "224"}, {what: "prime239v1", edit: curve(prime239, 30), says: "239"}, {what: "sect233k1", edit: curve(sect233, 30), says: "232"}},
			open: []vector{{what: "unknown curve", edit: curve("1.2.3.4", 32)}},
		},
		"EFGS-111": {
			good: []vector{{what: "P-256"}, {what: "brainpoolP256r1", edit: curve(bp256, 32)}, {what: "FRP256v1", edit: curve("1.2.250.1.223.101.256.1", 32)}, {what: "explicit P-256", edit: explicit}},
			bad: []vector{{what: "secp256k1", edit: curve(k256, 32)}, {what: "brainpoolP320r1", edit: curve(bp320, 40)},
				{what: "binary", edit: curve(sect283, 36), severity: SeverityError, says: "binary"}, {what: "unknown", edit: curve("1.2.3.4", 32), severity: SeverityError, says: "1.2.3.4"}},
		},
		"EFGS-112": {
			good: []vector{{what: "3072/256", edit: dsa(3072, 256)}, {what: "3000/250", edit: dsa(3000, 250)}},
			bad: append(dsaVectors(), vector{what: "2048/256", edit: dsa(2048, 256), says: "2048"}, vector{what: "3072/224", edit: dsa(3072, 224), says: "224"},
				vector{what: "2999/250", edit: dsa(2999, 250), says: "2999"}, vector{what: "3000/249", edit: dsa(3000, 249), says: "249"}),
			open:    []vector{{what: "inherited parameters", edit: func(s *spec) { s.spki = seq(algID(oidDSA, nil), bitString(integer(4))) }}},
			skipped: []vector{{what: "EC"}},
		},
	}
}

func keyVectors() map[string]vectors {
	other := func(edit func(*spec), role Role, country string) func(*Request) {
		return func(r *Request) {
			s := goodSpec(NBTLS)
			s.serial = []byte{7}
			if edit != nil {
				edit(s)
			}
			c, err := cert.Parse(s.der())
			if err != nil {
				panic(err)
			}
			r.Others = knowing(Known{Certificate: c, Role: role, Country: country, Source: "the other one"})
		}
	}
	same := func(role Role, country string) func(*Request) {
		return func(r *Request) { r.Others = knowing(Known{Certificate: r.Certificate, Role: role, Country: country}) }
	}
	stranger := func(s *spec) { s.spki = ecSPKI(caKey()) }
	compressed := func(s *spec) {
		spki := ecSPKI(testKey())
		s.spki = seq(algID(oidEC, oidDER("1.2.840.10045.3.1.7")), bitString(append([]byte{2}, spki[len(spki)-64:len(spki)-32]...)))
	}
	pssKey := func(s *spec) {
		s.spki = seq(algID(oidRSAPSS, nil), bitString(seq(bigInteger(new(big.Int).Add(power2(3071), big.NewInt(12345))), integer(65537))))
	}
	nothing := func(r *Request) { r.Others = nil }
	lastWeek := func(r *Request) {
		now := r.At
		r.At = now.AddDate(0, 0, -7)
		proof(true)(r)
		r.At = now
	}
	return map[string]vectors{
		"EFGS-501": {
			good: []vector{{what: "nothing else"}, {what: "another key", ask: other(stranger, NBTLS, "DE")}, {what: "itself", ask: same(NBBS, "DE")}, {what: "its predecessor", ask: other(nil, NBBS, "DE")}},
			bad: []vector{{what: "key of the NBTLS", ask: other(nil, NBTLS, "DE"), says: "the other one"}, {what: "key of another state", ask: other(nil, NBBS, "FR")},
				{what: "key of the anchor", ask: other(nil, EFGSTA, "")}, {what: "itself as NBTLS", ask: same(NBTLS, "DE")}, {what: "itself for another state", ask: same(NBBS, "FR")},
				{what: "same point, compressed", ask: other(compressed, NBTLS, "DE")}, {what: "same modulus, id-RSASSA-PSS", edit: rsaKey(3072, 65537), ask: other(pssKey, NBTLS, "DE")},
				{what: "key of unknown purpose", ask: other(nil, "", "")}},
			open: []vector{{what: "nothing to compare with", ask: nothing, says: "--with"}, {what: "no key", edit: func(s *spec) { s.spki = tlv(5) }}},
		},
		"EFGS-503": {
			good: []vector{{what: "another key", role: EFGSTA, ask: other(stranger, EFGSTLS, "")}},
			bad:  []vector{{what: "one key for both", role: EFGSTA, ask: other(nil, EFGSTLS, "")}, {what: "key of a member", role: EFGSTLS, ask: other(nil, NBTLS, "DE")}},
			open: []vector{{what: "nothing to compare with", role: EFGSTA, ask: nothing}},
		},
		"EFGS-601": {
			good: []vector{{what: "issued by a root", role: NBTLS, ask: proof(true)}, {what: "EFGSTLS too", role: EFGSTLS, ask: proof(true)}},
			bad:  []vector{{what: "a CA that is given and no root", role: NBTLS, ask: proof(false), says: "not among"}},
			open: []vector{{what: "no roots", role: NBTLS, says: "no trusted roots"}},
		},
		"EFGS-602": {
			good: []vector{{what: "not on the list", role: NBTLS, ask: proof(true)}},
			bad:  []vector{{what: "on the list", role: NBTLS, ask: proof(true, goodSpec(NBTLS).serial), says: "revoked on"}},
			open: []vector{{what: "no lists", role: NBTLS}, {what: "no path", role: NBTLS, ask: proof(false), says: "EFGS-601"}, {what: "a list of last week", role: NBTLS, ask: lastWeek, severity: SeverityWarning, says: "stale"}},
		},
		"EFGS-603": {
			good: []vector{{what: "its own signature"}, {what: "EFGSTA", role: EFGSTA}, {what: "its own under another name", edit: both(issued, func(s *spec) { s.signer = testKey() })},
				{what: "of a CA that is given", edit: issued, ask: issuedBy(caKey(), name("C=DE", "O=CA", "CN=CA"), 2)}, {what: "of a CA whose name is spelt in another way", edit: issued, ask: issuedBy(caKey(), name("C=de", "O=ca", "CN= CA"), 2)},
				{what: "of a CA with two keys", edit: issued, ask: both2(issuedBy(strangerKey(), name("C=DE", "O=CA", "CN=CA"), 3), issuedBy(caKey(), name("C=DE", "O=CA", "CN=CA"), 2))}},
			bad: []vector{{what: "another's signature", edit: func(s *spec) { s.signer = caKey() }}, {what: "nonsense", edit: func(s *spec) { s.signature = []byte{1, 2, 3} }},
				{what: "another's, and a name in another string type", edit: both(otherString, func(s *spec) { s.signer = caKey() }), says: "own key"},
				{what: "another's, and a name in lower case", edit: func(s *spec) {
					s.issuer, s.signer = name("C=DE", "O=provider", "OU=Unit", "L= Berlin ", "CN=Batch  signer", "E=PKI@example.de"), caKey()
				}, says: "own key"},
				{what: "another's, and its own key for the authority's", edit: both(issued, with(oidAuthorityKeyID, authorityKeyID(1))), says: "own key"},
				{what: "not of the CA that is given", edit: issued, ask: issuedBy(strangerKey(), name("C=DE", "O=CA", "CN=CA"), 2), says: "not that of"},
				{what: "none", edit: both(issued, func(s *spec) { s.signature = []byte{} }), says: "empty"}, {what: "no DER, of a CA", edit: both(issued, func(s *spec) { s.signature = []byte{1, 2, 3} }), says: "DER"},
				{what: "zeros, of a CA with RSA", edit: both(issued, func(s *spec) {
					s.inner, s.outer, s.signature = rsaAlg(oidSHA256RSA), rsaAlg(oidSHA256RSA), make([]byte, 384)
				}), says: "number 0"}},
			open: []vector{{what: "unknown algorithm", edit: signedBy(algID("1.2.3.4", nil))}, {what: "issued by a CA", edit: issued, says: "is not given"},
				{what: "only another key of the CA is given", edit: issued, ask: issuedBy(strangerKey(), name("C=DE", "O=CA", "CN=CA"), 3), says: "is not given"}},
		},
	}
}

// issuedBy gives a CA's certificate of that key, name and key identifier.
func issuedBy(key *ecdsa.PrivateKey, subject []byte, id byte) func(*Request) {
	return func(r *Request) {
		s := goodSpec(NBBS)
		s.subject, s.issuer, s.signer, s.spki = subject, subject, key, ecSPKI(key)
		s.extensions = [][]byte{basicConstraints(true), keyUsage(cert.KeyCertSign), keyID(id)}
		c, err := cert.Parse(s.der())
		if err != nil {
			panic(err)
		}
		r.Issuers = append(r.Issuers, c)
	}
}

func both2(a, b func(*Request)) func(*Request) {
	return func(r *Request) { a(r); b(r) }
}

// otherString spells the common name of the issuer as a PrintableString.
func otherString(s *spec) {
	s.issuer = bytes.Replace(s.subject, tlv(12, []byte("Batch Signer")), tlv(19, []byte("Batch Signer")), 1)
	if bytes.Equal(s.issuer, s.subject) {
		panic("the name is as it was")
	}
}
