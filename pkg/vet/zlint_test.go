package vet

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/efgsta/efgsta/policy"
)

// testdata/zlint is an excerpt of what zlint v3.6.1 prints: its list of lints, and its
// results for a certificate as the CA/Browser Forum wants it and for one that has no
// subjectAltName, an OU, and a key usage that is not critical.
func zlintFile(name string) []byte {
	data, err := os.ReadFile(filepath.Join("testdata", "zlint", name))
	if err != nil {
		panic(err)
	}
	return data
}

// canned is a zlint that prints the same of every certificate.
type canned struct {
	out  []byte
	err  error
	runs atomic.Int32
}

func (c *canned) RunZlint([]byte) ([]byte, error) {
	c.runs.Add(1)
	return c.out, c.err
}

func zlintOf(runner ZlintRunner) *Zlint {
	z, err := NewZlint("zlint v3.6.1", zlintFile("lints.jsonl"), runner)
	if err != nil {
		panic(err)
	}
	return z
}

func zlintVectors() map[string]vectors {
	prints := func(out string) func(*Request) {
		return func(r *Request) { r.Zlint = zlintOf(&canned{out: []byte(out)}) }
	}
	clean, findings := string(zlintFile("clean.json")), string(zlintFile("findings.json"))
	fails := func(r *Request) { r.Zlint = zlintOf(&canned{err: errors.New("exit status 2: panic: here")}) }
	changed := func(old, with string) func(*Request) {
		if !strings.Contains(clean, old) {
			panic("clean.json does not hold " + old)
		}
		return prints(strings.Replace(clean, old, with, 1))
	}
	open := []vector{
		{what: "no zlint", role: NBTLS, says: "no zlint is given"},
		{what: "it crashed", role: NBTLS, ask: fails, says: "zlint v3.6.1 gives no verdict: exit status 2: panic: here"},
		{what: "prints nothing", role: NBTLS, ask: prints("")},
		{what: "says nothing", role: NBTLS, ask: prints("{}"), says: "only 0 of its"},
		{what: "null", role: NBTLS, ask: prints("null")},
		{what: "is cut off", role: NBTLS, ask: prints(clean[:len(clean)/2]), says: "not what zlint prints"},
		{what: "is said twice", role: NBTLS, ask: prints(clean + clean)},
		{what: "results of another kind", role: NBTLS, ask: prints(`{"e_crl_has_next_update":{"result":"pass"},"e_cab_crl_reason_code_not_critical":{"result":"pass"}}`)},
		{what: "too long", role: NBTLS, ask: prints(clean + strings.Repeat(" ", MaxZlintResult)), says: "more than"},
	}
	also := func(vs ...vector) []vector { return append(vs, open...) }
	return map[string]vectors{
		"EFGS-831": {
			good: []vector{
				{what: "clean", role: NBTLS, ask: prints(clean)}, {what: "of an EFGSTLS", role: EFGSTLS, ask: prints(clean)},
				{what: "fields and lints that are new", role: NBTLS, ask: prints(`{"e_new":{"result":"error"},` + strings.ReplaceAll(clean[1:], `"result":`, `"more":[1],"result":`))},
				{what: "not in effect", role: NBTLS, ask: changed(`"e_ext_san_missing":{"result":"pass"`, `"e_ext_san_missing":{"result":"NE"`)},
			},
			bad: []vector{
				{what: "an error", role: NBTLS, ask: changed(`"e_ext_san_missing":{"result":"pass"`, `"e_ext_san_missing":{"result":"error"`), says: "zlint e_ext_san_missing: Subscriber certificates MUST contain the Subject Alternate Name extension (BRs: 7.1.4.2.1)"},
				{what: "fatal", role: EFGSTLS, ask: changed(`"e_ext_san_missing":{"result":"pass"`, `"e_ext_san_missing":{"result":"fatal","details":"could not"`), says: "7.1.4.2.1): could not"},
				{what: "a warning", role: NBTLS, ask: changed(`"e_ext_san_missing":{"result":"pass"`, `"e_ext_san_missing":{"result":"warn"`), severity: SeverityNotice},
				{what: "a notice", role: NBTLS, ask: changed(`"e_ext_san_missing":{"result":"pass"`, `"e_ext_san_missing":{"result":"info"`), severity: SeverityNotice},
			},
			open:    also(vector{what: "a result that is not known", role: NBTLS, ask: changed(`"e_ext_san_missing":{"result":"pass"`, `"e_ext_san_missing":{"result":"perhaps"`), says: "“perhaps”"}),
			skipped: []vector{{what: "an NBBS", ask: prints(findings)}, {what: "an EFGSTA", role: EFGSTA, ask: fails}},
		},
		"EFGS-832": {
			good: []vector{{what: "clean", role: NBTLS, ask: prints(clean)}, {what: "of an EFGSTLS", role: EFGSTLS, ask: prints(clean)}},
			bad: []vector{
				{what: "an error", role: NBTLS, ask: changed(`"e_ext_duplicate_extension":{"result":"pass"`, `"e_ext_duplicate_extension":{"result":"error"`), says: "RFC 5280: 4.2"},
				{what: "a warning", role: NBTLS, ask: prints(findings), severity: SeverityNotice, says: "zlint w_ext_key_usage_not_critical"},
				{what: "of RFC 5480", role: NBTLS, ask: changed(`"n_ecdsa_ee_invalid_ku":{"result":"pass"`, `"n_ecdsa_ee_invalid_ku":{"result":"info"`), severity: SeverityNotice},
			},
			open:    also(),
			skipped: []vector{{what: "an NBBS", ask: fails}},
		},
	}
}

// Both families come from one run, in the order of the names, and refuse nothing.
func TestZlint(t *testing.T) {
	e := defaultEngine(t)
	c := &canned{out: zlintFile("findings.json")}
	res := e.Vet(vector{role: NBTLS, ask: func(r *Request) { r.Zlint = zlintOf(c) }}.request(t))
	var got []string
	for _, f := range res.Findings {
		if f.ID == ruleZlintCABF || f.ID == ruleZlintRFC {
			got = append(got, f.ID+" "+f.Severity+" "+strings.Fields(f.Message)[1])
		}
	}
	want := []string{
		"EFGS-831 warning e_ext_san_missing:",
		"EFGS-831 warning e_organizational_unit_name_prohibited:",
		"EFGS-831 warning e_subject_common_name_not_exactly_from_san:",
		"EFGS-831 notice w_subject_common_name_included:",
		"EFGS-832 notice w_ext_key_usage_not_critical:",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if res.Verdict != VerdictAccepted {
		t.Errorf("verdict %s", res.Verdict)
	}
	if n := c.runs.Load(); n != 1 {
		t.Errorf("zlint was run %d times for one certificate", n)
	}
}

// Without a zlint, or without an answer of it, nothing blocks unless it is required.
func TestZlintRequired(t *testing.T) {
	e := defaultEngine(t)
	for _, test := range []struct {
		zlint   *Zlint
		require []string
		verdict Verdict
	}{
		{nil, nil, VerdictAccepted},
		{nil, []string{"zlint-cabf"}, VerdictUndecided},
		{zlintOf(&canned{err: errors.New("no end in time")}), nil, VerdictAccepted},
		{zlintOf(&canned{err: errors.New("no end in time")}), []string{"EFGS-832"}, VerdictUndecided},
		{zlintOf(&canned{out: zlintFile("findings.json")}), []string{"EFGS-831", "EFGS-832"}, VerdictAccepted},
	} {
		res := e.Vet(vector{role: NBTLS, ask: func(r *Request) { r.Zlint, r.Require = test.zlint, test.require }}.request(t))
		if res.Verdict != test.verdict {
			t.Errorf("zlint %v, require %v: %s, want %s", test.zlint != nil, test.require, res.Verdict, test.verdict)
		}
	}
}

// A policy may make a finding of zlint refuse, as any other.
func TestZlintPolicy(t *testing.T) {
	p := *loadDefault(t)
	rules := map[string]policy.Setting{}
	for id, s := range p.Rules {
		rules[id] = s
	}
	s := rules[ruleZlintCABF]
	s.Severity = map[string]string{"nbtls": "error", "efgstls": "off", "nbbs": "off", "efgsta": "off"}
	s.Cases = map[string]string{caseZlintWarning: "off", caseZlintNotice: "off"}
	rules[ruleZlintCABF] = s
	p.Rules = rules
	e, err := New(&p)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(r *Request) { r.Zlint = zlintOf(&canned{out: zlintFile("findings.json")}) }
	res := e.Vet(vector{role: NBTLS, ask: ask}.request(t))
	if res.Verdict != VerdictRefused {
		t.Errorf("verdict %s", res.Verdict)
	}
}

func TestNewZlintRefuses(t *testing.T) {
	list := string(zlintFile("lints.jsonl"))
	for what, list := range map[string]string{
		"nothing":      "",
		"no JSON":      "lints\n" + list,
		"no name":      `{"source":"RFC5280"}` + "\n" + list,
		"one family":   `{"name":"e_x","source":"RFC5280"}`,
		"too long":     list + strings.Repeat("\n", MaxZlintList),
		"an array":     "[" + list + "]",
		"another tool": `{"name":"x","source":"CABF"}` + "\n" + `{"name":"y","source":"IETF"}`,
	} {
		if _, err := NewZlint("zlint", []byte(list), &canned{}); !errors.Is(err, ErrZlint) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Whatever zlint prints, there is an outcome, and a pass only of results that pass.
func FuzzZlint(f *testing.F) {
	list := zlintFile("lints.jsonl")
	for _, name := range []string{"clean.json", "findings.json"} {
		f.Add(list, zlintFile(name))
	}
	f.Add(list, []byte(`{"e_ext_san_missing":null,"w_ext_key_usage_not_critical":{"result":"\u001b[2J"}}`))
	f.Add([]byte(`{"name":"a","source":"RFC1"}`+"\n"+`{"name":"b","source":"CABF_EV","description":"\ud800"}`), []byte(`{"a":{"result":"pass"},"b":{"result":"error","details":"x"}}`))
	f.Fuzz(func(t *testing.T, list, out []byte) {
		z, err := NewZlint("zlint", list, &canned{out: out})
		if err != nil {
			if !errors.Is(err, ErrZlint) {
				t.Fatal(err)
			}
			return
		}
		results, err := z.lint(nil)
		for _, id := range []string{ruleZlintCABF, ruleZlintRFC} {
			if err != nil {
				continue
			}
			switch o := z.family(id, results); o.state {
			case passed:
				if len(results) == 0 {
					t.Fatal("passed without a result")
				}
			case failed, notEvaluated:
				if len(o.problems) == 0 {
					t.Fatal("no word on why")
				}
			default:
				t.Fatalf("state %d", o.state)
			}
		}
	})
}
