package main

import (
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

// gathered is what the paths of a command line hold, in their order.
type gathered struct {
	inputs  []*cert.Input
	skipped int // walked files that hold nothing known
	options cert.Options
}

// gather reads files as they are named and walks directories in lexical order.
func gather(a *app, paths []string, o cert.Options) (*gathered, error) {
	g := &gathered{options: o}
	for _, path := range paths {
		if path == "-" {
			data, err := io.ReadAll(io.LimitReader(a.in, cert.MaxFile+1))
			if err != nil {
				return nil, usagef("", "standard input: %w", err)
			}
			g.inputs = append(g.inputs, cert.Open("-", data, o))
			continue
		}
		st, err := os.Stat(path)
		if err != nil {
			return nil, usagef(hintPath, "%w", err)
		}
		if st.IsDir() {
			// With the separator also a link to a directory is walked.
			if err := g.walk(path + string(filepath.Separator)); err != nil {
				return nil, usagef(hintPath, "%w", err)
			}
			continue
		}
		in, err := readInput(path, o)
		if err != nil {
			return nil, usagef(hintPath, "%w", err)
		}
		g.inputs = append(g.inputs, in)
	}
	return g, nil
}

func (g *gathered) walk(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := os.Stat(path) // of what a link points to
		switch {
		case err != nil && d.Type()&fs.ModeSymlink != 0, err == nil && (!st.Mode().IsRegular() || st.Size() > cert.MaxFile):
			g.skipped++
			return nil
		case err != nil:
			return err
		}
		in, err := readInput(path, g.options)
		if err != nil {
			return err
		}
		if nothing(in) {
			g.skipped++
			return nil
		}
		g.inputs = append(g.inputs, in)
		return nil
	})
}

// nothing: neither a marker, nor DER, nor a container that is known.
func nothing(in *cert.Input) bool {
	if len(in.Items) > 0 || in.Kind != "" || in.PrivateKey {
		return false
	}
	for _, p := range in.Problems {
		if p.Kind != cert.ProblemNoCertificate {
			return false
		}
	}
	return true
}

// readInput reads one file, a pipe too, up to a little more than pkg/cert looks at.
func readInput(path string, o cert.Options) (*cert.Input, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, cert.MaxFile+1))
	if err != nil {
		return nil, err
	}
	return cert.Open(path, data, o), nil
}

// readWith reads the files of --with: certificates, and public keys in PEM.
func readWith(paths []string) ([]vet.Known, error) {
	var known []vet.Known
	for _, path := range paths {
		data, err := readFile(path)
		if err != nil {
			return nil, err
		}
		in := cert.Read(path, data)
		if in.PrivateKey {
			return nil, usagef("give the certificate or the public key only", "--with %s holds a private key", path)
		}
		before := len(known)
		for _, it := range in.Items {
			if it.Cert == nil {
				return nil, usagef("", "--with %s: certificate %d cannot be read", path, it.Index+1)
			}
			k := vet.Known{Certificate: it.Cert, Source: path}
			k.Role, _ = vet.RoleOf(it.Cert, "")
			if cs := it.Cert.Countries(); len(cs) == 1 {
				k.Country = cs[0]
			}
			known = append(known, k)
		}
		for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
			if block.Type != "PUBLIC KEY" {
				continue
			}
			key, err := sigalg.ParsePublicKey(block.Bytes)
			if err != nil {
				return nil, usagef("", "--with %s: %w", path, err)
			}
			bare := &cert.Certificate{SPKI: block.Bytes, PublicKey: key}
			known = append(known, vet.Known{Certificate: bare, Source: fmt.Sprintf("the public key in %s", path)})
		}
		if len(known) == before {
			return nil, usagef("a certificate, or a public key in PEM", "--with %s holds neither a certificate nor a public key", path)
		}
	}
	return known, nil
}
