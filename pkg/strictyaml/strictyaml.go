// Package strictyaml reads a configuration file that a person reviewed: one
// document, known fields only, no aliases, no duplicate keys, a size cap.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"gopkg.in/yaml.v3"
)

// ErrConfig marks YAML that is not taken.
var ErrConfig = errors.New("configuration not valid")

// Unmarshal decodes data of at most max bytes into v, a pointer to a struct.
func Unmarshal(data []byte, max int, v any) error {
	if len(data) > max {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrConfig, len(data), max)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if err == io.EOF {
			err = errors.New("it is empty")
		}
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if err := dec.Decode(new(yaml.Node)); err != io.EOF {
		return fmt.Errorf("%w: more than one document", ErrConfig)
	}
	if line := findAlias(&doc); line > 0 {
		return fmt.Errorf("%w: line %d: anchors and aliases are not taken", ErrConfig, line)
	}
	dec = yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return nil
}

// findAlias returns the line of the first anchor or alias, 0 if there is none. The
// parser caps nesting, so the recursion is bounded.
func findAlias(n *yaml.Node) int {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return n.Line
	}
	for _, c := range n.Content {
		if line := findAlias(c); line > 0 {
			return line
		}
	}
	return 0
}
