// Package policy holds the YAML policies (embedded) and loads them strictly: the
// severity, parameters and dates of rules are data here; conditions are code in pkg/vet.
package policy

import (
	"embed"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// Setting is what a policy says of one rule.
type Setting struct {
	// Severity per role ("nbtls", "nbbs", "efgstls", "efgsta"): "error", "warning", "notice" or "off" (not a rule of that template).
	Severity map[string]string
	// Cases are severities of cases that a rule tells apart, where they differ
	// from Severity: EFGS-105 has "ca-issued", since a subject cannot choose its CA's padding.
	Cases map[string]string
	// Missing says what evidence that is not there does: "block" or "report".
	// "" blocks where the severity is error and reports elsewhere.
	Missing string
	// Params are the rule's numbers, e.g. "bits": 3000.
	Params map[string]int
}

// Policy is one loaded policy.
type Policy struct {
	Name       string
	Title      string
	Document   string // the document that the policy reads
	Provenance string // why it is read so
	// SHA256 is of the YAML bytes, lower-case hex. An overlay's is of its base's SHA256, a line feed, and its own bytes.
	SHA256 string
	Rules  map[string]Setting // by rule id "EFGS-102"; of an overlay those of its base
	// Base is the embedded policy that an overlay stands on, and Deviations are where it differs.
	Base       string
	Deviations []Deviation
	File       string // that it was read from, as it was named; "" if it is embedded
}

// Default is the policy of the governance document itself.
const Default = "efgs-2020"

// MaxSize is the largest policy that Parse looks at, in bytes.
const MaxSize = 256 << 10

// ErrUnknown marks a policy name that is not embedded.
var ErrUnknown = errors.New("unknown policy")

// ErrInvalid marks YAML that is not a policy.
var ErrInvalid = errors.New("invalid policy")

//go:generate go run ./gen

//go:embed *.yaml
var files embed.FS

// Load loads an embedded policy by name ("efgs-2020").
func Load(name string) (*Policy, error) {
	if p := embedded(name); p != nil {
		return p, nil
	}
	return nil, &nameError{name: name}
}

// Source is the YAML of an embedded policy, whose hash is the policy's.
func Source(name string) ([]byte, error) {
	data, err := files.ReadFile(name + ".yaml")
	if err != nil {
		return nil, &nameError{name: name}
	}
	return data, nil
}

// Names lists the embedded policies in alphabetical order.
func Names() []string {
	entries, err := files.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".yaml"))
	}
	sort.Strings(names)
	return names
}

type nameError struct{ name string }

func (e *nameError) Error() string { return fmt.Sprintf("unknown policy %q", e.name) }

func (e *nameError) Unwrap() error { return ErrUnknown }

// Hint says which names exist.
func (e *nameError) Hint() string {
	return "embedded policies: " + strings.Join(Names(), ", ") + "; or give a YAML file"
}
