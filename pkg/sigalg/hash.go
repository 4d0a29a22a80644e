package sigalg

import (
	"crypto"
	_ "crypto/sha1" // SHA-1 signatures are verified, never made: a rule refuses them
	_ "crypto/sha256"
	_ "crypto/sha3"
	_ "crypto/sha512"
)

// digest is a hash algorithm by its names.
type digest struct {
	name string
	oid  string
	hash crypto.Hash // 0 if crypto.Hash cannot name it
}

// digests is never written.
var digests = []digest{
	{"SHA-256", "2.16.840.1.101.3.4.2.1", crypto.SHA256},
	{"SHA-384", "2.16.840.1.101.3.4.2.2", crypto.SHA384},
	{"SHA-512", "2.16.840.1.101.3.4.2.3", crypto.SHA512},
	{"SHA-224", "2.16.840.1.101.3.4.2.4", crypto.SHA224},
	{"SHA-512/224", "2.16.840.1.101.3.4.2.5", crypto.SHA512_224},
	{"SHA-512/256", "2.16.840.1.101.3.4.2.6", crypto.SHA512_256},
	{"SHA3-224", "2.16.840.1.101.3.4.2.7", crypto.SHA3_224},
	{"SHA3-256", "2.16.840.1.101.3.4.2.8", crypto.SHA3_256},
	{"SHA3-384", "2.16.840.1.101.3.4.2.9", crypto.SHA3_384},
	{"SHA3-512", "2.16.840.1.101.3.4.2.10", crypto.SHA3_512},
	{"SHAKE128", "2.16.840.1.101.3.4.2.11", 0},
	{"SHAKE256", "2.16.840.1.101.3.4.2.12", 0},
	{"SHA-1", oidSHA1, crypto.SHA1},
	{"RIPEMD-160", "1.3.36.3.2.1", crypto.RIPEMD160},
	{"MD5", "1.2.840.113549.2.5", crypto.MD5},
	{"MD4", "1.2.840.113549.2.4", crypto.MD4},
	{"MD2", "1.2.840.113549.2.2", 0},
}

const oidSHA1 = "1.3.14.3.2.26"

func hashOf(h crypto.Hash) digest {
	for _, d := range digests {
		if d.hash == h && h != 0 {
			return d
		}
	}
	return digest{}
}

func hashByOID(oid string) digest {
	for _, d := range digests {
		if d.oid == oid {
			return d
		}
	}
	return digest{}
}

func hashByName(name string) digest {
	for _, d := range digests {
		if d.name == name {
			return d
		}
	}
	return digest{}
}

// HashByOID returns the hash that an OID names: its name ("SHA-256") and its
// crypto.Hash (0 where Go has none). An OID it does not know gives "" and 0.
func HashByOID(oid string) (name string, h crypto.Hash) {
	d := hashByOID(oid)
	return d.name, d.hash
}

// HashOID returns the dotted OID of a hash, "" if it has none here.
func HashOID(h crypto.Hash) string { return hashOf(h).oid }
