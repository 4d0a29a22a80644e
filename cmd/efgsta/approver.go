package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

func newApproverCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "approver",
		Short: "The people who approve plans, and sign them",
		Long: `Who may approve a plan, and how many must. Before the first release people enrol
freely. After it a change waits: it stands in the next plan and counts when that plan
is released with the approvals of those who are approvers until then. Who signs is
enrolled too, and does not approve the plan that they sign.`,
		Args: cobra.NoArgs,
	}
	c.AddCommand(newApproverAddCmd(a), newApproverRemoveCmd(a), newApproverThresholdCmd(a), newApproverListCmd(a))
	needSubcommand(c)
	return c
}

func newApproverAddCmd(a *app) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:     "add NAME --public-key FILE",
		Short:   "Enrol a person with the public key of their own",
		Example: `  efgsta approver add anna.berg --public-key anna.pem --why "PKI officer of the operator"`,
		Args:    cobra.ExactArgs(1),
	}
	newApproverChange(a, c, func(args []string) (registry.ApproverData, error) {
		if file == "" {
			return registry.ApproverData{}, usagef("make it on the approver's machine with: efgsta approve --public-key --key KEY", "--public-key is needed")
		}
		data, err := readFile(file)
		if err != nil {
			return registry.ApproverData{}, err
		}
		known, err := readKnown(file, data)
		if err == nil && len(known) != 1 {
			return registry.ApproverData{}, usagef("give a file with one public key in PEM, or one certificate", "--public-key %s holds %s", file, plural(len(known), "key"))
		}
		if err != nil {
			return registry.ApproverData{}, usagef("give the public key or the certificate only", "--public-key %s: %w", file, err)
		}
		return registry.ApproverData{Change: registry.ApproverAdd, Name: args[0], Key: known[0].Certificate.SPKI}, nil
	})
	c.Flags().StringVar(&file, "public-key", "", "public key or certificate in `FILE`: P-256, P-384, P-521, or RSA of 3000 bits and more")
	return c
}

func newApproverRemoveCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "remove NAME",
		Short:   "Take a person out of the approvers",
		Example: `  efgsta approver remove anna.berg --why "left the team"`,
		Args:    cobra.ExactArgs(1),
	}
	return newApproverChange(a, c, func(args []string) (registry.ApproverData, error) {
		return registry.ApproverData{Change: registry.ApproverRemove, Name: args[0]}, nil
	})
}

func newApproverThresholdCmd(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:     "threshold N",
		Short:   "Say how many approvals a plan needs",
		Long:    "Says how many approvals a plan needs. Without a decision that is one in production and none in a rehearsal.",
		Example: `  efgsta approver threshold 2`,
		Args:    cobra.ExactArgs(1),
	}
	return newApproverChange(a, c, func(args []string) (registry.ApproverData, error) {
		n, err := strconv.Atoi(args[0])
		if err != nil || n < 0 || n > registry.MaxApprovers {
			return registry.ApproverData{}, usagef("example: efgsta approver threshold 2", "%q is no number of approvals", args[0])
		}
		return registry.ApproverData{Change: registry.ApproverThreshold, Threshold: n}, nil
	})
}

// newApproverChange fills in a command that records a change.
func newApproverChange(a *app, c *cobra.Command, read func(args []string) (registry.ApproverData, error)) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var why string
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := format.check(); err != nil {
			return err
		}
		d, err := read(args)
		if err != nil {
			return err
		}
		d.Why = why
		s, err := ws.open(a, deciding)
		if err != nil {
			return err
		}
		defer s.Close()
		added, inForce, err := s.ChangeApprovers(s.now, s.actor, d)
		if err != nil {
			return err
		}
		if format.json() {
			return a.json(newApproversJSON(s))
		}
		verb := "recorded"
		if !added {
			verb = "recorded before"
		}
		a.printf("%s: %s\n", verb, describeChange(d))
		if !inForce {
			a.notef("it counts once a plan that shows it is released with the approvals that are needed now")
		}
		a.showApprovers(s)
		return nil
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVar(&why, "why", "", "the `REASON` that approvers and the journal get")
	return c
}

func describeChange(d registry.ApproverData) string {
	if d.Change == registry.ApproverThreshold {
		return "threshold " + strconv.Itoa(d.Threshold)
	}
	return string(d.Change) + " " + d.Name
}

func newApproverListCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	c := &cobra.Command{
		Use:   "list",
		Short: "Show who may approve, how many must, and what waits for the next release",
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
			if format.json() {
				return a.json(newApproversJSON(s))
			}
			a.showApprovers(s)
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	return c
}

func (a *app) showApprovers(s *session) {
	a.printf("a plan needs %s of these:\n", plural(s.Threshold(), "approval"))
	for _, p := range s.Approvers() {
		a.printf("  %s  key sha256 %s\n", p.Name, p.KeySHA256)
	}
	if len(s.Approvers()) == 0 {
		a.printf("  nobody\n")
	}
	for _, p := range s.PendingApprovers() {
		line := "waits for the next release, journal event " + strconv.FormatUint(p.Event, 10) + ": " + describeChange(p.ApproverData)
		if p.Why != "" {
			line += " (" + report.Escape(p.Why) + ")"
		}
		a.printf("%s\n", strings.TrimSpace(line))
	}
}

type approversJSON struct {
	Schema    string               `json:"schema"`
	Threshold int                  `json:"threshold"`
	Approvers []approverJSON       `json:"approvers"`
	Waiting   []approverChangeJSON `json:"waiting"` // for the next release
}

type approverJSON struct {
	Name      string    `json:"name"`
	KeySHA256 string    `json:"keySha256"`
	Since     time.Time `json:"since"`
}

type approverChangeJSON struct {
	Event     uint64 `json:"event"`
	Change    string `json:"change"`
	Name      string `json:"name"`
	KeySHA256 string `json:"keySha256"`
	Threshold int    `json:"threshold"`
	Why       string `json:"why"`
}

func newApproversJSON(s *session) approversJSON {
	out := approversJSON{"efgsta.approver/v1", s.Threshold(), []approverJSON{}, []approverChangeJSON{}}
	for _, p := range s.Approvers() {
		out.Approvers = append(out.Approvers, approverJSON{p.Name, p.KeySHA256, p.Since})
	}
	for _, p := range s.PendingApprovers() {
		out.Waiting = append(out.Waiting, approverChangeJSON{p.Event, string(p.Change), p.Name, p.KeySHA256, p.Threshold, p.Why})
	}
	return out
}
