package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// PolicyDiff is what B says other than A.
type PolicyDiff struct {
	A, B  *policy.Policy
	Rules []vet.Rule // for their names
}

type changeJSON struct {
	Rule      string   `json:"rule"`
	Name      string   `json:"name"`
	Types     []string `json:"types"`
	What      string   `json:"what"`
	From      string   `json:"from"`
	To        string   `json:"to"`
	Direction string   `json:"direction"`
	Condition string   `json:"condition,omitempty"`
	Reason    string   `json:"reason,omitempty"`
	Date      string   `json:"date,omitempty"`
}

// JSON writes the differences in the form of PolicyDiffSchema.
func (d *PolicyDiff) JSON(w io.Writer) error {
	doc := struct {
		Schema  string       `json:"schema"`
		From    policyJSON   `json:"from"`
		To      policyJSON   `json:"to"`
		Changes []changeJSON `json:"changes"`
	}{PolicyDiffSchema, newPolicyJSON(d.A), newPolicyJSON(d.B), []changeJSON{}}
	for _, c := range policy.Diff(d.A, d.B) {
		types := append([]string{}, c.Roles...)
		doc.Changes = append(doc.Changes, changeJSON{c.Rule, nameOf(d.Rules, c.Rule), types, c.What, c.From, c.To, c.Direction, c.Condition, c.Reason, c.Date})
	}
	return writeJSON(w, doc)
}

// Table writes the differences for people.
func (d *PolicyDiff) Table(w io.Writer, o Options) error {
	p := &printer{w: bufio.NewWriter(w), Options: o}
	all := policy.Diff(d.A, d.B)
	if len(all) == 0 {
		p.wrap("", "", fmt.Sprintf("%s and %s say the same of every rule", d.A.Name, d.B.Name))
		return p.w.Flush()
	}
	stricter, milder := 0, 0
	for _, c := range all {
		switch c.Direction {
		case policy.Stricter:
			stricter++
		case policy.Milder:
			milder++
		}
	}
	p.wrap("", "", fmt.Sprintf("%s → %s: %s, %d stricter and %d milder", d.A.Name, d.B.Name, count(len(all), "change"), stricter, milder))
	fmt.Fprintln(p.w)
	p.changes(all, d.Rules)
	return p.w.Flush()
}

// changes writes differences by rule; those of one deviation stand together.
func (p *printer) changes(all []policy.Change, rules []vet.Rule) {
	for i, c := range all {
		if i == 0 || c.Rule != all[i-1].Rule || !sameCause(c, all[i-1]) {
			p.wrap("", "    ", strings.Join([]string{c.Rule, nameOf(rules, c.Rule), strings.Join(c.Roles, ", ")}, "  "))
		}
		text := fmt.Sprintf("%s %s → %s", c.What, orNothing(c.From), orNothing(c.To))
		if c.Direction != "" {
			text = c.Direction + ": " + text
		}
		p.wrap("    ", "      ", Escape(text))
		if i+1 < len(all) && all[i+1].Rule == c.Rule && sameCause(c, all[i+1]) {
			continue
		}
		if c.Condition != "" {
			p.wrap("    where:  ", "            ", c.Condition)
		}
		if c.Reason != "" {
			p.wrap("    why:    ", "            ", Escape(c.Reason)+" ("+c.Date+")")
		}
	}
}

// deviationTexts are the deviations of a rule in a line each.
func deviationTexts(p *policy.Policy, id string) []string {
	var all []string
	for _, d := range p.Deviations {
		if d.Rule != id {
			continue
		}
		var words []string
		if d.Case != "" {
			words = append(words, "case "+d.Case)
		}
		for _, name := range slices.Sorted(maps.Keys(d.Params)) {
			words = append(words, fmt.Sprintf("%s %d", name, d.Params[name]))
		}
		if d.Severity != "" {
			words = append(words, d.Severity)
		}
		text := strings.Join(d.Roles, ", ") + ": " + strings.Join(words, ", ")
		if c := d.Condition(); c != "" {
			text += ", " + c
		}
		all = append(all, Escape(text+". "+d.Reason))
	}
	return all
}

func sameCause(a, b policy.Change) bool {
	return a.Condition == b.Condition && a.Reason == b.Reason && a.Date == b.Date && strings.Join(a.Roles, " ") == strings.Join(b.Roles, " ")
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

func nameOf(rules []vet.Rule, id string) string {
	for i := range rules {
		if rules[i].ID == id {
			return rules[i].Name
		}
	}
	return ""
}
