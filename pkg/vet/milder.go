package vet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/policy"
)

// milder is a rule of which a whole policy asks less than the governance document, in a
// way that could let a certificate pass without a word: with other numbers, or with off
// where the document has an error.
type milder struct {
	rule     *Rule
	document policy.Setting
	numbers  bool // it has milder numbers
}

// mildened finds those of a policy. One with a base has none: it has deviations.
func mildened(p *policy.Policy, rules []Rule) ([]milder, error) {
	changes := p.Milder()
	if len(changes) == 0 {
		return nil, nil
	}
	document, err := policy.Load(policy.Default)
	if err != nil {
		return nil, err
	}
	var all []milder
	for _, c := range changes {
		numbers := strings.HasPrefix(c.What, "param ")
		r := findRule(rules, c.Rule)
		if r == nil || r.check == nil || !numbers && (c.From != SeverityError || c.To != "off") {
			continue
		}
		if i := slices.IndexFunc(all, func(m milder) bool { return m.rule == r }); i >= 0 {
			all[i].numbers = all[i].numbers || numbers
		} else {
			all = append(all, milder{r, document.Rules[r.ID], numbers})
		}
	}
	return all, nil
}

// compare asks those rules again as the document has them. What only the document has
// against the certificate becomes a notice: no policy lets it vanish.
func (e *Engine) compare(res *Result, x *exam, asked func(*Rule) bool) {
	for _, m := range e.milder {
		if asked(m.rule) {
			e.compareRule(res, x, m)
		}
	}
}

func (e *Engine) compareRule(res *Result, x *exam, m milder) {
	severity := severityFor(m.document, res.Role)
	if severity == "off" {
		return
	}
	ask := func(s policy.Setting) (outcome, bool) {
		x.setting = s
		o, crashed := guarded(m.rule.check, x)
		if x.Workspace {
			o.unasked = false
		}
		return o, crashed == ""
	}
	o, ok := ask(m.document)
	if !ok {
		return // the policy's own setting crashes as well, and that is a finding
	}
	var document Result
	document.record(m.rule, &m.document, severity, o, x.requires(m.rule))
	silent := false // it fails by the document, and the policy says nothing
	for _, f := range document.Findings {
		said := func(other Finding) bool { return other.ID == f.ID && other.kase == f.kase }
		switch {
		case f.Status == StatusNotEvaluated && !f.Blocks, f.Severity != SeverityError && !m.numbers, slices.ContainsFunc(res.Findings, said):
			continue
		}
		silent = silent || f.Status == StatusFail
		f.Deviation = &Deviation{Policy: e.policy.Name, Base: policy.Default, From: f.Severity, Reason: "the policy is milder here and gives no reason"}
		f.Severity, f.Blocks = SeverityNotice, false
		res.add(f)
	}
	mine := e.policy.Rules[m.rule.ID]
	if !silent || severityFor(mine, res.Role) == "off" {
		return
	}
	if o, ok := ask(mine); ok && (o.state == passed || o.state == failed) {
		res.Passed-- // under the policy's numbers only
	}
}

// milderMisfits are what a whole policy may not do, as an overlay may not: ask less of a
// rule whose failure is never excused, or of one about files.
func milderMisfits(p *policy.Policy, rules []Rule) []Misfit {
	var all []Misfit
	for _, c := range p.Milder() {
		r := findRule(rules, c.Rule)
		if r == nil {
			continue
		}
		why := ""
		switch {
		case r.NeverWaivable && (!strings.HasPrefix(c.What, "case ") || c.From == SeverityError):
			why = never
		case r.check == nil:
			why = "no policy is milder about files"
		default:
			continue
		}
		all = append(all, Misfit{r.ID, -1, fmt.Sprintf("%s %s: %s %s is milder than %s in %s: %s", r.ID, r.Name, c.What, orNothing(c.To), orNothing(c.From), policy.Default, why)})
	}
	return all
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
