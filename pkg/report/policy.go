package report

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// The JSON forms about policies; docs/schemas describes each.
const (
	PolicyListSchema     = "efgsta.policy-list/v1"
	PolicyDiffSchema     = "efgsta.policy-diff/v1"
	PolicyValidateSchema = "efgsta.policy-validate/v1"
)

// Policies is a list of policies.
type Policies []*policy.Policy

type policyEntryJSON struct {
	Name       string `json:"name"`
	Title      string `json:"title"`
	Document   string `json:"document"`
	Base       string `json:"base,omitempty"`
	Difference string `json:"difference,omitempty"`
	SHA256     string `json:"sha256"`
	Default    bool   `json:"default"`
}

// JSON writes the list in the form of PolicyListSchema.
func (all Policies) JSON(w io.Writer) error {
	doc := struct {
		Schema   string            `json:"schema"`
		Policies []policyEntryJSON `json:"policies"`
	}{PolicyListSchema, []policyEntryJSON{}}
	for _, p := range all {
		doc.Policies = append(doc.Policies, policyEntryJSON{p.Name, p.Title, p.Document, p.Base, p.Difference(), p.SHA256, p.Name == policy.Default})
	}
	return writeJSON(w, doc)
}

// Table writes a few lines for each.
func (all Policies) Table(w io.Writer, o Options) error {
	p := &printer{w: bufio.NewWriter(w), Options: o}
	for _, pol := range all {
		head := pol.Name
		switch {
		case pol.Difference() != "":
			head += "  " + pol.Difference()
		case pol.Name == policy.Default:
			head += "  the document, and the default"
		}
		fmt.Fprintln(p.w, head)
		p.wrap("  ", "  ", Escape(pol.Title))
		p.wrap("  ", "  ", "sha256 "+pol.SHA256)
	}
	return p.w.Flush()
}

// Policy is one policy with the rules that it is about.
type Policy struct {
	*policy.Policy
	Rules []vet.Rule
}

// policyFile is a policy in the form of its own YAML: JSON is YAML, so what is
// written can be read as a policy.
type policyFile struct {
	Schema     string                 `json:"schema"`
	Name       string                 `json:"name"`
	Title      string                 `json:"title"`
	Document   string                 `json:"document,omitempty"`
	Provenance string                 `json:"provenance,omitempty"`
	Base       string                 `json:"base,omitempty"`
	Rules      map[string]settingFile `json:"rules,omitempty"`
	Deviations []deviationFile        `json:"deviations,omitempty"`
}

type settingFile struct {
	Severity map[string]string `json:"severity"`
	Cases    map[string]string `json:"cases,omitempty"`
	Missing  string            `json:"missing,omitempty"`
	Params   map[string]int    `json:"params,omitempty"`
}

type deviationFile struct {
	Rule      string         `json:"rule"`
	Roles     []string       `json:"roles"`
	Case      string         `json:"case,omitempty"`
	When      string         `json:"when,omitempty"`
	NotBefore string         `json:"not-before,omitempty"`
	Severity  string         `json:"severity,omitempty"`
	Params    map[string]int `json:"params,omitempty"`
	Reason    string         `json:"reason"`
	Date      string         `json:"date"`
}

// JSON writes the policy in the form of its YAML, efgsta.policy/v1.
func (p *Policy) JSON(w io.Writer) error {
	doc := policyFile{Schema: policy.Schema, Name: p.Name, Title: p.Title, Document: p.Document, Provenance: p.Provenance, Base: p.Base}
	if p.Base == "" {
		doc.Rules = map[string]settingFile{}
		for id, s := range p.Policy.Rules {
			doc.Rules[id] = settingFile(s)
		}
	}
	for _, d := range p.Deviations {
		doc.Deviations = append(doc.Deviations, deviationFile(d))
	}
	return writeJSON(w, doc)
}

// Table writes what the policy says of each rule and type, and its deviations. base
// is the policy that it stands on, or nil.
func (p *Policy) Table(w io.Writer, base *policy.Policy, o Options) error {
	out := &printer{w: bufio.NewWriter(w), Options: o}
	row := func(what, text string) {
		if text = strings.TrimSpace(text); text != "" {
			out.wrap(fmt.Sprintf("%-10s ", what), "           ", Escape(text))
		}
	}
	row("policy", p.Name)
	row("title", p.Title)
	row("document", p.Document)
	row("sha256", p.SHA256)
	row("differs", p.Difference())
	row("why", strings.ReplaceAll(p.Provenance, "\n", " "))
	fmt.Fprintln(out.w)
	name := len("RULE")
	for _, r := range p.Rules {
		name = max(name, len(r.Name))
	}
	line := func(id, rule string, words []string, more string) {
		text := fmt.Sprintf("%-8s  %-*s ", id, name, rule)
		for _, word := range words {
			text += fmt.Sprintf(" %-8s", word)
		}
		text = strings.TrimRight(text, " ")
		if more != "" && out.Width == 0 {
			text += "  " + more
		}
		fmt.Fprintln(out.w, text)
		if more != "" && out.Width > 0 {
			out.wrap("          ", "          ", more)
		}
	}
	heads := policy.Roles()
	for i := range heads {
		heads[i] = strings.ToUpper(heads[i])
	}
	line("RULE", "", heads, "")
	for _, r := range p.Rules {
		s := p.Policy.Rules[r.ID]
		var words []string
		for _, role := range policy.Roles() {
			words = append(words, strings.Replace(s.Severity[role], "off", "-", 1))
		}
		line(r.ID, r.Name, words, details(s))
	}
	if base != nil {
		fmt.Fprintf(out.w, "\n%s:\n\n", p.Difference())
		out.changes(policy.Diff(base, p.Policy), p.Rules)
	}
	return out.w.Flush()
}

// details are the numbers and cases of a setting.
func details(s policy.Setting) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s.Params)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, s.Params[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Cases)) {
		parts = append(parts, name+": "+s.Cases[name])
	}
	if s.Missing != "" {
		parts = append(parts, "missing: "+s.Missing)
	}
	if parts == nil {
		return ""
	}
	return "(" + strings.Join(parts, ", ") + ")"
}
