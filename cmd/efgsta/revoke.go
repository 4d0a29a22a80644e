package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newRevokeCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var d registry.RevocationData
	var reason string
	c := &cobra.Command{
		Use:   "revoke CC THUMBPRINT --reason REASON",
		Short: "Revoke a certificate for good (Governance 3.3)",
		Long: `Records that a certificate is revoked. It leaves the list with the next plan, with
reason and day, and never comes back; one that was never listed stays out. THUMBPRINT is
its SHA-256, or at least the first 16 hex digits of it.

The reasons are those of RFC 5280: key-compromise, ca-compromise, affiliation-changed,
superseded, cessation-of-operation, privilege-withdrawn, unspecified. With
key-compromise and unspecified the key is used for nothing more either: any other
certificate with it leaves too, and no new one with it is listed.

Repeating it changes nothing. A revocation stays as it was recorded: another reason for
the same certificate is refused. Text of --why and --reported-by stays in the journal.`,
		Example: `  efgsta revoke DE 0123456789abcdef --reason key-compromise --reported-by "PKI desk, by phone"`,
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			if d.Reason = registry.Reason(reason); d.Reason == "" {
				return usagef("one of: "+reasonList(), "--reason is needed")
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			which, err := s.Pick(args[0], args[1])
			if err != nil {
				return err
			}
			added, err := s.Revoke(s.now, s.actor, which, d)
			if err != nil {
				return err
			}
			return a.showRevoked(s, which, added, format)
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVar(&reason, "reason", "", "`REASON` of RFC 5280, one of the above (required)")
	c.Flags().StringVar(&d.Why, "why", "", "more `TEXT` about it, for the journal")
	c.Flags().StringVar(&d.ReportedBy, "reported-by", "", "`WHO` told it, and how")
	return c
}

func reasonList() string {
	var names []string
	for _, r := range registry.Reasons() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

type revokeJSON struct {
	Schema   string          `json:"schema"`
	Country  string          `json:"country"`
	Type     vet.Role        `json:"type"`
	SHA256   string          `json:"sha256"`
	Subject  string          `json:"subject"`
	Reason   registry.Reason `json:"reason"`
	Why      string          `json:"why"`
	Reported string          `json:"reportedBy"`
	At       time.Time       `json:"revoked"`
	New      bool            `json:"new"`     // false: recorded before
	Listed   bool            `json:"listed"`  // in the last trust list, which the next plan takes it off
	SameKey  []string        `json:"sameKey"` // SHA-256 of other certificates that its key keeps out
}

func (a *app) showRevoked(s *session, c *registry.Certificate, added bool, format formatFlag) error {
	list, err := s.lastList()
	if err != nil {
		return err
	}
	listed := false
	if list != nil {
		_, listed = list.Find(c.Certificate.Thumbprint())
	}
	same := s.SameKey(c)
	r := c.Revoked
	if format.json() {
		doc := revokeJSON{"efgsta.revoke/v1", c.Country, c.Type, c.SHA256, c.Subject, r.Reason, r.Why, r.ReportedBy, r.Since, added, listed, []string{}}
		for _, o := range same {
			doc.SameKey = append(doc.SameKey, o.SHA256)
		}
		return a.json(doc)
	}
	what := "revoked"
	if !added {
		what = "revoked before, with the same data:"
	}
	a.printf("%s %s %s %s\n  %s\n  %s since %s\n", what, c.Country, strings.ToUpper(string(c.Type)), c.SHA256, report.Escape(c.Subject), r.Reason, r.Since.Format(time.RFC3339))
	for _, o := range same {
		a.printf("  same key: %s %s %s is kept out too\n", o.Country, strings.ToUpper(string(o.Type)), cert.ShortHex(o.SHA256))
	}
	if listed {
		a.notef("next: efgsta plan, then efgsta sign, export and import: until then the gateway trusts it; then tell the contacts that the list was updated (Governance 3.3)")
	}
	return nil
}
