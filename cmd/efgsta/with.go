package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

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
	repeatedVar(c, &f.with, "with", "certificate or public key `FILE` whose keys must not be shared, a bare key (PEM, JWK) being a national one; may be repeated")
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
			return nil, usagef("", "%s %s: %w", flag, path, err)
		case len(some) == 0:
			return nil, usagef("a certificate, or a public key in PEM or JWK", "%s %s holds neither a certificate nor a public key", flag, path)
		}
		known = append(known, some...)
	}
	return known, nil
}

// readKnown reads one file.
func readKnown(path string, data []byte) ([]vet.Known, error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		spkis, err := sigalg.ReadJWK(data)
		if err != nil {
			return nil, err
		}
		return bareKeys(path, spkis)
	}
	in := cert.Read(path, data)
	if in.PrivateKey {
		return nil, sigalg.ErrPrivateKey
	}
	var known []vet.Known
	for _, it := range in.Items {
		if it.Cert == nil {
			return nil, fmt.Errorf("certificate %d cannot be read", it.Index+1)
		}
		k := vet.Known{Certificate: it.Cert, Source: path}
		k.Role, _ = vet.RoleOf(it.Cert, "")
		if cs := it.Cert.Countries(); len(cs) == 1 {
			k.Country = cs[0]
		}
		known = append(known, k)
	}
	var spkis [][]byte
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PUBLIC KEY" {
			spkis = append(spkis, block.Bytes)
		}
	}
	bare, err := bareKeys(path, spkis)
	return append(known, bare...), err
}

func bareKeys(path string, spkis [][]byte) ([]vet.Known, error) {
	var known []vet.Known
	for _, spki := range spkis {
		key, err := sigalg.ParsePublicKey(spki)
		if err != nil {
			return nil, err
		}
		bare := &cert.Certificate{SPKI: spki, PublicKey: key}
		known = append(known, vet.Known{Certificate: bare, Source: fmt.Sprintf("the public key in %s", path)})
	}
	return known, nil
}
