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

// Parse loads a policy from YAML: known fields only, one document, no anchors or
// aliases, at most MaxSize bytes. Errors wrap ErrInvalid.
func Parse(data []byte) (*Policy, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(data), MaxSize)
	}
	// Only the tree is taken from the YAML library: an alias is refused before
	// anything expands it.
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one YAML document", ErrInvalid)
	}
	p := &Policy{Rules: map[string]Setting{}}
	if err := p.read(&root); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	sum := sha256.Sum256(data)
	p.SHA256 = hex.EncodeToString(sum[:])
	return p, nil
}

func (p *Policy) read(root *yaml.Node) error {
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		return errors.New("no YAML document")
	}
	schema := ""
	err := fields(root.Content[0], map[string]func(*yaml.Node) error{
		"schema":     text(&schema),
		"name":       text(&p.Name),
		"title":      text(&p.Title),
		"document":   text(&p.Document),
		"provenance": text(&p.Provenance),
		"rules": func(n *yaml.Node) error {
			return pairs(n, func(id string, v *yaml.Node) error {
				s, err := readSetting(v)
				if err != nil {
					return fmt.Errorf("%s: %w", id, err)
				}
				if !isRuleID(id) {
					return fmt.Errorf("rule %q: an id such as EFGS-102 expected", id)
				}
				p.Rules[id] = s
				return nil
			})
		},
	})
	switch {
	case err != nil:
		return err
	case schema != Schema:
		return fmt.Errorf("schema is %q, %q expected", schema, Schema)
	case !isName(p.Name):
		return fmt.Errorf("name %q: lower-case letters, digits, dots and hyphens expected", p.Name)
	case p.Title == "" || len(p.Rules) == 0:
		return errors.New("title and rules are required")
	}
	return nil
}

func readSetting(n *yaml.Node) (s Setting, err error) {
	err = fields(n, map[string]func(*yaml.Node) error{
		"severity": func(n *yaml.Node) error { return readSeverity(n, &s) },
		"cases": func(n *yaml.Node) error {
			s.Cases = map[string]string{}
			return pairs(n, func(name string, v *yaml.Node) error { return severityWord(v, s.Cases, name) })
		},
		"missing": func(n *yaml.Node) error {
			if err := text(&s.Missing)(n); err != nil {
				return err
			}
			if s.Missing != "block" && s.Missing != "report" {
				return at(n, "missing is %q, block or report expected", s.Missing)
			}
			return nil
		},
		"params": func(n *yaml.Node) error {
			s.Params = map[string]int{}
			return pairs(n, func(name string, v *yaml.Node) error { return number(v, s.Params, name) })
		},
	})
	if err == nil && s.Severity == nil {
		err = at(n, "severity is required")
	}
	return s, err
}

// readSeverity reads one word for all roles, or one per role; a role that the long form leaves out is "off".
func readSeverity(n *yaml.Node, s *Setting) error {
	s.Severity = map[string]string{}
	if n.Kind == yaml.ScalarNode {
		for _, role := range Roles() {
			if err := severityWord(n, s.Severity, role); err != nil {
				return err
			}
		}
		return nil
	}
	for _, role := range Roles() {
		s.Severity[role] = "off"
	}
	return pairs(n, func(role string, v *yaml.Node) error {
		if !slices.Contains(Roles(), role) {
			return at(n, "unknown role %q", role)
		}
		return severityWord(v, s.Severity, role)
	})
}

func severityWord(n *yaml.Node, into map[string]string, key string) error {
	word := ""
	if err := text(&word)(n); err != nil {
		return err
	}
	if !slices.Contains([]string{"error", "warning", "notice", "off"}, word) {
		return at(n, "unknown severity %q", word)
	}
	into[key] = word
	return nil
}

func isRuleID(s string) bool {
	digits, ok := strings.CutPrefix(s, "EFGS-")
	return ok && len(digits) == 3 && strings.Trim(digits, "0123456789") == ""
}

func isName(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s[:1], ".-") != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}
