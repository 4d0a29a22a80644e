package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/policy"
)

func newInitCmd(a *app) *cobra.Command {
	var environment, policyName, listID, at string
	var format formatFlag
	c := &cobra.Command{
		Use:   "init DIR --environment rehearsal|production",
		Short: "Make a workspace",
		Long: `Makes the directory in which an operator works: configuration, journal, keys
(rehearsal only), plans and releases. The environment and the list id are fixed
from then on; efgsta.yaml explains each setting.`,
		Example: "  efgsta init ws --environment rehearsal --policy efgs-2020",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			now, err := a.clock(at)
			if err != nil {
				return err
			}
			env := registry.Environment(environment)
			if env != registry.Rehearsal && env != registry.Production {
				return usagef("--environment rehearsal, or --environment production for the real list", "environment %q is not rehearsal or production", environment)
			}
			if at != "" && env == registry.Production {
				return usagef("leave --at out", "--at is not taken when a production workspace is made")
			}
			if _, err := policy.Load(policyName); err != nil {
				return usagef("policies of this version: "+strings.Join(policy.Names(), ", "), "--policy: %w", err)
			}
			config := registry.DefaultConfig(env, policyName)
			if listID != "" {
				config.ListID = listID
			}
			if err := registry.Init(args[0], config, now, a.actor(), toolName); err != nil {
				return err
			}
			if format.json() {
				if err := a.json(initJSON{"efgsta.init/v1", args[0], config.ListID, env, policyName}); err != nil {
					return err
				}
			} else {
				a.printf("made %s workspace %s: list %s, policy %s\n", env, args[0], config.ListID, policyName)
			}
			a.notef("next: review %s/%s, then: efgsta anchor create --organization NAME --key KEY", args[0], registry.ConfigFile)
			return nil
		},
	}
	c.Flags().StringVar(&environment, "environment", "", "rehearsal or production (required)")
	c.Flags().StringVar(&policyName, "policy", "efgs-2020", "policy `NAME` that certificates are vetted under")
	c.Flags().StringVar(&listID, "list-id", "", "`NAME` of the trust list (default efgs-ENVIRONMENT)")
	format.add(c)
	c.Flags().StringVar(&at, "at", "", "act as if it were this `TIME` (rehearsal only)")
	return c
}

type initJSON struct {
	Schema      string               `json:"schema"`
	Workspace   string               `json:"workspace"`
	ListID      string               `json:"listId"`
	Environment registry.Environment `json:"environment"`
	Policy      string               `json:"policy"`
}
