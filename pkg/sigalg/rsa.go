package sigalg

import (
	"bytes"
	"crypto"
	"crypto/subtle"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxExponentBits caps the public exponent that rawRSA raises to: RSA at the
// largest key and exponent must stay well under a second.
const maxExponentBits = 4096

// rawRSA is RSAVP1 of RFC 8017 5.2.2 with the result as long as the modulus. It
// is for the keys and parameters that crypto/rsa refuses; all numbers are public.
func (k *PublicKey) rawRSA(signature []byte) ([]byte, error) {
	if k.N == nil || k.E == nil || k.N.Sign() <= 0 || k.E.Sign() <= 0 || k.N.Bit(0) == 0 || k.E.Bit(0) == 0 || k.E.BitLen() < 2 || k.E.BitLen() > maxExponentBits {
		return nil, fmt.Errorf("%w: RSA key that is broken (modulus or public exponent even, exponent 1) or has a public exponent of more than %d bits", ErrUnsupported, maxExponentBits)
	}
	size := (k.N.BitLen() + 7) / 8
	s := new(big.Int).SetBytes(signature)
	if len(signature) != size || s.Cmp(k.N) >= 0 {
		return nil, ErrSignature
	}
	return s.Exp(s, k.E, k.N).FillBytes(make([]byte, size)), nil
}

// checkPKCS1 compares with the whole EMSA-PKCS1-v1_5 encoding (RFC 8017 9.2),
// which leaves nothing in the padding to be overlooked.
func checkPKCS1(em []byte, h crypto.Hash, digest []byte) bool {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addHash(b, hashOf(h).oid)
		b.AddASN1OctetString(digest)
	})
	info, err := b.Bytes()
	if err != nil || len(em) < len(info)+11 {
		return false
	}
	want := make([]byte, 0, len(em))
	want = append(want, 0, 1)
	want = append(want, bytes.Repeat([]byte{0xff}, len(em)-len(info)-3)...)
	want = append(append(want, 0), info...)
	return subtle.ConstantTimeCompare(em, want) == 1
}

// checkPSS is EMSA-PSS-VERIFY of RFC 8017 9.1.2 with its own hash for MGF1.
func checkPSS(em []byte, emBits int, p *PSSParams, digest []byte) bool {
	emLen := (emBits + 7) / 8
	if len(em) > emLen { // a modulus of 8n+1 bits: the encoding is one octet shorter
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	hLen := p.Hash.Size()
	if len(em) < hLen+p.SaltLength+2 || em[len(em)-1] != 0xbc {
		return false
	}
	db := append([]byte(nil), em[:len(em)-hLen-1]...)
	h := em[len(em)-hLen-1 : len(em)-1]
	unused := byte(0xff << (8 - (8*emLen - emBits)))
	if db[0]&unused != 0 {
		return false
	}
	mgf1XOR(db, p.MGFHash, h)
	db[0] &^= unused
	padding := len(db) - p.SaltLength - 1
	for _, b := range db[:padding] {
		if b != 0 {
			return false
		}
	}
	if db[padding] != 1 {
		return false
	}
	d := p.Hash.New()
	d.Write(make([]byte, 8))
	d.Write(digest)
	d.Write(db[padding+1:])
	return subtle.ConstantTimeCompare(d.Sum(nil), h) == 1
}

func mgf1XOR(out []byte, h crypto.Hash, seed []byte) {
	for counter, done := uint32(0), 0; done < len(out); counter++ {
		d := h.New()
		d.Write(seed)
		d.Write([]byte{byte(counter >> 24), byte(counter >> 16), byte(counter >> 8), byte(counter)})
		done += subtle.XORBytes(out[done:], out[done:], d.Sum(nil))
	}
}
