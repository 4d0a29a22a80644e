package vet

import (
	"slices"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
)

// broken lists the rules that fail, whatever their severity, each once and in order.
func broken(fs []Finding) []string {
	var ids []string
	for _, f := range fs {
		if f.Status == StatusFail {
			ids = append(ids, f.ID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// unimplied are the rules that fail beside r and are not among those that r implies.
func unimplied(r Rule, ids []string) []string {
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return id == r.ID || slices.Contains(r.Implies, id) })
}

// For every rule there is a certificate (or a file) that fails it and nothing else but
// what it declares to imply: a finding is about its own cause. The templates, from
// which the vectors are made, fail nothing: TestTemplatesAccepted.
func TestRulesFailAlone(t *testing.T) {
	e := defaultEngine(t)
	all, files := allVectors(), fileVectors()
	for _, r := range e.rules {
		var tried [][]string
		for _, v := range all[r.ID].bad {
			tried = append(tried, broken(e.Vet(v.request(t)).Findings))
		}
		for _, data := range files[r.ID] {
			var ids []string
			for _, res := range e.Input(cert.Open("f", data, cert.Options{}), inputRequest()) {
				ids = append(ids, broken(res.Findings)...)
			}
			tried = append(tried, ids)
		}
		alone := slices.ContainsFunc(tried, func(ids []string) bool {
			return slices.Contains(ids, r.ID) && len(unimplied(r, ids)) == 0
		})
		if !alone && len(tried) > 0 {
			best := slices.MinFunc(tried, func(a, b []string) int { return len(unimplied(r, a)) - len(unimplied(r, b)) })
			t.Errorf("%s %s never fails alone: at best beside %v, and it implies %v", r.ID, r.Name, unimplied(r, best), r.Implies)
		}
		// What is declared is also seen.
		for _, id := range r.Implies {
			if !slices.ContainsFunc(tried, func(ids []string) bool { return slices.Contains(ids, id) }) {
				t.Errorf("%s %s implies %s, but in no vector do both fail", r.ID, r.Name, id)
			}
			if _, ok := Find(id); !ok || id == r.ID {
				t.Errorf("%s %s implies %s, which is no other rule", r.ID, r.Name, id)
			}
		}
		if !slices.IsSorted(r.Implies) {
			t.Errorf("%s %s: %v is not in order", r.ID, r.Name, r.Implies)
		}
	}
}
