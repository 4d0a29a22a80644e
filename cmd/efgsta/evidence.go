package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

// evidenceFlags name what chain and revocation of TLS certificates are judged by.
type evidenceFlags struct {
	roots      string
	crls, ocsp []string
}

func (f *evidenceFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.roots, "roots", "none", "trusted roots: `FILE|mozilla|none`; mozilla is Mozilla's store as it is in this program, of "+vet.MozillaDate)
	repeatedVar(c, &f.crls, "crl", "revocation lists in `FILE|DIR`, PEM or DER; may be repeated")
	repeatedVar(c, &f.ocsp, "ocsp", "OCSP response in `FILE`; may be repeated")
}

// given is the evidence of a command line; nil inside: none.
type given struct {
	*vet.Evidence
	skipped int // files in directories of --crl that are no lists
}

// read reads all that the flags name. What is named and cannot be used is a mistake.
func (f *evidenceFlags) read() (given, error) {
	if f.roots == "none" && len(f.crls)+len(f.ocsp) == 0 {
		return given{}, nil
	}
	g := given{Evidence: &vet.Evidence{}}
	if err := g.readRoots(f.roots); err != nil {
		return g, err
	}
	for _, name := range f.crls {
		if err := g.readCRLs(name); err != nil {
			return g, err
		}
	}
	for _, name := range f.ocsp {
		data, err := readFile(name)
		if err != nil {
			return g, err
		}
		o, err := vet.ReadOCSP(filepath.Base(name), data)
		if err != nil {
			return g, usagef("fetch it with: openssl ocsp -issuer ISSUER -cert FILE -url URL -respout response.der", "--ocsp %w", err)
		}
		g.OCSP = append(g.OCSP, o)
	}
	return g, nil
}

func (g *given) readRoots(name string) error {
	var err error
	switch name {
	case "none":
	case vet.MozillaName:
		g.Roots, err = vet.MozillaRoots()
	default:
		data, err := readFile(name)
		if err != nil {
			return err
		}
		if g.Roots, err = vet.ReadRoots(filepath.Base(name), data); err != nil {
			return usagef("a PEM file with one or more root certificates, or mozilla, or none", "--roots %w", err)
		}
	}
	return err
}

// readCRLs reads a file, or every list in a directory: there, what is none is skipped. A
// list that cannot be read is a mistake there too, since it may be the one that counts.
func (g *given) readCRLs(name string) error {
	st, err := os.Stat(name)
	if err != nil {
		return usagef("", "--crl: %w", err)
	}
	if !st.IsDir() {
		return g.readCRL(name, "")
	}
	before := len(g.CRLs)
	err = filepath.WalkDir(name+string(filepath.Separator), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return usagef(hintPath, "--crl: %w", err)
		}
		if d.IsDir() {
			return nil
		}
		named := strings.EqualFold(filepath.Ext(path), ".crl")
		st, err := os.Stat(path) // a link counts for what it leads to
		switch {
		case err != nil && named:
			return usagef(hintPath, "--crl: %w", err)
		case err == nil && named && !st.Mode().IsRegular():
			return usagef("", "--crl: %s is not a file", path)
		case err != nil || !named && (!st.Mode().IsRegular() || st.Size() > vet.MaxCRL):
			g.skipped++
			return nil
		}
		err = g.readCRL(path, filepath.Dir(path)+": ")
		if !named && errors.Is(err, vet.ErrNoList) {
			g.skipped++
			return nil
		}
		return err
	})
	if err == nil && len(g.CRLs) == before {
		err = usagef("name a file, or a directory that holds one", "--crl %s: there is no revocation list in it", name)
	}
	return err
}

// readCRL reads a file; in is the directory where it was found, for messages.
func (g *given) readCRL(path, in string) error {
	data, err := readFile(path)
	if err != nil {
		return err
	}
	lists, err := vet.ReadCRLs(filepath.Base(path), data)
	if err != nil {
		return usagef("a revocation list as the CA publishes it: openssl crl -in FILE -noout -text must read it", "--crl %s%w", in, err)
	}
	g.CRLs = append(g.CRLs, lists...)
	return nil
}

// take adds the other certificates of a file that may link one to a root.
func (g *given) take(in *cert.Input) {
	if g.Evidence == nil {
		return
	}
	for _, it := range in.Items {
		g.Add(it.Cert)
	}
}

// notes says what the evidence is, for people.
func (g *given) notes(a *app) {
	if g.Evidence == nil {
		return
	}
	if r := g.Roots; r != nil {
		a.notef("roots: %s, %s", report.Escape(r.Name), plural(r.Len(), "certificate"))
		if r.Unread > 0 {
			a.notef("roots: %s of %s cannot be read by crypto/x509 and are left out", plural(r.Unread, "certificate"), report.Escape(r.Name))
		}
	}
	if g.skipped > 0 {
		a.notef("lists: %s of the directories hold none and are skipped", plural(g.skipped, "file"))
	}
	for _, c := range g.CRLs {
		if why := c.NotTaken(); why != "" {
			a.notef("list %s: counts only for what it has as revoked: %s", report.Escape(c.File), why)
		}
	}
}
