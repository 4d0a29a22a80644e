package main

import (
	"slices"

	"github.com/spf13/cobra"
)

// refuseEmptyFlags makes every command refuse a flag that is given without a value: a
// script that writes --within="$DAYS" and has not set DAYS must not pass as if it had
// asked for nothing. No flag has a meaning for the empty text.
func refuseEmptyFlags(c *cobra.Command) {
	c.PreRunE = func(c *cobra.Command, _ []string) error { return emptyFlag(c) }
	for _, sub := range c.Commands() {
		refuseEmptyFlags(sub)
	}
}

// emptyFlag names the first flag, by name, that was given and is empty.
func emptyFlag(c *cobra.Command) error {
	for _, f := range visited(c.Flags().Visit) {
		empty := f.Value.String() == ""
		if r, ok := f.Value.(repeated); ok {
			empty = slices.Contains(*r.values, "")
		}
		if empty {
			return usagef("give it a value, or leave it away; in a script, see that the variable is set", "--%s is given without a value", f.Name)
		}
	}
	return nil
}

// visited are the flags that were given. F is the flag of cobra's own library, which is
// not imported for its name.
func visited[F any](visit func(func(F))) []F {
	var all []F
	visit(func(f F) { all = append(all, f) })
	return all
}
