// Package keyfile keeps a private key in an encrypted PKCS#8 file, for
// rehearsals. It needs no cgo. Production workspaces refuse such keys.
package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
)

// ErrPassphrase marks a passphrase that does not open the file.
var ErrPassphrase = errors.New("wrong passphrase")

// Error is a file that was not opened or made, with what to do about it.
type Error struct {
	Err  error
	Next string // hint for the operator
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Next }

// Generate makes a key: "rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521".
// Go's key generators may take their randomness from the system whatever rand is.
func Generate(rand io.Reader, algorithm string) (crypto.Signer, error) {
	var key crypto.Signer
	var err error
	switch algorithm {
	case "rsa-3072":
		key, err = rsa.GenerateKey(rand, 3072)
	case "rsa-4096":
		key, err = rsa.GenerateKey(rand, 4096)
	case "ecdsa-p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand)
	case "ecdsa-p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand)
	case "ecdsa-p521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand)
	default:
		return nil, &Error{
			Err:  fmt.Errorf("unknown key algorithm %+q", algorithm),
			Next: "use rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384 or ecdsa-p521",
		}
	}
	if err != nil {
		return nil, fmt.Errorf("generate %s key: %w", algorithm, err)
	}
	return key, nil
}
