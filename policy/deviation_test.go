package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const smallOverlay = `schema: efgsta.policy/v1
name: mine
title: Mine
base: efgs-2020
deviations:
  - rule: EFGS-201
    roles: [nbtls]
    when: public-chain
    not-before: 2026-03-15
    severity: warning
    reason: because
    date: 2026-11-22
`

func mustParse(t testing.TB, text string) *Policy {
	t.Helper()
	p, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseOverlay(t *testing.T) {
	p := mustParse(t, smallOverlay)
	base, err := Load(Default)
	if err != nil {
		t.Fatal(err)
	}
	want := []Deviation{{Rule: "EFGS-201", Roles: []string{"nbtls"}, When: PublicChain, NotBefore: "2026-03-15", Severity: "warning", Reason: "because", Date: "2026-11-22"}}
	if !reflect.DeepEqual(p.Deviations, want) || !reflect.DeepEqual(p.Rules, base.Rules) || p.Base != Default || p.Document != base.Document {
		t.Errorf("%+v", p)
	}
	if got := p.Difference(); got != "1 deviation from efgs-2020" {
		t.Errorf("Difference = %q", got)
	}
	unordered := mustParse(t, strings.Replace(smallOverlay, "[nbtls]", "[efgstls, nbtls]", 1))
	if got := unordered.Deviations[0].Roles; !slices.Equal(got, []string{"nbtls", "efgstls"}) {
		t.Errorf("roles are %v", got)
	}
}

// The hash covers the base: base's hash in hex, a line feed, the overlay's bytes.
func TestOverlayHash(t *testing.T) {
	source, err := Source(Default)
	if err != nil {
		t.Fatal(err)
	}
	base := sha256.Sum256(source)
	whole := sha256.Sum256([]byte(hex.EncodeToString(base[:]) + "\n" + smallOverlay))
	if got := mustParse(t, smallOverlay).SHA256; got != hex.EncodeToString(whole[:]) {
		t.Errorf("SHA256 = %s", got)
	}
	if hash(&Policy{SHA256: "a"}, source) == hash(&Policy{SHA256: "b"}, source) {
		t.Error("another base gives the same hash")
	}
}

func TestOverlayMistakes(t *testing.T) {
	edit := func(old, to string) string {
		t.Helper()
		if !strings.Contains(smallOverlay, old) {
			t.Fatalf("%q is not there", old)
		}
		return strings.Replace(smallOverlay, old, to, 1)
	}
	second := smallOverlay[strings.Index(smallOverlay, "  - rule"):]
	for name, tc := range map[string]struct {
		text string
		line int
		want string
	}{
		"unknown base":          {edit("base: efgs-2020", "base: efgs-1999"), 4, "not an embedded policy"},
		"base with a base":      {edit("base: efgs-2020", "base: efgs-2026"), 4, "has a base itself"},
		"base outside":          {edit("base: efgs-2020", "base: ../policy/efgs-2020"), 4, "not an embedded policy"},
		"rules too":             {smallOverlay + "rules: {EFGS-102: {severity: error}}\n", 13, "deviations, not rules"},
		"no deviations":         {strings.Split(smallOverlay, "deviations:")[0], 1, "deviations are required"},
		"empty deviations":      {strings.Split(smallOverlay, "deviations:")[0] + "deviations: []\n", 5, "deviations are required"},
		"deviations, no base":   {edit("base: efgs-2020\n", ""), 5, "need a base"},
		"deviations as mapping": {strings.Split(smallOverlay, "deviations:")[0] + "deviations: {a: b}\n", 5, "a list is expected"},
		"unknown field":         {edit("    reason:", "    colour: blue\n    reason:"), 11, `unknown field "colour"`},
		"unknown rule":          {edit("EFGS-201", "EFGS-999"), 6, "no rule of efgs-2020"},
		"rule by name":          {edit("EFGS-201", "validity-min"), 6, "no rule of efgs-2020"},
		"no rule":               {edit("  - rule: EFGS-201\n    roles", "  - roles"), 6, "needs its rule"},
		"no roles":              {edit("    roles: [nbtls]\n", ""), 6, "needs its roles"},
		"empty roles":           {edit("[nbtls]", "[]"), 7, "one role or more"},
		"unknown role":          {edit("[nbtls]", "[nbsb]"), 7, `unknown role "nbsb"`},
		"role twice":            {edit("[nbtls]", "[nbtls, nbtls]"), 7, "stands twice"},
		"unknown condition":     {edit("public-chain", "policy-oid"), 6, "unknown condition"},
		"no such day":           {edit("2026-03-15", "2026-02-30"), 9, "not-before: a day is expected"},
		"time for a day":        {edit("2026-03-15", "2026-03-15T10:00:00Z"), 9, "a day is expected"},
		"unknown severity":      {edit("severity: warning", "severity: fatal"), 10, "unknown severity"},
		"same severity":         {edit("severity: warning", "severity: error"), 6, "is error for nbtls in efgs-2020 already"},
		"nothing changes":       {edit("    severity: warning\n", ""), 6, "changes severity or params"},
		"unknown parameter":     {edit("severity: warning", "params: {years: 1}"), 6, `no parameter "years"`},
		"same parameter":        {edit("severity: warning", "params: {days: 365}"), 6, "days is 365 in efgs-2020 already"},
		"unknown case":          {edit("    severity", "    case: leap-year\n    severity"), 6, `no case "leap-year"`},
		"no reason":             {edit("    reason: because\n", ""), 6, "needs its reason"},
		"blank reason":          {edit("reason: because", `reason: " "`), 6, "reason is blank"},
		"off without reason":    {strings.Replace(edit("    reason: because\n", ""), "severity: warning", `severity: "off"`, 1), 6, "needs its reason"},
		"no date":               {edit("    date: 2026-11-22\n", ""), 6, "needs its date"},
		"twice":                 {smallOverlay + second, 13, "stands twice for nbtls under the same condition"},
		"numbers of a rule off": {strings.Replace(edit("EFGS-201", "EFGS-207"), "[nbtls]", "[efgstls]", 1), 0, ""},
		"alias":                 {edit("reason: because", "reason: &r because"), 11, "anchors and aliases"},
		"deviation is text":     {strings.Split(smallOverlay, "  - rule")[0] + "  - text\n", 6, "a mapping is expected"},
		"empty file":            {"", 0, "empty"},
		"not YAML":              {"name: x\n\t{", 2, "not YAML"},
	} {
		_, err := Parse([]byte(tc.text))
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		all := Mistakes(err)
		if !errors.Is(err, ErrInvalid) || len(all) == 0 {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !slices.ContainsFunc(all, func(m Mistake) bool { return m.Line == tc.line && strings.Contains(m.Msg, tc.want) }) {
			t.Errorf("%s: %v, want line %d: …%s…", name, all, tc.line, tc.want)
		}
	}
}

// One look finds every mistake, up to a cap.
func TestAllMistakes(t *testing.T) {
	text := strings.NewReplacer("EFGS-201", "EFGS-20", "[nbtls]", "[nbsb]", "2026-03-15", "soon", "warning", "fatal").Replace(smallOverlay)
	_, err := Parse([]byte(text + "colour: blue\n"))
	if all := Mistakes(err); len(all) < 4 {
		t.Errorf("%d mistakes: %v", len(all), all)
	}
	if !strings.Contains(err.Error(), "more)") {
		t.Errorf("%v", err)
	}
	var h interface{ Hint() string }
	if !errors.As(err, &h) || h.Hint() == "" {
		t.Errorf("no hint with %v", err)
	}
	many := small + strings.Repeat("x: 1\n", 1) + "a: b\n"
	for i := range 200 {
		many += "f" + strings.Repeat("x", i) + ": 1\n"
	}
	if _, err := Parse([]byte(many)); len(Mistakes(err)) != maxMistakes {
		t.Errorf("%d mistakes", len(Mistakes(err)))
	}
	if Mistakes(errors.New("other")) != nil {
		t.Error("mistakes of another error")
	}
}

// Every deviation that is embedded rests on a verified chain.
func TestEmbeddedDeviations(t *testing.T) {
	overlays := 0
	for _, name := range Names() {
		p, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if p.Base == "" {
			if p.Deviations != nil || name == Default && p.Difference() != "" {
				t.Errorf("%s deviates from nothing", name)
			}
			continue
		}
		overlays++
		if len(p.Deviations) == 0 {
			t.Errorf("%s has no deviations", name)
		}
		for _, d := range p.Deviations {
			if d.When != PublicChain || strings.TrimSpace(d.Reason) == "" || d.Date == "" || d.NotBefore == "" {
				t.Errorf("%s: %+v", name, d)
			}
			for _, role := range d.Roles {
				if role != "nbtls" && role != "efgstls" {
					t.Errorf("%s: %s has no public chain", name, role)
				}
			}
		}
	}
	if overlays == 0 {
		t.Error("no overlay is embedded")
	}
}

func TestDiff(t *testing.T) {
	document, err := Load(Default)
	if err != nil {
		t.Fatal(err)
	}
	today, err := Load("efgs-2026")
	if err != nil {
		t.Fatal(err)
	}
	if d := Diff(document, document); d != nil {
		t.Errorf("the document differs from itself: %+v", d)
	}
	there, back := Diff(document, today), Diff(today, document)
	if len(there) == 0 || len(there) != len(back) {
		t.Fatalf("%d changes there, %d back", len(there), len(back))
	}
	for i, c := range there {
		if c.Direction != Milder || c.Reason == "" || c.Date == "" || c.Condition == "" || len(c.Roles) == 0 {
			t.Errorf("%+v", c)
		}
		if b := back[i]; b.Direction != Stricter || b.From != c.To || b.To != c.From || b.Reason != "" {
			t.Errorf("back: %+v", b)
		}
	}

	// A whole policy of one's own.
	mine, err := Load(Default)
	if err != nil {
		t.Fatal(err)
	}
	mine.File = "mine.yaml"
	set := func(id string, edit func(*Setting)) {
		s := mine.Rules[id]
		edit(&s)
		mine.Rules[id] = s
	}
	set("EFGS-201", func(s *Setting) { s.Params = map[string]int{"days": 400} })
	set("EFGS-202", func(s *Setting) { s.Params = map[string]int{"years": 3} })
	set("EFGS-302", func(s *Setting) { s.Missing = "report" })
	set("EFGS-309", func(s *Setting) {
		s.Severity = map[string]string{"nbtls": "off", "nbbs": "error", "efgstls": "off", "efgsta": "off"}
	})
	set("EFGS-602", func(s *Setting) { s.Cases = map[string]string{"stale": "error"} })
	delete(mine.Rules, "EFGS-910")
	var got []string
	for _, c := range Diff(document, mine) {
		got = append(got, strings.Join([]string{c.Rule, strings.Join(c.Roles, "+"), c.What, c.From, c.To, c.Direction}, " "))
	}
	want := []string{
		"EFGS-201 nbtls+nbbs+efgstls+efgsta param days 365 400 stricter",
		"EFGS-202 nbtls+nbbs+efgstls+efgsta param years 2 3 milder",
		"EFGS-302 nbtls+nbbs missing block report milder",
		"EFGS-309 nbtls severity notice off milder",
		"EFGS-309 nbbs severity notice error stricter",
		"EFGS-602 nbtls+efgstls case stale warning error stricter",
		"EFGS-910 nbtls+nbbs+efgstls+efgsta rule there  milder",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if d := mine.Difference(); d != "differs from efgs-2020 in 5 rules, milder in EFGS-202, EFGS-302, EFGS-309" {
		t.Errorf("Difference = %q", d)
	}
}

func TestEffective(t *testing.T) {
	today, err := Load("efgs-2026")
	if err != nil {
		t.Fatal(err)
	}
	if s := today.Effective("EFGS-201", "nbtls"); s.Params["days"] != 31 {
		t.Errorf("%+v", s)
	}
	if s := today.Effective("EFGS-405", "nbtls"); s.Severity["nbtls"] != "warning" {
		t.Errorf("%+v", s)
	}
	for _, role := range Roles() {
		if role != "nbtls" && role != "efgstls" && !reflect.DeepEqual(today.Effective("EFGS-201", role), today.Rules["EFGS-201"]) {
			t.Errorf("%s has another EFGS-201", role)
		}
	}
	if today.Rules["EFGS-201"].Params["days"] != 365 || today.Rules["EFGS-405"].Severity["nbtls"] != "error" {
		t.Error("Effective changed the policy")
	}
}

// No file can pass for an embedded policy.
func TestParseFile(t *testing.T) {
	p, err := ParseFile("mine.yaml", []byte(smallOverlay))
	if err != nil || p.File != "mine.yaml" {
		t.Fatalf("%+v, %v", p, err)
	}
	for _, name := range Names() {
		source, err := Source(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseFile("copy.yaml", source); err != nil {
			t.Errorf("a copy of %s: %v", name, err)
		}
		if _, err := ParseFile("copy.yaml", append(source, "# changed\n"...)); !errors.Is(err, ErrInvalid) {
			t.Errorf("a changed %s: %v", name, err)
		}
	}
}

func TestLines(t *testing.T) {
	if rules, deviations := Lines([]byte(smallOverlay)); len(rules) != 0 || !slices.Equal(deviations, []int{6}) {
		t.Errorf("%v, %v", rules, deviations)
	}
	if rules, _ := Lines([]byte(small)); rules[""] != 4 || rules["EFGS-102"] != 5 {
		t.Errorf("%v", rules)
	}
	if rules, deviations := Lines([]byte("{[")); len(rules) != 0 || deviations != nil {
		t.Errorf("%v, %v", rules, deviations)
	}
}

// Every number is known to be a minimum or a maximum: diff says which way is stricter.
func TestEveryNumberHasADirection(t *testing.T) {
	minimum := []string{"EFGS-102 bits", "EFGS-102 recommended-bits", "EFGS-103 min", "EFGS-106 hash-bits", "EFGS-110 bits", "EFGS-112 p-bits",
		"EFGS-112 q-bits", "EFGS-201 days", "EFGS-206 months", "EFGS-207 months", "EFGS-804 octets", "EFGS-903 rounds"}
	p, err := Load(Default)
	if err != nil {
		t.Fatal(err)
	}
	for id, s := range p.Rules {
		for name := range s.Params {
			if key := id + " " + name; slices.Contains(minimum, key) == upperLimit(id, name) {
				t.Errorf("%s: put it into upperLimit, or here", key)
			}
		}
	}
}
