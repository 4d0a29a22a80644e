package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
)

// pinFlags name the EFGSTA that the receiver trusts.
type pinFlags struct {
	files  []string
	sha256 string
	at     string
}

func (f *pinFlags) add(c *cobra.Command) {
	repeatedVar(c, &f.files, "anchor", "pinned EFGSTA certificate `FILE`; twice during a roll")
	c.Flags().StringVar(&f.sha256, "anchor-sha256", "", "pin the EFGSTA by the SHA-256 `HEX` of its certificate, with or without colons")
	c.Flags().StringVar(&f.at, "at", "", "judge at this `TIME` (RFC 3339 or YYYY-MM-DD)")
}

// load reads the pinned EFGSTA and the time to judge at. With a fingerprint only,
// there is no certificate yet: see fromCopy.
func (f *pinFlags) load(a *app) (out []*anchor.Anchor, now time.Time, err error) {
	if now, err = a.clock(f.at); err != nil {
		return nil, now, err
	}
	// As openssl prints it, and as people copy it.
	f.sha256 = strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(f.sha256))
	if f.sha256 != "" && !cert.IsHexDigest(f.sha256) {
		return nil, now, usagef("64 hex digits, as openssl x509 -fingerprint -sha256 prints them", "--anchor-sha256 is not a SHA-256")
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
	switch {
	case len(out) == 0 && f.sha256 == "":
		return nil, now, usagef("give the EFGSTA that you were handed: --anchor efgsta.pem", "no EFGSTA is pinned")
	case len(out) > 0 && f.sha256 != "":
		out = slices.DeleteFunc(out, func(an *anchor.Anchor) bool { return an.Thumbprint().String() != f.sha256 })
		if len(out) == 0 {
			return nil, now, refusef("compare both with what was read to you by phone", "no --anchor has the fingerprint %s", f.sha256)
		}
	}
	return out, now, nil
}

// fromCopy takes the copy of the EFGSTA that came along, if only a fingerprint is
// pinned and the copy has it.
func (f *pinFlags) fromCopy(pinned []*anchor.Anchor, copied func() (*anchor.Anchor, error)) ([]*anchor.Anchor, error) {
	if len(pinned) > 0 {
		return pinned, nil
	}
	an, err := copied()
	if err != nil {
		return nil, refused(err)
	}
	if an.Thumbprint().String() != f.sha256 {
		return nil, refusef("compare the fingerprint with the one that was read to you by phone", "this was made by EFGSTA %s, not by the pinned %s", an.Thumbprint(), f.sha256)
	}
	return []*anchor.Anchor{an}, nil
}
