package vet

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

func date(year, month, day int) time.Time {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
}

// tooShort makes a certificate fail EFGS-201 and nothing else.
func tooShort(s *spec) { s.to = s.from.AddDate(0, 0, 300) }

// waivers has one entry for each rule, for one certificate, to the end of a year.
func waivers(t *testing.T, year int, thumbprint cert.Thumbprint, rules ...string) *Waivers {
	t.Helper()
	var list []Waiver
	for i, rule := range rules {
		list = append(list, Waiver{Rule: rule, Thumbprint: thumbprint, Reason: "why", Owner: "who", Expires: date(year, 12, 31), Line: i + 3})
	}
	w, err := NewWaivers("waivers.yaml", list)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// told is what is said of the waivers themselves: "EFGS-009 warning line 3".
func told(e *Engine, w *Waivers, at time.Time) string {
	var all []string
	for _, res := range e.Waivers(w, at) {
		for _, f := range res.Findings {
			all = append(all, f.ID+" "+f.Severity+" "+f.Path)
		}
	}
	return strings.Join(all, ", ")
}

func TestWaivers(t *testing.T) {
	e := defaultEngine(t)
	for name, test := range map[string]struct {
		role    Role
		edit    func(*spec)
		ask     func(*Request)
		rules   []string
		year    int // in which the waivers end
		verdict Verdict
		waived  string
		told    string
	}{
		"a failure":               {NBBS, tooShort, nil, []string{"EFGS-201"}, 2099, VerdictAccepted, "EFGS-201", ""},
		"by name":                 {NBBS, tooShort, nil, []string{"validity-min"}, 2099, VerdictAccepted, "EFGS-201", ""},
		"one of two failures":     {NBBS, both(tooShort, subject("C=DE", "O=Provider", "CN=Batch Signer", "C=DE")), nil, []string{"EFGS-201"}, 2099, VerdictRefused, "EFGS-201", ""},
		"a warning":               {NBBS, subject("C=DE", "OU=Unit", "L=Berlin", "CN=Batch Signer", "E=pki@example.de"), nil, []string{"EFGS-307"}, 2099, VerdictAccepted, "EFGS-307", ""},
		"expired":                 {NBBS, tooShort, nil, []string{"EFGS-201"}, 2020, VerdictRefused, "", "EFGS-008 error line 3"},
		"expired and unmatched":   {NBBS, nil, nil, []string{"EFGS-201"}, 2020, VerdictAccepted, "", "EFGS-008 error line 3"},
		"nothing of that kind":    {NBBS, nil, nil, []string{"EFGS-201", "EFGS-202"}, 2099, VerdictAccepted, "", "EFGS-009 warning line 3, EFGS-009 warning line 4"},
		"never waivable":          {NBBS, nil, func(r *Request) { r.Country = "FR" }, []string{"EFGS-302"}, 2099, VerdictRefused, "", "EFGS-008 error line 3"},
		"never, but no evidence":  {NBBS, nil, func(r *Request) { r.Country = "" }, []string{"EFGS-302"}, 2099, VerdictAccepted, "EFGS-302", ""},
		"missing, required":       {NBTLS, nil, func(r *Request) { r.Require = []string{"EFGS-601"} }, []string{"EFGS-601"}, 2099, VerdictAccepted, "EFGS-601", ""},
		"missing, in a workspace": {NBTLS, nil, func(r *Request) { r.Workspace = true }, []string{"EFGS-601", "EFGS-602"}, 2099, VerdictAccepted, "EFGS-601 EFGS-602", ""},
		"one of two missing":      {NBTLS, nil, func(r *Request) { r.Workspace = true }, []string{"EFGS-601"}, 2099, VerdictUndecided, "EFGS-601", ""},
		"missing, blocks nothing": {NBTLS, nil, nil, []string{"EFGS-601"}, 2099, VerdictAccepted, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := vector{role: test.role, edit: test.edit, ask: test.ask}.request(t)
			req.Waivers = waivers(t, test.year, req.Certificate.Thumbprint(), test.rules...)
			res := e.Vet(req)
			var waived []string
			for _, f := range res.Findings {
				if (f.Status == StatusWaived) != (f.Waiver != nil) || f.Status == StatusWaived && f.Blocks {
					t.Errorf("%+v", f)
				}
				if f.Waiver != nil {
					waived = append(waived, f.ID)
				}
			}
			if got := strings.Join(waived, " "); res.Verdict != test.verdict || got != test.waived {
				t.Errorf("%s, waived %q, want %s and %q: %+v", res.Verdict, got, test.verdict, test.waived, res.Findings)
			}
			if a, _, err := e.Accept(req); a.Valid() != (test.verdict == VerdictAccepted) || a.Valid() != (err == nil) {
				t.Errorf("Accept: %v, %v", a.Valid(), err)
			}
			if got := told(e, req.Waivers, req.At); got != test.told {
				t.Errorf("of the waivers themselves: %q, want %q", got, test.told)
			}
		})
	}
}

// No failure of a rule that says so is ever waived.
func TestNeverWaivable(t *testing.T) {
	e := defaultEngine(t)
	never := []string{}
	for _, r := range Rules() {
		if !r.NeverWaivable {
			continue
		}
		never = append(never, r.ID)
		for _, v := range allVectors()[r.ID].bad {
			req := v.request(t)
			without := e.Vet(req).Verdict
			req.Waivers = waivers(t, 2099, req.Certificate.Thumbprint(), r.ID)
			res := e.Vet(req)
			failed := 0
			for _, f := range res.Findings {
				if f.ID == r.ID && f.Status == StatusFail {
					failed++
				}
			}
			if failed == 0 || res.Verdict != without || told(e, req.Waivers, req.At) != "EFGS-008 error line 3" {
				t.Errorf("%s %q: %d failures, %s with a waiver and %s without; %q", r.ID, v.what, failed, res.Verdict, without, told(e, req.Waivers, req.At))
			}
		}
	}
	// Private key found, wrong country, C not alone, shared, weak, not self-signed, a CA's.
	for _, id := range []string{"EFGS-003", "EFGS-301", "EFGS-302", "EFGS-703", "EFGS-501", "EFGS-503", "EFGS-102", "EFGS-110", "EFGS-112", "EFGS-901", "EFGS-902", "EFGS-903", "EFGS-904", "EFGS-908", "EFGS-603", "EFGS-820"} {
		if !strings.Contains(strings.Join(never, " "), id) {
			t.Errorf("%s can be waived", id)
		}
	}
}

func TestWaivedFile(t *testing.T) {
	e := defaultEngine(t)
	twice := join(pemOf(NBTLS), caPEM())
	in := cert.Read("chain.pem", twice)
	req := inputRequest()
	req.Waivers = waivers(t, 2099, in.Items[0].Cert.Thumbprint(), "EFGS-004")
	rs := e.Input(in, req)
	if len(rs) != 1 || rs[0].Verdict != VerdictAccepted {
		t.Fatalf("%+v", rs)
	}
	for _, f := range rs[0].Findings {
		if f.ID == "EFGS-004" && f.Status != StatusWaived {
			t.Errorf("%+v", f)
		}
	}
	key := cert.Read("key.pem", join(pemOf(NBBS), privateKeyPEM()))
	req.Waivers = waivers(t, 2099, key.Items[0].Cert.Thumbprint(), "EFGS-003")
	if rs := e.Input(key, req); rs[0].Verdict != VerdictRefused {
		t.Errorf("a private key was waived: %+v", rs[0])
	}
}

// A rule that fails internally lacks no evidence: nothing stands for it.
func TestPanicIsNotWaived(t *testing.T) {
	bad := Rule{ID: "EFGS-101", Name: "panics", Roles: all(), check: func(*exam) outcome { panic("no") }}
	p := &policy.Policy{Name: "p", Rules: map[string]policy.Setting{"EFGS-101": loadDefault(t).Rules["EFGS-101"]}}
	e, err := newEngine(p, []Rule{bad})
	if err != nil {
		t.Fatal(err)
	}
	req := vector{}.request(t)
	req.Waivers = waivers(t, 2099, req.Certificate.Thumbprint(), "EFGS-101")
	if res := e.Vet(req); res.Verdict != VerdictUndecided {
		t.Errorf("%+v", res)
	}
}

// What is said of the waivers themselves is about their file, in its order, and a
// warning there refuses nothing.
func TestWaiversThemselves(t *testing.T) {
	e := defaultEngine(t)
	w := waivers(t, 2099, cert.Thumbprint{1, 2}, "EFGS-202", "EFGS-201")
	rs := e.Waivers(w, t0)
	if len(rs) != 1 || rs[0].File != "waivers.yaml" || !rs[0].Waivers || rs[0].Verdict != VerdictAccepted {
		t.Fatalf("%+v", rs)
	}
	if f := rs[0].Findings; f[0].Path != "line 3" || f[1].Path != "line 4" || !strings.Contains(f[0].Message, "EFGS-202 for the certificate 0102") {
		t.Errorf("%+v", f)
	}
	if rs := e.Waivers(w, date(2100, 1, 1)); rs[0].Verdict != VerdictRefused {
		t.Errorf("expired: %+v", rs)
	}
	if rs := e.Waivers(nil, t0); rs != nil {
		t.Errorf("no waivers: %+v", rs)
	}
	// The last moment is one at which it holds.
	if told(e, w, date(2099, 12, 31)) != "EFGS-009 warning line 3, EFGS-009 warning line 4" {
		t.Error(told(e, w, date(2099, 12, 31)))
	}
}

// Many certificates are vetted at once.
func TestWaiversConcurrently(t *testing.T) {
	e := defaultEngine(t)
	req := vector{edit: tooShort}.request(t)
	req.Waivers = waivers(t, 2099, req.Certificate.Thumbprint(), "EFGS-201")
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if res := e.Vet(req); res.Verdict != VerdictAccepted {
				t.Errorf("%+v", res)
			}
		})
	}
	wait.Wait()
}

const goodWaivers = `# what we live with
schema: efgsta.waivers/v1
waivers:
  - rule: EFGS-201
    thumbprint: %[1]s
    reason: "the CA gives 200 days"
    owner: PKI desk
    expires: 2027-01-31
  - {rule: subject-o, thumbprint: "%[1]s", reason: r, owner: o, expires: 2027-01-31T10:00:00+02:00}
`

func TestReadWaivers(t *testing.T) {
	digits := strings.Repeat("1234567890", 7)[:64]
	for _, written := range []string{digits, strings.Repeat("AB:", 31) + "AB", strings.Repeat("ab", 32)} {
		w, err := ReadWaivers("w.yaml", fmt.Appendf(nil, goodWaivers, written))
		if err != nil {
			t.Fatal(err)
		}
		first, second := w.list[0], w.list[1]
		if first.Rule != "EFGS-201" || first.Line != 4 || !first.Expires.Equal(date(2027, 2, 1).Add(-time.Second)) || first.Owner != "PKI desk" ||
			first.Thumbprint.String() != strings.ToLower(strings.ReplaceAll(written, ":", "")) {
			t.Errorf("%+v", first)
		}
		if second.Rule != "EFGS-307" || second.Line != 9 || !second.Expires.Equal(time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)) || second.Expires.Location() != time.UTC {
			t.Errorf("%+v", second)
		}
	}
	if _, err := ReadWaivers("w.yaml", []byte("schema: efgsta.waivers/v1\nwaivers: []\n")); err != nil {
		t.Errorf("none: %v", err)
	}
}

// The example that is handed out is read, and by its own words says nothing wrong.
func TestExampleWaivers(t *testing.T) {
	data, err := os.ReadFile("../../examples/waivers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	w, err := ReadWaivers("waivers.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	if len(w.list) != 2 || w.list[0].Rule != "EFGS-201" || w.list[1].Rule != "EFGS-602" || w.list[0].Thumbprint != w.list[1].Thumbprint {
		t.Errorf("%+v", w.list)
	}
}

func TestReadWaiversRefuses(t *testing.T) {
	entry := func(old, new string) string {
		return strings.Replace(fmt.Sprintf(goodWaivers, strings.Repeat("ab", 32)), old, new, 1)
	}
	for name, test := range map[string]struct{ text, says string }{
		"empty":              {"", "empty"},
		"no schema":          {"waivers: []\n", "efgsta.waivers/v1"},
		"another schema":     {entry("waivers/v1", "waivers/v2"), "efgsta.waivers/v2"},
		"unknown member":     {entry("waivers:\n", "waiver:\n"), "line 3"},
		"unknown field":      {entry("owner", "ower"), `line 7: unknown field "ower"`},
		"field twice":        {entry("owner: PKI desk", "reason: again"), "line 7: reason is given twice"},
		"unknown rule":       {entry("EFGS-201", "EFGS-000"), "w.yaml: line 4: there is no rule “EFGS-000”"},
		"no rule":            {entry("rule: EFGS-201", "rule:"), "line 4: there is no rule"},
		"short thumbprint":   {entry("abab", "ab"), "line 4: thumbprint"},
		"long thumbprint":    {entry("abab", "ababab"), "line 4: thumbprint"},
		"no hex":             {entry("abab", "xyab"), "line 4: thumbprint"},
		"no reason":          {entry("the CA gives 200 days", " "), "line 4: reason"},
		"no owner":           {entry("    owner: PKI desk\n", ""), "line 4: owner"},
		"too much reason":    {entry("the CA", strings.Repeat("x", 2000)), "line 4: reason"},
		"no end":             {entry("    expires: 2027-01-31\n", ""), "line 4: expires"},
		"no such day":        {entry("2027-01-31", "2027-02-30"), "line 4: expires “2027-02-30” is no date"},
		"the same once more": {entry("subject-o", "validity-min"), "line 9: EFGS-201 is waived for this certificate on line 4 already"},
		"alias":              {entry("reason: \"the", "reason: &a \"the"), "line 6"},
		"no entry":           {entry("  - {rule: subject-o", "  -\n  - {rule: subject-o"), "entry 2 is empty"},
		"text for an entry":  {entry("  - {rule: subject-o", "  - text\n  - {rule: subject-o"), "line 9: rule, thumbprint"},
		"list for a field":   {entry("PKI desk", "[PKI, desk]"), "line 7: owner"},
		"two documents":      {entry("waivers:\n", "---\nwaivers:\n"), "more than one document"},
		"too large":          {entry("PKI", strings.Repeat(" ", MaxWaivers)+"PKI"), "at most"},
	} {
		_, err := ReadWaivers("w.yaml", []byte(test.text))
		if !errors.Is(err, ErrWaivers) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var hint interface{ Hint() string }
		if !errors.As(err, &hint) || hint.Hint() == "" || !strings.HasPrefix(err.Error(), "w.yaml: ") {
			t.Errorf("%s: no hint, or no file: %v", name, err)
		}
	}
}

// Whatever is read as waivers can be applied, and is complete.
func FuzzReadWaivers(f *testing.F) {
	f.Add(fmt.Appendf(nil, goodWaivers, strings.Repeat("ab", 32)))
	f.Add([]byte("schema: efgsta.waivers/v1\nwaivers: [{rule: EFGS-201, expires: !!binary x}]"))
	f.Add([]byte("schema: efgsta.waivers/v1\nwaivers: [{? [a] : b}, null]"))
	e := defaultEngine(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		w, err := ReadWaivers("f", data)
		if (err == nil) == (w == nil) || err != nil && !errors.Is(err, ErrWaivers) {
			t.Fatalf("%v, %v", w, err)
		}
		if err != nil {
			return
		}
		for _, entry := range w.list {
			if entry.Reason == "" || entry.Owner == "" || entry.Expires.IsZero() || entry.Line == 0 {
				t.Errorf("%+v", entry)
			}
		}
		e.Waivers(w, t0)
	})
}
