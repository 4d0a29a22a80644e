package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"

	"gopkg.in/yaml.v3"
)

// Schema is the first line of every policy.
const Schema = "efgsta.policy/v1"

// Roles are the four certificates of the governance document, in its order.
func Roles() []string { return []string{"nbtls", "nbbs", "efgstls", "efgsta"} }

type document struct {
	Schema     string             `yaml:"schema"`
	Name       string             `yaml:"name"`
	Title      string             `yaml:"title"`
	Document   string             `yaml:"document"`
	Provenance string             `yaml:"provenance"`
	Rules      map[string]setting `yaml:"rules"`
}

type setting struct {
	Severity severity          `yaml:"severity"`
	Cases    map[string]string `yaml:"cases"`
	Missing  string            `yaml:"missing"`
	Params   map[string]int    `yaml:"params"`
}

// severity is one word for all roles, or a word for each role that has the rule.
type severity map[string]string

// UnmarshalYAML reads both forms. A role that the long form leaves out is "off".
func (s *severity) UnmarshalYAML(n *yaml.Node) error {
	all := ""
	switch n.Kind {
	case yaml.ScalarNode:
		all = n.Value
		*s = severity{}
	case yaml.MappingNode:
		given := map[string]string{}
		if err := n.Decode(&given); err != nil {
			return err
		}
		*s = given
		all = "off"
	default:
		return fmt.Errorf("line %d: severity is a word, or one word per role", n.Line)
	}
	for _, role := range Roles() {
		if _, ok := (*s)[role]; !ok {
			(*s)[role] = all
		}
	}
	return nil
}

var (
	ruleID     = regexp.MustCompile(`^EFGS-[0-9]{3}$`)
	policyName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,63}$`)
)

// Parse loads a policy from YAML: known fields only, one document, no anchors or
// aliases, at most MaxSize bytes. Errors wrap ErrInvalid.
func Parse(data []byte) (*Policy, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrInvalid, len(data), MaxSize)
	}
	// The tree is looked at first: an alias is refused before anything expands it.
	var root yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(data))
	if err := dec.Decode(&root); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%w: more than one YAML document", ErrInvalid)
	}
	if err := plain(&root); err != nil {
		return nil, err
	}

	var doc document
	dec = yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(&doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if err := doc.validate(); err != nil {
		return nil, err
	}

	sum := sha256.Sum256(data)
	p := &Policy{
		Name: doc.Name, Title: doc.Title, Document: doc.Document, Provenance: doc.Provenance,
		SHA256: hex.EncodeToString(sum[:]),
		Rules:  make(map[string]Setting, len(doc.Rules)),
	}
	for id, s := range doc.Rules {
		p.Rules[id] = Setting{Severity: s.Severity, Cases: s.Cases, Missing: s.Missing, Params: s.Params}
	}
	return p, nil
}

// plain refuses what makes YAML more than a tree: anchors and aliases.
func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return fmt.Errorf("%w: line %d: anchors and aliases are not allowed", ErrInvalid, n.Line)
	}
	for _, c := range n.Content {
		if err := plain(c); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) validate() error {
	bad := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
	if d.Schema != Schema {
		return bad("schema is %q, %q expected", d.Schema, Schema)
	}
	if !policyName.MatchString(d.Name) {
		return bad("name %q: lower-case letters, digits, dots and hyphens expected", d.Name)
	}
	if d.Title == "" || len(d.Rules) == 0 {
		return bad("title and rules are required")
	}
	for id, s := range d.Rules {
		if !ruleID.MatchString(id) {
			return bad("rule %q: an id such as EFGS-102 expected", id)
		}
		if s.Severity == nil {
			return bad("%s: severity is required", id)
		}
		for role, word := range s.Severity {
			if !known(role, Roles()...) {
				return bad("%s: unknown role %q", id, role)
			}
			if !known(word, "error", "warning", "notice", "off") {
				return bad("%s: unknown severity %q", id, word)
			}
		}
		for name, word := range s.Cases {
			if !known(word, "error", "warning", "notice", "off") {
				return bad("%s: case %s: unknown severity %q", id, name, word)
			}
		}
		if !known(s.Missing, "", "block", "report") {
			return bad("%s: missing is %q, block or report expected", id, s.Missing)
		}
		for name, v := range s.Params {
			if v < 0 {
				return bad("%s: %s is %d, a number from 0 expected", id, name, v)
			}
		}
	}
	return nil
}

func known(word string, words ...string) bool {
	for _, w := range words {
		if w == word {
			return true
		}
	}
	return false
}
