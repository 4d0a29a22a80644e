package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/report"
)

// probeTime is how long a module may take to start; network HSMs need seconds.
const probeTime = 60 * time.Second

// maxProbe caps what a module's process may say, bytes.
const maxProbe = 1 << 20

func newHSMProbeCmd(a *app) *cobra.Command {
	var f wired
	var format formatFlag
	c := &cobra.Command{
		Use:   "probe --module FILE",
		Short: "Load a doubtful module in a process of its own and say what happens",
		Long: `Loads a PKCS#11 module in a child process, initialises it, asks for its tokens and
shuts it down. A module that crashes or hangs takes only the child with it, and this
says at which step. No PIN is asked for and nobody is logged in.`,
		Example: `  efgsta hsm probe --module /opt/vendor/lib/libpkcs11.so`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := format.check(); err != nil {
				return err
			}
			config, err := f.moduleConfig()
			if err != nil {
				return err
			}
			return probe(c.Context(), a, config, format)
		},
	}
	f.addModule(c, a)
	format.add(c)
	return c
}

// newHSMProbeChildCmd is what probe runs in the child: one JSON text per line, a step
// before it is taken, then the result.
func newHSMProbeChildCmd(a *app) *cobra.Command {
	var f wired
	c := &cobra.Command{
		Use:    "probe-child",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			config, err := f.moduleConfig()
			if err != nil {
				return err
			}
			hsm.GuardCrashes("efgsta: the module crashed\nhint: "+doNotUse+"\n", exitHSM)
			say := json.NewEncoder(a.out)
			found, err := hsm.Probe(config, func(step string) { _ = say.Encode(probeLine{Step: step}) })
			if err != nil {
				return err
			}
			return say.Encode(probeLine{Found: &found})
		},
	}
	f.addModule(c, a)
	return c
}

type probeLine struct {
	Step  string      `json:"step,omitempty"`
	Found *hsm.Survey `json:"found,omitempty"`
}

type probeJSON struct {
	Schema string   `json:"schema"`
	Module string   `json:"module"`
	Works  bool     `json:"works"`
	Steps  []string `json:"steps"` // the last one is where it failed, unless it works
	Why    string   `json:"why"`
	Hint   string   `json:"hint"`
	Tokens int      `json:"tokens"`
}

func probe(ctx context.Context, a *app, c hsm.Config, format formatFlag) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	args := []string{"hsm", "probe-child", "--module", c.Module}
	if c.InitArgs != "" {
		args = append(args, "--init-args", c.InitArgs)
	}
	child := exec.CommandContext(ctx, self, args...)
	out, said := &limited{most: maxProbe, full: func() {}}, &limited{most: maxProbe, full: func() {}}
	child.Stdout, child.Stderr = out, said
	child.WaitDelay = time.Second
	died := child.Run()
	doc := probeJSON{Schema: "efgsta.hsm-probe/v1", Module: c.Module, Steps: []string{}}
	found := readProbe(out.kept, &doc)
	switch {
	case died == nil && found != nil:
		doc.Works, doc.Tokens = true, len(found.Tokens)
	case ctx.Err() == context.DeadlineExceeded:
		doc.Why, doc.Hint = fmt.Sprintf("the module did not answer within %s and was stopped", probeTime), "is the device that it talks to reachable?"
	default:
		doc.Why, doc.Hint = whyProbeFailed(died, string(said.kept))
	}
	if format.json() {
		err = a.json(doc)
	} else {
		err = a.showProbe(doc, found)
	}
	if err == nil && !doc.Works {
		return &exitError{code: exitHSM}
	}
	return err
}

// readProbe takes the child's lines; what a module printed in between is passed over.
func readProbe(out []byte, doc *probeJSON) *hsm.Survey {
	var found *hsm.Survey
	for line := range bytes.Lines(out) {
		var l probeLine
		if json.Unmarshal(line, &l) != nil {
			continue
		}
		if l.Step != "" {
			doc.Steps = append(doc.Steps, l.Step)
		}
		if l.Found != nil {
			found = l.Found
		}
	}
	return found
}

// whyProbeFailed tells a module that ended the process from one that gave a reason.
func whyProbeFailed(died error, said string) (why, hint string) {
	var exit *exec.ExitError
	if errors.As(died, &exit) && exit.ExitCode() == exitHSM {
		for line := range strings.Lines(said) {
			line = strings.TrimRight(line, "\n")
			if rest, ok := strings.CutPrefix(line, "efgsta: "); ok {
				why = rest
			}
			if rest, ok := strings.CutPrefix(line, "hint: "); ok {
				hint = rest
			}
		}
		return why, hint
	}
	if died == nil {
		return "the module ended the process without an answer", doNotUse
	}
	return fmt.Sprintf("the module ended the process (%v)", died), doNotUse
}

const doNotUse = "do not use this module: it would end a ceremony in the same way; ask its maker for another build"

func (a *app) showProbe(doc probeJSON, found *hsm.Survey) error {
	if doc.Works {
		a.printf("works: %s\n", strings.Join(doc.Steps, ", "))
		return a.showSurvey(*found, "table")
	}
	last := "start"
	if n := len(doc.Steps); n > 0 {
		last = doc.Steps[n-1]
	}
	a.printf("does not work: module %s, at the step %q: %s\n", report.Escape(doc.Module), last, report.Escape(doc.Why))
	if doc.Hint != "" {
		a.notef("hint: %s", report.Escape(doc.Hint))
	}
	return nil
}
