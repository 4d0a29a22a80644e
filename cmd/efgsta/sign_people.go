package main

import (
	"context"
	"crypto/rand"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

// signerFlags say who signs, and bring the approvals of others.
type signerFlags struct {
	as        string
	keys      keyFlags
	pss       bool
	approvals []string
}

func (f *signerFlags) add(c *cobra.Command) {
	f.keys.pinFD = -1
	c.Flags().StringVar(&f.as, "as", "", "`NAME` of the person who signs, as enrolled (required in production)")
	c.Flags().StringVar(&f.keys.key, "as-key", "", "that person's own `KEY`: file:PATH (relative to the current directory) or a PKCS#11 URI")
	c.Flags().StringVar(&f.keys.module, "as-module", "", "PKCS#11 module `FILE` of that key, if it is another one")
	c.Flags().StringVar(&f.keys.pinFile, "as-pin-file", "", "PIN or passphrase of that key from the first line of `FILE` (mode 0600)")
	c.Flags().BoolVar(&f.pss, "as-pss", false, "sign RSASSA-PSS with that key, for a token that makes no PKCS#1 v1.5")
	repeatedVar(c, &f.approvals, "approval", "approval in `FILE`, made with efgsta approve; may be repeated")
}

// gather checks the approvals given and those kept beside the plan.
func (f *signerFlags) gather(s *session, plan *ceremony.Pending) (*ceremony.People, error) {
	if (f.as == "") != (f.keys.key == "") {
		return nil, usagef("give both: --as NAME --as-key KEY", "--as and --as-key go together")
	}
	given := map[string][]byte{}
	for _, path := range f.approvals {
		text, err := readFile(path)
		if err != nil {
			return nil, err
		}
		given[path] = text
	}
	return ceremony.Gather(s.Workspace, plan, given, f.as)
}

// prove has the person who signs sign so with their own key.
func (f *signerFlags) prove(ctx context.Context, a *app, s *session, plan *ceremony.Pending, people *ceremony.People) error {
	if f.as == "" {
		return nil
	}
	own, err := readWiring(s.Dir)
	if err != nil {
		return err
	}
	w := wiring{Key: f.keys.key, Module: own.Module, InitArgs: own.InitArgs}
	if f.keys.module != "" {
		w.Module, w.InitArgs = f.keys.module, ""
	}
	key, err := f.keys.openOwn(ctx, a, w)
	if err != nil {
		return err
	}
	text, err := plan.State(ceremony.SignerSchema, f.as, key, f.pss, rand.Reader, s.now)
	if closeErr := key.Close(); err == nil && closeErr != nil {
		a.notef("warning: the token did not close cleanly: %v", closeErr)
	}
	if err != nil {
		return err
	}
	return people.SignedBy(s.Workspace, plan, text)
}

// showApproval prints who must approve a plan, and what comes into force with it.
func (a *app) showApproval(p *ceremony.Plan) {
	for i, c := range p.Proposals {
		if i == 0 {
			a.printf("\nComes into force with this release:\n")
		}
		subject := report.Escape(c.Subject)
		if c.Kind == "approver-"+string(registry.ApproverThreshold) {
			subject = plural(c.Threshold, "approval")
		}
		a.printf("  journal event %d, by %s: %s %s\n", c.Event, report.Escape(c.By), report.Escape(c.Kind), subject)
		if c.KeySHA256 != "" {
			a.printf("      key sha256 %s\n", report.Escape(c.KeySHA256))
		}
		for _, d := range c.Details {
			a.printf("      %s\n", report.Escape(d))
		}
		if c.Why != "" {
			a.printf("      why: %s\n", report.Escape(c.Why))
		}
	}
	if p.Approval.Threshold == 0 && len(p.Approval.Approvers) == 0 {
		return
	}
	a.printf("\nNeeds %s of:\n", plural(p.Approval.Threshold, "approval"))
	for _, who := range p.Approval.Approvers {
		a.printf("  %s  key sha256 %s\n", report.Escape(who.Name), report.Escape(who.KeySHA256))
	}
}
