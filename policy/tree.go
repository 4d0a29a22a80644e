package policy

import (
	"fmt"
	"strconv"

	"gopkg.in/yaml.v3"
)

// pairs visits a mapping in its order. Anchors, aliases, merge keys and keys that
// stand twice are refused: a policy is a plain tree that two readers read alike.
func pairs(n *yaml.Node, visit func(key string, value *yaml.Node) error) error {
	if err := plain(n); err != nil {
		return err
	}
	if n.Kind != yaml.MappingNode {
		return at(n, "a mapping is expected")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		var key string
		if err := text(&key)(n.Content[i]); err != nil {
			return err
		}
		if seen[key] {
			return at(n.Content[i], "%s stands twice", key)
		}
		seen[key] = true
		if err := visit(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// fields reads a mapping whose keys are all known.
func fields(n *yaml.Node, known map[string]func(*yaml.Node) error) error {
	return pairs(n, func(key string, value *yaml.Node) error {
		read, ok := known[key]
		if !ok {
			return at(value, "unknown field %q", key)
		}
		return read(value)
	})
}

// text reads a string; numbers and other things that look like one need quotes.
func text(into *string) func(*yaml.Node) error {
	return func(n *yaml.Node) error {
		if err := plain(n); err != nil {
			return err
		}
		if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
			return at(n, "text is expected")
		}
		*into = n.Value
		return nil
	}
}

func number(n *yaml.Node, into map[string]int, key string) error {
	if err := plain(n); err != nil {
		return err
	}
	v, err := strconv.ParseUint(n.Value, 10, 31)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		return at(n, "%s: a number from 0 to %d is expected", key, 1<<31-1)
	}
	into[key] = int(v)
	return nil
}

func plain(n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return at(n, "anchors and aliases are not allowed")
	}
	return nil
}

func at(n *yaml.Node, format string, args ...any) error {
	return fmt.Errorf("line %d: %w", n.Line, fmt.Errorf(format, args...))
}
