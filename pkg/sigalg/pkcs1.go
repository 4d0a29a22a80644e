package sigalg

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// FromPKCS1 makes the SubjectPublicKeyInfo of an RSAPublicKey (RFC 8017 A.1.1), which is
// what "BEGIN RSA PUBLIC KEY" stands before.
func FromPKCS1(der []byte) (spki []byte, err error) {
	if _, err := sequence(der); err != nil {
		return nil, fmt.Errorf("RSAPublicKey: %w", err)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		// AlgorithmIdentifier rsaEncryption with NULL.
		b.AddBytes([]byte{0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00})
		b.AddASN1BitString(der)
	})
	if spki, err = b.Bytes(); err != nil {
		return nil, fmt.Errorf("RSAPublicKey: %w", err)
	}
	_, err = ParsePublicKey(spki)
	return spki, err
}
