package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

type checkFlags struct {
	role, country, policy, at string
	format, failOn, out       string
	with, require             []string
	quiet                     bool
	evidence                  evidenceFlags
	password                  passwordFlag
}

func newCheckCmd(a *app) *cobra.Command {
	var f checkFlags
	c := &cobra.Command{
		Use:   "check [flags] PATH…",
		Short: "Vet certificate files against the governance document",
		Long: `check vets certificates against Section 4 of the governance document, without a
workspace. PATH is a file, a directory that is walked, or - for the standard
input. Any number of certificates per file is read, by content and not by name:
PEM, DER, base64, PKCS#7, PKCS#12, and a zip archive of those, deflated or stored,
plain or in AES encryption. check asks for no password: what --password-file does
not open is refused by EFGS-007. A signing request is held to the rules on its
subject and key, and never accepted: it is no certificate.

The exit code is 0 if everything is accepted, 1 if something is refused or
undecided, or has a finding at --fail-on or above, and 2 for mistakes on the
command line, unreadable paths, and directories without any certificate.

--format json is for programs, sarif for code scanning, junit for test reports,
github for annotations of a workflow run, markdown for a pull request, and html
is a page to file or to send. The same input at the same --at gives the same bytes.`,
		Example: `  efgsta check --type nbbs --country DE nbbs.pem
  efgsta check --country DE nbtls.pem nbbs.pem
  efgsta check --format sarif -o vet.sarif certs/
  efgsta check --type nbbs --country DE --format html -o nbbs.html nbbs.pem`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef("efgsta check nbbs.pem, or - for the standard input", "no PATH is given")
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return check(a, &f, args) },
	}
	c.Flags().StringVar(&f.role, "type", "auto", "auto, nbtls, nbbs, efgstls or efgsta")
	c.Flags().StringVar(&f.country, "country", "", "member state `CC` that brings the certificates")
	c.Flags().StringVar(&f.policy, "policy", policy.Default, "policy `NAME|FILE`")
	c.Flags().StringVar(&f.at, "at", "", "judge as if it were this `TIME` (RFC 3339 or YYYY-MM-DD)")
	c.Flags().StringVar(&f.format, "format", "table", strings.Join(report.CheckFormats(), ", "))
	c.Flags().StringVar(&f.failOn, "fail-on", vet.SeverityError, "mildest severity that fails: error, warning or notice")
	f.evidence.add(c)
	f.password.add(c)
	c.Flags().StringArrayVar(&f.with, "with", nil, "certificate or public key `FILE` whose keys must not be shared; may be repeated")
	c.Flags().StringArrayVar(&f.require, "require", nil, "`RULE|all` that must not go without its evidence; may be repeated")
	c.Flags().BoolVar(&f.quiet, "quiet", false, "table: only what is not accepted, and why")
	c.Flags().StringVarP(&f.out, "output", "o", "", "write the result to `FILE`")
	return c
}

func check(a *app, f *checkFlags, paths []string) error {
	req, err := f.request(a)
	if err != nil {
		return err
	}
	pol, err := loadPolicy(f.policy)
	if err != nil {
		return err
	}
	engine, err := vet.New(pol)
	if err != nil {
		return usagef("", "--policy %s: %w", f.policy, err)
	}
	with, err := readWith(f.with)
	if err != nil {
		return err
	}
	proof, err := f.evidence.read()
	if err != nil {
		return err
	}
	o, erase, err := f.password.options()
	if err != nil {
		return err
	}
	defer erase()
	found, err := gather(a, paths, o)
	if err != nil {
		return err
	}
	if len(found.inputs) == 0 {
		return usagef("name a certificate file, or a directory that holds one",
			"no certificate found in %s (%s skipped)", strings.Join(paths, ", "), plural(found.skipped, "file"))
	}
	req.Others = others(found.inputs, req, with)
	if req.Evidence = proof.Evidence; req.Evidence != nil {
		for _, k := range with {
			req.Evidence.Add(k.Certificate)
		}
	}

	proof.notes(a)

	rep := &report.Check{Policy: pol, At: req.At, Files: len(found.inputs), Skipped: found.skipped, FailOn: f.failOn, Version: version}
	if proof.Evidence != nil && proof.Roots != nil {
		rep.Roots = proof.Roots.Name
	}
	for _, in := range found.inputs {
		rep.Results = append(rep.Results, engine.Input(in, req)...)
	}
	if err := f.write(a, rep); err != nil {
		return err
	}
	if slices.ContainsFunc(rep.Results, rep.Fails) {
		return no()
	}
	return nil
}

// request checks the flags and turns them into what every certificate is asked.
func (f *checkFlags) request(a *app) (vet.Request, error) {
	req := vet.Request{Country: f.country, AnyEnvironment: true}
	var err error
	if req.At, err = a.clock(f.at); err != nil {
		return req, err
	}
	roles := []string{"auto"}
	for _, r := range vet.Roles() {
		roles = append(roles, string(r))
	}
	for _, err := range []error{
		oneOf("type", f.role, roles...),
		oneOf("format", f.format, report.CheckFormats()...),
		oneOf("fail-on", f.failOn, vet.SeverityError, vet.SeverityWarning, vet.SeverityNotice),
	} {
		if err != nil {
			return req, err
		}
	}
	if f.role != "auto" {
		req.Role = vet.Role(f.role)
	}
	if c := f.country; c != "" && (len(c) != 2 || strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return req, usagef("two capital letters, such as DE", "--country %q is not a country code", c)
	}
	for _, name := range f.require {
		rule, ok := vet.Find(name)
		if !ok && name != "all" {
			return req, usagef("efgsta rules lists them; or all", "--require %q is no rule", name)
		}
		if ok {
			name = rule.ID
		}
		req.Require = append(req.Require, name)
	}
	return req, nil
}

// loadPolicy takes the name of an embedded policy, or else a file.
func loadPolicy(nameOrFile string) (*policy.Policy, error) {
	p, err := policy.Load(nameOrFile)
	if !errors.Is(err, policy.ErrUnknown) {
		return p, err
	}
	if _, statErr := os.Stat(nameOrFile); statErr != nil {
		return nil, err // the hint names the embedded ones
	}
	data, err := readFile(nameOrFile)
	if err != nil {
		return nil, err
	}
	if p, err = policy.Parse(data); err != nil {
		return nil, usagef("", "--policy %s: %w", nameOrFile, err)
	}
	return p, nil
}

// others are all certificates of this run and those of --with. A single
// certificate has nothing to be compared with: nil says so.
func others(inputs []*cert.Input, req vet.Request, with []vet.Known) []vet.Known {
	known := with
	different := map[cert.Thumbprint]bool{}
	for _, in := range inputs {
		for _, it := range in.Items {
			if it.Cert == nil {
				continue
			}
			k := vet.Known{Certificate: it.Cert, Role: req.Role, Country: req.Country, Source: in.File}
			if k.Role == "" {
				k.Role, _ = vet.RoleOf(it.Cert, req.Country)
			}
			if cs := it.Cert.Countries(); k.Country == "" && len(cs) == 1 {
				k.Country = cs[0]
			}
			if len(in.Items) > 1 {
				k.Source = fmt.Sprintf("%s #%d", in.File, it.Index+1)
			}
			known = append(known, k)
			different[it.Cert.Thumbprint()] = true
		}
	}
	if len(with) == 0 && len(different) < 2 {
		return nil
	}
	return known
}

func (f *checkFlags) write(a *app, rep *report.Check) error {
	render := func(w io.Writer, o report.Options) error { return rep.Write(w, f.format, o) }
	if f.out == "" {
		return render(a.out, report.Options{Width: a.width(), Colour: a.colour(), Quiet: f.quiet})
	}
	var b bytes.Buffer
	if err := render(&b, report.Options{Quiet: f.quiet}); err != nil {
		return err
	}
	return replaceFile(f.out, b.Bytes())
}

// replaceFile writes a report so that a reader sees the old one or the new one,
// never half. What is not a regular file (a device, a pipe) is written to as it is.
func replaceFile(name string, data []byte) error {
	write := atomicfile.Replace
	if st, err := os.Stat(name); err == nil && !st.Mode().IsRegular() {
		write = os.WriteFile
	}
	if err := write(name, data, 0o644); err != nil {
		return usagef("name a file in a directory that can be written to", "-o: %w", err)
	}
	return nil
}
