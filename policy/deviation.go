package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// PublicChain is the condition of a deviation that holds for a certificate whose
// path to a trusted root was verified (EFGS-601 evaluated and passed). What a
// certificate says of itself, such as a policy OID, is no part of it.
const PublicChain = "public-chain"

// Deviation is where an overlay differs from its base, and why.
type Deviation struct {
	Rule  string   // "EFGS-201"
	Roles []string // in the order of Roles
	// Case is the case of the rule that is meant; "" is the rule itself.
	Case string
	// When is the condition: PublicChain, or "" for every certificate.
	When string
	// NotBefore is a day, YYYY-MM-DD: only certificates whose life begins then or later. "": all.
	NotBefore string
	// Severity takes the place of the base's. "" with Params: a notice.
	Severity string
	// Params take the place of the base's numbers. A certificate that satisfies them but not
	// the base's has its findings at Severity; one that satisfies neither keeps the base's.
	Params map[string]int
	Reason string
	Date   string // when it was decided, or what it rests on came into force: YYYY-MM-DD
}

// Covers reports whether the deviation is about this role.
func (d Deviation) Covers(role string) bool { return slices.Contains(d.Roles, role) }

// Effect is the severity that the deviation gives a finding which has another in
// the base. An error of the base does not vanish, whatever the policy says: off makes it a notice.
func (d Deviation) Effect(from string) string {
	switch {
	case d.Severity == "":
		return "notice"
	case d.Severity == "off" && from == "error":
		return "notice"
	}
	return d.Severity
}

// Condition says in words when the deviation applies; "" if always.
func (d Deviation) Condition() string {
	var parts []string
	if d.When == PublicChain {
		parts = append(parts, "with a verified public chain")
	}
	if d.NotBefore != "" {
		parts = append(parts, "issued since "+d.NotBefore)
	}
	return strings.Join(parts, ", ")
}

// where tells deviations of one thing apart.
func (d Deviation) where(role string) string {
	return strings.Join([]string{d.Rule, role, d.Case, d.When, d.NotBefore}, " ")
}

func (r *reader) deviations(n *yaml.Node, base *Policy, p *Policy) {
	items := r.items(n)
	if n.Kind == yaml.SequenceNode && len(items) == 0 {
		r.wrong(n, "leave base and deviations out to write a whole policy", "deviations are required with a base")
	}
	seen := map[string]bool{}
	for _, item := range items {
		before := len(r.mistakes)
		d := r.deviation(item)
		if len(r.mistakes) == before {
			r.fits(item, d, base)
		}
		for _, role := range d.Roles {
			if key := d.where(role); seen[key] {
				r.wrong(item, "keep one of them", "%s stands twice for %s under the same condition", d.Rule, role)
			} else {
				seen[key] = true
			}
		}
		p.Deviations = append(p.Deviations, d)
	}
}

func (r *reader) deviation(item *yaml.Node) (d Deviation) {
	there := r.fields(item, map[string]func(*yaml.Node){
		"rule":       r.textInto(&d.Rule),
		"roles":      func(n *yaml.Node) { d.Roles = r.roles(n) },
		"case":       r.textInto(&d.Case),
		"when":       r.textInto(&d.When),
		"not-before": r.dateInto(&d.NotBefore, "not-before"),
		"severity":   func(n *yaml.Node) { d.Severity = r.severityWord(n) },
		"params":     r.numbers(&d.Params),
		"reason":     r.textInto(&d.Reason),
		"date":       r.dateInto(&d.Date, "date"),
	})
	d.Reason = strings.TrimSpace(d.Reason)
	for _, f := range []struct {
		field, next string
	}{
		{"rule", "rule: EFGS-201"},
		{"roles", "roles: [nbtls]"},
		{"reason", "reason: why the document is not followed here"},
		{"date", "date: when it was decided, YYYY-MM-DD"},
	} {
		if !there[f.field] && item.Kind == yaml.MappingNode {
			r.wrong(item, f.next, "a deviation needs its %s", f.field)
		}
	}
	switch {
	case item.Kind != yaml.MappingNode:
	case !there["severity"] && !there["params"]:
		r.wrong(item, "give severity, or params, or both", "a deviation changes severity or params")
	case there["reason"] && d.Reason == "":
		r.wrong(item, "say why the document is not followed here", "the reason is blank")
	case there["when"] && d.When != PublicChain:
		r.wrong(item, "when: "+PublicChain, "unknown condition %q", d.When)
	case d.Case != "" && there["params"]:
		r.wrong(item, "leave one of them out", "params are the rule's and not a case's")
	}
	return d
}

// roles brings them into the order of the document.
func (r *reader) roles(n *yaml.Node) []string {
	given := map[string]bool{}
	for _, item := range r.items(n) {
		role, ok := r.text(item)
		switch {
		case !ok:
		case !slices.Contains(Roles(), role):
			r.wrong(item, "one of: "+strings.Join(Roles(), ", "), "unknown role %q", role)
		case given[role]:
			r.wrong(item, "", "role %s stands twice", role)
		default:
			given[role] = true
		}
	}
	if len(given) == 0 {
		r.wrong(n, "roles: [nbtls]", "a deviation is about one role or more")
	}
	var roles []string
	for _, role := range Roles() {
		if given[role] {
			roles = append(roles, role)
		}
	}
	return roles
}

// fits holds a deviation against what it deviates from.
func (r *reader) fits(n *yaml.Node, d Deviation, base *Policy) {
	s, ok := base.Rules[d.Rule]
	if !ok {
		r.wrong(n, "efgsta rules lists the ids", "%q is no rule of %s", d.Rule, base.Name)
		return
	}
	from, hasCase := s.Cases[d.Case]
	if d.Case != "" && !hasCase {
		r.wrong(n, casesHint(s), "%s has no case %q", d.Rule, d.Case)
		return
	}
	for name, value := range d.Params {
		if old, ok := s.Params[name]; !ok {
			r.wrong(n, paramsHint(s), "%s has no parameter %q", d.Rule, name)
		} else if old == value {
			r.wrong(n, "leave it out", "%s: %s is %d in %s already", d.Rule, name, value, base.Name)
		}
	}
	for _, role := range d.Roles {
		if d.Case == "" {
			from = s.Severity[role]
		}
		switch {
		case from == "off" && d.Severity == "":
			r.wrong(n, "give a severity too", "%s is off for %s in %s", d.Rule, role, base.Name)
		case from == d.Severity && d.Params == nil:
			r.wrong(n, "leave it out", "%s is %s for %s in %s already", d.Rule, from, role, base.Name)
		}
	}
}

func casesHint(s Setting) string  { return listHint("cases", slices.Sorted(maps.Keys(s.Cases))) }
func paramsHint(s Setting) string { return listHint("parameters", slices.Sorted(maps.Keys(s.Params))) }

func listHint(what string, names []string) string {
	if len(names) == 0 {
		return fmt.Sprintf("it has no %s", what)
	}
	return fmt.Sprintf("its %s: %s", what, strings.Join(names, ", "))
}
