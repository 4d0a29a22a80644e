package vet

import (
	"fmt"
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
		weakKeyVectors(), nameVectors(), encodingVectors(), neighbourVectors(), outsideVectors(), zlintVectors(),
	} {
		for id, v := range family {
			m[id] = v
		}
	}
	for id, v := range lonelyVectors() {
		vs := m[id]
		vs.bad = append(vs.bad, v)
		m[id] = vs
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
	req := Request{Certificate: s.certificate(t), Role: role, Country: "DE", At: t0.AddDate(0, 6, 0), Others: knowing(Known{Certificate: bareKey(strangerKey())}),
		OtherEnvironments: NewIndex(), Blocklists: []*Blocklist{strangersBlocked()}}
	if role == EFGSTA || role == EFGSTLS {
		req.Country = ""
	}
	if v.ask != nil {
		v.ask(&req)
	}
	return req
}

// trial is a vector, asked for, and what is to become of it.
type trial struct {
	vector
	want state
	req  Request
}

func (vs vectors) trials(t *testing.T) []trial {
	t.Helper()
	var ts []trial
	for _, group := range []struct {
		want state
		list []vector
	}{{passed, vs.good}, {failed, vs.bad}, {notEvaluated, vs.open}, {notApplicable, vs.skipped}} {
		for _, v := range group.list {
			ts = append(ts, trial{v, group.want, v.request(t)})
		}
	}
	return ts
}

// complaint runs the whole engine on a trial and tells what a rule did otherwise than it should, or "".
func (tr trial) complaint(e *Engine, id string) string {
	var fs []Finding
	for _, f := range e.Vet(tr.req).Findings {
		if f.ID == id {
			fs = append(fs, f)
		}
	}
	if tr.want == failed || tr.want == notEvaluated {
		return tr.unfound(e, id, fs)
	}
	evaluated := false
	for _, r := range e.rules {
		if r.ID == id {
			o, crashed := guarded(r.check, &exam{Request: &tr.req, c: tr.req.Certificate, setting: e.policy.Rules[id], policy: e.policy})
			if crashed != "" {
				return fmt.Sprintf("%q: rule panicked: %s", tr.what, crashed)
			}
			evaluated = o.state == passed
		}
	}
	if len(fs) > 0 || evaluated != (tr.want == passed) {
		return fmt.Sprintf("%q: passed %v, want %v; findings %+v", tr.what, evaluated, tr.want == passed, fs)
	}
	return ""
}

// unfound tells what is missing in the findings of a vector that must have some, or "".
func (tr trial) unfound(e *Engine, id string, fs []Finding) string {
	if len(fs) == 0 {
		return fmt.Sprintf("bad %q: no finding", tr.what)
	}
	status, severity := StatusFail, tr.severity
	if tr.want == notEvaluated {
		status = StatusNotEvaluated
	}
	if severity == "" {
		severity = e.policy.Rules[id].Severity[string(tr.req.Role)]
	}
	said := false
	for _, f := range fs {
		if f.Status != status || f.Severity != severity {
			return fmt.Sprintf("bad %q: %s %s, want %s %s (%s)", tr.what, f.Severity, f.Status, severity, status, f.Message)
		}
		if f.Clause == "" || f.Name == "" || f.Fix == "" {
			return fmt.Sprintf("bad %q: clause, name or fix missing in %+v", tr.what, f)
		}
		said = said || strings.Contains(f.Message, tr.says)
	}
	if !said {
		return fmt.Sprintf("bad %q: no message has %q: %+v", tr.what, tr.says, fs)
	}
	return ""
}

func TestRules(t *testing.T) {
	e := defaultEngine(t)
	for id, vs := range allVectors() {
		t.Run(id, func(t *testing.T) {
			for _, tr := range vs.trials(t) {
				if c := tr.complaint(e, id); c != "" {
					t.Error(c)
				}
			}
		})
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
		case r.ID == ruleWaiverUnusable, r.ID == ruleWaiverUnmatched: // TestWaiversThemselves
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
			if f.ID != "EFGS-601" && f.ID != "EFGS-602" && f.ID != ruleZlintCABF && f.ID != ruleZlintRFC {
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

// knowing is an Index of these.
func knowing(known ...Known) *Index {
	ix := NewIndex()
	for _, k := range known {
		ix.Add(k)
	}
	return ix
}
