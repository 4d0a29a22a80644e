package cert

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// HoldsKey reports whether a private key stands anywhere in data, DER or PEM, also
// deep inside another structure: a certificate, a revocation list or a response can
// carry one in an extension, or behind its signature.
func HoldsKey(data []byte) bool {
	if bytes.Contains(data, []byte("PRIVATE KEY-----")) || holdsKeyDER(data) {
		return true
	}
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return false
		}
		if bytes.Contains(block.Bytes, []byte("PRIVATE KEY-----")) || holdsKeyDER(block.Bytes) {
			return true
		}
	}
}

func holdsKeyDER(data []byte) bool {
	for i, c := range data {
		if c == 0x30 && isKey(data[i:]) {
			return true
		}
	}
	return false
}

// isKey reports whether data begins with a private key: PKCS#8, sealed PKCS#8,
// PKCS#1 or SEC 1. It asks for more than classify does, since here almost
// everything is something else: the version of a list, say, is an INTEGER too.
func isKey(data []byte) bool {
	in := cryptobyte.String(data)
	var key, algorithm, secret cryptobyte.String
	var version int64
	if !in.ReadASN1(&key, asn1.SEQUENCE) {
		return false
	}
	if key.PeekASN1Tag(asn1.SEQUENCE) {
		return key.ReadASN1(&algorithm, asn1.SEQUENCE) && isSealing(algorithm) && key.PeekASN1Tag(asn1.OCTET_STRING)
	}
	if !key.ReadASN1Integer(&version) || version < 0 || version > 1 {
		return false
	}
	switch {
	case key.PeekASN1Tag(asn1.SEQUENCE):
		return key.ReadASN1(&algorithm, asn1.SEQUENCE) && algorithm.PeekASN1Tag(asn1.OBJECT_IDENTIFIER) && key.PeekASN1Tag(asn1.OCTET_STRING)
	case key.PeekASN1Tag(asn1.OCTET_STRING):
		return version == 1 && key.ReadASN1(&secret, asn1.OCTET_STRING) && len(secret) >= 16 && len(secret) <= 72
	}
	numbers := 0
	for key.SkipASN1(asn1.INTEGER) {
		numbers++
	}
	return numbers >= 4
}

// isSealing reports the schemes of PKCS#5 and PKCS#12 that seal a key.
func isSealing(algorithm cryptobyte.String) bool {
	var oid cryptobyte.String
	return algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) &&
		(bytes.HasPrefix(oid, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5}) || bytes.HasPrefix(oid, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 12, 1}))
}
