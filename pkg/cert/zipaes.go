package cert

import (
	"crypto/aes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

// aesExtra is the extra field of an entry in WinZip's AES encryption.
type aesExtra struct {
	version  uint16 // 1: the CRC of the plain text is there; 2: it is not
	strength byte   // 1 to 3: 128, 192, 256 bits
	method   uint16 // how the plain text is compressed
}

const (
	aesExtraID     = 0x9901
	aesIterations  = 1000
	aesTagSize     = 10
	aesVerifySize  = 2
	aesExtraLength = 7
)

var errAESExtra = errors.New("its AES field is damaged")

func readAESExtra(extra []byte) (aesExtra, error) {
	for len(extra) >= 4 {
		id, size := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		extra = extra[4:]
		if size > len(extra) {
			break
		}
		if id != aesExtraID {
			extra = extra[size:]
			continue
		}
		if size < aesExtraLength {
			break
		}
		a := aesExtra{binary.LittleEndian.Uint16(extra), extra[4], binary.LittleEndian.Uint16(extra[5:])}
		if string(extra[2:4]) != "AE" || a.version < 1 || a.version > 2 || a.strength < 1 || a.strength > 3 {
			break
		}
		return a, nil
	}
	return aesExtra{}, errAESExtra
}

// decryptAES gives what lies between salt and tag in plain, still compressed. The
// tag is checked first.
func (in *reading) decryptAES(a aesExtra, raw []byte) ([]byte, error) {
	keySize := 8 + 8*int(a.strength)
	saltSize := keySize / 2
	if len(raw) < saltSize+aesVerifySize+aesTagSize {
		return nil, errors.New("it is damaged: too short for its encryption")
	}
	password, err := in.password()
	if err != nil {
		return nil, errLocked
	}
	size := 2*keySize + aesVerifySize
	if !in.spend(2 * aesIterations * blocks(size, sha1.Size)) {
		return nil, errWork
	}
	keys, err := pbkdf2.Key(sha1.New, string(password), raw[:saltSize], aesIterations, size)
	if err != nil {
		return nil, err
	}
	verify, sealed := raw[saltSize:saltSize+aesVerifySize], raw[saltSize+aesVerifySize:]
	sealed, tag := sealed[:len(sealed)-aesTagSize], sealed[len(sealed)-aesTagSize:]
	mac := hmac.New(sha1.New, keys[keySize:2*keySize])
	mac.Write(sealed)
	if subtle.ConstantTimeCompare(verify, keys[2*keySize:]) != 1 || !hmac.Equal(mac.Sum(nil)[:aesTagSize], tag) {
		return nil, errWrongPassword
	}
	block, err := aes.NewCipher(keys[:keySize])
	if err != nil {
		return nil, err
	}
	return littleEndianCTR(block.Encrypt, sealed), nil
}

// littleEndianCTR is counter mode as WinZip has it, which the standard library's,
// big-endian, is not: the counter begins at 1 and its first octet is the lowest.
func littleEndianCTR(encrypt func(dst, src []byte), data []byte) []byte {
	var counter, stream [aes.BlockSize]byte
	out := make([]byte, len(data))
	for i := 0; i < len(data); i += aes.BlockSize {
		binary.LittleEndian.PutUint64(counter[:], uint64(i/aes.BlockSize)+1)
		encrypt(stream[:], counter[:])
		subtle.XORBytes(out[i:], data[i:min(len(data), i+aes.BlockSize)], stream[:])
	}
	return out
}
