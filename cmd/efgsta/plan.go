package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newPlanCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	c := &cobra.Command{
		Use:   "plan",
		Short: "Fix the exact bytes of the next release",
		Long: `Vets every certificate again and writes the plan of the next release: what is
added and removed against the last one, what is kept out and why, and every byte
that will be signed. Its digest is what people compare and approve; anything
recorded after it voids it.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			p, err := ceremony.Make(s.Workspace, s.policy, toolName, s.now)
			if err != nil {
				return err
			}
			if len(p.Plan.Certificates) == 0 && s.LastRelease() == nil {
				a.showKeptOut(p.Plan.KeptOut)
				return refusef("submit certificates with: efgsta submit CC --nbtls FILE --nbbs FILE", "there is no acceptable certificate to list")
			}
			path, err := p.Save(s.Workspace)
			if err != nil {
				return err
			}
			if format.json() {
				a.printf("%s", p.Text)
			} else {
				a.showPlan(p)
			}
			a.notef("plan written to %s", path)
			a.notef("next: efgsta sign (before %s)", p.Plan.SignBefore.Format(time.RFC3339))
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	return c
}

// showPlan prints a plan as the operator reads it before signing.
func (a *app) showPlan(p *ceremony.Pending) {
	plan := p.Plan
	a.printf("Plan for release %d of %s (%s), policy %s\n\n", plan.Sequence, plan.ListID, plan.Environment, plan.Policy.Name)
	signs := map[string]string{"add": "+", "keep": "=", "remove": "-"}
	var rows [][]string
	for _, ch := range plan.Changes {
		rows = append(rows, []string{signs[ch.Kind], ch.Country, strings.ToUpper(string(ch.Type)), cert.ShortHex(ch.SHA256), report.Escape(ch.Subject), ch.Reason})
	}
	a.table([]string{"", "state", "type", "sha256", "subject", "reason"}, rows)
	a.showKeptOut(plan.KeptOut)
	a.showNotEvaluated(plan.Certificates)
	for _, l := range plan.LeftOut {
		a.printf("\nNo files for the %s: %s\n", l.Target, report.Escape(l.Reason))
	}
	for _, w := range plan.WithoutRow {
		a.printf("\nListed, but without a row for the gateway: %s %s %s: %s\n", w.Country, strings.ToUpper(string(w.Type)), cert.ShortHex(w.SHA256), report.Escape(w.Reason))
	}
	a.printf("\nSigned by   %s\n            %s, %s\n", report.Escape(plan.Anchor.Subject), plan.Anchor.SHA256, plan.Anchor.Algorithm)
	a.printf("Digest      %s\n", groups(p.Digest))
	a.printf("Read aloud  %s\n", strings.Join(p.Words(), " "))
}

// showNotEvaluated names what nobody looked at: it is not passed, and the operator
// signs in spite of it.
func (a *app) showNotEvaluated(listed []ceremony.PlannedCertificate) {
	title := "\nNot evaluated, and listed all the same:\n"
	for _, c := range listed {
		var rules []string
		for _, f := range c.Findings {
			if f.Status == vet.StatusNotEvaluated {
				rules = append(rules, f.ID+" "+f.Name)
			}
		}
		if len(rules) > 0 {
			a.printf("%s  %s %s %s  %s\n", title, c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256), strings.Join(rules, ", "))
			title = ""
		}
	}
}

func (a *app) showKeptOut(kept []ceremony.KeptOut) {
	if len(kept) == 0 {
		return
	}
	a.printf("\nKept out:\n")
	for _, k := range kept {
		a.printf("  %s %s %s  %s  %s\n", k.Country, strings.ToUpper(string(k.Type)), cert.ShortHex(k.SHA256), k.Verdict, report.Escape(k.Subject))
		for _, f := range k.Findings {
			if refuses(f) {
				a.printf("      %s %s: %s (%s)\n", f.ID, f.Name, report.Escape(f.Message), f.Clause)
			}
		}
	}
}

// refuses reports whether a finding is a reason for the verdict.
func refuses(f vet.Finding) bool {
	return f.Blocks || (f.Severity == "error" && f.Status == "fail")
}

// groups splits hex into fours for reading aloud and comparing.
func groups(hex string) string {
	var out []string
	for ; len(hex) > 4; hex = hex[4:] {
		out = append(out, hex[:4])
	}
	return strings.Join(append(out, hex), " ")
}

// summary is one line of what a plan changes.
func summary(p *ceremony.Plan) string {
	n := map[string]int{}
	for _, ch := range p.Changes {
		n[ch.Kind]++
	}
	return fmt.Sprintf("release %d: %d added, %d kept, %d removed, %d kept out", p.Sequence, n["add"], n["keep"], n["remove"], len(p.KeptOut))
}
