// Package hsm finds one token and one key through PKCS#11, logs in once, and
// signs. It is the only importer of miekg/pkcs11; without cgo it is a stub that says so.
//
// One run is one connection: the module is initialised, one token is chosen by
// label or serial, one PIN is tried once, one private key is found, and every
// signature is verified in software before it is handed out. The first error
// from the token ends the run; nothing is retried.
//
// The PIN is a byte slice that is zeroed after use, but the binding hands a copy
// of it to the C library, which this package cannot erase.
package hsm

import (
	"crypto"
)

// Config says how to reach the token.
type Config struct {
	Module   string // absolute path of the PKCS#11 module; empty: the URI's module-path
	InitArgs string // pReserved string for modules that need one (NSS)
	URI      URI
	// PIN is asked for once, after the token was found and its flags allow a login.
	// prompt says which token. One line end is stripped; the slice is zeroed after use.
	// It is not called for a token with its own PIN pad.
	PIN     func(prompt string) ([]byte, error)
	LastTry bool // allow a login when the token says it is the final try
	// BeforeLogin, if set, is called once the token was found and everything was checked
	// that needs no login, before the PIN is asked for. An error ends the run and is
	// passed on as it is.
	BeforeLogin func(TokenID) error
}

// TokenID is one token behind one module: what a PIN is for. All but the module's path
// comes from the token: escape it before it reaches a terminal.
type TokenID struct{ Module, Label, Serial, Manufacturer, Model string }

// Signer is a private key in a token, logged in. It implements crypto.Signer for
// RSA PKCS#1 v1.5, RSA-PSS and ECDSA over SHA-256/384/512. It is safe for use by one goroutine at a time (a mutex holds the rest).
//
// After an error from the token the signer is dead: every further Sign returns
// ErrDead. Only Close is left to do.
type Signer interface {
	crypto.MessageSigner
	// Token describes module, token and key for transcripts: label, serial, module path and hash, key id and attributes.
	Token() TokenInfo
	// Counts tells how often this signer called C_Login (logins for a single
	// signature of an always-authenticate key included), and how many
	// signatures the token made.
	Counts() (logins, signatures int)
	// Close logs out and finalizes. Write outputs first. Later calls of Sign
	// return ErrClosed; a second Close does nothing.
	Close() error
}

// TokenInfo describes where a key lives. All text but the module's comes from
// the token: escape it before it reaches a terminal.
type TokenInfo struct {
	Module, ModuleSHA256               string
	Label, Serial, Manufacturer, Model string
	KeyLabel, KeyID                    string // ID in hex
	Algorithm                          string // "rsa-3072", "ecdsa-p256" …

	// Attributes of the private key beside what a key of the EFGSTA must have.
	Attributes         []KeyAttribute
	AlwaysAuthenticate bool // a login for every signature

	// Mechanisms are those that signatures were made with so far, e.g. "CKM_RSA_PKCS".
	Mechanisms []string

	// NotStated names the key generation attributes that the token did not take
	// and that were left out; empty for a key that was not just generated.
	NotStated []string
}

// Open finds the token and the private key (exactly one match each), logs in and
// returns the signer. pub, when not nil, is the public key that the private key
// must belong to (of the EFGSTA certificate); when nil it is read from the token's
// public object of the same ID or from the private key. No test signature is made:
// a private key that does not belong to pub and does not say so is found out at
// the first Sign, which then returns ErrSignature.
//
// Failures of module, token, key or login are *Error; what Config.PIN returns is
// passed on as it is.
func Open(c Config, pub crypto.PublicKey) (Signer, error) {
	if !built {
		return nil, notBuilt(c)
	}
	if err := c.checkKey(); err != nil {
		return nil, err
	}
	m, file, err := c.loadModule()
	if err != nil {
		return nil, err
	}
	return open(c, m, file, pub)
}

// Generate makes a key pair in the token with the strict template ("rsa-3072",
// "ecdsa-p256" …) under the URI's object label and a random ID, and opens it. An
// existing key of that label is an error that wraps ErrExists. A key that the
// token reports as weaker than asked is destroyed and refused. Whatever needs no login
// is checked before c.BeforeLogin is called: the token, its flags, its mechanisms.
func Generate(c Config, algorithm string) (Signer, error) {
	if !built {
		return nil, notBuilt(c)
	}
	spec, err := c.checkGenerate(algorithm)
	if err != nil {
		return nil, err
	}
	m, file, err := c.loadModule()
	if err != nil {
		return nil, err
	}
	return generate(c, m, file, spec)
}

// OpenOrGenerate opens the private key of the URI's label, or makes it by Generate's
// template if there is none, in one initialisation and with one login. tell is called
// before the login with why no key could be made, or nil.
func OpenOrGenerate(c Config, algorithm string, tell func(cannot error)) (s Signer, made bool, err error) {
	if !built {
		return nil, false, notBuilt(c)
	}
	spec, err := c.checkGenerate(algorithm)
	if err != nil {
		return nil, false, err
	}
	m, file, err := c.loadModule()
	if err != nil {
		return nil, false, err
	}
	return openOrGenerate(c, m, file, spec, tell)
}

func notBuilt(c Config) error {
	return &Error{
		Op: "open", What: c.URI.String(), Err: ErrNotBuilt,
		Next: "use the build with cgo on the signing workstation; vetting and verification work in this one",
	}
}
