package hsm

import (
	"crypto"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"sync"
)

// signer is one private key over a connection. The mutex is for modules that
// crash when two goroutines use one session; a ceremony has no use for a pool.
type signer struct {
	mu       sync.Mutex
	c        *conn
	key      object
	name     keyName
	pub      crypto.PublicKey
	info     TokenInfo
	can      map[uint]bool // by mechanism, as the token said
	eachTime bool          // CKA_ALWAYS_AUTHENTICATE: a login for every signature
	dead     error         // what ended the run
	closed   bool
}

func open(c Config, m module, file moduleFile, pub crypto.PublicKey) (Signer, error) {
	conn, err := connect(c, m, file, false)
	if err != nil {
		return nil, err
	}
	s, err := conn.openKey(c.URI, pub)
	if err != nil {
		_ = conn.close() // the first error is the one to tell
		return nil, err
	}
	return s, nil
}

// openKey finds the private key, reads what the token tells of it and settles its public key.
func (c *conn) openKey(u URI, want crypto.PublicKey) (*signer, error) {
	key, err := c.findKey(u)
	if err != nil {
		return nil, err
	}
	s := &signer{c: c, key: key}
	if s.name, err = c.name(key); err != nil {
		return nil, err
	}
	what := s.name.String() + " in " + c.token.String()
	// A module may crash on a mechanism of another key type: never guess it.
	keyType, err := c.getUint(key, ckaKeyType)
	if err != nil {
		return nil, err
	}
	if keyType != ckkRSA && keyType != ckkEC {
		return nil, &Error{Op: "use", What: what, Err: fmt.Errorf("its key type is 0x%X, not RSA or EC", keyType), Next: "use an RSA or EC key"}
	}
	if maySign, err := c.getBool(key, ckaSign); err != nil {
		return nil, err
	} else if maySign != nil && !*maySign {
		return nil, &Error{Op: "use", What: what, Err: errors.New("the token does not let it sign (CKA_SIGN is false)"), Next: "use the signing key"}
	}
	if s.pub, err = c.publicOf(key, keyType, s.name, want); err != nil {
		return nil, err
	}
	if s.info, err = c.describe(key, s.name, s.pub); err != nil {
		return nil, err
	}
	s.eachTime = s.info.AlwaysAuthenticate
	if !s.eachTime {
		c.forgetPIN()
	}
	return s, nil
}

// describe fills in TokenInfo.
func (c *conn) describe(key object, name keyName, pub crypto.PublicKey) (TokenInfo, error) {
	info := TokenInfo{
		Module: c.file.path, ModuleSHA256: c.file.sha256,
		Label: c.token.label, Serial: c.token.serial, Manufacturer: c.token.manufacturer, Model: c.token.model,
		KeyLabel: name.label, KeyID: hex.EncodeToString(name.id),
		Algorithm: algorithmName(pub),
	}
	var err error
	if info.Attributes, err = c.keyAttributes(key); err != nil {
		return TokenInfo{}, err
	}
	always, err := c.getBool(key, ckaAlwaysAuthenticate)
	if err != nil {
		return TokenInfo{}, err
	}
	info.AlwaysAuthenticate = always != nil && *always
	return info, nil
}

// lock serialises the calls into the module. The thread is held as well: the
// steps of one signature stay together for modules that keep thread-local state.
func (s *signer) lock() (unlock func()) {
	s.mu.Lock()
	runtime.LockOSThread()
	return func() {
		runtime.UnlockOSThread()
		s.mu.Unlock()
	}
}

func (s *signer) Public() crypto.PublicKey { return s.pub }

func (s *signer) Token() TokenInfo {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.info
}

func (s *signer) Counts() (logins, signatures int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.c.logins, s.c.signatures
}

func (s *signer) Close() error {
	defer s.lock()()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.c.close()
}

// fail ends the run: the session is closed and the PIN forgotten.
func (s *signer) fail(err error) error {
	s.dead = err
	s.c.drop()
	return err
}
