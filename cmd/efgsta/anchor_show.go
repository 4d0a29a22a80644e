package main

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
)

func newAnchorShowCmd(a *app) *cobra.Command {
	var ws wsFlags
	var asPEM bool
	var format formatFlag
	c := &cobra.Command{
		Use:   "show",
		Short: "Show the EFGSTA certificate, the next one, and what was proposed",
		Long: `Shows the EFGSTA certificate and where its key is; the next EFGSTA, if one is
announced; and the proposals that were recorded: exceptions for its key, and spare
tokens that hold it. With --pem it prints the certificate itself. No token is asked.`,
		Example: `  efgsta anchor show
  efgsta anchor show --pem > efgsta.pem`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, looking)
			if err != nil {
				return err
			}
			defer s.Close()
			an, err := s.anchor()
			if err != nil {
				if !asPEM && !format.json() {
					a.showProposals(s)
				}
				return err
			}
			switch {
			case format.json():
				return a.json(newAnchorJSON(s, an, s.Anchor.Key))
			case asPEM:
				a.printf("%s", an.Certificate.PEM())
				return nil
			}
			a.showAnchor(an)
			a.printf("key           %s\n", report.Escape(s.Anchor.Key))
			if next := s.nextLine(); next != "" {
				a.printf("next          %s\n", next)
			}
			a.showProposals(s)
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().BoolVar(&asPEM, "pem", false, "print the certificate itself, for whoever pins it")
	return c
}

// anchor is the workspace's EFGSTA.
func (s *session) anchor() (*anchor.Anchor, error) {
	if s.Anchor == nil {
		return nil, usagef("make one with: efgsta anchor create", "this workspace has no EFGSTA")
	}
	return anchor.New(s.Anchor.Certificate)
}

func (a *app) showAnchor(an *anchor.Anchor) {
	c := an.Certificate
	a.printf("subject       %s\n", report.Escape(c.Subject.String()))
	a.printf("sha256        %s\n", c.Thumbprint())
	a.printf("key sha256    %s\n", c.SPKISHA256())
	a.printf("signs with    %s\n", an.Algorithm)
	a.printf("valid         %s to %s\n", c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339))
}

// showProposals lists exceptions and spare tokens by their number in the journal.
func (a *app) showProposals(s *session) {
	for _, p := range s.Proposals() {
		state := "in force"
		switch {
		case s.Anchor != nil && p.Anchor != s.Anchor.SHA256:
			state = "for certificate " + cert.ShortHex(p.Anchor) + ", which is not the EFGSTA"
		case !s.InForce(p):
			state = "not approved yet"
		}
		a.printf("%-13s journal event %d, %s, by %s: %s\n", p.Kind, p.Event, state, report.Escape(p.By), report.Escape(p.Why))
		a.printf("              token %q, serial %s, key id %s\n", report.Escape(p.Token), report.Escape(p.Serial), p.KeyID)
		for _, w := range p.Weaknesses {
			a.printf("              %s\n", report.Escape(w))
		}
	}
}

type anchorJSON struct {
	Schema     string               `json:"schema"`
	Subject    string               `json:"subject"`
	SHA256     string               `json:"sha256"`
	SPKISHA256 string               `json:"spkiSha256"`
	Algorithm  string               `json:"algorithm"`
	NotBefore  time.Time            `json:"notBefore"`
	NotAfter   time.Time            `json:"notAfter"`
	Key        string               `json:"key"`
	PEM        string               `json:"pem"`
	Next       *nextJSON            `json:"next"`      // null: none is announced
	Proposals  []anchorProposalJSON `json:"proposals"` // in the order of the journal
}

type nextJSON struct {
	SHA256    string    `json:"sha256"`
	Algorithm string    `json:"algorithm"`
	Key       string    `json:"key"`
	From      time.Time `json:"from"`
}

type anchorProposalJSON struct {
	Event      uint64    `json:"event"`
	Time       time.Time `json:"time"`
	By         string    `json:"by"`
	Kind       string    `json:"kind"`
	Anchor     string    `json:"anchor"` // SHA-256 of the certificate that it is for
	Token      string    `json:"token"`
	Serial     string    `json:"serial"`
	Key        string    `json:"key"`
	KeyID      string    `json:"keyId"`
	Weaknesses []string  `json:"weaknesses"`
	Why        string    `json:"why"`
	InForce    bool      `json:"inForce"`
}

func newAnchorJSON(s *session, an *anchor.Anchor, key string) anchorJSON {
	c := an.Certificate
	out := anchorJSON{"efgsta.anchor/v1", c.Subject.String(), c.Thumbprint().String(), c.SPKISHA256().String(), an.Algorithm.String(), c.NotBefore, c.NotAfter, key, string(c.PEM()), nil, []anchorProposalJSON{}}
	if n := s.Next; n != nil {
		out.Next = &nextJSON{n.Next.SHA256, n.Next.Algorithm, n.Next.Key, n.From}
	}
	for _, p := range s.Proposals() {
		out.Proposals = append(out.Proposals, anchorProposalJSON{p.Event, p.Since, p.By, string(p.Kind), p.Anchor, p.Token, p.Serial, p.Key, p.KeyID, append([]string{}, p.Weaknesses...), p.Why, s.InForce(p)})
	}
	return out
}
