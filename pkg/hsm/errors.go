package hsm

import (
	"errors"
	"fmt"
	"strconv"
)

// Sentinels for errors.Is.
var (
	// ErrNotBuilt is returned by Open and Generate in a binary built without cgo.
	ErrNotBuilt = errors.New("this binary was built without PKCS#11 support (cgo)")
	// ErrExists marks a label that is taken in the token.
	ErrExists = errors.New("a key with this label exists")
	// ErrNoKey marks a key that is not in the token.
	ErrNoKey = errors.New("no such key in the token")
	// ErrPIN marks a PIN that the token refused. Never try another one in the same run.
	ErrPIN = errors.New("the token refused the PIN")
	// ErrMismatch marks a private key that does not belong to the public key given to Open.
	ErrMismatch = errors.New("the private key does not belong to the certificate's public key")
	// ErrSignature marks a signature of the token that does not verify; it is not handed out.
	ErrSignature = errors.New("the token's signature does not verify under the public key")
	// ErrDigest marks a call of Sign that this package refuses before it reaches the token: a hash
	// other than SHA-256/384/512, a digest of another length, a salt length other than the hash's.
	ErrDigest = errors.New("not signed")
	// ErrDead marks a signer whose token failed earlier.
	ErrDead = errors.New("the token failed earlier in this run")
	// ErrClosed marks a signer after Close.
	ErrClosed = errors.New("the token is closed")
)

// Error is a failure of module, token, key or login, with what to do next.
type Error struct {
	Op   string // "login", "find key" …
	What string // token or key it happened to, never a PIN
	Err  error
	Next string // hint for the operator
}

func (e *Error) Error() string { return e.Op + " " + e.What + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Next }

// quote escapes text that came from a token or a path.
func quote(s string) string { return strconv.QuoteToASCII(s) }

// failure makes an *Error of what the library returned: the meaning first, the
// code behind it, and the step that helps.
func failure(op, what string, err error) *Error {
	var code rv
	if !errors.As(err, &code) {
		return &Error{Op: op, What: what, Err: err}
	}
	say, next := code.meaning()
	if say != "" {
		err = fmt.Errorf("%s (%w)", say, err)
	}
	return &Error{Op: op, What: what, Err: err, Next: next}
}
