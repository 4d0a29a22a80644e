package vet

import (
	"crypto/x509"
	"errors"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/policy"
)

// whole is the document under another name, with changes to its text.
func whole(t *testing.T, changes ...string) (*Engine, error) {
	t.Helper()
	source, err := policy.Source(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	text := string(source)
	for i := 0; i < len(changes); i += 2 {
		if !strings.Contains(text, changes[i]) {
			t.Fatalf("the document does not hold %q", changes[i])
		}
		text = strings.Replace(text, changes[i], changes[i+1], 1)
	}
	p, err := policy.ParseFile("whole.yaml", []byte(strings.Replace(text, "name: efgs-2020", "name: whole", 1)))
	if err != nil {
		t.Fatal(err)
	}
	return New(p)
}

// TestMilderIsRefused: a whole policy may not do what an overlay may not.
func TestMilderIsRefused(t *testing.T) {
	for _, tc := range []struct{ old, new, says string }{
		{"bits: 3000, recommended", "bits: 1, recommended", "EFGS-102 rsa-modulus-min: param bits 1 is milder than 3000 in efgs-2020"},
		{"recommended-bits: 3072", "recommended-bits: 1", "EFGS-102 rsa-modulus-min: param recommended-bits 1"},
		{"{min: 65537}", "{min: 1}", "EFGS-103"},
		{"{rounds: 100}", "{rounds: 1}", "EFGS-903"},
		{"EFGS-302: {severity: {nbtls: error, nbbs: error}, missing: block}", "EFGS-302: {severity: {nbtls: error, nbbs: error}, missing: report}", "EFGS-302"},
		{"EFGS-001: {severity: error}", "EFGS-001: {severity: off}", "EFGS-001"},
		{"EFGS-006: {severity: error}", "EFGS-006: {severity: notice}", "EFGS-006"},
	} {
		_, err := whole(t, tc.old, tc.new)
		if !errors.Is(err, ErrPolicy) || !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v", tc.new, err)
		}
	}
	for _, stricter := range [][2]string{
		{"bits: 3000, recommended", "bits: 4096, recommended"}, {"{min: 65537}", "{min: 65539}"}, {"EFGS-004: {severity: warning}", "EFGS-004: {severity: error}"},
	} {
		if _, err := whole(t, stricter[0], stricter[1]); err != nil {
			t.Errorf("%s: %v", stricter[1], err)
		}
	}
}

// TestMilderIsNotSilent: what only the document has against a certificate is a notice.
func TestMilderIsNotSilent(t *testing.T) {
	ca := newAuthority(t, "CA", nil, nil)
	crt := model(t, ca.issue(func(c *x509.Certificate) { c.NotAfter = c.NotBefore.AddDate(0, 0, 90) }))
	req := Request{Certificate: crt, Role: NBTLS, Country: "DE", At: crt.NotAfter.AddDate(1, 0, 0)}
	const days, years = "EFGS-201: {severity: error, params: {days: 365}}", "EFGS-202: {severity: error, params: {years: 2}}"
	for _, tc := range []struct {
		name, old, new, rule string
		severity, from       string // "" : no finding, no deviation
		passed               int    // less than under the document
	}{
		{"off", "EFGS-204: {severity: error}", "EFGS-204: {severity: off}", "EFGS-204", "notice", "error", 0},
		{"milder number", days, "EFGS-201: {severity: error, params: {days: 30}}", "EFGS-201", "notice", "error", 0},
		{"neither number", days, "EFGS-201: {severity: error, params: {days: 100}}", "EFGS-201", "error", "", 0},
		{"off and a number", days, "EFGS-201: {severity: off, params: {days: 30}}", "EFGS-201", "notice", "error", 0},
		{"severity", days, "EFGS-201: {severity: warning, params: {days: 365}}", "EFGS-201", "warning", "", 0},
		{"a number that nothing needs", years, "EFGS-202: {severity: error, params: {years: 9}}", "EFGS-202", "", "", 0},
		{"off that nothing needs", years, "EFGS-202: {severity: off, params: {years: 2}}", "EFGS-202", "", "", 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e, err := whole(t, tc.old, tc.new)
			if err != nil {
				t.Fatal(err)
			}
			res, plain := e.Vet(req), engineOf(t, policy.Default).Vet(req)
			f := finding(res, tc.rule)
			from := ""
			if f.Deviation != nil {
				from = f.Deviation.From
			}
			if f.Severity != tc.severity || from != tc.from {
				t.Errorf("%+v, from %q", f, from)
			}
			if plain.Passed-res.Passed != tc.passed {
				t.Errorf("%d passed, %d under the document", res.Passed, plain.Passed)
			}
			if n := strings.Count(allIDs(res), tc.rule); n > 1 {
				t.Errorf("%d findings of %s", n, tc.rule)
			}
		})
	}
}

func allIDs(res *Result) string {
	var ids []string
	for _, f := range res.Findings {
		ids = append(ids, f.ID)
	}
	return strings.Join(ids, " ")
}
