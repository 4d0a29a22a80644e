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

func newWaiveCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var d registry.WaiverData
	var until string
	c := &cobra.Command{
		Use:   "waive CC THUMBPRINT RULE --why TEXT --until DATE",
		Short: "Excuse one certificate from one rule, for a while",
		Long: `Records an exception: one certificate, one rule, who answers for it, why, and until
when. The plan shows all of that to those who approve it; the signed list says rule and
end only. What the rule has against the certificate today must be there to be excused.

A failure of a rule that is never waived (efgsta rules RULE says so) is not excused;
evidence that is missing can be, whatever the rule. When the waiver ends, a certificate
that fails the rule leaves the list with the next plan, for good; for one that only lacks
evidence the plan asks first.

Repeating it changes nothing. Another end, owner or reason takes the place of what was
recorded. waive list shows the waivers, waive withdraw ends one.`,
		Example: `  efgsta waive DE 0123456789abcdef EFGS-308 --why "CA changes its template in March" --until 2027-03-31 --owner "PKI desk"
  efgsta waive list
  efgsta waive withdraw DE 0123456789abcdef EFGS-308 --why "a conforming certificate came"`,
		Args: cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			rule, err := findRule(args[2])
			if err != nil {
				return err
			}
			var ok bool
			if d.Until, ok = vet.LastMoment(until); !ok || until == "" {
				return usagef("a date such as 2027-01-31, the last day on which it holds, or a time in RFC 3339", "--until %q is no date", until)
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
			if d.Rule = rule.ID; d.Owner == "" {
				d.Owner = s.actor
			}
			return s.waive(a, which, rule, d, format)
		},
	}
	c.AddCommand(newWaiveListCmd(a), newWaiveWithdrawCmd(a))
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVar(&d.Why, "why", "", "`TEXT`: why the rule may fail here (required)")
	c.Flags().StringVar(&until, "until", "", "`DATE`, the last day on which it holds (UTC), or a time in RFC 3339 (required)")
	c.Flags().StringVar(&d.Owner, "owner", "", "`NAME` of who answers for it; whoever runs the command unless said")
	return c
}

// findRule finds a rule by id or name.
func findRule(name string) (vet.Rule, error) {
	for _, r := range vet.Rules() {
		if name == r.ID || name == r.Name {
			return r, nil
		}
	}
	return vet.Rule{}, usagef("efgsta rules lists them: an id such as EFGS-308, or its name", "there is no rule %s", report.Escape(name))
}

// waive records a waiver if there is something that it excuses.
func (s *session) waive(a *app, c *registry.Certificate, rule vet.Rule, d registry.WaiverData, format formatFlag) error {
	d.Country, d.SHA256 = c.Country, c.SHA256
	if old := s.Waiver(c.SHA256, rule.ID); old == nil || old.WaiverData != d {
		if err := s.waivable(c, rule); err != nil {
			return err
		}
	}
	added, err := s.Waive(s.now, s.actor, c, d)
	if err != nil {
		return err
	}
	w := s.Waiver(c.SHA256, rule.ID)
	if format.json() {
		return a.json(waiveJSON{"efgsta.waive/v1", "granted", added, waiverLine(w, s.now)})
	}
	what := "waived"
	if !added {
		what = "waived before, with the same data:"
	}
	a.printf("%s %s %s for %s %s %s\n", what, rule.ID, rule.Name, c.Country, strings.ToUpper(string(c.Type)), c.SHA256)
	a.printf("  until %s, %s answers for it\n  %s\n", w.Until.Format(time.RFC3339), report.Escape(w.Owner), report.Escape(w.Why))
	return nil
}

// waivable refuses a waiver that could excuse nothing.
func (s *session) waivable(c *registry.Certificate, rule vet.Rule) error {
	if b := s.Barred(c.Certificate); b != nil {
		return refusef("bring a new certificate with a new key", "%s is not to be listed: %s", cert.ShortHex(c.SHA256), b.Reason)
	}
	list, err := s.lastList()
	if err != nil {
		return err
	}
	if list != nil {
		for _, r := range list.Removed {
			if r.SHA256 == c.SHA256 {
				return refusef("bring a new certificate with a new key", "%s left the list on %s (%s): what was removed never comes back", cert.ShortHex(c.SHA256), day(r.Since), r.Reason)
			}
		}
	}
	engine, err := vet.New(s.policy)
	if err != nil {
		return err
	}
	evidence, err := s.Evidence(c.SHA256)
	if err != nil {
		return err
	}
	// Without waivers: what they excuse today is there to be excused longer.
	r := engine.Vet(vet.Request{Certificate: c.Certificate, Role: c.Type, Country: c.Country, At: s.now, Workspace: true, Intake: true, Others: s.Known(), Evidence: evidence})
	met := false
	for _, f := range r.Findings {
		if f.ID != rule.ID {
			continue
		}
		if f.Status == vet.StatusFail && rule.NeverWaivable {
			return refusef(f.Fix, "%s %s: a failure of this rule is never waived: %s", f.ID, f.Name, report.Escape(f.Message))
		}
		met = met || f.Status == vet.StatusFail || f.Blocks
	}
	if !met {
		return refusef("efgsta plan and efgsta submit say what does not pass", "%s %s has nothing against %s: there is nothing to excuse", rule.ID, rule.Name, cert.ShortHex(c.SHA256))
	}
	return nil
}

type waiveJSON struct {
	Schema string     `json:"schema"`
	Action string     `json:"action"` // "granted", "withdrawn"
	New    bool       `json:"new"`    // false: it was so before
	Waiver waiverJSON `json:"waiver"`
}

type waiverJSON struct {
	Country string    `json:"country"`
	Type    vet.Role  `json:"type"`
	SHA256  string    `json:"sha256"`
	Rule    string    `json:"rule"`
	Why     string    `json:"why"`
	Owner   string    `json:"owner"`
	Until   time.Time `json:"until"`
	Since   time.Time `json:"since"`
	Holds   bool      `json:"holds"`
}

func waiverLine(w *registry.Waiver, at time.Time) waiverJSON {
	return waiverJSON{w.Country, w.Type, w.SHA256, w.Rule, w.Why, w.Owner, w.Until, w.Since, w.Holds(at)}
}

// waiverEnd shows the end as a day where it is the end of one.
func waiverEnd(t time.Time) string {
	if t.UTC().Format(time.TimeOnly) == "23:59:59" {
		return day(t)
	}
	return t.UTC().Format(time.RFC3339)
}
