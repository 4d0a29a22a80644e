package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// newRootCmd is the command tree.
func newRootCmd(a *app) *cobra.Command {
	root := &cobra.Command{
		Use:   "efgsta",
		Short: "Offline trust-anchor toolkit of the European Federation Gateway Service",
		Long: `efgsta vets the certificates that member states bring, signs them and the trust
list with the EFGSTA key, and packs what the online gateway imports.

It never opens a network connection.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.in)
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef(c.CommandPath()+" --help", "%w", err)
	})
	root.Version = version
	for _, g := range []struct {
		id, title string
		commands  []*cobra.Command
	}{
		{"vet", "Vet certificates (no workspace needed):", []*cobra.Command{newCheckCmd(a), newRulesCmd(a), newPolicyCmd(a), newTemplateCmd(a)}},
		{"hsm", "Tokens and keys:", []*cobra.Command{newHSMCmd(a)}},
		{"decide", "Decide (append to the journal):", []*cobra.Command{newInitCmd(a), newAnchorCmd(a), newApproverCmd(a), newMemberCmd(a), newSubmitCmd(a), newRevokeCmd(a), newWaiveCmd(a)}},
		{"sign", "Sign:", []*cobra.Command{newStatusCmd(a), newPlanCmd(a), newApproveCmd(a), newSignCmd(a)}},
		{"send", "Hand out and verify:", []*cobra.Command{newExportCmd(a), newVerifyCmd(a), newJournalCmd(a), newDiffCmd(a)}},
	} {
		root.AddGroup(&cobra.Group{ID: g.id, Title: g.title})
		for _, c := range g.commands {
			c.GroupID = g.id
			if g.id != "vet" {
				c.PersistentPreRun = catchInterrupts
			}
			root.AddCommand(c)
			needSubcommand(c)
		}
	}
	refuseEmptyFlags(root)
	return root
}

// needSubcommand makes a command that only holds others fail without one of them.
// The library would print help and exit 0, which a script takes for "verified".
func needSubcommand(c *cobra.Command) {
	if c.Runnable() {
		return
	}
	var names []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			names = append(names, sub.Name())
		}
	}
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		hint := "one of: " + strings.Join(names, ", ")
		if len(args) == 0 {
			return usagef(hint, "%s needs a subcommand", c.Name())
		}
		return usagef(hint, "%s has no subcommand %q", c.Name(), args[0])
	}
}
