package cert

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"math/big"
	"unicode/utf16"

	"github.com/efgsta/efgsta/pkg/der"
)

var (
	errWrongPassword = errors.New("the password is wrong, or the file is damaged")
	errWork          = errors.New("it asks for more key derivation work than is done")
)

const (
	oidPBES2         = "1.2.840.113549.1.5.13"
	oidPBKDF2        = "1.2.840.113549.1.5.12"
	oidPBE3DES       = "1.2.840.113549.1.12.1.3"
	oidPBE2DES       = "1.2.840.113549.1.12.1.4"
	oidPBERC2        = "1.2.840.113549.1.12.1.5"
	oidPBERC240      = "1.2.840.113549.1.12.1.6"
	oidDESEDE3CBC    = "1.2.840.113549.3.7"
	oidHMACSHA1      = "1.2.840.113549.2.7"
	defaultPRF       = oidHMACSHA1
	idKey, idIV, idM = 1, 2, 3 // the purposes of RFC 7292 B.3
)

// passphrase is a password in the forms that the schemes of PKCS#12 want.
type passphrase struct {
	utf8 []byte // PBES2
	bmp  []byte // the schemes of RFC 7292: big-endian UTF-16 with its terminator
}

func newPassphrase(secret []byte) passphrase {
	p := passphrase{utf8: secret}
	for _, u := range utf16.Encode([]rune(string(secret))) {
		p.bmp = append(p.bmp, byte(u>>8), byte(u))
	}
	p.bmp = append(p.bmp, 0, 0)
	return p
}

func (p passphrase) erase() { clear(p.bmp) }

// decrypt undoes password-based encryption with the scheme of an
// AlgorithmIdentifier. The error may be errWrongPassword, as far as padding tells.
func (in *reading) decrypt(alg shape, p passphrase, data []byte) ([]byte, error) {
	block, iv, err := in.scheme(alg, p)
	if err != nil {
		return nil, err
	}
	size := block.BlockSize()
	if len(iv) != size || len(data) == 0 || len(data)%size != 0 {
		return nil, errShape
	}
	plain := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(plain, data)
	pad := int(plain[len(plain)-1])
	if pad == 0 || pad > size || !bytes.Equal(plain[len(plain)-pad:], bytes.Repeat([]byte{byte(pad)}, pad)) {
		clear(plain)
		return nil, errWrongPassword
	}
	return plain[:len(plain)-pad], nil
}

func (in *reading) scheme(alg shape, p passphrase) (cipher.Block, []byte, error) {
	oid := alg.oid(0)
	if len(alg.e) < 2 {
		return nil, nil, errShape
	}
	parameters := shapeOf(alg.r, alg.e[1], 4)
	if oid == oidPBES2 {
		return in.pbes2(parameters, p)
	}
	var size int
	switch oid {
	case oidPBE3DES:
		size = 24
	case oidPBE2DES, oidPBERC2:
		size = 16
	case oidPBERC240:
		size = 5
	default:
		return nil, nil, fmt.Errorf("encryption %s is not supported", oid)
	}
	iterations := parameters.small(1)
	if !parameters.is(0, der.TagOctetString) || iterations < 1 {
		return nil, nil, errShape
	}
	salt := parameters.e[0].Content
	if !in.spend(3 * min(iterations, maxWork)) {
		return nil, nil, errWork
	}
	key := pkcs12KDF(sha1.New, idKey, p.bmp, salt, iterations, size)
	iv := pkcs12KDF(sha1.New, idIV, p.bmp, salt, iterations, 8)
	switch oid {
	case oidPBE2DES:
		key = append(key, key[:8]...)
	case oidPBERC2, oidPBERC240:
		return newRC2(key), iv, nil
	}
	block, err := des.NewTripleDESCipher(key)
	return block, iv, err
}

// pbes2 is RFC 8018 6.2 with PBKDF2 and a block cipher in CBC mode.
func (in *reading) pbes2(parameters shape, p passphrase) (cipher.Block, []byte, error) {
	if len(parameters.e) < 2 {
		return nil, nil, errShape
	}
	kdf, enc := shapeOf(parameters.r, parameters.e[0], 2), shapeOf(parameters.r, parameters.e[1], 2)
	if oid := kdf.oid(0); oid != oidPBKDF2 {
		return nil, nil, fmt.Errorf("key derivation %s is not supported", oid)
	}
	if len(kdf.e) < 2 || !enc.is(1, der.TagOctetString) {
		return nil, nil, errShape
	}
	size, create := 0, aes.NewCipher
	switch oid := enc.oid(0); oid {
	case "2.16.840.1.101.3.4.1.2":
		size = 16
	case "2.16.840.1.101.3.4.1.22":
		size = 24
	case "2.16.840.1.101.3.4.1.42":
		size = 32
	case oidDESEDE3CBC:
		size, create = 24, des.NewTripleDESCipher
	default:
		return nil, nil, fmt.Errorf("encryption %s is not supported", oid)
	}
	key, err := in.pbkdf2(shapeOf(kdf.r, kdf.e[1], 4), p.utf8, size)
	if err != nil {
		return nil, nil, err
	}
	block, err := create(key)
	return block, enc.e[1].Content, err
}

// pbkdf2 derives a key of size octets, as the parameters of RFC 8018 A.2 say.
func (in *reading) pbkdf2(parameters shape, password []byte, size int) ([]byte, error) {
	iterations := parameters.small(1)
	if !parameters.is(0, der.TagOctetString) || iterations < 1 {
		return nil, errShape
	}
	prf := defaultPRF
	for i, e := range parameters.e[2:] {
		switch {
		case e.Is(der.TagInteger) && i == 0:
			if parameters.small(2) != size {
				return nil, errShape
			}
		case e.Is(der.TagSequence):
			prf = shapeOf(parameters.r, e, 1).oid(0)
		}
	}
	newHash := hmacHash(prf)
	if newHash == nil {
		return nil, fmt.Errorf("key derivation with %s is not supported", prf)
	}
	if !in.spend(2 * min(iterations, maxWork) * blocks(size, newHash().Size())) {
		return nil, errWork
	}
	return pbkdf2.Key(newHash, string(password), parameters.e[0].Content, iterations, size)
}

func blocks(size, of int) int { return (size + of - 1) / of }

// hmacHash is the hash of an HMAC identifier of PKCS#5, or nil.
func hmacHash(oid string) func() hash.Hash {
	switch oid {
	case oidHMACSHA1:
		return sha1.New
	case "1.2.840.113549.2.8":
		return sha256.New224
	case "1.2.840.113549.2.9":
		return sha256.New
	case "1.2.840.113549.2.10":
		return sha512.New384
	case "1.2.840.113549.2.11":
		return sha512.New
	}
	return nil
}

// pkcs12KDF is RFC 7292 B.2.
func pkcs12KDF(newHash func() hash.Hash, id byte, password, salt []byte, iterations, size int) []byte {
	h := newHash()
	v := h.BlockSize()
	fill := func(b []byte) []byte {
		if len(b) == 0 {
			return nil
		}
		n := v * blocks(len(b), v)
		return bytes.Repeat(b, blocks(n, len(b)))[:n]
	}
	state := append(fill(salt), fill(password)...)
	defer clear(state)
	var out []byte
	for {
		h.Reset()
		h.Write(bytes.Repeat([]byte{id}, v))
		h.Write(state)
		a := h.Sum(nil)
		for range iterations - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		if out = append(out, a...); len(out) >= size {
			return out[:size]
		}
		// Each block of the state grows by the repeated hash and one.
		b := new(big.Int).SetBytes(bytes.Repeat(a, blocks(v, len(a)))[:v])
		b.Add(b, big.NewInt(1))
		for i := 0; i < len(state); i += v {
			sum := new(big.Int).SetBytes(state[i : i+v])
			sum.Add(sum, b)
			low := sum.FillBytes(make([]byte, v+1))
			copy(state[i:i+v], low[1:])
		}
	}
}
