package vet

import (
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// vector is one certificate in front of one rule.
type vector struct {
	what     string
	role     Role // NBBS if empty
	edit     func(*spec)
	ask      func(*Request)
	says     string // a part of the message
	severity string // of a failure; the policy's for the role if empty
}

// vectors of a rule: what passes, what fails, what cannot be evaluated, and what it does not apply to.
type vectors struct {
	good, bad, open, skipped []vector
}

func allVectors() map[string]vectors {
	m := map[string]vectors{}
	for _, family := range []map[string]vectors{
		algorithmVectors(), curveVectors(), validityVectors(), subjectVectors(), templateVectors(),
		usageVectors(), tlsVectors(), keyVectors(), gatewayVectors(), structureVectors(),
		weakKeyVectors(), nameVectors(), encodingVectors(),
	} {
		for id, v := range family {
			m[id] = v
		}
	}
	return m
}

func loadDefault(t testing.TB) *policy.Policy {
	t.Helper()
	p, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func defaultEngine(t testing.TB) *Engine {
	t.Helper()
	e, err := New(loadDefault(t))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// request asks for the certificate as a member state would: everything known, nothing to compare with but a stranger.
func (v vector) request(t *testing.T) Request {
	t.Helper()
	role := v.role
	if role == "" {
		role = NBBS
	}
	s := goodSpec(role)
	if v.edit != nil {
		v.edit(s)
	}
	req := Request{Certificate: s.certificate(t), Role: role, Country: "DE", At: t0.AddDate(0, 6, 0), Others: []Known{}}
	if role == EFGSTA || role == EFGSTLS {
		req.Country = ""
	}
	if v.ask != nil {
		v.ask(&req)
	}
	return req
}

// findings runs the whole engine and returns what it says of one rule.
func (v vector) findings(t *testing.T, e *Engine, id string) (fs []Finding, evaluated bool) {
	t.Helper()
	req := v.request(t)
	for _, f := range e.Vet(req).Findings {
		if f.ID == id {
			fs = append(fs, f)
		}
	}
	r, ok := Find(id)
	if !ok {
		t.Fatalf("no rule %s", id)
	}
	o, crashed := guarded(r.check, &exam{Request: &req, c: req.Certificate, setting: e.policy.Rules[id]})
	if crashed != "" {
		t.Errorf("%s: %s: rule panicked: %s", id, v.what, crashed)
	}
	return fs, o.state == passed
}

func TestRules(t *testing.T) {
	e := defaultEngine(t)
	for id, vs := range allVectors() {
		t.Run(id, func(t *testing.T) {
			for _, v := range vs.good {
				fs, evaluated := v.findings(t, e, id)
				if len(fs) > 0 || !evaluated {
					t.Errorf("good %q: evaluated %v, findings %+v", v.what, evaluated, fs)
				}
			}
			for _, v := range vs.skipped {
				fs, evaluated := v.findings(t, e, id)
				if len(fs) > 0 || evaluated {
					t.Errorf("skipped %q: evaluated %v, findings %+v", v.what, evaluated, fs)
				}
			}
			for _, v := range vs.bad {
				v.expect(t, e, id, StatusFail)
			}
			for _, v := range vs.open {
				v.expect(t, e, id, StatusNotEvaluated)
			}
		})
	}
}

func (v vector) expect(t *testing.T, e *Engine, id, status string) {
	t.Helper()
	fs, _ := v.findings(t, e, id)
	if len(fs) == 0 {
		t.Errorf("bad %q: no finding, %s expected", v.what, status)
		return
	}
	severity := v.severity
	if severity == "" {
		role := v.role
		if role == "" {
			role = NBBS
		}
		severity = e.policy.Rules[id].Severity[string(role)]
	}
	said := false
	for _, f := range fs {
		if f.Status != status || f.Severity != severity {
			t.Errorf("bad %q: %s %s, want %s %s (%s)", v.what, f.Severity, f.Status, severity, status, f.Message)
		}
		if f.Clause == "" || f.Name == "" || f.Fix == "" {
			t.Errorf("bad %q: clause, name or fix missing in %+v", v.what, f)
		}
		said = said || strings.Contains(f.Message, v.says)
	}
	if !said {
		t.Errorf("bad %q: no message has %q: %+v", v.what, v.says, fs)
	}
}

// Every rule has a vector that passes and one that fails. The rules about files
// have theirs in TestFileRules.
func TestEveryRuleHasVectors(t *testing.T) {
	m := allVectors()
	files := fileVectors()
	for _, r := range Rules() {
		v, ok := m[r.ID]
		switch {
		case r.check == nil:
			if len(files[r.ID]) == 0 {
				t.Errorf("%s %s has no file vector", r.ID, r.Name)
			}
		case !ok || len(v.good) == 0 || len(v.bad) == 0:
			t.Errorf("%s %s has %d good and %d bad vectors", r.ID, r.Name, len(v.good), len(v.bad))
		}
		delete(m, r.ID)
	}
	for id := range m {
		t.Errorf("vectors for %s, which is no rule", id)
	}
}

// The templates themselves are accepted without any finding.
func TestTemplatesAccepted(t *testing.T) {
	e := defaultEngine(t)
	for _, role := range Roles() {
		res := e.Vet(vector{role: role}.request(t))
		if res.Verdict != VerdictAccepted {
			t.Errorf("%s: %s: %+v", role, res.Verdict, res.Findings)
		}
		for _, f := range res.Findings {
			if f.ID != "EFGS-601" && f.ID != "EFGS-602" {
				t.Errorf("%s: %+v", role, f)
			}
		}
	}
}

func at(tm time.Time) func(*Request) { return func(r *Request) { r.At = tm } }

func subject(rdns ...string) func(*spec) {
	return func(s *spec) {
		self := string(s.issuer) == string(s.subject)
		s.subject = name(rdns...)
		if self {
			s.issuer = s.subject
		}
	}
}

func usage(ku cert.KeyUsage) func(*spec) {
	return func(s *spec) { s.extension(oidKeyUsage, keyUsage(ku)) }
}

func without(oid string) func(*spec) { return func(s *spec) { s.extension(oid, nil) } }

func with(oid string, ext []byte) func(*spec) { return func(s *spec) { s.extension(oid, ext) } }

func signedBy(alg []byte) func(*spec) {
	return func(s *spec) { s.inner, s.outer = alg, alg }
}

func both(edits ...func(*spec)) func(*spec) {
	return func(s *spec) {
		for _, e := range edits {
			e(s)
		}
	}
}

func issued(s *spec) { s.fromCA() }
