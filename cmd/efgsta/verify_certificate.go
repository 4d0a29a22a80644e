package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/cms"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

// verifyList reads a list and its signature and verifies them.
func verifyList(name, signature string, pin *pinFlags, pinned []*anchor.Anchor, now time.Time) (*trustlist.List, error) {
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	if signature == "" {
		signature = name + ".p7s"
	}
	p7s, err := readFile(signature)
	if err != nil {
		return nil, err
	}
	pinned, err = pin.fromCopy(pinned, func() (*anchor.Anchor, error) {
		c, err := cms.Signer(p7s)
		if err != nil {
			return nil, err
		}
		return anchor.New(c)
	})
	if err != nil {
		return nil, err
	}
	l, err := trustlist.Verify(text, p7s, pinned, now)
	if err != nil {
		return nil, refusef("do not use this list; ask the operator for the current one", "%s: %w", name, err)
	}
	return l, nil
}

func newVerifyCertificateCmd(a *app) *cobra.Command {
	var pin pinFlags
	var signature, role, list string
	var format formatFlag
	c := &cobra.Command{
		Use:   "certificate FILE --signature FILE --anchor efgsta.pem [--trustlist FILE]",
		Short: "Verify the operator signature over a certificate",
		Long: `Verifies the EFGSTA's raw signature over the exact text of a certificate file, as
the gateway and audit replies carry it. The signature binds no role: whether the
certificate is a trusted NBBS or NBTLS today stands in the trust list, which
--trustlist gives (its .p7s beside it). Without a list the role is not evaluated,
and a certificate made for TLS clients is refused as NBBS.`,
		Example: "  efgsta verify certificate nbbs.pem --signature nbbs.sig --anchor efgsta.pem --trustlist trustlist.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			if err := oneOf("type", role, string(vet.NBBS), string(vet.NBTLS)); err != nil {
				return err
			}
			if signature == "" {
				return usagef("the operator signature, base64 on one line, e.g. the .sig file of a bundle", "--signature FILE is needed")
			}
			pinned, now, err := pin.load(a)
			if err != nil {
				return err
			}
			steps, err := verifyCertificate(args[0], signature, list, vet.Role(role), &pin, pinned, now)
			if err != nil {
				return err
			}
			if format.json() {
				return a.json(verifyJSON{Schema: verifySchema, Kind: "certificate", File: args[0], stepsJSON: newStepsJSON(steps)})
			}
			a.printf("%s: verified\n", args[0])
			a.showSteps(steps)
			return nil
		},
	}
	pin.add(c)
	format.add(c)
	c.Flags().StringVar(&signature, "signature", "", "operator signature `FILE`: base64 on one line")
	c.Flags().StringVar(&role, "type", string(vet.NBBS), "nbbs or nbtls: what the certificate is used as")
	c.Flags().StringVar(&list, "trustlist", "", "signed trust list `FILE`, for role and standing")
	return c
}

func verifyCertificate(name, signature, list string, role vet.Role, pin *pinFlags, pinned []*anchor.Anchor, now time.Time) ([]release.Step, error) {
	if len(pinned) == 0 {
		return nil, usagef("give the EFGSTA that you were handed: --anchor efgsta.pem", "a fingerprint alone does not verify a signature: the certificate is needed")
	}
	text, err := readFile(name)
	if err != nil {
		return nil, err
	}
	sigText, err := readFile(signature)
	if err != nil {
		return nil, err
	}
	raw, err := release.DecodeSignature(sigText)
	if err != nil {
		return nil, refusef("an operator signature is standard base64 on one line", "%s: %w", signature, err)
	}
	in := cert.Read(name, text)
	if in.PrivateKey {
		return nil, refusef("a key that was in a file with a certificate counts as compromised", "%s holds a private key", name)
	}
	item, _, err := in.Submitted()
	if err != nil {
		return nil, refusef("", "%s: %w", name, err)
	}
	crt := item.Cert
	steps := []release.Step{{}, {Proven: true, Text: fmt.Sprintf("certificate %s, %s", crt.Thumbprint(), crt.Subject)}}
	by := slices.IndexFunc(pinned, func(an *anchor.Anchor) bool { return an.VerifyCertificate(text, raw) == nil })
	if by < 0 {
		return nil, refusef("the signature covers the exact text: try the .pem as it came, with its line ends", "%s: the signature is not one of the pinned EFGSTA over this text", name)
	}
	steps[0] = release.Step{Proven: true, Text: fmt.Sprintf("text signed by EFGSTA %s (%s)", pinned[by].Thumbprint(), pinned[by].Algorithm)}
	if now.Before(crt.NotBefore) || now.After(crt.NotAfter) {
		return nil, refusef("", "%s: valid from %s to %s, judged at %s", name, crt.NotBefore.Format(time.RFC3339), crt.NotAfter.Format(time.RFC3339), now.Format(time.RFC3339))
	}
	steps = append(steps, release.Step{Proven: true, Text: "valid until " + day(crt.NotAfter)})
	if list == "" {
		if role == vet.NBBS && slices.Contains(crt.ExtKeyUsage, cert.EKUClientAuth) {
			return nil, refusef("give --trustlist to ask for its role, or --type nbtls", "%s: made for TLS clients, so it is not taken as NBBS without a trust list", name)
		}
		return append(steps, release.Step{Text: "role and standing: no trust list was given (--trustlist FILE)"}), nil
	}
	l, err := verifyList(list, "", pin, pinned, now)
	if err != nil {
		return nil, err
	}
	e, ok := l.Find(crt.Thumbprint())
	if !ok {
		return nil, refusef("it may have been revoked or replaced; ask the operator", "%s: not in trust list %d", name, l.Sequence)
	}
	if e.Type != role {
		return nil, refusef("", "%s: listed as %s, not as %s", name, e.Type, role)
	}
	return append(steps, release.Step{Proven: true, Text: fmt.Sprintf("listed as %s of %s in list %d, fresh until %s", e.Type, report.Escape(e.Country), l.Sequence, day(l.NextUpdate))}), nil
}
