package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/report"
)

func newJournalVerifyCmd(a *app) *cobra.Command {
	var dir string
	var format formatFlag
	c := &cobra.Command{
		Use:   "verify",
		Short: "Hold everything in a workspace against its journal and its signatures",
		Long: `Replays the journal and checks what the workspace holds: the hash of each line and
that it joins on to the one before; every object that the journal names; plans and
what was said of them; every release, with all its signatures, against the event that
records it. The journal must hold the event that each plan and each signed release
was made on: one that was cut back or written anew is found by its releases.

It names all damage that it finds, by file and line, with what to do, and what
nothing speaks of. Exit code 0 if there is no damage, 5 if there is. It repairs and
writes nothing, so it works on a read-only copy.`,
		Example: "  efgsta journal verify --workspace /media/copy/ws",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			unlock, err := registry.Lock(dir, a.holder(c))
			if err != nil {
				return err
			}
			audit := ceremony.VerifyWorkspace(dir)
			if err := unlock(); err != nil {
				return err
			}
			if !format.json() {
				a.showAudit(audit)
			} else if err := a.json(newAuditJSON(audit)); err != nil {
				return err
			}
			if len(audit.Damage) == 0 {
				return nil
			}
			first := audit.Damage[0]
			return &exitError{code: exitDamaged, err: fmt.Errorf("%s is damaged in %s; the first is %s", dir, plural(len(audit.Damage), "place"), where(first)), advice: first.Hint}
		},
	}
	addDir(c, a, &dir)
	format.add(c)
	return c
}

// where is the place of damage, as compilers write it.
func where(d ceremony.Damage) string {
	if d.Line == 0 {
		return report.Escape(d.File)
	}
	return fmt.Sprintf("%s:%d", report.Escape(d.File), d.Line)
}

func (a *app) showAudit(audit *ceremony.Audit) {
	for _, d := range audit.Damage {
		a.printf("  ✗ %s: %s\n      %s\n", where(d), report.Escape(d.What), report.Escape(d.Hint))
	}
	for _, p := range audit.Proven {
		a.printf("  ✓ %s\n", report.Escape(p))
	}
	for _, l := range audit.Leftovers {
		a.printf("  · left over: %s: %s\n", report.Escape(l.File), report.Escape(l.What))
	}
	for _, n := range audit.Not {
		a.printf("  · not evaluated: %s\n", report.Escape(n))
	}
}

type auditJSON struct {
	Schema    string              `json:"schema"`
	Intact    bool                `json:"intact"`
	Head      journal.Head        `json:"head"` // the last event that verified
	Proven    []string            `json:"proven"`
	Not       []string            `json:"notEvaluated"`
	Damage    []ceremony.Damage   `json:"damage"`
	Leftovers []ceremony.Leftover `json:"leftovers"`
}

func newAuditJSON(a *ceremony.Audit) auditJSON {
	return auditJSON{
		"efgsta.journal-verify/v1", len(a.Damage) == 0, a.Head, append([]string{}, a.Proven...), append([]string{}, a.Not...),
		append([]ceremony.Damage{}, a.Damage...), append([]ceremony.Leftover{}, a.Leftovers...),
	}
}
