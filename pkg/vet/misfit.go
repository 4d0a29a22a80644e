package vet

import (
	"fmt"
	"maps"
	"slices"

	"github.com/efgsta/efgsta/policy"
)

// Misfit is one thing that a policy says and the rules of this version cannot follow.
type Misfit struct {
	Rule      string // "EFGS-102"
	Deviation int    // 0-based index into the policy's deviations; -1 if it is about the rule's setting
	Msg       string
}

// Misfits lists all that keeps New from taking a policy.
func Misfits(p *policy.Policy) []Misfit {
	rules := Rules()
	var all []Misfit
	for i := range rules {
		r := &rules[i]
		s, ok := p.Rules[r.ID]
		if !ok {
			all = append(all, Misfit{r.ID, -1, fmt.Sprintf("nothing is said of %s %s", r.ID, r.Name)})
			continue
		}
		if err := resolve(s).fits(r); err != nil {
			all = append(all, Misfit{r.ID, -1, fmt.Sprintf("%s %s: %v", r.ID, r.Name, err)})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(p.Rules)) {
		if findRule(rules, id) == nil {
			all = append(all, Misfit{id, -1, fmt.Sprintf("%s is no rule", id)})
		}
	}
	return append(all, exceptionMisfits(p, rules)...)
}

// resolve looks a setting up as the engine does.
func resolve(s policy.Setting) *resolved {
	g := &resolved{setting: s}
	for i, role := range Roles() {
		g.severity[i] = s.Severity[string(role)]
	}
	return g
}

func findRule(rules []Rule, id string) *Rule {
	if i := slices.IndexFunc(rules, func(r Rule) bool { return r.ID == id }); i >= 0 {
		return &rules[i]
	}
	return nil
}

// never is why a rule is an error under every policy.
const never = "a failure of this rule can never be excused, so it is an error in every policy"

// exceptionMisfits are what no policy may do, with or without a reason.
func exceptionMisfits(p *policy.Policy, rules []Rule) []Misfit {
	var all []Misfit
	for i := range rules {
		r := &rules[i]
		if r.NeverWaivable && slices.ContainsFunc(r.Roles, func(role Role) bool { return p.Rules[r.ID].Severity[string(role)] != SeverityError }) {
			all = append(all, Misfit{r.ID, -1, fmt.Sprintf("%s %s: %s", r.ID, r.Name, never)})
		}
	}
	for _, m := range milderMisfits(p, rules) {
		if !slices.ContainsFunc(all, func(other Misfit) bool { return other.Rule == m.Rule }) {
			all = append(all, m)
		}
	}
	for i, d := range p.Deviations {
		if r := findRule(rules, d.Rule); r != nil {
			if msg := deviationMisfit(p, rules, r, d); msg != "" {
				all = append(all, Misfit{r.ID, i, fmt.Sprintf("%s %s: %s", r.ID, r.Name, msg)})
			}
		}
	}
	return all
}

func deviationMisfit(p *policy.Policy, rules []Rule, r *Rule, d policy.Deviation) string {
	if r.check == nil {
		return "is a rule about files, which no policy deviates from"
	}
	for _, role := range d.Roles {
		if !slices.Contains(r.Roles, Role(role)) {
			return "is not a rule about " + role
		}
	}
	if r.NeverWaivable {
		for _, role := range d.Roles {
			if from := p.Rules[r.ID].Severity[role]; d.Params != nil || d.Case == "" && d.Effect(from) != SeverityError {
				return never
			}
		}
		if d.Case != "" && p.Rules[r.ID].Cases[d.Case] == SeverityError && d.Severity != SeverityError {
			return never
		}
	}
	if chain := findRule(rules, ruleChain); d.When == policy.PublicChain && chain != nil {
		for _, role := range d.Roles {
			if !slices.Contains(chain.Roles, Role(role)) {
				return "has no public chain for " + role + ": EFGS-601 is not about it"
			}
		}
		if r.ID == ruleChain {
			return "is itself the condition " + policy.PublicChain
		}
	}
	return ""
}
