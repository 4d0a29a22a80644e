package keyfile

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/youmark/pkcs8"
)

// maxFile is the size cap in bytes; an encrypted RSA-4096 key is about 3400.
const maxFile = 32 << 10

// Open decrypts what Seal made, or what openssl pkcs8 -topk8 -v2 makes. data is
// one PEM block "ENCRYPTED PRIVATE KEY"; plain keys are refused, and so are KDF
// parameters that would keep the machine busy for long. A passphrase that does
// not fit is ErrPassphrase.
func Open(data, passphrase []byte) (crypto.Signer, error) {
	return open(data, passphrase, maxCost)
}

func open(data, passphrase []byte, limit cost) (crypto.Signer, error) {
	der, err := unwrapPEM(data)
	if err != nil {
		return nil, err
	}
	if _, err := checkEncryption(der, limit); err != nil {
		return nil, err
	}
	// The library would take an empty passphrase for a plain key.
	if len(passphrase) == 0 {
		return nil, fmt.Errorf("%w: it is empty", ErrPassphrase)
	}
	key, _, err := pkcs8.ParsePrivateKey(der, passphrase)
	if err != nil {
		// With the encoding checked, what is left is a plaintext that is no PKCS#8 key
		// that Go can read: the padding does not tell a wrong passphrase apart.
		return nil, &Error{Err: ErrPassphrase, Next: "check keyboard layout and file; a key that is not RSA or ECDSA on P-256, P-384 or P-521 looks the same"}
	}
	switch key := key.(type) {
	case *rsa.PrivateKey:
		return key, nil
	case *ecdsa.PrivateKey:
		return key, nil
	}
	return nil, fmt.Errorf("the key file holds a %T, only RSA and ECDSA keys can sign here", key)
}

// Weakness says how a file that Open reads is easier to guess at than what Seal makes:
// "2048 iterations of PBKDF2 …", with what to do about it; both are "" if it is not.
func Weakness(data []byte) (weak, next string) {
	der, err := unwrapPEM(data)
	if err != nil {
		return "", ""
	}
	if weak, err = checkEncryption(der, maxCost); err != nil || weak == "" {
		return "", ""
	}
	return weak, convert
}

// unwrapPEM takes the one PEM block out of a key file.
func unwrapPEM(data []byte) ([]byte, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("the key file has more than %d bytes", maxFile)
	}
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, &Error{Err: errors.New("the key file holds no PEM block"), Next: "a key file is PEM with the label " + pemLabel}
	}
	switch block.Type {
	case pemLabel:
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY", "DSA PRIVATE KEY":
		return nil, &Error{
			Err:  fmt.Errorf("the key file holds a key that is not PKCS#8-encrypted (PEM label %s)", block.Type),
			Next: "encrypt it: openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -iter 600000 -in KEY -out KEY.p8, then destroy the plain file",
		}
	default:
		return nil, &Error{Err: fmt.Errorf("the key file's PEM label is %+q, not %q", block.Type, pemLabel), Next: "is this the right file?"}
	}
	if len(block.Headers) != 0 {
		return nil, errors.New("the key file's PEM block has headers")
	}
	if next, _ := pem.Decode(rest); next != nil || len(bytes.TrimSpace(rest)) != 0 {
		return nil, errors.New("the key file has something after its PEM block")
	}
	return block.Bytes, nil
}
