package cert

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"

	"github.com/efgsta/efgsta/pkg/der"
)

const (
	oidData          = "1.2.840.113549.1.7.1"
	oidEncryptedData = "1.2.840.113549.1.7.6"
	oidBags          = "1.2.840.113549.1.12.10.1." // and 1 to 6
	oidX509Bag       = "1.2.840.113549.1.9.22.1"
	// maxSafes caps the parts of a PKCS#12 that may be encrypted each on its own.
	maxSafes = 64
)

// safe is one part of a PKCS#12: SafeContents, or what they are encrypted in.
type safe struct {
	plain     []byte
	algorithm shape // of the encryption
	encrypted []byte
}

// pkcs12 takes the certificates of a PKCS#12. A private key is seen without
// being decrypted; with one in plain sight, what is encrypted stays closed.
func (in *reading) pkcs12(data []byte, line int) {
	before, problems := len(in.Items), len(in.Problems)
	err := in.pfx(data, line)
	switch {
	case errors.Is(err, errLocked):
		in.problem(ProblemPassword, -1, line, fmt.Sprintf("PKCS#12: %s", in.denied))
	case errors.Is(err, errWrongPassword):
		in.problem(ProblemPassword, -1, line, fmt.Sprintf("PKCS#12: %s", err))
	case err != nil:
		in.problem(ProblemUnreadable, -1, line, fmt.Sprintf("PKCS#12: %s", err))
	case len(in.Items) == before && len(in.Problems) == problems:
		in.foreign(structure{name: "PKCS#12 without certificates", advice: adviceOther}, -1, line)
	}
}

var errLocked = errors.New("no password")

func (in *reading) pfx(data []byte, line int) error {
	r, e, err := berRoot(data)
	if err != nil {
		return err
	}
	pfx := shapeOf(r, e, 3)
	if len(pfx.e) < 2 {
		return errShape
	}
	content, err := explicitOctets(shapeOf(pfx.r, pfx.e[1], 2), oidData)
	if err != nil {
		return err
	}
	safes, err := readSafes(content)
	if err != nil {
		return err
	}
	locked := false
	for _, s := range safes {
		if s.encrypted != nil {
			locked = true
		} else if err := in.safeContents(s.plain, line, 0); err != nil {
			return err
		}
	}
	if !locked || in.PrivateKey {
		return nil
	}
	var mac shape
	if len(pfx.e) > 2 {
		mac = shapeOf(pfx.r, pfx.e[2], 3)
	}
	p, err := in.unlock(mac, content)
	if err != nil {
		return err
	}
	defer p.erase()
	for _, s := range safes {
		if s.encrypted == nil {
			continue
		}
		plain, err := in.decrypt(s.algorithm, p, s.encrypted)
		if err != nil {
			return err
		}
		err = in.safeContents(plain, line, 0)
		clear(plain) // there may have been a key in it
		if err != nil {
			return fmt.Errorf("%w: %w", errWrongPassword, err)
		}
	}
	return nil
}

// explicitOctets is the OCTET STRING of a ContentInfo of this type.
func explicitOctets(info shape, oid string) ([]byte, error) {
	if got := info.oid(0); got != oid {
		return nil, fmt.Errorf("content of type %s is not supported", got)
	}
	if len(info.e) < 2 {
		return nil, errShape
	}
	e, r, err := wrapped(info.r, info.e[1], 0)
	if err != nil {
		return nil, err
	}
	if !e.Is(der.TagOctetString) {
		return nil, errShape
	}
	return octets(r, e)
}

// readSafes reads AuthenticatedSafe.
func readSafes(content []byte) ([]safe, error) {
	r, e, err := berRoot(content)
	if err != nil {
		return nil, err
	}
	var safes []safe
	err = each(r, e, maxSafes, func(r *der.Reader, e der.Element) error {
		info := shapeOf(r, e, 2)
		if info.oid(0) != oidEncryptedData {
			plain, err := explicitOctets(info, oidData)
			safes = append(safes, safe{plain: plain})
			return err
		}
		if len(info.e) < 2 {
			return errShape
		}
		body, inside, err := wrapped(info.r, info.e[1], 0)
		if err != nil {
			return err
		}
		data := shapeOf(inside, body, 2)
		if len(data.e) < 2 {
			return errShape
		}
		content := shapeOf(data.r, data.e[1], 3)
		if len(content.e) < 3 || !content.e[2].IsContext(0) {
			return errShape
		}
		encrypted, err := octets(content.r, content.e[2])
		if len(encrypted) == 0 {
			return errors.Join(errShape, err)
		}
		safes = append(safes, safe{algorithm: shapeOf(content.r, content.e[1], 2), encrypted: encrypted})
		return err
	})
	return safes, err
}

// safeContents adds the certificates of a part, and says what else is in it.
func (in *reading) safeContents(data []byte, line, depth int) error {
	const deepest = 4
	if depth > deepest {
		return errMany
	}
	r, e, err := berRoot(data)
	if err != nil {
		return err
	}
	if !e.Is(der.TagSequence) {
		return errShape
	}
	return each(r, e, maxParts, func(r *der.Reader, e der.Element) error {
		bag := shapeOf(r, e, 2)
		if len(bag.e) < 2 {
			return errShape
		}
		value, inside, err := wrapped(bag.r, bag.e[1], 0)
		if err != nil {
			return err
		}
		switch oid := bag.oid(0); oid {
		case oidBags + "1", oidBags + "2":
			in.foreign(structure{name: "private key in PKCS#12", private: true}, -1, line)
		case oidBags + "3":
			return in.certBag(shapeOf(inside, value, 2), line)
		case oidBags + "4":
			in.foreign(structure{name: "certificate revocation list", advice: adviceCRL}, -1, line)
		case oidBags + "5":
			in.foreign(structure{name: "secret in PKCS#12", private: true}, -1, line)
		case oidBags + "6":
			return in.safeContents(value.Raw, line, depth+1)
		default:
			return fmt.Errorf("bag of type %s is not known", oid)
		}
		return nil
	})
}

func (in *reading) certBag(bag shape, line int) error {
	raw, err := explicitOctets(bag, oidX509Bag)
	if err != nil {
		return err
	}
	// What stands around it may be erased.
	in.bagged(bytes.Clone(raw), line)
	return nil
}

// unlock finds the password. With a MAC, the empty one is tried before asking.
func (in *reading) unlock(mac shape, content []byte) (passphrase, error) {
	for _, empty := range []passphrase{newPassphrase(nil), {}} {
		if ok, err := in.checkMAC(mac, empty, content); err == nil && ok {
			return empty, nil
		}
	}
	secret, err := in.password()
	if err != nil {
		return passphrase{}, errLocked
	}
	p := newPassphrase(secret)
	// A MAC of an unknown kind leaves it to the decryption to tell.
	if ok, err := in.checkMAC(mac, p, content); err == nil && !ok {
		p.erase()
		return passphrase{}, errWrongPassword
	}
	return p, nil
}

var errNoMAC = errors.New("no MAC that can be checked")

// checkMAC is RFC 7292 section 5.1 step 7; PBMAC1 is not supported.
func (in *reading) checkMAC(mac shape, p passphrase, content []byte) (bool, error) {
	if len(mac.e) < 2 || !mac.is(1, der.TagOctetString) {
		return false, errNoMAC
	}
	info := shapeOf(mac.r, mac.e[0], 2)
	newHash := digestHash(info.oid(0))
	if newHash == nil || !info.is(1, der.TagOctetString) {
		return false, errNoMAC
	}
	iterations := 1
	if len(mac.e) > 2 {
		iterations = mac.small(2)
	}
	if iterations < 1 || !in.spend(iterations) {
		return false, errNoMAC
	}
	key := pkcs12KDF(newHash, idM, p.bmp, mac.e[1].Content, iterations, newHash().Size())
	h := hmac.New(newHash, key)
	h.Write(content)
	return hmac.Equal(h.Sum(nil), info.e[1].Content), nil
}

func digestHash(oid string) func() hash.Hash {
	switch oid {
	case "1.3.14.3.2.26":
		return sha1.New
	case "2.16.840.1.101.3.4.2.4":
		return sha256.New224
	case "2.16.840.1.101.3.4.2.1":
		return sha256.New
	case "2.16.840.1.101.3.4.2.2":
		return sha512.New384
	case "2.16.840.1.101.3.4.2.3":
		return sha512.New
	}
	return nil
}
