package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/strictjson"
)

// formatFlag is --format of the commands with a table and one machine form.
type formatFlag string

func (f *formatFlag) add(c *cobra.Command) {
	c.Flags().StringVar((*string)(f), "format", "table", "table or json")
}

func (f *formatFlag) check() error { return oneOf("format", string(*f), "table", "json") }

func (f *formatFlag) json() bool { return *f == "json" }

// json writes a result in its machine form. docs/schemas describes each by its "schema".
func (a *app) json(v any) error {
	text, err := strictjson.Marshal(v)
	if err != nil {
		return err
	}
	a.printf("%s", text)
	return nil
}

// oneOf checks a flag that takes one word of a few.
func oneOf(flag, value string, allowed ...string) error {
	for _, v := range allowed {
		if value == v {
			return nil
		}
	}
	return usagef("one of: "+strings.Join(allowed, ", "), "--%s %q is not known", flag, value)
}

// stepsJSON splits steps into what was proven and what could not be evaluated.
type stepsJSON struct {
	Proven       []string `json:"proven"`
	NotEvaluated []string `json:"notEvaluated"`
}

func newStepsJSON(steps []release.Step) stepsJSON {
	out := stepsJSON{[]string{}, []string{}}
	for _, s := range steps {
		if s.Proven {
			out.Proven = append(out.Proven, s.Text)
		} else {
			out.NotEvaluated = append(out.NotEvaluated, s.Text)
		}
	}
	return out
}

// verifyJSON is what the verify commands say of something that passed.
type verifyJSON struct {
	Schema      string `json:"schema"`
	Kind        string `json:"kind"` // bundle, trustlist, certificate
	File        string `json:"file"`
	ListID      string `json:"listId,omitempty"`
	Environment string `json:"environment,omitempty"`
	Sequence    uint64 `json:"sequence,omitempty"`
	stepsJSON
}

const verifySchema = "efgsta.verify/v1"
