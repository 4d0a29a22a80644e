package keyfile

import (
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cryptobyte_asn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// cost is the most that opening a file may take.
type cost struct {
	iterations int // PBKDF2
	memory     int // scrypt: 128·N·r bytes
	parallel   int // scrypt: p
}

// maxCost is a few seconds at most: a file says what it costs before anything
// proves that its author knows the passphrase.
var maxCost = cost{iterations: 10_000_000, memory: 256 << 20, parallel: 8}

var (
	oidPBES2      = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 13}
	oidPBKDF2     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidScrypt     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11591, 4, 11}
	oidHMACSHA1   = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 7}
	oidHMACSHA256 = asn1.ObjectIdentifier{1, 2, 840, 113549, 2, 9}
	oidAES128CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 2}
	oidAES192CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 22}
	oidAES256CBC  = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 1, 42}
)

const (
	aesBlock = 16
	maxSalt  = 1024
)

var errEncoding = errors.New("the key file is not a well-formed EncryptedPrivateKeyInfo")

// What a key derivation must cost at least, by the recommendations that Seal follows.
const (
	minSHA256  = sealIterations
	minSHA1    = 1_300_000
	minScrypt  = 5 << 17 // N·r·p
	minScryptM = 8 << 20 // 128·N·r, bytes
)

// convert is what mends an odd or cheap encryption.
const convert = "convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in OLD -out NEW, then destroy OLD"

// checkEncryption reads EncryptedPrivateKeyInfo (RFC 5958 section 3) with PBES2
// (RFC 8018 appendix A.4) before the library does: the library derives keys of
// any cost and panics on an IV or a ciphertext of the wrong length. weak says how the
// key derivation is cheaper than it should be, "" if it is not.
func checkEncryption(der []byte, limit cost) (weak string, err error) {
	in := cryptobyte.String(der)
	var info, algorithm, params, kdf, cipher, ciphertext cryptobyte.String
	var scheme asn1.ObjectIdentifier
	if !in.ReadASN1(&info, cryptobyte_asn1.SEQUENCE) || !in.Empty() ||
		!info.ReadASN1(&algorithm, cryptobyte_asn1.SEQUENCE) ||
		!info.ReadASN1(&ciphertext, cryptobyte_asn1.OCTET_STRING) || !info.Empty() ||
		!algorithm.ReadASN1ObjectIdentifier(&scheme) {
		return "", errEncoding
	}
	if !scheme.Equal(oidPBES2) {
		return "", &Error{Err: fmt.Errorf("the key file is encrypted with %v, not PBES2", scheme), Next: convert}
	}
	if !algorithm.ReadASN1(&params, cryptobyte_asn1.SEQUENCE) || !algorithm.Empty() ||
		!params.ReadASN1(&kdf, cryptobyte_asn1.SEQUENCE) ||
		!params.ReadASN1(&cipher, cryptobyte_asn1.SEQUENCE) || !params.Empty() {
		return "", errEncoding
	}
	if weak, err = checkKDF(kdf, limit); err != nil {
		return "", err
	}
	return weak, checkCipher(cipher, ciphertext)
}

func checkKDF(kdf cryptobyte.String, limit cost) (weak string, err error) {
	var oid asn1.ObjectIdentifier
	var params, salt cryptobyte.String
	if !kdf.ReadASN1ObjectIdentifier(&oid) {
		return "", errEncoding
	}
	if !oid.Equal(oidPBKDF2) && !oid.Equal(oidScrypt) {
		return "", fmt.Errorf("the key file's key derivation is %v, not PBKDF2 or scrypt", oid)
	}
	if !kdf.ReadASN1(&params, cryptobyte_asn1.SEQUENCE) || !kdf.Empty() ||
		!params.ReadASN1(&salt, cryptobyte_asn1.OCTET_STRING) || len(salt) > maxSalt {
		return "", errEncoding
	}
	if oid.Equal(oidPBKDF2) {
		return checkPBKDF2(params, limit)
	}
	return checkScrypt(params, limit)
}

// checkPBKDF2 reads what follows the salt in PBKDF2-params: the iteration count
// and the PRF, HMAC-SHA-1 when left out. The library would skip over a keyLength
// and then miss the PRF, so keyLength is refused.
func checkPBKDF2(params cryptobyte.String, limit cost) (weak string, err error) {
	var iterations int64
	if !params.ReadASN1Integer(&iterations) {
		return "", errEncoding
	}
	if iterations < 1 || iterations > int64(limit.iterations) {
		return "", fmt.Errorf("the key file asks for %d iterations of PBKDF2, from 1 to %d are accepted", iterations, limit.iterations)
	}
	if params.Empty() {
		return weakPBKDF2(iterations, "SHA-1", minSHA1), nil
	}
	if params.PeekASN1Tag(cryptobyte_asn1.INTEGER) {
		return "", errors.New("the key file states a key length for PBKDF2, which is not supported")
	}
	var prf, null cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !params.ReadASN1(&prf, cryptobyte_asn1.SEQUENCE) || !params.Empty() || !prf.ReadASN1ObjectIdentifier(&oid) {
		return "", errEncoding
	}
	if !oid.Equal(oidHMACSHA1) && !oid.Equal(oidHMACSHA256) {
		return "", &Error{
			Err:  fmt.Errorf("the key file's PBKDF2 uses the function %v, not HMAC-SHA-1 or HMAC-SHA-256", oid),
			Next: convert,
		}
	}
	if !prf.ReadASN1(&null, cryptobyte_asn1.NULL) || !null.Empty() || !prf.Empty() {
		return "", errEncoding
	}
	if oid.Equal(oidHMACSHA1) {
		return weakPBKDF2(iterations, "SHA-1", minSHA1), nil
	}
	return weakPBKDF2(iterations, "SHA-256", minSHA256), nil
}

func weakPBKDF2(iterations int64, hash string, least int64) string {
	if iterations >= least {
		return ""
	}
	return fmt.Sprintf("%d iterations of PBKDF2 with HMAC-%s, at least %d are advised", iterations, hash, least)
}

// checkScrypt reads what follows the salt in scrypt-params (RFC 7914 section 7).
// A keyLength after the three costs is harmless: it is last, and the library
// takes the length from the cipher.
func checkScrypt(params cryptobyte.String, limit cost) (weak string, err error) {
	var n, r, p, keyLength int64
	if !params.ReadASN1Integer(&n) || !params.ReadASN1Integer(&r) || !params.ReadASN1Integer(&p) ||
		(!params.Empty() && !params.ReadASN1Integer(&keyLength)) || !params.Empty() {
		return "", errEncoding
	}
	blocks := int64(limit.memory / 128)
	if n < 2 || n&(n-1) != 0 || r < 1 || p < 1 || r > blocks || n > blocks/r || p > int64(limit.parallel) {
		return "", fmt.Errorf("the key file asks for scrypt with N=%d r=%d p=%d, which is malformed or above %d MiB and p=%d", n, r, p, limit.memory>>20, limit.parallel)
	}
	if n*r*p < minScrypt || 128*n*r < minScryptM {
		return fmt.Sprintf("scrypt with N=%d r=%d p=%d, at least N=131072 r=8 p=1 are advised", n, r, p), nil
	}
	return "", nil
}

func checkCipher(cipher, ciphertext cryptobyte.String) error {
	var oid asn1.ObjectIdentifier
	var iv cryptobyte.String
	if !cipher.ReadASN1ObjectIdentifier(&oid) {
		return errEncoding
	}
	if !oid.Equal(oidAES128CBC) && !oid.Equal(oidAES192CBC) && !oid.Equal(oidAES256CBC) {
		return &Error{Err: fmt.Errorf("the key file is encrypted with cipher %v, not AES in CBC mode", oid), Next: convert}
	}
	if !cipher.ReadASN1(&iv, cryptobyte_asn1.OCTET_STRING) || !cipher.Empty() || len(iv) != aesBlock ||
		len(ciphertext) == 0 || len(ciphertext)%aesBlock != 0 {
		return errEncoding
	}
	return nil
}
