package main

import "github.com/spf13/cobra"

// repeated is a flag that may be given several times. pflag's own one writes its
// default as CSV, for each such flag of each command, which is felt at every start.
type repeated struct{ values *[]string }

func (r repeated) String() string { return "" }

func (r repeated) Type() string { return "stringArray" }

func (r repeated) Set(value string) error {
	*r.values = append(*r.values, value)
	return nil
}

func repeatedVar(c *cobra.Command, values *[]string, name, usage string) {
	c.Flags().Var(repeated{values}, name, usage)
}
