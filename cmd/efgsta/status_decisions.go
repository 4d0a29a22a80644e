package main

import (
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

// verdict is what the table says: a revoked certificate is refused whatever the rules say.
func (l *statusLine) verdict() string {
	switch {
	case l.Revoked != "":
		return "revoked"
	case l.Verdict == vet.VerdictAccepted && len(l.Waived) > 0:
		return "waived"
	}
	return string(l.Verdict)
}

// decisionsDue is what the operator's decisions about a certificate make due: a revoked one
// that is still listed (Governance 3.3), and waivers that a listed one needs and that end in
// a month or within so many days.
func (s *session) decisionsDue(c *registry.Certificate, r *vet.Result, listed bool, within int) []string {
	if !listed {
		return nil
	}
	name := fmt.Sprintf("%s %s %s", c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256))
	if b := s.Barred(c.Certificate); b != nil {
		return []string{fmt.Sprintf("%s is listed still (%s): plan and sign (Governance 3.3)", name, b.Reason)}
	}
	var out []string
	seen := ""
	for _, f := range r.Findings {
		w := s.Waiver(c.SHA256, f.ID)
		if w == nil || f.ID == seen {
			continue
		}
		seen = f.ID
		switch {
		case refuses(f):
			out = append(out, fmt.Sprintf("%s: the waiver of %s ended on %s", name, w.Rule, day(w.Until)))
		case s.now.After(monthBefore(w.Until)) || within > 0 && s.now.AddDate(0, 0, within).After(w.Until):
			out = append(out, fmt.Sprintf("%s: the waiver of %s ends on %s, in %s: %s answers for it", name, w.Rule, day(w.Until), plural(daysLeft(s.now, w.Until), "day"), w.Owner))
		}
	}
	return out
}

// excusedEntries says how many entries of a list are there in spite of a rule; "" if none is.
func excusedEntries(l *trustlist.List) string {
	n := 0
	for _, e := range l.Entries {
		if len(e.Waived) > 0 {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", %d listed by a waiver", n)
}
