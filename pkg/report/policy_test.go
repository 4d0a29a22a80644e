package report

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

func loadPolicy(t *testing.T, name string) *policy.Policy {
	t.Helper()
	p, err := policy.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func text(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What show writes as JSON is the policy: it validates, and reads back as the same.
func TestPolicyJSONIsAPolicy(t *testing.T) {
	for _, name := range policy.Names() {
		p := loadPolicy(t, name)
		out := text(t, (&Policy{Policy: p, Rules: vet.Rules()}).JSON)
		schemaCheck(t, "policy.schema.json", []byte(out))
		back, err := policy.Parse([]byte(out))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := policy.Diff(p, back); len(d) > 0 || len(back.Deviations) != len(p.Deviations) || back.Provenance != p.Provenance {
			t.Errorf("%s: %v", name, d)
		}
	}
}

func TestPolicyForms(t *testing.T) {
	document, today := loadPolicy(t, "efgs-2020"), loadPolicy(t, "efgs-2026")
	list := Policies{document, today}
	schemaCheck(t, "policy-list.schema.json", []byte(text(t, list.JSON)))
	diff := &PolicyDiff{A: document, B: today, Rules: vet.Rules()}
	schemaCheck(t, "policy-diff.schema.json", []byte(text(t, diff.JSON)))
	validation := &PolicyValidation{Files: []ValidatedPolicy{
		{File: "a.yaml", Policy: document},
		{File: hostile, Mistakes: []policy.Mistake{{Line: 3, Msg: hostile, Next: hostile}, {Msg: "no"}}},
	}}
	schemaCheck(t, "policy-validate.schema.json", []byte(text(t, validation.JSON)))
	if validation.Valid() {
		t.Error("valid in spite of mistakes")
	}
	for _, width := range []int{0, 80} {
		o := Options{Width: width}
		for name, write := range map[string]func(io.Writer) error{
			"list":     func(w io.Writer) error { return list.Table(w, o) },
			"diff":     func(w io.Writer) error { return diff.Table(w, o) },
			"show":     func(w io.Writer) error { return (&Policy{today, vet.Rules()}).Table(w, document, o) },
			"validate": func(w io.Writer) error { return validation.Table(w, o) },
		} {
			out := text(t, write)
			for line := range strings.Lines(out) {
				for _, r := range strings.TrimSuffix(line, "\n") {
					if !visible(r) {
						t.Fatalf("%s leaves %U", name, r)
					}
				}
				if n := columns(strings.TrimSuffix(line, "\n")); width > 0 && n > width && name != "validate" {
					t.Errorf("%s: %d columns: %s", name, n, line)
				}
			}
		}
	}
}

// Every form says at its head how far the policy is from the document, and at each
// finding what it is there; a report by the document says nothing of the kind.
func TestDepartureInEveryForm(t *testing.T) {
	own := loadPolicy(t, "efgs-2020")
	own.Name, own.File = "own", "own.yaml"
	for i, id := range []string{"EFGS-201", "EFGS-405"} {
		s := own.Rules[id]
		s.Severity = map[string]string{"nbtls": "notice", "nbbs": "off", "efgstls": "off", "efgsta": "off"}
		own.Rules[id] = s
		if want := "differs from efgs-2020 in "; !strings.HasPrefix(own.Difference(), want) {
			t.Errorf("%d: %q", i, own.Difference())
		}
	}
	for _, format := range CheckFormats() {
		c := sample(t)
		if out := string(write(t, c, format)); strings.Contains(out, "policy diff") || strings.Contains(out, "in efgs-2020)") {
			t.Errorf("%s: a report by the document speaks of another policy", format)
		}
		c.Policy = own
		if out := string(write(t, c, format)); !strings.Contains(out, "differs from efgs-2020 in 2 rules") {
			t.Errorf("%s does not say that the policy differs", format)
		}
		c.Policy = loadPolicy(t, "efgs-2026")
		f := &c.Results[1].Findings[0]
		f.Severity = vet.SeverityWarning
		f.Deviation = &vet.Deviation{Policy: "efgs-2026", Base: "efgs-2020", From: "error", Reason: "because of it", Date: "2026-03-15"}
		out := string(write(t, c, format))
		for _, want := range []string{"7 deviations from efgs-2020", "error in efgs-2020"} {
			if format == "json" && want == "error in efgs-2020" {
				want = "because of it"
			}
			if !strings.Contains(out, want) {
				t.Errorf("%s does not say %q", format, want)
			}
		}
	}
}
