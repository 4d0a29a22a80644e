package vet

import (
	"maps"
	"slices"
	"time"

	"github.com/efgsta/efgsta/policy"
)

// ruleChain is the rule whose pass is the condition policy.PublicChain.
const ruleChain = "EFGS-601"

// FromPassed is the From of a Deviation that refuses what the base lets pass.
const FromPassed = "passed"

// Deviation says of a finding that its severity is not that of the policy's base.
type Deviation struct {
	Policy string `json:"policy"` // "efgs-2026"
	Base   string `json:"base"`   // "efgs-2020"
	From   string `json:"from"`   // what it is in the base: a severity, "off", or "passed"
	Reason string `json:"reason"`
	Date   string `json:"date,omitempty"` // YYYY-MM-DD; "" of a policy without a base
}

// deviated is a rule with what the policy says of it beyond its base.
type deviated struct {
	rule *Rule
	list []deviation
}

type deviation struct {
	policy.Deviation
	since time.Time // of NotBefore; zero: always
}

// deviatedRules brings the deviations of a policy to their rules.
func deviatedRules(p *policy.Policy, rules []Rule) []deviated {
	if len(p.Deviations) == 0 {
		return nil
	}
	var all []deviated
	for i := range rules {
		r := &rules[i]
		d := deviated{rule: r}
		for _, pd := range p.Deviations {
			if pd.Rule == r.ID {
				since, _ := time.Parse(time.DateOnly, pd.NotBefore) // the loader has seen to its form; "" is the zero time
				d.list = append(d.list, deviation{pd, since})
			}
		}
		if d.list != nil {
			all = append(all, d)
		}
	}
	return all
}

// deviate looks at the conditions of the policy's deviations, now that every rule has
// run, and gives the findings of those rules the severity that the policy wants.
func (e *Engine) deviate(res *Result, x *exam, asked func(*Rule) bool) {
	for i := range e.deviated {
		d := &e.deviated[i]
		if chosen := d.holding(res); len(chosen) > 0 && asked(d.rule) {
			e.deviateRule(res, x, d.rule, chosen)
		}
	}
	e.compare(res, x, asked)
}

// holding are the deviations that apply to this certificate, by case; the last one of a case counts.
func (d *deviated) holding(res *Result) map[string]deviation {
	var chosen map[string]deviation
	for _, one := range d.list {
		if !one.Covers(string(res.Role)) || one.When == policy.PublicChain && !res.publicChain {
			continue
		}
		if from := res.Certificate.NotBefore; !one.since.IsZero() && (from.IsZero() || from.Before(one.since)) {
			continue
		}
		if chosen == nil {
			chosen = map[string]deviation{}
		}
		chosen[one.Case] = one
	}
	return chosen
}

// deviateRule asks the rule again and records what it says in place of what was recorded.
func (e *Engine) deviateRule(res *Result, x *exam, r *Rule, chosen map[string]deviation) {
	s := e.policy.Rules[r.ID]
	base := s.Severity[string(res.Role)]
	ask := func(s policy.Setting) (outcome, bool) {
		x.setting = s
		o, crashed := guarded(r.check, x)
		if x.Workspace {
			o.unasked = false
		}
		return o, crashed == ""
	}
	plain, isPlain := chosen[""]
	if base == "off" && !isPlain {
		return // cases of a rule that this type has not
	}
	o, ok := ask(s)
	if !ok {
		return // the finding that says so stays as it is
	}
	before := o.state
	severity := base
	if isPlain {
		severity = plain.Effect(base)
	}
	from := base
	if isPlain && plain.Params != nil {
		numbers := s
		numbers.Params = maps.Clone(s.Params)
		maps.Copy(numbers.Params, plain.Params)
		again, ok := ask(numbers)
		switch {
		case !ok:
			return
		case base == "off":
			o = again
		case again.state == passed: // what the base has against it gets the policy's severity
		case again.state == failed && before == passed:
			o, severity, from = again, base, FromPassed
		default: // neither the base's numbers nor the policy's
			severity = base
		}
	}
	res.forget(r, before, base)
	s.Severity = maps.Clone(s.Severity)
	s.Severity[string(res.Role)] = severity
	s.Cases = maps.Clone(s.Cases)
	was := map[string]string{"": from}
	for kase, d := range chosen {
		if kase != "" {
			was[kase] = s.Cases[kase]
			s.Cases[kase] = d.Effect(s.Cases[kase])
		}
	}
	silent := func(p problem) bool {
		return p.kase == "" && severity == "off" || p.kase != "" && s.Cases[p.kase] == "off"
	}
	if o.state != passed && len(o.problems) > 0 && !slices.ContainsFunc(o.problems, func(p problem) bool { return !silent(p) }) {
		return // off, which the head of every report says: neither passed nor failed
	}
	o.problems = slices.DeleteFunc(slices.Clone(o.problems), silent)
	first := len(res.Findings)
	res.record(r, &s, severity, o, x.requires(r))
	for i := first; i < len(res.Findings); i++ {
		f := &res.Findings[i]
		if d, ok := chosen[f.kase]; ok && was[f.kase] != f.Severity {
			f.Deviation = &Deviation{Policy: e.policy.Name, Base: e.policy.Base, From: was[f.kase], Reason: d.Reason, Date: d.Date}
		}
	}
}

// forget takes back what was recorded of a rule.
func (res *Result) forget(r *Rule, before state, severity string) {
	res.Findings = slices.DeleteFunc(res.Findings, func(f Finding) bool { return f.ID == r.ID })
	if severity == "off" {
		return // it was not asked
	}
	switch before {
	case passed:
		res.Passed--
		res.Evaluated--
	case failed:
		res.Evaluated--
	}
}
