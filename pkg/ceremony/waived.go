package ceremony

import (
	"fmt"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

// excused says in a change which rules are waived: ", waived: EFGS-308", or nothing.
func excused(e trustlist.Entry) string {
	var rules []string
	for _, w := range e.Waived {
		rules = append(rules, w.Rule)
	}
	if len(rules) == 0 {
		return ""
	}
	return ", waived: " + strings.Join(rules, ", ")
}

// endedWaiver is the reason in the list of a certificate that fails a rule whose waiver
// has ended; "" if there is none. What only lacks evidence then is for drop to judge.
func endedWaiver(w *registry.Workspace, c *registry.Certificate, r *vet.Result, at time.Time) string {
	for _, f := range r.Findings {
		if f.Severity != vet.SeverityError || f.Status != vet.StatusFail {
			continue
		}
		if ended := w.Waiver(c.SHA256, f.ID); ended != nil && !ended.Holds(at) {
			return fmt.Sprintf("%s %s, waiver ended on %s", f.ID, f.Name, ended.Until.Format(time.DateOnly))
		}
		return ""
	}
	return ""
}

// waiverHints says of certificates that only lack evidence which waivers used to stand
// for it, and how to grant them anew.
func waiverHints(w *registry.Workspace, lacking []KeptOut) []string {
	var lines []string
	for _, k := range lacking {
		for _, rule := range missing(k, func(f vet.Finding) string { return f.ID }) {
			if ended := w.Waiver(k.SHA256, rule); ended != nil {
				lines = append(lines, fmt.Sprintf("the waiver of %s ended on %s; to grant it anew: efgsta waive %s %s %s --why TEXT --until DATE",
					rule, ended.Until.Format(time.DateOnly), k.Country, k.SHA256[:minDrop], rule))
			}
		}
	}
	return lines
}
