package policy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// pairs visits a mapping in its order. Anchors, aliases, merge keys and keys that
// stand twice are refused: a policy is a plain tree that two readers read alike.
func (r *reader) pairs(n *yaml.Node, visit func(key string, at, value *yaml.Node)) {
	if !r.plain(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		r.wrong(n, "", "a mapping is expected")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		at := n.Content[i]
		key, ok := r.text(at)
		if !ok {
			continue
		}
		if seen[key] {
			r.wrong(at, "keep one of them", "%s stands twice", key)
			continue
		}
		seen[key] = true
		visit(key, at, n.Content[i+1])
	}
}

// fields reads a mapping whose keys are all known, and returns those that were there.
func (r *reader) fields(n *yaml.Node, known map[string]func(*yaml.Node)) map[string]bool {
	there := map[string]bool{}
	r.pairs(n, func(key string, at, value *yaml.Node) {
		read, ok := known[key]
		if !ok {
			names := make([]string, 0, len(known))
			for name := range known {
				names = append(names, name)
			}
			slices.Sort(names)
			r.wrong(at, "known here: "+strings.Join(names, ", "), "unknown field %q", key)
			return
		}
		there[key] = true
		read(value)
	})
	return there
}

// text reads a string; numbers and other things that look like one need quotes.
func (r *reader) text(n *yaml.Node) (string, bool) {
	if !r.plain(n) {
		return "", false
	}
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!str" {
		r.wrong(n, "put it in quotes if it is meant as text", "text is expected")
		return "", false
	}
	return n.Value, true
}

// textInto is a field that is text and nothing else.
func (r *reader) textInto(into *string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if s, ok := r.text(n); ok {
			*into = s
		}
	}
}

// dateInto is a day, YYYY-MM-DD; YAML takes it for a time of its own where it has no quotes.
func (r *reader) dateInto(into *string, field string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		if !r.plain(n) {
			return
		}
		_, err := time.Parse(time.DateOnly, n.Value)
		if tag := n.ShortTag(); n.Kind != yaml.ScalarNode || err != nil || tag != "!!str" && tag != "!!timestamp" {
			r.wrong(n, "such as 2026-03-15", "%s: a day is expected", field)
			return
		}
		*into = n.Value
	}
}

func (r *reader) number(n *yaml.Node, into map[string]int, key string) {
	if !r.plain(n) {
		return
	}
	v, err := strconv.ParseUint(n.Value, 10, 31)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		r.wrong(n, "", "%s: a number from 0 to %d is expected", key, 1<<31-1)
		return
	}
	into[key] = int(v)
}

func (r *reader) numbers(into *map[string]int) func(*yaml.Node) {
	return func(n *yaml.Node) {
		*into = map[string]int{}
		r.pairs(n, func(name string, _, v *yaml.Node) { r.number(v, *into, name) })
	}
}

// items are the elements of a list.
func (r *reader) items(n *yaml.Node) []*yaml.Node {
	if !r.plain(n) {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.wrong(n, "", "a list is expected")
		return nil
	}
	return n.Content
}

func (r *reader) plain(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		r.wrong(n, "write it out where it is needed", "anchors and aliases are not allowed")
		return false
	}
	return true
}
