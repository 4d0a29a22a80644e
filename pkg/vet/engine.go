package vet

import (
	"errors"
	"fmt"
	"slices"
	"sort"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// ErrPolicy marks a policy that does not fit the rules of this version.
var ErrPolicy = errors.New("policy does not fit the rules")

// Engine vets under one policy. It is safe for concurrent use.
type Engine struct {
	policy *policy.Policy
	rules  []Rule
}

// New checks that the policy names only known rules and gives each a setting,
// each of its numbers and each of its cases. Errors wrap ErrPolicy.
func New(p *policy.Policy) (*Engine, error) { return newEngine(p, Rules()) }

func newEngine(p *policy.Policy, rules []Rule) (*Engine, error) {
	known := map[string]bool{}
	for _, r := range rules {
		known[r.ID] = true
		s, ok := p.Rules[r.ID]
		if !ok {
			return nil, fmt.Errorf("%w: %s says nothing of %s %s", ErrPolicy, p.Name, r.ID, r.Name)
		}
		if err := fits(r, s); err != nil {
			return nil, fmt.Errorf("%w: %s: %s %s: %w", ErrPolicy, p.Name, r.ID, r.Name, err)
		}
	}
	var unknown []string
	for id := range p.Rules {
		if !known[id] {
			unknown = append(unknown, id)
		}
	}
	if len(unknown) > 0 {
		sort.Strings(unknown)
		return nil, fmt.Errorf("%w: %s names the unknown rule %s", ErrPolicy, p.Name, unknown[0])
	}
	return &Engine{policy: p, rules: rules}, nil
}

func fits(r Rule, s policy.Setting) error {
	for _, role := range Roles() {
		word := s.Severity[string(role)]
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
		kept := &memo{}
		for _, r := range e.rules {
			if r.check != nil {
				e.apply(res, &req, kept, r)
			}
		}
	}
	res.decide()
	return res
}

// apply runs one rule and adds what it found to res.
func (e *Engine) apply(res *Result, req *Request, kept *memo, r Rule) {
	s := e.policy.Rules[r.ID]
	severity := severityFor(s, req.Role)
	if severity == "off" {
		return
	}
	o, crashed := guarded(r.check, &exam{Request: req, c: req.Certificate, setting: s, memo: kept})
	res.record(r, s, severity, o, req.requires(r))
	if crashed != "" {
		res.Findings = append(res.Findings, Finding{
			ID: r.ID, Name: r.Name, Clause: r.Clause, Path: r.Path,
			Severity: SeverityError, Status: StatusNotEvaluated, Blocks: true,
			Message: "rule failed internally: " + crashed,
			Fix:     "this is a bug of efgsta: report it with this certificate",
		})
	}
}

// record turns an outcome into findings and counts.
func (res *Result) record(r Rule, s policy.Setting, severity string, o outcome, required bool) {
	before := len(res.Findings)
	for _, p := range o.problems {
		f := Finding{
			ID: r.ID, Name: r.Name, Clause: r.Clause, Path: r.Path, Fix: r.Fix,
			Severity: severity, Status: StatusFail, Message: p.msg,
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
			f.Status = StatusNotEvaluated
			f.Blocks = required || !o.unasked && (s.Missing == "block" || s.Missing == "" && severity == SeverityError)
		}
		res.Findings = append(res.Findings, f)
	}
	switch {
	case o.state == passed, o.state == failed && len(res.Findings) == before:
		res.Evaluated++
		res.Passed++
	case o.state == failed:
		res.Evaluated++
	}
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

// requires reports whether the caller insists on evidence for r.
func (req *Request) requires(r Rule) bool {
	return slices.ContainsFunc(req.Require, func(name string) bool {
		return name == "all" || name == r.ID || name == r.Name
	})
}

// decide sorts the findings and draws the verdict from them.
func (res *Result) decide() {
	sort.SliceStable(res.Findings, func(i, j int) bool { return res.Findings[i].ID < res.Findings[j].ID })
	res.Verdict = VerdictAccepted
	if !slices.Contains(Roles(), res.Role) {
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
