package vet

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// mutant is an engine in which one rule, or its setting, was changed. The vectors must notice.
type mutant struct {
	what   string
	engine *Engine
}

// changed is the default engine with one rule and its setting changed; remove leaves both out.
func changed(t *testing.T, what string, p *policy.Policy, id string, rule func(*Rule), setting func(*policy.Setting), remove bool) mutant {
	t.Helper()
	q := *p
	q.Rules = maps.Clone(p.Rules)
	var rules []Rule
	for _, r := range Rules() {
		if r.ID == id {
			if remove {
				delete(q.Rules, id)
				continue
			}
			s := q.Rules[id]
			s.Params, s.Cases = maps.Clone(s.Params), maps.Clone(s.Cases)
			if rule != nil {
				rule(&r)
			}
			if setting != nil {
				setting(&s)
			}
			q.Rules[id] = s
		}
		rules = append(rules, r)
	}
	e, err := newEngine(&q, rules)
	if err != nil {
		t.Fatalf("%s, %s: %v", id, what, err)
	}
	return mutant{what, e}
}

// paramSteps are how far a number must move before any key, hash or curve that exists
// comes out differently, where that is more than one.
func paramSteps() map[string][2]int {
	return map[string][2]int{
		"EFGS-106 hash-bits": {-32, 1}, // below 256 bits comes SHA-224
		"EFGS-110 bits":      {-11, 7}, // known curves have orders of 239 bits, and of 256
	}
}

// mutants of a rule: the rule taken out, deaf, or saying the same of everything; each of its
// numbers one up and one down; each of its cases of another severity.
func mutants(t *testing.T, p *policy.Policy, r Rule) []mutant {
	t.Helper()
	saying := func(what string, o outcome) mutant {
		return changed(t, what, p, r.ID, func(r *Rule) { r.check = func(*exam) outcome { return o } }, nil, false)
	}
	list := []mutant{
		changed(t, "deleted", p, r.ID, nil, nil, true),
		saying("always passing", pass()), saying("always failing", fail("x")), saying("never applying", skip()), saying("never evaluated", unknown("x")),
	}
	for _, name := range r.Params {
		steps, ok := paramSteps()[r.ID+" "+name]
		if !ok {
			steps = [2]int{-1, 1}
		}
		for _, step := range steps {
			sign := "+"
			if step < 0 {
				sign = "-"
			}
			list = append(list, changed(t, name+sign, p, r.ID, nil, func(s *policy.Setting) { s.Params[name] += step }, false))
		}
	}
	for _, name := range r.Cases {
		for _, word := range []string{SeverityError, SeverityWarning, SeverityNotice, "off"} {
			if word != p.Rules[r.ID].Cases[name] {
				list = append(list, changed(t, "case "+name+" "+word, p, r.ID, nil, func(s *policy.Setting) { s.Cases[name] = word }, false))
			}
		}
	}
	return list
}

// Whoever deletes a rule, or moves one of its bounds, is told so by at least one vector.
func TestMutantsAreNoticed(t *testing.T) {
	p, all := loadDefault(t), allVectors()
	for _, r := range Rules() {
		if r.check == nil {
			continue
		}
		t.Run(r.ID, func(t *testing.T) {
			trials := all[r.ID].trials(t)
			for _, m := range mutants(t, p, r) {
				noticed := slices.ContainsFunc(trials, func(tr trial) bool { return tr.complaint(m.engine, r.ID) != "" })
				if !noticed {
					t.Errorf("%s %s, %s: no vector notices", r.ID, r.Name, m.what)
				}
			}
		})
	}
}

// The same for the rules about files: without the rule its file has no such finding.
func TestDeletedFileRulesAreNoticed(t *testing.T) {
	p := loadDefault(t)
	for id, files := range fileVectors() {
		has := func(e *Engine) bool {
			for _, data := range files {
				for _, res := range e.Input(cert.Open("f", data, cert.Options{}), inputRequest()) {
					if slices.Contains(broken(res.Findings), id) {
						return true
					}
				}
			}
			return false
		}
		if !has(defaultEngine(t)) {
			t.Errorf("%s: no file vector fails it", id)
		}
		if has(changed(t, "deleted", p, id, nil, nil, true).engine) {
			t.Errorf("%s fails though it was deleted", id)
		}
	}
}

// Ids and names are permanent: reports, policies, waivers and journals name them. testdata/rules.txt
// holds every one that ever was; a new rule adds its line, and no line is ever changed or taken out.
func TestRuleIDsArePermanent(t *testing.T) {
	const file = "testdata/rules.txt"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n")
	var have []string
	for _, r := range Rules() {
		line := r.ID + " " + r.Name
		if r.NeverWaivable {
			line += " never-waivable"
		}
		have = append(have, line)
		if !slices.Contains(lines, line) {
			t.Errorf("%s lacks the line %q", file, line)
		}
	}
	for _, line := range lines {
		if !slices.Contains(have, line) {
			t.Errorf("%s has %q: no rule is so now", file, line)
		}
	}
	if !slices.IsSorted(lines) {
		t.Errorf("%s is not in order", file)
	}
}
