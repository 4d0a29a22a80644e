package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newWaiveListCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	c := &cobra.Command{
		Use:   "list",
		Short: "Show the waivers that were not withdrawn, ended ones too",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, looking)
			if err != nil {
				return err
			}
			defer s.Close()
			doc := waiversJSON{"efgsta.waive-list/v1", []waiverJSON{}}
			for _, w := range s.GrantedWaivers() {
				doc.Waivers = append(doc.Waivers, waiverLine(w, s.now))
			}
			if format.json() {
				return a.json(doc)
			}
			if len(doc.Waivers) == 0 {
				a.printf("nothing is waived\n")
				return nil
			}
			var rows [][]string
			for _, w := range doc.Waivers {
				state := "holds"
				if !w.Holds {
					state = "ended"
				}
				rows = append(rows, []string{w.Country, strings.ToUpper(string(w.Type)), cert.ShortHex(w.SHA256), w.Rule, state, waiverEnd(w.Until), report.Escape(w.Owner), report.Escape(w.Why)})
			}
			a.table([]string{"state", "type", "sha256", "rule", "waiver", "until", "owner", "why"}, rows)
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	return c
}

type waiversJSON struct {
	Schema  string       `json:"schema"`
	Waivers []waiverJSON `json:"waivers"`
}

func newWaiveWithdrawCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var why string
	c := &cobra.Command{
		Use:   "withdraw CC THUMBPRINT RULE --why TEXT",
		Short: "End a waiver before its time",
		Args:  cobra.ExactArgs(3),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			rule, err := findRule(args[2])
			if err != nil {
				return err
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
			old := s.Waiver(which.SHA256, rule.ID)
			ended, err := s.WithdrawWaiver(s.now, s.actor, which, rule.ID, why)
			switch {
			case err != nil:
				return err
			case old == nil && !s.WasWaived(which.SHA256, rule.ID):
				return refusef("efgsta waive list shows the waivers", "%s is not waived for %s", rule.ID, cert.ShortHex(which.SHA256))
			case format.json():
				return a.json(withdrawJSON{"efgsta.waive/v1", "withdrawn", ended, which.Country, which.SHA256, rule.ID})
			case !ended:
				a.printf("%s is withdrawn already for %s\n", rule.ID, cert.ShortHex(which.SHA256))
				return nil
			}
			a.printf("withdrawn: %s for %s %s %s\n", rule.ID, which.Country, strings.ToUpper(string(which.Type)), which.SHA256)
			a.notef("what fails %s leaves the list with the next plan, for good", rule.ID)
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVar(&why, "why", "", "`TEXT`: why it is withdrawn (required)")
	return c
}

type withdrawJSON struct {
	Schema  string `json:"schema"`
	Action  string `json:"action"` // "withdrawn"
	New     bool   `json:"new"`    // false: withdrawn before
	Country string `json:"country"`
	SHA256  string `json:"sha256"`
	Rule    string `json:"rule"`
}

// showWaived names what is listed by somebody's decision, with who, why and until when:
// the list itself says rule and end only.
func (a *app) showWaived(listed []ceremony.PlannedCertificate) {
	var lines []string
	for _, c := range listed {
		before := ""
		for _, f := range c.Findings {
			if f.Status != vet.StatusWaived || f.ID == before {
				continue
			}
			before = f.ID
			lines = append(lines, "  "+c.Country+" "+strings.ToUpper(string(c.Type))+" "+cert.ShortHex(c.SHA256)+"  "+f.ID+" "+f.Name+": "+report.Escape(f.Message),
				"      until "+waiverEnd(f.Waiver.Expires)+", "+report.Escape(f.Waiver.Owner)+": "+report.Escape(f.Waiver.Reason))
		}
	}
	if len(lines) > 0 {
		a.printf("\nWaived, and listed all the same:\n%s\n", strings.Join(lines, "\n"))
	}
}
