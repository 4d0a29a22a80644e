package vet

import (
	"bufio"
	"crypto/sha1" // the lists are made with it
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"
)

// ErrBlocklist marks a file that is not a list of keys.
var ErrBlocklist = errors.New("not a list of keys")

// Caps of a Blocklist: entries, and octets of a line.
const (
	maxBlocked = 4 << 20
	maxLine    = 4 << 10
)

// Blocklist is a list of keys that are known to others than their owners.
type Blocklist struct {
	Name   string
	debian map[[10]byte]struct{}          // the lower 80 bits of the SHA-1 of "Modulus=…\n"
	keys   map[[sha256.Size]byte]struct{} // SHA-256 of the SubjectPublicKeyInfo
}

// ReadBlocklist reads one entry a line: 64 hex digits are the SHA-256 of a
// SubjectPublicKeyInfo (EFGS-906), 20 hex digits what Debian's openssl-blacklist has of
// an RSA key, the lower 80 bits of the SHA-1 of what `openssl rsa -modulus` prints
// (EFGS-905). Lines with # in front and empty ones are left out. Errors wrap ErrBlocklist.
func ReadBlocklist(name string, r io.Reader) (*Blocklist, error) {
	b := &Blocklist{Name: name, debian: map[[10]byte]struct{}{}, keys: map[[sha256.Size]byte]struct{}{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := b.add(line); err != nil {
			return nil, fmt.Errorf("%s: line %d: %w: %w", name, n, ErrBlocklist, err)
		}
		if len(b.debian)+len(b.keys) > maxBlocked {
			return nil, fmt.Errorf("%s: %w: more than %d entries", name, ErrBlocklist, maxBlocked)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: line %d: %w: %w", name, n+1, ErrBlocklist, err)
	}
	if len(b.debian)+len(b.keys) == 0 {
		return nil, fmt.Errorf("%s: %w: it is empty", name, ErrBlocklist)
	}
	return b, nil
}

func (b *Blocklist) add(line string) error {
	sum, err := hex.DecodeString(line)
	switch {
	case err != nil:
		return errors.New("not hexadecimal digits alone")
	case len(sum) == sha256.Size:
		b.keys[[sha256.Size]byte(sum)] = struct{}{}
	case len(sum) == 10:
		b.debian[[10]byte(sum)] = struct{}{}
	default:
		return fmt.Errorf("%d hexadecimal digits, neither 64 nor 20", len(line))
	}
	return nil
}

// blocklistRules: keys that others have.
func blocklistRules() []Rule {
	const fix = "treat the key as public: make a new one, and tell whoever relied on it; "
	return []Rule{{
		ID: "EFGS-905", Name: "debian-weak", Clause: "CVE-2008-0166", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "an RSA key is not one of those that Debian's OpenSSL made from 2006 to 2008",
		Why:   "that version knew 32,767 keys of each kind and no others: CVE-2008-0166",
		Fix:   fix + fixRSA,
		Good:  "a key that is on no list", Bad: "a key on a list of Debian's openssl-blacklist",
		check: onRSA(debianWeak),
	}, {
		ID: "EFGS-906", Name: "known-compromised", Clause: "Governance 2.2, 2.3", Roles: all(), Path: pathSPKI, NeverWaivable: true,
		Title: "the key is on no list of compromised keys",
		Why:   "2.2, 2.3: private keys stay with their owners; these are published",
		Fix:   fix + fixNewKey,
		Good:  "a key that is on no list", Bad: "the key of a public test certificate",
		check: knownCompromised,
	}}
}

func debianWeak(x *exam, n, _ *big.Int) outcome {
	if !slices.ContainsFunc(x.Blocklists, func(b *Blocklist) bool { return len(b.debian) > 0 }) {
		return unasked("no list of Debian's weak keys was given (--blocklist FILE)")
	}
	sum := sha1.Sum(fmt.Appendf(nil, "Modulus=%X\n", n))
	for _, b := range x.Blocklists {
		if _, weak := b.debian[[10]byte(sum[10:])]; weak {
			return fail("the RSA key is on the list %s: a faulty version of OpenSSL made it, and anybody can make it again", b.Name)
		}
	}
	return pass()
}

func knownCompromised(x *exam) outcome {
	switch {
	case !slices.ContainsFunc(x.Blocklists, func(b *Blocklist) bool { return len(b.keys) > 0 }):
		return unasked("no list of compromised keys was given (--blocklist FILE)")
	case len(x.c.SPKI) == 0:
		return unknown("the public key cannot be read")
	}
	for _, b := range x.Blocklists {
		for _, spki := range x.encodings() {
			if _, blocked := b.keys[sha256.Sum256(spki)]; blocked {
				return fail("the key is on the list of compromised keys %s", b.Name)
			}
		}
	}
	return pass()
}

// encodings are the key as it stands in the certificate, and as it is written usually.
func (x *exam) encodings() [][]byte {
	all := [][]byte{x.c.SPKI}
	if k := x.c.PublicKey; k != nil && k.Std != nil {
		if usual, err := x509.MarshalPKIXPublicKey(k.Std); err == nil {
			all = append(all, usual)
		}
	}
	return all
}
