package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

// withFlags name what is known from elsewhere: certificates, keys, and lists of keys.
type withFlags struct {
	with, environments, blocklists []string
}

func (f *withFlags) add(c *cobra.Command) {
	repeatedVar(c, &f.with, "with", "certificate or public key `FILE` whose keys must not be shared, a bare key (PEM, DER, JWK) being a national one; may be repeated")
	repeatedVar(c, &f.environments, "other-environment", "certificate or public key `FILE` in use for test or acceptance; may be repeated")
	repeatedVar(c, &f.blocklists, "blocklist", "`FILE` of keys that others have, a SHA-256 of the public key or an entry of Debian's openssl-blacklist per line; may be repeated")
}

// read reads all files, and gives what --with names back.
func (f *withFlags) read(req *vet.Request) ([]vet.Known, error) {
	with, err := readWith("--with", f.with)
	if err != nil {
		return nil, err
	}
	others, err := readWith("--other-environment", f.environments)
	if err != nil {
		return nil, err
	}
	if len(others) > 0 {
		req.OtherEnvironments = vet.NewIndex()
		for _, k := range others {
			req.OtherEnvironments.Add(k)
		}
	}
	for _, name := range f.blocklists {
		b, err := readBlocklist(name)
		if err != nil {
			return nil, err
		}
		req.Blocklists = append(req.Blocklists, b)
	}
	return with, nil
}

func readBlocklist(name string) (*vet.Blocklist, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, usagef(hintPath, "--blocklist %w", err)
	}
	defer file.Close()
	b, err := vet.ReadBlocklist(name, io.LimitReader(file, maxInput))
	if err != nil {
		return nil, usagef("one entry a line: 64 hex digits (SHA-256 of the public key) or 20 (Debian's openssl-blacklist)", "--blocklist %w", err)
	}
	return b, nil
}

// readWith reads certificates, and public keys in PEM and JWK.
func readWith(flag string, paths []string) ([]vet.Known, error) {
	var known []vet.Known
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		some, err := readKnown(path, data)
		switch {
		case errors.Is(err, sigalg.ErrPrivateKey):
			return nil, usagef("give the certificate or the public key only", "%s %s holds a private key", flag, path)
		case err != nil:
			return nil, usagef("every part of the file must be a certificate or a public key, in PEM, DER or JWK; split it, and leave out the rest", "%s %s: %w", flag, path, err)
		case len(some) == 0:
			return nil, usagef("a certificate, or a public key in PEM, DER or JWK", "%s %s holds neither a certificate nor a public key", flag, path)
		}
		known = append(known, some...)
	}
	return known, nil
}

// readKnown reads one file, which must be understood as a whole: a key that is passed over
// is one that the certificate is never compared with.
func readKnown(path string, data []byte) ([]vet.Known, error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		spkis, err := sigalg.ReadJWK(data)
		if err != nil {
			return nil, err
		}
		var known []vet.Known
		for _, spki := range spkis {
			k, err := bareKey(path, spki)
			if err != nil {
				return nil, err
			}
			known = append(known, k)
		}
		return known, nil
	}
	in := cert.Read(path, data)
	if in.PrivateKey {
		return nil, sigalg.ErrPrivateKey
	}
	blocks, stray := cert.Blocks(data)
	if len(blocks) == 0 {
		return readBinary(path, data, in)
	}
	if len(stray) > 0 {
		return nil, fmt.Errorf("line %d: there is %s", stray[0].Line, stray[0].Why)
	}
	var known []vet.Known
	for _, b := range blocks {
		if len(b.DER) > 0 && b.DER[0] == 0x06 {
			continue // EC PARAMETERS: the name of a curve, as openssl writes it beside a key
		}
		k, err := readBlock(path, b)
		if err != nil {
			return nil, fmt.Errorf("line %d: the block is neither a certificate nor a public key: %w", b.Line, err)
		}
		known = append(known, k)
	}
	return known, nil
}

// readBinary reads DER: one public key, or certificates and nothing else.
func readBinary(path string, data []byte, in *cert.Input) ([]vet.Known, error) {
	if k, err := bareKey(path, data); err == nil {
		return []vet.Known{k}, nil
	}
	var known []vet.Known
	for _, it := range in.Items {
		if it.Cert == nil || !it.Cert.Whole() {
			return nil, fmt.Errorf("certificate %d cannot be read", it.Index+1)
		}
		known = append(known, knownCertificate(path, it.Cert))
	}
	for _, p := range in.Problems {
		if p.Kind != cert.ProblemNoCertificate {
			return nil, errors.New(p.Msg)
		}
	}
	return known, nil
}

// readBlock takes a PEM block for what is in it, whatever its label.
func readBlock(path string, b cert.Block) (vet.Known, error) {
	if b.Err != nil {
		return vet.Known{}, b.Err
	}
	c, err := cert.ParseBlock(b)
	if err == nil {
		return knownCertificate(path, c), nil
	}
	k, keyErr := bareKey(path, b.DER)
	if keyErr == nil {
		return k, nil
	}
	if spki, pkcs1Err := sigalg.FromPKCS1(b.DER); pkcs1Err == nil {
		return bareKey(path, spki)
	}
	if strings.Contains(b.Label, "PUBLIC KEY") {
		err = keyErr
	}
	return vet.Known{}, err
}

func knownCertificate(path string, c *cert.Certificate) vet.Known {
	k := vet.Known{Certificate: c, Source: path}
	k.Role, _ = vet.RoleOf(c, "")
	if cs := c.Countries(); len(cs) == 1 {
		k.Country = cs[0]
	}
	return k
}

func bareKey(path string, spki []byte) (vet.Known, error) {
	key, err := sigalg.ParsePublicKey(spki)
	if err != nil {
		return vet.Known{}, err
	}
	bare := &cert.Certificate{SPKI: spki, PublicKey: key}
	return vet.Known{Certificate: bare, Source: fmt.Sprintf("the public key in %s", path)}, nil
}
