package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

func newPlanCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var drop []string
	c := &cobra.Command{
		Use:   "plan",
		Short: "Fix the exact bytes of the next release",
		Long: `Vets every certificate again and writes the plan of the next release: what is
added and removed against the last one, what is kept out and why, and every byte
that will be signed. Its digest is what people compare and approve; anything
recorded after it voids it.

What leaves the list never comes back. Where a listed certificate would leave it
only because evidence about it is missing or stale, nothing is planned (exit 1): submit
the certificate again with fresh evidence, or name it with --drop. A certificate
that a rule fails, such as an expired or revoked one, leaves by itself.`,
		Example: `  efgsta plan
  efgsta plan --drop 0123456789abcdef     # off the list for good, without evidence`,
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
			p, err := ceremony.Make(s.Workspace, s.policy, toolName, s.now, drop...)
			if errors.Is(err, ceremony.ErrEvidence) {
				return refused(err)
			}
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
			a.warnDropped(p.Plan)
			a.notef("plan written to %s", path)
			a.notef("next: efgsta sign (before %s)", p.Plan.SignBefore.Format(time.RFC3339))
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	repeatedVar(c, &drop, "drop", "take off the list for good what only lacks evidence: its `THUMBPRINT`, or at least its first 16 digits; may be repeated")
	return c
}

// showPlan prints a plan as the operator reads it before signing.
func (a *app) showPlan(p *ceremony.Pending) {
	plan := p.Plan
	a.printf("Plan for release %d of %s (%s), policy %s\n", plan.Sequence, plan.ListID, plan.Environment, plan.Policy.Name)
	if pol, err := policy.Load(plan.Policy.Name); err == nil && pol.Difference() != "" {
		a.printf("The policy has %s: efgsta policy diff %s %s\n", pol.Difference(), pol.Base, pol.Name)
	}
	a.printf("\n")
	signs := map[string]string{"add": "+", "keep": "=", "remove": "-"}
	var rows [][]string
	for _, ch := range plan.Changes {
		rows = append(rows, []string{signs[ch.Kind], ch.Country, strings.ToUpper(string(ch.Type)), cert.ShortHex(ch.SHA256), report.Escape(ch.Subject), ch.Reason})
	}
	a.table([]string{"", "state", "type", "sha256", "subject", "reason"}, rows)
	a.showKeptOut(plan.KeptOut)
	a.showDropped(plan.Dropped)
	a.showDeviations(plan.Certificates)
	a.showWaived(plan.Certificates)
	a.showNotEvaluated(plan.Certificates)
	for _, l := range plan.LeftOut {
		a.printf("\nNo files for the %s: %s\n", l.Target, report.Escape(l.Reason))
	}
	for _, w := range plan.WithoutRow {
		a.printf("\nListed, but without a row for the gateway: %s %s %s: %s\n", w.Country, strings.ToUpper(string(w.Type)), cert.ShortHex(w.SHA256), report.Escape(w.Reason))
	}
	a.showApproval(plan)
	a.printf("\nSigned by   %s\n            %s, %s\n", report.Escape(plan.Anchor.Subject), plan.Anchor.SHA256, plan.Anchor.Algorithm)
	a.printf("Digest      %s\n", groups(p.Digest))
	a.printf("Read aloud  %s\n", strings.Join(p.Words(), " "))
}

// showNotEvaluated names what nobody looked at: it is not passed, and the operator
// signs in spite of it. What all certificates of a type lack is said once.
func (a *app) showNotEvaluated(listed []ceremony.PlannedCertificate) {
	var lines []string
	for _, role := range vet.Roles() {
		of := slices.DeleteFunc(slices.Clone(listed), func(c ceremony.PlannedCertificate) bool { return c.Type != role })
		var shared []string
		if len(of) > 1 {
			shared = notEvaluated(of[0])
			for _, c := range of {
				own := notEvaluated(c)
				shared = slices.DeleteFunc(shared, func(rule string) bool { return !slices.Contains(own, rule) })
			}
		}
		name := strings.ToUpper(string(role))
		if len(shared) > 0 {
			lines = append(lines, fmt.Sprintf("every %s  %s", name, strings.Join(shared, ", ")))
		}
		for _, c := range of {
			own := slices.DeleteFunc(notEvaluated(c), func(rule string) bool { return slices.Contains(shared, rule) })
			if len(own) > 0 {
				lines = append(lines, fmt.Sprintf("%s %s %s  %s", c.Country, name, cert.ShortHex(c.SHA256), strings.Join(own, ", ")))
			}
		}
	}
	if len(lines) > 0 {
		a.printf("\nNot evaluated, and listed all the same:\n  %s\n", strings.Join(lines, "\n  "))
	}
}

// notEvaluated are the rules of which the plan says so.
func notEvaluated(c ceremony.PlannedCertificate) []string {
	var rules []string
	for _, f := range c.Findings {
		if f.Status == vet.StatusNotEvaluated {
			rules = append(rules, f.ID+" "+f.Name)
		}
	}
	return rules
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
				a.printf("      %s: %s (%s)\n", strings.TrimSpace(f.ID+" "+f.Name), report.Escape(f.Message), f.Clause)
			}
		}
	}
}

// refuses reports whether a finding is a reason for the verdict.
func refuses(f vet.Finding) bool {
	return f.Blocks || (f.Severity == "error" && f.Status == "fail")
}

// showDropped names what leaves by the operator's word alone.
func (a *app) showDropped(dropped []ceremony.Dropped) {
	if len(dropped) == 0 {
		return
	}
	a.printf("\nDropped with --drop, for good, though nothing was found against them:\n")
	for _, d := range dropped {
		a.printf("  %s %s %s  %s not evaluated\n", d.Country, strings.ToUpper(string(d.Type)), cert.ShortHex(d.SHA256), strings.Join(d.Rules, ", "))
	}
}

// warnDropped says it also to whoever reads the machine form elsewhere.
func (a *app) warnDropped(p *ceremony.Plan) {
	for _, d := range p.Dropped {
		a.notef("warning: %s %s %s leaves the list for good, only for want of evidence (%s)", d.Country, strings.ToUpper(string(d.Type)), cert.ShortHex(d.SHA256), strings.Join(d.Rules, ", "))
	}
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
	line := fmt.Sprintf("release %d: %d added, %d kept, %d removed, %d kept out", p.Sequence, n["add"], n["keep"], n["remove"], len(p.KeptOut))
	if len(p.Dropped) > 0 {
		line += fmt.Sprintf(", %d dropped only for want of evidence", len(p.Dropped))
	}
	return line
}
