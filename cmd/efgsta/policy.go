package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

func newPolicyCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "policy",
		Short: "List, show, check and compare policies",
		Long: `A policy gives each rule its severity per type, and its numbers; what a rule
looks for is code. efgs-2020 is the governance document, and the default.
efgs-2026 stands on it and deviates where publicly trusted CAs can no longer
issue what the document describes, for certificates whose chain was verified.

A policy of one's own is a YAML file: a whole one with rules, or one with a base
and deviations, each with its reason and date. Reports say at their head how far
a policy is from the document.`,
	}
	c.AddCommand(newPolicyListCmd(a), newPolicyShowCmd(a), newPolicyValidateCmd(a), newPolicyDiffCmd(a))
	return c
}

func newPolicyListCmd(a *app) *cobra.Command {
	var format formatFlag
	c := &cobra.Command{
		Use:     "list",
		Short:   "List the policies of this version",
		Example: `  efgsta policy list`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := format.check(); err != nil {
				return err
			}
			var all report.Policies
			for _, name := range policy.Names() {
				p, err := policy.Load(name)
				if err != nil {
					return err
				}
				all = append(all, p)
			}
			if format.json() {
				return all.JSON(a.out)
			}
			return all.Table(a.out, a.reportOptions())
		},
	}
	format.add(c)
	return c
}

func newPolicyShowCmd(a *app) *cobra.Command {
	var format string
	c := &cobra.Command{
		Use:   "show NAME|FILE",
		Short: "Show what a policy says of every rule, and where it deviates",
		Long: `show prints the severity of every rule per type (- is off), its numbers and cases,
and the deviations of a policy with a base: where, since when, and why.

--format json is the policy as a JSON file, which can be read as a policy too, once
it has a name of its own.
--format yaml are the bytes that its SHA-256 is over; with a base, the SHA-256 is
over that of the base in hex, a line feed, and those bytes.`,
		Example: `  efgsta policy show efgs-2026
  efgsta policy show efgs-2020 --format yaml > mine.yaml`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "table", "json", "yaml"); err != nil {
				return err
			}
			p, source, err := usablePolicy(args[0])
			if err != nil {
				return err
			}
			show := &report.Policy{Policy: p, Rules: vet.Rules()}
			switch format {
			case "yaml":
				_, err = a.out.Write(source)
				return err
			case "json":
				return show.JSON(a.out)
			}
			var base *policy.Policy
			if p.Base != "" {
				if base, err = policy.Load(p.Base); err != nil {
					return err
				}
			}
			return show.Table(a.out, base, a.reportOptions())
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table, json or yaml")
	return c
}

func newPolicyDiffCmd(a *app) *cobra.Command {
	var format formatFlag
	c := &cobra.Command{
		Use:   "diff NAME|FILE NAME|FILE",
		Short: "Show what the second policy says other than the first, and why",
		Long: `diff lists per rule and type what is stricter or milder in the second policy, under
which condition, and the reason and date of each deviation. It exits with 0 whether
there are differences or not.`,
		Example: `  efgsta policy diff efgs-2020 efgs-2026
  efgsta policy diff efgs-2020 mine.yaml --format json`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			d := &report.PolicyDiff{Rules: vet.Rules()}
			for i, into := range []**policy.Policy{&d.A, &d.B} {
				p, _, err := usablePolicy(args[i])
				if err != nil {
					return err
				}
				*into = p
			}
			if format.json() {
				return d.JSON(a.out)
			}
			return d.Table(a.out, a.reportOptions())
		},
	}
	format.add(c)
	return c
}

func newPolicyValidateCmd(a *app) *cobra.Command {
	var format formatFlag
	c := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check policy files, and say where each mistake is",
		Long: `validate reads each file as check --policy would, and lists every mistake with its
line and what to do. It exits with 0 if all of them are good, with 1 if one is not,
and with 2 if a file cannot be read.`,
		Example: `  efgsta policy validate mine.yaml`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			v := &report.PolicyValidation{}
			for _, file := range args {
				data, err := readFile(file)
				if err != nil {
					return err
				}
				p, mistakes := validatePolicy(file, data)
				v.Files = append(v.Files, report.ValidatedPolicy{File: file, Policy: p, Mistakes: mistakes})
			}
			write := func() error { return v.Table(a.out, a.reportOptions()) }
			if format.json() {
				write = func() error { return v.JSON(a.out) }
			}
			if err := write(); err != nil {
				return err
			}
			if !v.Valid() {
				return no()
			}
			return nil
		},
	}
	format.add(c)
	return c
}

// validatePolicy reads a policy and holds it against the rules of this version.
func validatePolicy(file string, data []byte) (*policy.Policy, []policy.Mistake) {
	p, err := policy.ParseFile(file, data)
	if err != nil {
		return nil, policy.Mistakes(err)
	}
	rules, deviations := policy.Lines(data)
	var mistakes []policy.Mistake
	for _, m := range vet.Misfits(p) {
		line, ok := rules[m.Rule]
		switch {
		case m.Deviation >= 0 && m.Deviation < len(deviations):
			line = deviations[m.Deviation]
		case !ok:
			line = rules[""]
		}
		mistakes = append(mistakes, policy.Mistake{Line: line, Msg: m.Msg, Next: "efgsta rules " + m.Rule})
	}
	return p, mistakes
}

// newEngine is vet.New, with the line of the file that it does not take.
func newEngine(p *policy.Policy) (*vet.Engine, error) {
	engine, err := vet.New(p)
	if err == nil || p.File == "" {
		return engine, err
	}
	const hint = "efgsta policy validate FILE lists all that is wrong"
	if data, readErr := readFile(p.File); readErr == nil {
		if _, mistakes := validatePolicy(p.File, data); len(mistakes) > 0 {
			return nil, usagef(hint, "%s:%d: %s", p.File, mistakes[0].Line, mistakes[0].Msg)
		}
	}
	return nil, usagef(hint, "%s: %w", p.File, err)
}

// usablePolicy loads a policy that an engine takes, with the bytes of its YAML.
func usablePolicy(nameOrFile string) (*policy.Policy, []byte, error) {
	p, err := loadPolicy(nameOrFile)
	if err != nil {
		return nil, nil, err
	}
	if _, err := newEngine(p); err != nil {
		return nil, nil, err
	}
	if p.File == "" {
		source, err := policy.Source(p.Name)
		return p, source, err
	}
	source, err := readFile(p.File)
	if err != nil {
		return nil, nil, fmt.Errorf("read it again: %w", err)
	}
	return p, source, nil
}

// showDeviations names in a plan what the document would refuse, and the policy lists all the same.
func (a *app) showDeviations(listed []ceremony.PlannedCertificate) {
	title := "\nListed by a deviation of the policy:\n"
	for _, c := range listed {
		var rules []string
		for _, f := range c.Findings {
			if d := f.Deviation; d != nil && d.From == vet.SeverityError && f.Status == vet.StatusFail {
				rules = append(rules, fmt.Sprintf("%s %s (%s in %s)", f.ID, f.Name, d.From, d.Base))
			}
		}
		if len(rules) > 0 {
			a.printf("%s  %s %s %s  %s\n", title, c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256), strings.Join(rules, ", "))
			title = ""
		}
	}
}
