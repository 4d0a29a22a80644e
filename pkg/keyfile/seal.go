package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"
	"io"

	"github.com/youmark/pkcs8"
)

// sealIterations is what OWASP asks of PBKDF2-HMAC-SHA256 since 2023; about a
// fifth of a second, once per run.
const sealIterations = 600_000

// pemLabel is the label of RFC 7468 section 11.
const pemLabel = "ENCRYPTED PRIVATE KEY"

// Seal encrypts key as PEM "ENCRYPTED PRIVATE KEY" (PBES2, PBKDF2-HMAC-SHA256
// with 600000 iterations, AES-256-CBC). Salt and IV come from crypto/rand, which
// the library below reads itself; rand is not drawn from.
func Seal(_ io.Reader, key crypto.Signer, passphrase []byte) ([]byte, error) {
	return seal(key, passphrase, sealIterations)
}

func seal(key crypto.Signer, passphrase []byte, iterations int) ([]byte, error) {
	switch key.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey:
	default:
		return nil, fmt.Errorf("a %T cannot be kept in a key file, only RSA and ECDSA keys can", key)
	}
	// The library would write an empty passphrase as a plain key.
	if len(passphrase) == 0 {
		return nil, &Error{Err: errors.New("the passphrase is empty"), Next: "a key file is always encrypted: choose a passphrase"}
	}
	der, err := pkcs8.MarshalPrivateKey(key, passphrase, &pkcs8.Opts{
		Cipher:  pkcs8.AES256CBC,
		KDFOpts: pkcs8.PBKDF2Opts{SaltSize: 16, IterationCount: iterations, HMACHash: crypto.SHA256},
	})
	if err != nil {
		return nil, fmt.Errorf("encrypt private key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: der}), nil
}
