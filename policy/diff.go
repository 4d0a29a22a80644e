package policy

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Change is one difference between two policies.
type Change struct {
	Rule  string
	Roles []string // whom it concerns, in the order of Roles
	// What differs: "rule", "severity", "missing", "case NAME" or "param NAME".
	What      string
	From, To  string // "" where one of them says nothing
	Direction string // Stricter, Milder, or "" where neither can be said
	// Condition, Reason and Date are those of the deviation that makes the difference; "" where it is not one.
	Condition, Reason, Date string
}

// Directions of a Change.
const (
	Stricter = "stricter"
	Milder   = "milder"
)

// Diff lists what b says other than a, by rule.
func Diff(a, b *Policy) []Change {
	var all []Change
	for _, id := range ids(a, b) {
		before, inA := a.Rules[id]
		after, inB := b.Rules[id]
		switch {
		case !inA:
			all = append(all, Change{Rule: id, Roles: active(after), What: "rule", To: "there", Direction: Stricter})
		case !inB:
			all = append(all, Change{Rule: id, Roles: active(before), What: "rule", From: "there", Direction: Milder})
		default:
			all = append(all, settings(id, before, after)...)
		}
		for _, d := range a.Deviations {
			if d.Rule == id && !b.deviates(d) {
				all = append(all, d.changes(before, true)...)
			}
		}
		for _, d := range b.Deviations {
			if d.Rule == id && !a.deviates(d) {
				all = append(all, d.changes(after, false)...)
			}
		}
	}
	return all
}

// Difference says how far p is from the governance document: "7 deviations from
// efgs-2020", "differs from efgs-2020 in 2 rules, milder in EFGS-201", or "" if it is the document.
func (p *Policy) Difference() string {
	if p.Base != "" {
		return number(len(p.Deviations), "deviation") + " from " + p.Base
	}
	if p.Name == Default && p.File == "" {
		return ""
	}
	document := embedded(Default)
	n := 0
	for id, s := range p.Rules {
		if was, ok := document.Rules[id]; !ok || len(settings(id, was, s)) > 0 {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	text := "differs from " + Default + " in " + number(n, "rule")
	if milder := p.milderRules(); len(milder) > 0 {
		text += ", milder in " + strings.Join(milder, ", ")
	}
	return text
}

// Effective is what the policy asks of a role under the mildest of conditions: the
// setting with every deviation of that role in place, the last one counting.
func (p *Policy) Effective(rule, role string) Setting {
	s := p.Rules[rule]
	for _, d := range p.Deviations {
		if d.Rule != rule || !d.Covers(role) {
			continue
		}
		if d.Case != "" {
			s.Cases = maps.Clone(s.Cases)
			s.Cases[d.Case] = d.Effect(s.Cases[d.Case])
			continue
		}
		if d.Severity != "" && d.Params == nil {
			s.Severity = maps.Clone(s.Severity)
			s.Severity[role] = d.Effect(s.Severity[role])
		}
		if d.Params != nil {
			merged := maps.Clone(s.Params)
			maps.Copy(merged, d.Params)
			s.Params = merged
		}
	}
	return s
}

func (p *Policy) deviates(d Deviation) bool {
	return slices.ContainsFunc(p.Deviations, func(other Deviation) bool { return reflect.DeepEqual(d, other) })
}

func ids(a, b *Policy) []string {
	all := slices.Collect(maps.Keys(a.Rules))
	for id := range b.Rules {
		if _, ok := a.Rules[id]; !ok {
			all = append(all, id)
		}
	}
	slices.Sort(all)
	return all
}

// active are the roles that have the rule.
func active(s Setting) []string {
	return slices.DeleteFunc(Roles(), func(role string) bool { return s.Severity[role] == "off" })
}

// settings compares two settings of one rule.
func settings(id string, a, b Setting) []Change {
	all := severities(Roles(), a.Severity, b.Severity)
	for _, name := range keys(a.Cases, b.Cases) {
		if from, to := a.Cases[name], b.Cases[name]; from != to {
			all = append(all, Change{Roles: active(a), What: "case " + name, From: from, To: to, Direction: bySeverity(from, to)})
		}
	}
	for _, name := range keys(a.Params, b.Params) {
		from, inA := a.Params[name]
		to, inB := b.Params[name]
		if from != to || inA != inB {
			all = append(all, param(id, active(a), name, from, to))
		}
	}
	if a.Missing != b.Missing {
		c := Change{Roles: active(a), What: "missing", From: a.Missing, To: b.Missing}
		switch {
		case b.Missing == "block" || a.Missing == "report":
			c.Direction = Stricter
		case b.Missing == "report" || a.Missing == "block":
			c.Direction = Milder
		}
		all = append(all, c)
	}
	for i := range all {
		all[i].Rule = id
	}
	return all
}

// changes are what a deviation does to the setting of its base; back: what its absence does.
func (d Deviation) changes(base Setting, back bool) []Change {
	var all []Change
	switch from := base.Cases[d.Case]; {
	case d.Case != "":
		to := d.Effect(from)
		all = []Change{{Roles: d.Roles, What: "case " + d.Case, From: from, To: to, Direction: bySeverity(from, to)}}
	default:
		after := map[string]string{}
		for _, role := range d.Roles {
			after[role] = d.Effect(base.Severity[role])
		}
		all = severities(d.Roles, base.Severity, after)
	}
	for _, name := range keys(d.Params, nil) {
		all = append(all, param(d.Rule, d.Roles, name, base.Params[name], d.Params[name]))
	}
	for i := range all {
		c := &all[i]
		c.Rule, c.Condition, c.Reason, c.Date = d.Rule, d.Condition(), d.Reason, d.Date
		if back {
			c.From, c.To, c.Reason, c.Date = c.To, c.From, "", ""
			c.Direction = map[string]string{Stricter: Milder, Milder: Stricter}[c.Direction]
		}
	}
	return all
}

// severities compares by role; roles that change alike share a Change.
func severities(roles []string, a, b map[string]string) []Change {
	var all []Change
	for _, role := range roles {
		from, to := a[role], b[role]
		if from == to {
			continue
		}
		i := slices.IndexFunc(all, func(c Change) bool { return c.From == from && c.To == to })
		if i < 0 {
			i = len(all)
			all = append(all, Change{What: "severity", From: from, To: to, Direction: bySeverity(from, to)})
		}
		all[i].Roles = append(all[i].Roles, role)
	}
	return all
}

func bySeverity(from, to string) string {
	a, b := slices.Index(Severities(), from), slices.Index(Severities(), to)
	switch {
	case a < 0 || b < 0 || a == b:
		return ""
	case b < a:
		return Stricter
	}
	return Milder
}

func param(id string, roles []string, name string, from, to int) Change {
	c := Change{Roles: roles, What: "param " + name, From: strconv.Itoa(from), To: strconv.Itoa(to), Direction: Milder}
	if (to > from) != upperLimit(id, name) {
		c.Direction = Stricter
	}
	return c
}

// upperLimit: a certificate must not exceed this number. Of all others more is stricter.
func upperLimit(id, name string) bool {
	switch id + " " + name {
	case "EFGS-104 bits", "EFGS-202 years", "EFGS-208 years", "EFGS-803 octets", "EFGS-910 bits":
		return true
	}
	return false
}

func keys[V any](a, b map[string]V) []string {
	all := slices.Collect(maps.Keys(a))
	for k := range b {
		if _, ok := a[k]; !ok {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	return all
}

func number(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
