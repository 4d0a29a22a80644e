package vet

import (
	"crypto/x509"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

func engineOf(t *testing.T, name string) *Engine {
	t.Helper()
	p, err := policy.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(p)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// overlay is an engine under efgs-2020 with these deviations.
func overlay(t *testing.T, deviations string) (*Engine, error) {
	t.Helper()
	p, err := policy.Parse([]byte("schema: efgsta.policy/v1\nname: mine\ntitle: Mine\nbase: efgs-2020\ndeviations:\n" + deviations))
	if err != nil {
		t.Fatal(err)
	}
	return New(p)
}

// finding of a rule; the zero value if there is none.
func finding(res *Result, id string) Finding {
	for _, f := range res.Findings {
		if f.ID == id {
			return f
		}
	}
	return Finding{}
}

// today is a certificate as public CAs issue it since 2026: 90 days, for servers only, no OU, no e-mail.
func today(a *authority, edit func(*x509.Certificate)) *x509.Certificate {
	return a.issue(func(c *x509.Certificate) {
		c.NotBefore = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		c.NotAfter = c.NotBefore.AddDate(0, 0, 90).Add(-time.Second)
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		policies, err := x509.OIDFromInts([]uint64{2, 23, 140, 1, 2, 2})
		if err != nil {
			panic(err)
		}
		c.Policies = []x509.OID{policies}
		if edit != nil {
			edit(c)
		}
	})
}

func TestDeviations(t *testing.T) {
	ca := newAuthority(t, "Public CA", nil, nil)
	other := newAuthority(t, "Other CA", nil, nil)
	mid := func(c *x509.Certificate) time.Time { return c.NotBefore.AddDate(0, 0, 5) }
	trusted, strange := &Evidence{Roots: rootsOf(t, ca.cert)}, &Evidence{Roots: rootsOf(t, other.cert)}
	named := time.Date(2020, 9, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		policy   string
		edit     func(*x509.Certificate)
		evidence *Evidence
		verdict  Verdict
		want     string // "EFGS-201 warning error" and so on: rule, severity, from; "" after the rule: no finding
	}{
		"accepted with warnings":      {"efgs-2026", nil, trusted, VerdictAccepted, "EFGS-201 warning error, EFGS-405 warning error, EFGS-308, EFGS-309"},
		"refused by the document":     {"efgs-2020", nil, trusted, VerdictRefused, "EFGS-201 error -, EFGS-405 error -, EFGS-308 notice -"},
		"no roots":                    {"efgs-2026", nil, nil, VerdictRefused, "EFGS-201 error -, EFGS-405 error -, EFGS-309 notice -"},
		"another root":                {"efgs-2026", nil, strange, VerdictRefused, "EFGS-201 error -, EFGS-405 error -"},
		"before the rules of 2026":    {"efgs-2026", func(c *x509.Certificate) { c.NotBefore, c.NotAfter = named, named.AddDate(0, 0, 90) }, trusted, VerdictRefused, "EFGS-201 error -, EFGS-405 error -, EFGS-308 notice -"},
		"thirty days are too few":     {"efgs-2026", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 30) }, trusted, VerdictRefused, "EFGS-201 error -, EFGS-405 warning error"},
		"thirty-one days are enough":  {"efgs-2026", func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 31) }, trusted, VerdictAccepted, "EFGS-201 warning error"},
		"no common name":              {"efgs-2026", func(c *x509.Certificate) { c.Subject.CommonName = "" }, trusted, VerdictAccepted, "EFGS-306 warning error"},
		"no country is never excused": {"efgs-2026", func(c *x509.Certificate) { c.Subject.Country = nil }, trusted, VerdictRefused, "EFGS-301 error -"},
	} {
		t.Run(name, func(t *testing.T) {
			c := today(ca, tc.edit)
			res := engineOf(t, tc.policy).Vet(Request{Certificate: model(t, c), Role: NBTLS, Country: "DE", At: mid(c), Evidence: tc.evidence, Others: NewIndex()})
			if res.Verdict != tc.verdict {
				t.Errorf("verdict %s: %+v", res.Verdict, res.Findings)
			}
			for _, w := range strings.Split(tc.want, ", ") {
				id, want, _ := strings.Cut(w, " ")
				f, got := finding(res, id), ""
				switch {
				case f.ID == "":
				case f.Deviation == nil:
					got = f.Severity + " -"
				default:
					got = f.Severity + " " + f.Deviation.From
					if f.Deviation.Policy != "efgs-2026" || f.Deviation.Base != "efgs-2020" || f.Deviation.Reason == "" || f.Deviation.Date == "" {
						t.Errorf("%s: %+v", id, f.Deviation)
					}
				}
				if got != want {
					t.Errorf("%s is %q, want %q", id, got, want)
				}
			}
		})
	}
}

// A certificate that signs batches has no public chain, whatever roots are given.
func TestDeviationsLeaveOthersAlone(t *testing.T) {
	s := goodSpec(NBBS)
	s.to = s.from.AddDate(0, 0, 90)
	c := s.certificate(t)
	one := engineOf(t, "efgs-2020").Vet(Request{Certificate: c, Role: NBBS, At: s.from})
	two := engineOf(t, "efgs-2026").Vet(Request{Certificate: c, Role: NBBS, At: s.from})
	if one.Verdict != two.Verdict || len(one.Findings) != len(two.Findings) || one.Passed != two.Passed || finding(two, "EFGS-201").Severity != SeverityError {
		t.Errorf("%+v\n%+v", one, two)
	}
}

func TestOwnDeviations(t *testing.T) {
	const because = ", reason: because, date: 2026-11-22}\n"
	short := func(s *spec) { s.to = s.from.AddDate(0, 0, 90) }
	for name, tc := range map[string]struct {
		deviations string
		edit       func(*spec)
		id         string
		severity   string // "": no finding
		from       string
		passed     int // difference to the base
	}{
		"off is not silent":            {"- {rule: EFGS-201, roles: [nbbs], severity: \"off\"", short, "EFGS-201", "notice", "error", 0},
		"off of a notice":              {"- {rule: EFGS-309, roles: [nbbs], severity: \"off\"", func(s *spec) { s.subject = name("C=DE", "O=P", "CN=B"); s.issuer = s.subject }, "EFGS-309", "", "", 0},
		"stricter":                     {"- {rule: EFGS-309, roles: [nbbs], severity: error", func(s *spec) { s.subject = name("C=DE", "O=P", "CN=B"); s.issuer = s.subject }, "EFGS-309", "error", "notice", 0},
		"stricter numbers":             {"- {rule: EFGS-201, roles: [nbbs], params: {days: 401}", nil, "EFGS-201", "error", FromPassed, -1},
		"stricter numbers that pass":   {"- {rule: EFGS-201, roles: [nbbs], params: {days: 399}", nil, "EFGS-201", "", "", 0},
		"milder numbers":               {"- {rule: EFGS-201, roles: [nbbs], params: {days: 60}", short, "EFGS-201", "notice", "error", 0},
		"milder numbers not met":       {"- {rule: EFGS-201, roles: [nbbs], params: {days: 100}, severity: warning", short, "EFGS-201", "error", "", 0},
		"numbers that nobody can read": {"- {rule: EFGS-201, roles: [nbbs], params: {days: 60}", func(s *spec) { s.validity = tlv(5) }, "EFGS-201", "error", "", 0},
		"another role":                 {"- {rule: EFGS-201, roles: [nbtls], severity: warning", short, "EFGS-201", "error", "", 0},
		"a case":                       {"- {rule: EFGS-409, roles: [nbtls], case: no-server-auth, severity: notice", nil, "EFGS-409", "", "", 0},
		"from a day on":                {"- {rule: EFGS-201, roles: [nbbs], not-before: 2020-09-01, severity: warning", short, "EFGS-201", "warning", "error", 0},
		"before that day":              {"- {rule: EFGS-201, roles: [nbbs], not-before: 2020-09-02, severity: warning", short, "EFGS-201", "error", "", 0},
		"missing evidence, milder":     {"- {rule: EFGS-507, roles: [nbbs], severity: notice", nil, "EFGS-507", "notice", "error", 0},
		"the public chain of nothing":  {"- {rule: EFGS-201, roles: [nbtls], when: public-chain, severity: warning", short, "EFGS-201", "error", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := overlay(t, tc.deviations+because)
			if err != nil {
				t.Fatal(err)
			}
			s := goodSpec(NBBS)
			if tc.edit != nil {
				tc.edit(s)
			}
			req := Request{Certificate: s.certificate(t), Role: NBBS, Country: "DE", At: s.from}
			base, res := defaultEngine(t).Vet(req), e.Vet(req)
			f, from := finding(res, tc.id), ""
			if f.Deviation != nil {
				from = f.Deviation.From
			}
			if f.Severity != tc.severity || from != tc.from {
				t.Errorf("%+v, want %s from %q", f, tc.severity, tc.from)
			}
			if res.Passed-base.Passed != tc.passed || res.Passed > res.Evaluated {
				t.Errorf("passed %d of %d, under the base %d", res.Passed, res.Evaluated, base.Passed)
			}
		})
	}
}

// The case of a rule keeps apart from the rule itself.
func TestDeviationOfCase(t *testing.T) {
	e, err := overlay(t, "- {rule: EFGS-409, roles: [nbtls], case: no-server-auth, severity: notice, reason: because, date: 2026-11-22}\n")
	if err != nil {
		t.Fatal(err)
	}
	for usage, want := range map[string]string{cert.EKUClientAuth: "notice", cert.EKUServerAuth: "error"} {
		s := goodSpec(NBTLS)
		s.extension(oidSAN, nil)
		s.extension(oidEKU, eku(usage))
		f := finding(e.Vet(Request{Certificate: s.certificate(t), Role: NBTLS, At: s.from}), "EFGS-409")
		if f.Severity != want || (f.Deviation != nil) != (want == "notice") {
			t.Errorf("%s: %+v", usage, f)
		}
	}
}

// With evidence missing a rule blocks as its new severity says.
func TestDeviationBlocks(t *testing.T) {
	e, err := overlay(t, "- {rule: EFGS-405, roles: [nbtls], severity: warning, reason: because, date: 2026-11-22}\n")
	if err != nil {
		t.Fatal(err)
	}
	s := goodSpec(NBTLS)
	s.extension(oidEKU, extension(oidEKU, false, []byte{5, 0}))
	req := Request{Certificate: s.certificate(t), Role: NBTLS, At: s.from}
	base, mine := finding(defaultEngine(t).Vet(req), "EFGS-405"), finding(e.Vet(req), "EFGS-405")
	if base.Status != StatusNotEvaluated || !base.Blocks || mine.Status != StatusNotEvaluated || mine.Blocks || mine.Deviation == nil {
		t.Errorf("%+v\n%+v", base, mine)
	}
	req.Require = []string{"EFGS-405"}
	if f := finding(e.Vet(req), "EFGS-405"); !f.Blocks {
		t.Errorf("required: %+v", f)
	}
}

// What no reason excuses is refused when the engine is made.
func TestMisfits(t *testing.T) {
	for text, want := range map[string]string{
		"- {rule: EFGS-102, roles: [nbbs], severity: warning":                          never,
		"- {rule: EFGS-102, roles: [nbbs], severity: \"off\"":                          never,
		"- {rule: EFGS-102, roles: [nbbs], params: {bits: 2048}":                       never,
		"- {rule: EFGS-301, roles: [nbtls], when: public-chain, severity: notice":      never,
		"- {rule: EFGS-003, roles: [nbbs], severity: warning":                          "rule about files",
		"- {rule: EFGS-201, roles: [nbbs], when: public-chain, severity: warning":      "no public chain for nbbs",
		"- {rule: EFGS-601, roles: [nbtls], when: public-chain, severity: warning":     "itself the condition",
		"- {rule: EFGS-405, roles: [nbbs], severity: warning":                          "not a rule about nbbs",
		"- {rule: EFGS-908, roles: [nbbs], case: compressed, severity: notice":         "",
		"- {rule: EFGS-201, roles: [nbbs, efgsta], severity: warning":                  "",
		"- {rule: EFGS-405, roles: [nbtls], when: public-chain, severity: notice":      "",
		"- {rule: EFGS-501, roles: [nbtls], not-before: 2030-01-01, severity: \"off\"": never,
	} {
		_, err := overlay(t, text+", reason: because, date: 2026-11-22}\n")
		if want == "" && err != nil || want != "" && (!errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	// A whole policy cannot do it either, and is told of everything at once.
	p := loadDefault(t)
	for _, id := range []string{"EFGS-102", "EFGS-820"} {
		p.Rules[id].Severity["nbbs"] = "warning"
	}
	delete(p.Rules, "EFGS-201")
	p.Rules["EFGS-999"] = p.Rules["EFGS-101"]
	if all := Misfits(p); len(all) != 4 {
		t.Errorf("%d misfits: %v", len(all), all)
	}
	if _, err := New(p); !errors.Is(err, ErrPolicy) {
		t.Errorf("New: %v", err)
	}
}

// Without a verified chain the overlay is the document, whatever is in the certificate.
func TestWithoutChainTheDocumentStands(t *testing.T) {
	document, today := engineOf(t, "efgs-2020"), engineOf(t, "efgs-2026")
	looked := 0
	for id, vs := range allVectors() {
		for _, tr := range vs.trials(t) {
			one, two := document.Vet(tr.req), today.Vet(tr.req)
			if two.publicChain {
				continue
			}
			looked++
			if one.Verdict != two.Verdict || one.Passed != two.Passed || one.Evaluated != two.Evaluated || !reflect.DeepEqual(one.Findings, two.Findings) {
				t.Errorf("%s %q: %+v\n%+v", id, tr.what, one, two)
			}
		}
	}
	if looked < 500 {
		t.Errorf("only %d certificates", looked)
	}
}
