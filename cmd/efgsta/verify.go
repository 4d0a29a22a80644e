package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

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

// pinFlags name the EFGSTA that the receiver trusts.
type pinFlags struct {
	files  []string
	sha256 string
	at     string
}

func (f *pinFlags) add(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.files, "anchor", nil, "pinned EFGSTA certificate `FILE`; twice during a roll")
	c.Flags().StringVar(&f.at, "at", "", "judge at this `TIME` (RFC 3339 or YYYY-MM-DD)")
}

// load reads the pinned EFGSTA and the time to judge at.
func (f *pinFlags) load(a *app) (out []*anchor.Anchor, now time.Time, err error) {
	if now, err = a.clock(f.at); err != nil {
		return nil, now, err
	}
	for _, name := range f.files {
		data, err := readFile(name)
		if err != nil {
			return nil, now, err
		}
		an, err := anchor.Parse(name, data)
		if err != nil {
			return nil, now, usagef("the EFGSTA is handed out by the operator: efgsta anchor show --pem", "--anchor: %w", err)
		}
		out = append(out, an)
	}
	if len(out) == 0 && f.sha256 == "" {
		return nil, now, usagef("give the EFGSTA that you were handed: --anchor efgsta.pem", "no EFGSTA is pinned")
	}
	return out, now, nil
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
			data, err := readBundle(args[0])
			if err != nil {
				return err
			}
			if pinned, err = pin.byFingerprint(pinned, data); err != nil {
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
				if err := atomicfile.Replace(stateFile, text, 0o644); err != nil {
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
	c.Flags().StringVar(&pin.sha256, "anchor-sha256", "", "pin the EFGSTA by the SHA-256 `HEX` of its certificate")
	c.Flags().StringVar(&stateFile, "state", "", "`FILE` that remembers the last bundle accepted")
	return c
}

func readBundle(name string) ([]byte, error) {
	st, err := os.Stat(name)
	if err != nil {
		return nil, usagef("", "%w", err)
	}
	if st.Size() > release.MaxTotal {
		return nil, usagef("", "%s has %d bytes, at most %d are read", name, st.Size(), release.MaxTotal)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, usagef("", "%w", err)
	}
	return data, nil
}

// byFingerprint takes the bundle's own copy of the EFGSTA if its fingerprint is the pinned one.
func (f *pinFlags) byFingerprint(pinned []*anchor.Anchor, data []byte) ([]*anchor.Anchor, error) {
	if f.sha256 == "" {
		return pinned, nil
	}
	an, err := bundle.Anchor(data)
	if err != nil {
		return nil, refusef("", "%w", err)
	}
	if an.Thumbprint().String() != f.sha256 {
		return nil, refusef("compare the fingerprint with the one read to you by phone: 64 lower-case hex digits", "the bundle's EFGSTA is %s, not the pinned %s", an.Thumbprint(), report.Escape(f.sha256))
	}
	return append(pinned, an), nil
}

func readState(name string) (*bundle.State, error) {
	if name == "" {
		return nil, nil
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, usagef("", "--state: %w", err)
	}
	s, err := bundle.ParseState(data)
	if err != nil {
		return nil, usagef("restore it from a copy; without it an older bundle could be accepted", "--state %s: %w", name, err)
	}
	return s, nil
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
			l, err := verifyList(args[0], signature, pinned, now)
			if err != nil {
				return err
			}
			steps := []release.Step{
				{Proven: true, Text: "signed by EFGSTA " + l.Anchor.SHA256},
				{Proven: true, Text: fmt.Sprintf("%d NBBS and %d NBTLS entries are what their certificates say, %d removed", l.Count(vet.NBBS), l.Count(vet.NBTLS), len(l.Removed))},
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
