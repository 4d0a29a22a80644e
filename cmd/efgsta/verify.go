package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/bundle"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newVerifyCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify",
		Short: "Verify what was received; needs no workspace",
		Args:  cobra.NoArgs,
	}
	c.AddCommand(newVerifyBundleCmd(a), newVerifyTrustListCmd(a), newVerifyCertificateCmd(a))
	return c
}

// showSteps prints one line per thing proven and per thing not evaluated.
func (a *app) showSteps(steps []release.Step) {
	for _, s := range steps {
		mark := "✓"
		if !s.Proven {
			mark = "· not evaluated:"
		}
		a.printf("  %s %s\n", mark, report.Escape(s.Text))
	}
}

func newVerifyBundleCmd(a *app) *cobra.Command {
	var pin pinFlags
	var stateFile string
	var format formatFlag
	c := &cobra.Command{
		Use:   "bundle FILE --anchor efgsta.pem [--state FILE]",
		Short: "Verify a bundle: signatures, hashes, list, derived files, freshness, rollback",
		Long: `Verifies a bundle with the EFGSTA that you pinned. With --state it remembers what
it accepted and refuses an older or another release afterwards; the state is
written only after everything else passed.`,
		Example: "  efgsta verify bundle gateway-000001.tar --anchor efgsta.pem --state last.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			pinned, now, err := pin.load(a)
			if err != nil {
				return err
			}
			data, err := readFile(args[0])
			if err != nil {
				return err
			}
			if pinned, err = pin.fromCopy(pinned, func() (*anchor.Anchor, error) { return bundle.Anchor(data) }); err != nil {
				return err
			}
			last, err := readState(stateFile)
			if err != nil {
				return err
			}
			v, next, err := bundle.Verify(data, release.Options{Anchors: pinned, At: now}, last)
			if err != nil {
				return refusef("do not import it; ask the operator who made it", "%s: %w", args[0], err)
			}
			if stateFile != "" {
				text, err := next.Encode()
				if err != nil {
					return err
				}
				if err := writeState(stateFile, text); err != nil {
					return err
				}
			}
			m := v.Manifest
			if format.json() {
				return a.json(verifyJSON{verifySchema, "bundle", args[0], m.ListID, m.Environment, m.Sequence, newStepsJSON(v.Steps)})
			}
			a.printf("%s: release %d of %s (%s) verified\n", args[0], m.Sequence, m.ListID, m.Environment)
			a.showSteps(v.Steps)
			return nil
		},
	}
	pin.add(c)
	format.add(c)
	c.Flags().StringVar(&stateFile, "state", "", "`FILE` that remembers the last bundle accepted")
	return c
}

func readState(name string) (*bundle.State, error) {
	if name == "" {
		return nil, nil
	}
	if _, err := os.Stat(name); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	data, err := readFile(name)
	if err != nil {
		return nil, err
	}
	s, err := bundle.ParseState(data)
	if err != nil {
		return nil, usagef("restore it from a copy; without it an older bundle could be accepted", "--state %s: %w", name, err)
	}
	return s, nil
}

// writeState replaces the state file, through a link to where it really is.
func writeState(name string, text []byte) error {
	if real, err := filepath.EvalSymlinks(name); err == nil {
		name = real
	}
	if err := atomicfile.Replace(name, text, 0o644); err != nil {
		return usagef("the bundle verified, but is not remembered: name a state file in a directory that can be written to", "--state: %w", err)
	}
	return nil
}

func newVerifyTrustListCmd(a *app) *cobra.Command {
	var pin pinFlags
	var signature string
	var format formatFlag
	c := &cobra.Command{
		Use:     "trustlist FILE --signature FILE --anchor efgsta.pem",
		Short:   "Verify a trust list and its signature",
		Example: "  efgsta verify trustlist trustlist.json --signature trustlist.json.p7s --anchor efgsta.pem",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			pinned, now, err := pin.load(a)
			if err != nil {
				return err
			}
			l, err := verifyList(args[0], signature, &pin, pinned, now)
			if err != nil {
				return err
			}
			steps := []release.Step{
				{Proven: true, Text: "signed by EFGSTA " + l.Anchor.SHA256},
				{Proven: true, Text: fmt.Sprintf("%d NBBS and %d NBTLS entries are what their certificates say, %d removed%s", l.Count(vet.NBBS), l.Count(vet.NBTLS), len(l.Removed), excusedEntries(l))},
				{Proven: true, Text: fmt.Sprintf("fresh until %s", day(l.NextUpdate))},
				{Proven: false, Text: "rollback: a list alone has no state (efgsta verify bundle --state keeps one)"},
			}
			if format.json() {
				return a.json(verifyJSON{verifySchema, "trustlist", args[0], l.ListID, l.Environment, l.Sequence, newStepsJSON(steps)})
			}
			a.printf("%s: list %d of %s (%s) verified\n", args[0], l.Sequence, l.ListID, l.Environment)
			a.showSteps(steps)
			return nil
		},
	}
	pin.add(c)
	format.add(c)
	c.Flags().StringVar(&signature, "signature", "", "detached CMS signature `FILE` (default: FILE.p7s)")
	return c
}
