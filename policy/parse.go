package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Schema is the first line of every policy.
const Schema = "efgsta.policy/v1"

// Roles are the four certificates of the governance document, in its order.
func Roles() []string { return []string{"nbtls", "nbbs", "efgstls", "efgsta"} }

// Severities are what a rule can be, the strictest first; "off" is not a rule of that template.
func Severities() []string { return []string{"error", "warning", "notice", "off"} }

// Parse loads a policy from YAML: known fields only, one document, no anchors or
// aliases, at most MaxSize bytes. The base of an overlay is an embedded policy.
// Errors wrap ErrInvalid; Mistakes tells all that is wrong.
func Parse(data []byte) (*Policy, error) {
	r := &reader{}
	root := r.tree(data)
	if root == nil {
		return nil, r.err()
	}
	p := &Policy{}
	base := r.policy(root, p)
	if err := r.err(); err != nil {
		return nil, err
	}
	p.SHA256 = hash(base, data)
	return p, nil
}

// ParseFile is Parse for a file of the user's own, as it was named. It cannot take
// the name of an embedded policy, which reports, plans and lists carry.
func ParseFile(file string, data []byte) (*Policy, error) {
	p, err := Parse(data)
	if err != nil {
		return nil, err
	}
	if known := embedded(p.Name); known != nil && known.SHA256 != p.SHA256 {
		r := &reader{}
		r.wrongAt(0, "give it a name of its own", "the name %s belongs to an embedded policy, and this is another", p.Name)
		return nil, r.err()
	}
	p.File = file
	return p, nil
}

// hash is over the bytes of the YAML; an overlay's is over its base's hash in hex,
// a line feed, and its own bytes, so that no part of what decides can change under it.
func hash(base *Policy, data []byte) string {
	h := sha256.New()
	if base != nil {
		io.WriteString(h, base.SHA256+"\n") // a hash takes everything
	}
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// tree takes nothing but the tree from the YAML library: an alias is refused
// before anything expands it.
func (r *reader) tree(data []byte) *yaml.Node {
	if len(data) > MaxSize {
		r.wrongAt(0, "", "%d bytes, at most %d", len(data), MaxSize)
		return nil
	}
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		r.syntax(err)
		return nil
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		r.wrong(&second, "one file is one policy", "more than one YAML document")
		return nil
	} else if !errors.Is(err, io.EOF) {
		r.syntax(err)
		return nil
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		r.wrongAt(0, "", "no YAML document")
		return nil
	}
	return root.Content[0]
}

// syntax notes what the YAML library says, which begins with the line where it knows it.
func (r *reader) syntax(err error) {
	if errors.Is(err, io.EOF) {
		r.wrongAt(0, "", "the file is empty")
		return
	}
	text, line := strings.TrimPrefix(err.Error(), "yaml: "), 0
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if n, scanErr := fmt.Sscanf(rest, "%d:", &line); n == 1 && scanErr == nil {
			_, text, _ = strings.Cut(rest, ": ")
		}
	}
	r.wrongAt(line, "", "not YAML: %s", text)
}

// policy reads the whole, and returns the base of an overlay.
func (r *reader) policy(root *yaml.Node, p *Policy) (base *Policy) {
	schema := ""
	var rules, baseAt, deviations *yaml.Node
	there := r.fields(root, map[string]func(*yaml.Node){
		"schema":     r.textInto(&schema),
		"name":       r.textInto(&p.Name),
		"title":      r.textInto(&p.Title),
		"document":   r.textInto(&p.Document),
		"provenance": r.textInto(&p.Provenance),
		"base":       func(n *yaml.Node) { baseAt = n; r.textInto(&p.Base)(n) },
		"rules":      func(n *yaml.Node) { rules = n },
		"deviations": func(n *yaml.Node) { deviations = n },
	})
	if schema != Schema {
		r.wrong(root, "schema: "+Schema, "schema is %q, %q expected", schema, Schema)
	}
	if !isName(p.Name) {
		r.wrong(root, "name: my-policy", "name %q: lower-case letters, digits, dots and hyphens expected", p.Name)
	}
	if strings.TrimSpace(p.Title) == "" {
		r.wrong(root, "title: what the policy is for", "title is required")
	}
	switch {
	case !there["base"]:
		if deviations != nil {
			r.wrong(deviations, "base: "+Default, "deviations need a base to deviate from")
		}
		r.rules(root, rules, p)
		return nil
	case rules != nil:
		r.wrong(rules, "write what differs as deviations, or leave the base out", "a policy with a base has deviations, not rules")
	}
	base = r.base(baseAt, p)
	if deviations == nil {
		r.wrong(root, "leave the base out, or say what differs", "deviations are required with a base")
	} else if base != nil {
		r.deviations(deviations, base, p)
	}
	return base
}

func (r *reader) rules(root, n *yaml.Node, p *Policy) {
	p.Rules = map[string]Setting{}
	if n == nil {
		r.wrong(root, "a whole policy has rules; one that differs a little has a base and deviations", "rules are required")
		return
	}
	r.pairs(n, func(id string, at, v *yaml.Node) {
		if !isRuleID(id) {
			r.wrong(at, "efgsta rules lists the ids", "rule %q: an id such as EFGS-102 is expected", id)
			return
		}
		p.Rules[id] = r.setting(id, at, v)
	})
	if len(n.Content) == 0 {
		r.wrong(n, "", "rules are required")
	}
}

// base reads the embedded policy that an overlay stands on, from its YAML: the
// values made from it may be older while they are made anew.
func (r *reader) base(n *yaml.Node, p *Policy) *Policy {
	source, err := Source(p.Base)
	if err != nil {
		r.wrong(n, "base: "+Default, "base %q is not an embedded policy", p.Base)
		return nil
	}
	b := &reader{}
	base := &Policy{}
	root := b.tree(source)
	if root != nil && isOverlay(root) {
		r.wrong(n, "base: "+Default, "base %q has a base itself", p.Base)
		return nil
	}
	if root != nil {
		b.policy(root, base)
	}
	if err := b.err(); err != nil {
		r.wrong(n, "", "base %s: %s", p.Base, b.mistakes[0])
		return nil
	}
	base.SHA256 = hash(nil, source)
	p.Rules = base.Rules
	if p.Document == "" {
		p.Document = base.Document
	}
	return base
}

func isOverlay(root *yaml.Node) bool {
	return root.Kind == yaml.MappingNode && slices.ContainsFunc(root.Content, func(n *yaml.Node) bool { return n.Value == "base" })
}

func (r *reader) setting(id string, at, n *yaml.Node) (s Setting) {
	there := r.fields(n, map[string]func(*yaml.Node){
		"severity": func(n *yaml.Node) { r.severity(n, &s) },
		"cases": func(n *yaml.Node) {
			s.Cases = map[string]string{}
			r.pairs(n, func(name string, _, v *yaml.Node) { s.Cases[name] = r.severityWord(v) })
		},
		"missing": func(n *yaml.Node) {
			r.textInto(&s.Missing)(n)
			if s.Missing != "block" && s.Missing != "report" {
				r.wrong(n, "", "missing is %q, block or report expected", s.Missing)
			}
		},
		"params": r.numbers(&s.Params),
	})
	if !there["severity"] {
		r.wrong(at, "severity: error, warning, notice or off", "%s: severity is required", id)
	}
	return s
}

// severity reads one word for all roles, or one per role; a role that the long form leaves out is "off".
func (r *reader) severity(n *yaml.Node, s *Setting) {
	s.Severity = map[string]string{}
	if n.Kind == yaml.ScalarNode {
		word := r.severityWord(n)
		for _, role := range Roles() {
			s.Severity[role] = word
		}
		return
	}
	for _, role := range Roles() {
		s.Severity[role] = "off"
	}
	r.pairs(n, func(role string, at, v *yaml.Node) {
		if !slices.Contains(Roles(), role) {
			r.wrong(at, "one of: "+strings.Join(Roles(), ", "), "unknown role %q", role)
			return
		}
		s.Severity[role] = r.severityWord(v)
	})
}

func (r *reader) severityWord(n *yaml.Node) string {
	word, ok := r.text(n)
	if ok && !slices.Contains(Severities(), word) {
		r.wrong(n, "one of: "+strings.Join(Severities(), ", "), "unknown severity %q", word)
	}
	return word
}

func isRuleID(s string) bool {
	digits, ok := strings.CutPrefix(s, "EFGS-")
	return ok && len(digits) == 3 && strings.Trim(digits, "0123456789") == ""
}

func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s[:1], ".-") != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
