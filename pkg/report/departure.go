package report

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// departure says how the policy differs from the governance document, and what
// lists it; "" if it does not. Every form has it at its head.
func (h Header) departure() string {
	text := h.Policy.Difference()
	if text == "" {
		return ""
	}
	name, base := h.Policy.Name, h.Policy.Base
	if base == "" {
		base = policy.Default
	}
	if h.Policy.File != "" {
		name = h.Policy.File
	}
	return fmt.Sprintf("policy %s: %s (efgsta policy diff %s %s)", h.Policy.Name, text, base, Escape(name))
}

// inBase is what a finding is under the policy's base, " (error in efgs-2020)"; "" if the same.
func inBase(f vet.Finding) string {
	if f.Deviation == nil || f.Status == vet.StatusWaived {
		return ""
	}
	return fmt.Sprintf(" (%s in %s)", f.Deviation.From, f.Deviation.Base)
}

// because is the deviation in full; "" if there is none.
func because(f vet.Finding) string {
	d := f.Deviation
	if d == nil {
		return ""
	}
	by := d.Policy
	if d.Date != "" {
		by += ", " + d.Date
	}
	return fmt.Sprintf("%s in %s; %s: %s", d.From, d.Base, by, Escape(d.Reason))
}
