package main

import (
	"net/mail"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

func newMemberCmd(a *app) *cobra.Command {
	c := &cobra.Command{Use: "member", Short: "Member states", Args: cobra.NoArgs}
	c.AddCommand(newMemberAddCmd(a))
	return c
}

func newMemberAddCmd(a *app) *cobra.Command {
	var ws wsFlags
	var name string
	var contacts []string
	var format formatFlag
	c := &cobra.Command{
		Use:     "add CC --name NAME --contact 'NAME <ADDRESS>'…",
		Short:   "Record a member state and its technical contacts (Governance 3.2)",
		Example: `  efgsta member add DE --name "Germany" --contact "PKI desk <pki@example.de>"`,
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			if name == "" || len(contacts) == 0 {
				return usagef(`example: efgsta member add DE --name "Germany" --contact "PKI desk <pki@example.de>"`, "--name and at least one --contact are needed (Governance 3.2)")
			}
			for _, contact := range contacts {
				if _, err := mail.ParseAddress(contact); err != nil {
					return usagef(`example: --contact "PKI desk <pki@example.de>"`, "--contact %q is not an address: %w", contact, err)
				}
			}
			s, err := ws.open(a, deciding)
			if err != nil {
				return err
			}
			defer s.Close()
			added, err := s.AddMember(s.now, s.actor, registry.MemberData{Country: args[0], Name: name, Contacts: contacts})
			if err != nil {
				return err
			}
			if format.json() {
				return a.json(memberJSON{"efgsta.member/v1", args[0], name, contacts, added})
			}
			if !added {
				a.printf("%s is recorded already, with the same data\n", args[0])
				return nil
			}
			a.printf("added member %s (%s)\n", args[0], report.Escape(name))
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVar(&name, "name", "", "`NAME` of the member state")
	repeatedVar(c, &contacts, "contact", "technical contact, `'NAME <ADDRESS>'`; may be repeated")
	return c
}

type memberJSON struct {
	Schema   string   `json:"schema"`
	Country  string   `json:"country"`
	Name     string   `json:"name"`
	Contacts []string `json:"contacts"`
	Added    bool     `json:"added"` // false: recorded before
}
