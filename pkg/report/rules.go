package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// RulesSchema names the JSON form of Rules; docs/schemas/rules.schema.json describes it.
const RulesSchema = "efgsta.rules/v1"

// Rules is the catalogue of rules under one policy.
type Rules struct {
	Policy *policy.Policy
	Rules  []vet.Rule
}

type ruleJSON struct {
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Clause        string            `json:"clause"`
	Title         string            `json:"title"`
	Why           string            `json:"why"`
	Fix           string            `json:"fix"`
	Good          string            `json:"good"`
	Bad           string            `json:"bad"`
	Types         []vet.Role        `json:"types"`
	Severity      map[string]string `json:"severity"`
	Cases         map[string]string `json:"cases,omitempty"`
	Params        map[string]int    `json:"params,omitempty"`
	Missing       string            `json:"missing,omitempty"`
	NeverWaivable bool              `json:"neverWaivable"`
	Implies       []string          `json:"implies,omitempty"`
}

// JSON writes the catalogue in the form of RulesSchema.
func (c *Rules) JSON(w io.Writer) error {
	doc := struct {
		Schema string     `json:"schema"`
		Policy policyJSON `json:"policy"`
		Rules  []ruleJSON `json:"rules"`
	}{RulesSchema, newPolicyJSON(c.Policy), []ruleJSON{}}
	for _, r := range c.Rules {
		s := c.Policy.Rules[r.ID]
		doc.Rules = append(doc.Rules, ruleJSON{
			ID: r.ID, Name: r.Name, Clause: r.Clause, Title: r.Title, Why: r.Why, Fix: r.Fix, Good: r.Good, Bad: r.Bad,
			Types: r.Roles, Severity: s.Severity, Cases: s.Cases, Params: s.Params, Missing: s.Missing, NeverWaivable: r.NeverWaivable, Implies: r.Implies,
		})
	}
	return writeJSON(w, doc)
}

// Table writes one line per rule, or all there is to say if there is only one.
func (c *Rules) Table(w io.Writer, o Options) error {
	p := &printer{w: bufio.NewWriter(w), Options: o}
	if len(c.Rules) == 1 {
		p.rule(c.Rules[0], c.Policy)
		return p.w.Flush()
	}
	name := 0
	for _, r := range c.Rules {
		name = max(name, len(r.Name))
	}
	for _, r := range c.Rules {
		line := fmt.Sprintf("%-8s  %-*s  %-8s", r.ID, name, r.Name, strictest(c.Policy.Rules[r.ID]))
		if p.Width == 0 {
			fmt.Fprintf(p.w, "%s  %s  [%s]\n", line, r.Title, r.Clause)
			continue
		}
		fmt.Fprintln(p.w, strings.TrimRight(line, " "))
		p.wrap("          ", "          ", r.Title+"  ["+r.Clause+"]")
	}
	fmt.Fprintln(p.w)
	if text := c.Policy.Difference(); text != "" {
		p.wrap("", "", fmt.Sprintf("policy %s: %s", c.Policy.Name, text))
	}
	p.wrap("", "", fmt.Sprintf("%d rules; severities of policy %s, the strictest where types differ · efgsta rules ID tells more", len(c.Rules), c.Policy.Name))
	return p.w.Flush()
}

func (p *printer) rule(r vet.Rule, pol *policy.Policy) {
	s := pol.Rules[r.ID]
	fmt.Fprintf(p.w, "%s  %s\n\n", r.ID, r.Name)
	row := func(what, text string) {
		if text != "" {
			p.wrap(fmt.Sprintf("%-10s ", what), "           ", text)
		}
	}
	row("checks", r.Title)
	row("clause", r.Clause)
	row("why", r.Why)
	row("types", severities(s))
	for _, name := range r.Cases {
		row("case", name+": "+s.Cases[name])
	}
	for _, name := range r.Params {
		row("parameter", fmt.Sprintf("%s: %d", name, s.Params[name]))
	}
	row("missing", missingText(s))
	for _, text := range deviationTexts(pol, r.ID) {
		row("deviates", text)
	}
	if r.NeverWaivable {
		row("waiver", "never")
	}
	row("implies", strings.Join(r.Implies, ", "))
	row("good", r.Good)
	row("bad", r.Bad)
	row("fix", r.Fix)
	row("policy", pol.Name)
}

// Markdown writes the catalogue as a section per rule.
func (c *Rules) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	if len(c.Rules) > 1 {
		fmt.Fprintf(b, "# Rules\n\nSeverities and numbers are those of policy `%s`.\n", c.Policy.Name)
	}
	for i, r := range c.Rules {
		s := c.Policy.Rules[r.ID]
		if i > 0 || len(c.Rules) > 1 {
			fmt.Fprintln(b)
		}
		fmt.Fprintf(b, "## %s %s\n\n%s.\n\n", r.ID, r.Name, upperFirst(markdownText(r.Title)))
		row := func(what, text string) {
			if text != "" {
				fmt.Fprintf(b, "- **%s:** %s\n", what, text)
			}
		}
		row("Clause", markdownText(r.Clause))
		row("Why", markdownText(r.Why))
		row("Types", severities(s))
		for _, name := range r.Cases {
			row("Case "+name, s.Cases[name])
		}
		for _, name := range r.Params {
			row("Parameter "+name, fmt.Sprint(s.Params[name]))
		}
		row("Missing evidence", missingText(s))
		for _, text := range deviationTexts(c.Policy, r.ID) {
			row("Deviation", markdownText(text))
		}
		if r.NeverWaivable {
			row("Waiver", "never")
		}
		row("Implies", strings.Join(r.Implies, ", "))
		row("Good", markdownText(r.Good))
		row("Bad", markdownText(r.Bad))
		row("Fix", markdownText(r.Fix))
	}
	return b.Flush()
}

// markdownText keeps placeholders in angle brackets from being taken for HTML.
func markdownText(s string) string {
	return strings.NewReplacer("<", "&lt;", ">", "&gt;", "*", `\*`, "_", `\_`).Replace(s)
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// severities in the order of the document: "nbtls error, nbbs warning", or "all error".
func severities(s policy.Setting) string {
	same := true
	var parts []string
	first := s.Severity[string(vet.NBTLS)]
	for _, role := range vet.Roles() {
		word := s.Severity[string(role)]
		same = same && word == first
		if word != "off" {
			parts = append(parts, string(role)+" "+word)
		}
	}
	switch {
	case same && first == "off":
		return "off"
	case same:
		return "all " + first
	}
	return strings.Join(parts, ", ")
}

func strictest(s policy.Setting) string {
	for _, word := range []string{vet.SeverityError, vet.SeverityWarning, vet.SeverityNotice} {
		for _, role := range vet.Roles() {
			if s.Severity[string(role)] == word {
				return word
			}
		}
	}
	return "off"
}

func missingText(s policy.Setting) string {
	switch s.Missing {
	case "block":
		return "without its evidence the certificate is kept out"
	case "report":
		return "without its evidence it says so"
	}
	return ""
}
