package main

import (
	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

func newRulesCmd(a *app) *cobra.Command {
	var format, policyName string
	c := &cobra.Command{
		Use:   "rules [ID|NAME]",
		Short: "List the rules, or explain one: its clause, why, and how to fix it",
		Example: `  efgsta rules
  efgsta rules EFGS-102
  efgsta rules rsa-modulus-min --format json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := oneOf("format", format, "table", "json", "markdown"); err != nil {
				return err
			}
			pol, err := loadPolicy(policyName)
			if err != nil {
				return err
			}
			if _, err := newEngine(pol); err != nil {
				return err
			}
			list := &report.Rules{Policy: pol, Rules: vet.Rules()}
			if len(args) == 1 {
				rule, ok := vet.Find(args[0])
				if !ok {
					return usagef("efgsta rules lists them", "%q is no rule", args[0])
				}
				list.Rules = []vet.Rule{rule}
			}
			switch format {
			case "json":
				return list.JSON(a.out)
			case "markdown":
				return list.Markdown(a.out)
			}
			return list.Table(a.out, report.Options{Width: a.width(), Colour: a.colour()})
		},
	}
	c.Flags().StringVar(&format, "format", "table", "table, json or markdown")
	c.Flags().StringVar(&policyName, "policy", policy.Default, "policy `NAME|FILE` whose severities are shown")
	return c
}
