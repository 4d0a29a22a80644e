package policy

import (
	"errors"
	"strings"
	"testing"
)

func TestEmbedded(t *testing.T) {
	names := Names()
	if len(names) == 0 || names[0] != Default {
		t.Fatalf("Names() = %v, want %s first", names, Default)
	}
	for _, name := range names {
		p, err := Load(name)
		if err != nil {
			t.Fatalf("Load(%s): %v", name, err)
		}
		if p.Name != name || p.Title == "" || p.Document == "" || p.Provenance == "" || len(p.SHA256) != 64 {
			t.Errorf("%s: name %q, or title, document, provenance or hash missing", name, p.Name)
		}
	}
}

func TestSettings(t *testing.T) {
	p, err := Load(Default)
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Rules["EFGS-102"]; s.Severity["nbbs"] != "error" || s.Params["bits"] != 3000 {
		t.Errorf("EFGS-102 = %+v", s)
	}
	if s := p.Rules["EFGS-307"]; s.Severity["nbbs"] != "warning" || s.Severity["efgsta"] != "error" {
		t.Errorf("EFGS-307 = %+v", s)
	}
	if s := p.Rules["EFGS-405"]; s.Severity["nbtls"] != "error" || s.Severity["nbbs"] != "off" {
		t.Errorf("EFGS-405 = %+v: a role left out must be off", s)
	}
	if s := p.Rules["EFGS-302"]; s.Missing != "block" {
		t.Errorf("EFGS-302 = %+v", s)
	}
}

func TestLoadUnknown(t *testing.T) {
	for _, name := range []string{"efgs-1999", "", "../policy/efgs-2020", "/etc/passwd"} {
		_, err := Load(name)
		if !errors.Is(err, ErrUnknown) {
			t.Errorf("Load(%q) = %v, want ErrUnknown", name, err)
			continue
		}
		var h interface{ Hint() string }
		if !errors.As(err, &h) || !strings.Contains(h.Hint(), Default) {
			t.Errorf("Load(%q): the hint must name the embedded policies", name)
		}
	}
}

const small = "schema: efgsta.policy/v1\nname: mine\ntitle: Mine\nrules:\n  EFGS-102: {severity: error, params: {bits: 4096}}\n"

func TestParse(t *testing.T) {
	a, err := Parse([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse([]byte(small + "# a remark\n"))
	if err != nil {
		t.Fatal(err)
	}
	if a.SHA256 == b.SHA256 {
		t.Error("the hash must cover every byte")
	}

	bad := map[string]string{
		"unknown field":         small + "colour: blue\n",
		"unknown setting field": strings.Replace(small, "severity: error", "severity: error, colour: blue", 1),
		"unknown severity":      strings.Replace(small, "error", "fatal", 1),
		"unknown role":          strings.Replace(small, "severity: error", "severity: {nbsb: error}", 1),
		"unknown case severity": strings.Replace(small, "severity: error", "severity: error, cases: {x: fatal}", 1),
		"unknown missing":       strings.Replace(small, "severity: error", "severity: error, missing: ignore", 1),
		"severity list":         strings.Replace(small, "severity: error", "severity: [error]", 1),
		"no severity":           strings.Replace(small, "severity: error, ", "", 1),
		"negative parameter":    strings.Replace(small, "4096", "-1", 1),
		"huge parameter":        strings.Replace(small, "4096", "99999999999999999999", 1),
		"rule name for id":      strings.Replace(small, "EFGS-102", "rsa-modulus-min", 1),
		"rule twice":            small + "  EFGS-102: {severity: notice}\n",
		"other schema":          strings.Replace(small, "policy/v1", "policy/v2", 1),
		"bad name":              strings.Replace(small, "name: mine", "name: ../mine", 1),
		"two documents":         small + "---\n" + small,
		"anchor":                strings.Replace(small, "severity: error", "severity: &e error", 1),
		"alias":                 strings.Replace(small, "severity: error", "severity: &e error, missing: *e", 1),
		"no rules":              strings.Split(small, "rules:")[0],
		"empty":                 "",
		"merge key":             strings.Replace(small, "severity: error", "<<: {severity: error}", 1),
		"number for text":       strings.Replace(small, "title: Mine", "title: 3", 1),
		"text for a number":     strings.Replace(small, "4096", "\"4096\"", 1),
		"rules are a list":      strings.Split(small, "rules:")[0] + "rules: [EFGS-102]\n",
		"only a comment":        "# nothing\n",
		"a list":                "- a\n- b\n",
		"not YAML":              "{[",
		"too large":             small + strings.Repeat("#", MaxSize),
	}
	for what, text := range bad {
		if _, err := Parse([]byte(text)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: Parse = %v, want ErrInvalid", what, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(small))
	data, err := files.ReadFile(Default + ".yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte(smallOverlay))
	f.Add([]byte(strings.Replace(smallOverlay, "severity: warning", "params: {days: 31}", 1)))
	overlay, err := files.ReadFile("efgs-2026.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(overlay)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			if !errors.Is(err, ErrInvalid) || len(Mistakes(err)) == 0 {
				t.Fatalf("error %v is not ErrInvalid, or says nothing", err)
			}
			return
		}
		if (p.Base != "") != (len(p.Deviations) > 0) {
			t.Fatalf("base %q and %d deviations", p.Base, len(p.Deviations))
		}
		for _, d := range p.Deviations {
			_, known := p.Rules[d.Rule]
			if !known || len(d.Roles) == 0 || strings.TrimSpace(d.Reason) == "" || d.Date == "" || d.Severity == "" && d.Params == nil {
				t.Fatalf("deviation %+v", d)
			}
			for _, role := range d.Roles {
				if p.Rules[d.Rule].Severity[role] == "error" && d.Effect("error") == "off" {
					t.Fatalf("an error vanishes: %+v", d)
				}
			}
		}
		_, _, _ = p.Difference(), Diff(p, embedded(Default)), p.Effective("EFGS-201", "nbtls")
		for id, s := range p.Rules {
			for _, role := range Roles() {
				switch s.Severity[role] {
				case "error", "warning", "notice", "off":
				default:
					t.Fatalf("%s: severity %q for %s", id, s.Severity[role], role)
				}
			}
		}
	})
}

func BenchmarkLoad(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Load(name); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
