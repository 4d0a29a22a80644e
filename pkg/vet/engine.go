package vet

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// ErrPolicy marks a policy that does not fit the rules of this version.
var ErrPolicy = errors.New("policy does not fit the rules")

// Engine vets under one policy. It is safe for concurrent use.
type Engine struct {
	policy   *policy.Policy
	rules    []Rule
	settings []resolved // of the rules, in their order
	deviated []deviated // what the policy changes of its base; empty where it has none
	milder   []milder   // where a policy without base asks less than the document
}

// resolved is what the policy says of a rule, looked up once for all certificates.
type resolved struct {
	setting  policy.Setting
	severity [roleCount]string // in the order of Roles
}

// New checks that the policy names only known rules and gives each a setting,
// each of its numbers and each of its cases. Errors wrap ErrPolicy.
func New(p *policy.Policy) (*Engine, error) { return newEngine(p, Rules()) }

func newEngine(p *policy.Policy, rules []Rule) (*Engine, error) {
	settings := make([]resolved, len(rules))
	for i := range rules {
		r := &rules[i]
		s, ok := p.Rules[r.ID]
		if !ok {
			return nil, fmt.Errorf("%w: %s says nothing of %s %s", ErrPolicy, p.Name, r.ID, r.Name)
		}
		settings[i].setting = s
		for j, role := range Roles() {
			settings[i].severity[j] = s.Severity[string(role)]
		}
		if err := settings[i].fits(r); err != nil {
			return nil, fmt.Errorf("%w: %s: %s %s: %w", ErrPolicy, p.Name, r.ID, r.Name, err)
		}
	}
	// Each rule has its own setting, so any more are of rules that do not exist.
	if len(p.Rules) > len(rules) {
		return nil, fmt.Errorf("%w: %s names the unknown rule %s", ErrPolicy, p.Name, unknownRule(p, rules))
	}
	if all := exceptionMisfits(p, rules); len(all) > 0 {
		return nil, fmt.Errorf("%w: %s: %s", ErrPolicy, p.Name, all[0].Msg)
	}
	milder, err := mildened(p, rules)
	if err != nil {
		return nil, err
	}
	return &Engine{policy: p, rules: rules, settings: settings, deviated: deviatedRules(p, rules), milder: milder}, nil
}

// unknownRule is the first id that the policy has and no rule.
func unknownRule(p *policy.Policy, rules []Rule) string {
	ids := slices.Sorted(maps.Keys(p.Rules))
	return ids[slices.IndexFunc(ids, func(id string) bool {
		return !slices.ContainsFunc(rules, func(r Rule) bool { return r.ID == id })
	})]
}

func (g *resolved) fits(r *Rule) error {
	s := &g.setting
	for i, role := range Roles() {
		word := g.severity[i]
		if word == "" {
			return fmt.Errorf("no severity for %s", role)
		}
		if word != "off" && !slices.Contains(r.Roles, role) {
			return fmt.Errorf("is not a rule about %s", role)
		}
	}
	if len(s.Params) != len(r.Params) || len(s.Cases) != len(r.Cases) {
		return fmt.Errorf("needs params %q and cases %q and no others", r.Params, r.Cases)
	}
	for _, name := range r.Params {
		if _, ok := s.Params[name]; !ok {
			return fmt.Errorf("parameter %s is missing", name)
		}
	}
	for _, name := range r.Cases {
		if _, ok := s.Cases[name]; !ok {
			return fmt.Errorf("case %s is missing", name)
		}
	}
	return nil
}

// Policy returns the policy that the engine judges by.
func (e *Engine) Policy() *policy.Policy { return e.policy }

// Vet runs every rule of the role. With role "" only the rules that every role
// has are run, and the verdict is never accepted. It never panics: a rule that
// fails internally is a finding that blocks.
func (e *Engine) Vet(req Request) *Result {
	res := &Result{Certificate: req.Certificate, Role: req.Role}
	if req.Certificate == nil {
		e.file(res, []cert.Problem{{Kind: cert.ProblemUnreadable, Index: -1, Msg: "no certificate could be read"}})
	} else {
		if cs := req.Certificate.Countries(); len(cs) == 1 {
			res.Country = cs[0]
		}
		x := &exam{Request: &req, c: req.Certificate, memo: &memo{}, policy: e.policy}
		for i := range e.rules {
			if e.rules[i].check != nil {
				e.apply(res, x, i)
			}
		}
		e.deviate(res, x, func(*Rule) bool { return true })
	}
	req.Waivers.apply(res, req.At)
	res.decide()
	return res
}

// apply runs the rule at i and adds what it found to res.
func (e *Engine) apply(res *Result, x *exam, i int) {
	r, g := &e.rules[i], &e.settings[i]
	severity := g.severityFor(x.Role)
	if severity == "off" {
		return
	}
	x.setting = g.setting
	o, crashed := guarded(r.check, x)
	if x.Workspace {
		o.unasked = o.optional && g.setting.Missing != "block"
	}
	if r.ID == ruleChain {
		res.publicChain = o.state == passed
	}
	res.record(r, &g.setting, severity, o, x.requires(r))
	if crashed != "" {
		res.add(Finding{
			ID: r.ID, Name: r.Name, Clause: r.Clause, Path: r.Path,
			Severity: SeverityError, Status: StatusNotEvaluated, Blocks: true, internal: true,
			Message: "rule failed internally: " + crashed,
			Fix:     "this is a bug of efgsta: report it with this certificate",
		})
	}
}

// record turns an outcome into findings and counts.
func (res *Result) record(r *Rule, s *policy.Setting, severity string, o outcome, required bool) {
	before := len(res.Findings)
	for _, p := range bounded(o.problems) {
		f := Finding{
			ID: r.ID, Name: r.Name, Clause: r.Clause, Path: r.Path, Fix: r.Fix,
			Severity: severity, Status: StatusFail, Message: p.msg, kase: p.kase,
		}
		if p.path != "" {
			f.Path = p.path
		}
		if p.kase != "" {
			f.Severity = s.Cases[p.kase]
			if f.Severity == "off" {
				continue
			}
		}
		if o.state == notEvaluated {
			f.Status, f.Fetch = StatusNotEvaluated, o.fetch
			f.Blocks = required || !o.unasked && (s.Missing == "block" || s.Missing == "" && severity == SeverityError)
		}
		res.add(f)
	}
	switch {
	case o.state == passed, o.state == failed && len(res.Findings) == before:
		res.Evaluated++
		res.Passed++
	case o.state == failed:
		res.Evaluated++
	}
}

// add makes room for the findings of a usual certificate at once.
func (res *Result) add(f Finding) {
	const usual = 12
	if res.Findings == nil {
		res.Findings = make([]Finding, 0, usual)
	}
	res.Findings = append(res.Findings, f)
}

// guarded runs a check; crashed is what it panicked with.
func guarded(check func(*exam) outcome, x *exam) (o outcome, crashed string) {
	defer func() {
		if r := recover(); r != nil {
			o, crashed = outcome{}, fmt.Sprint(r)
		}
	}()
	return check(x), ""
}

// severityFor is the severity for a role; without a role the mildest, and "off" unless every role has the rule.
func severityFor(s policy.Setting, role Role) string {
	if role != "" {
		if word, ok := s.Severity[string(role)]; ok {
			return word
		}
		return "off"
	}
	order := []string{"off", SeverityNotice, SeverityWarning, SeverityError}
	mildest := len(order) - 1
	for _, r := range Roles() {
		mildest = min(mildest, max(0, slices.Index(order, s.Severity[string(r)])))
	}
	return order[mildest]
}

// severityFor is the same without a look-up, for the roles that there are.
func (g *resolved) severityFor(role Role) string {
	if i := slices.Index(Roles(), role); i >= 0 {
		return g.severity[i]
	}
	return severityFor(g.setting, role)
}

// requires reports whether the caller insists on evidence for r.
func (req *Request) requires(r *Rule) bool {
	return slices.ContainsFunc(req.Require, func(name string) bool {
		return name == "all" || name == r.ID || name == r.Name
	})
}

// decide sorts the findings and draws the verdict from them.
func (res *Result) decide() {
	slices.SortStableFunc(res.Findings, func(a, b Finding) int { return strings.Compare(a.ID, b.ID) })
	res.Verdict = VerdictAccepted
	if !res.Waivers && !slices.Contains(Roles(), res.Role) {
		res.Verdict = VerdictUndecided
	}
	for _, f := range res.Findings {
		if f.refuses() {
			res.Verdict = VerdictRefused
			return
		}
		if f.Blocks {
			res.Verdict = VerdictUndecided
		}
	}
}
