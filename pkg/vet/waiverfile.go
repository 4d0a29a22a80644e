package vet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/strictyaml"
)

// ErrWaivers marks a file of waivers that is not taken.
var ErrWaivers = errors.New("waivers not valid")

// WaiversSchema is the first line of a file of waivers, MaxWaivers its size cap in bytes.
const (
	WaiversSchema = "efgsta.waivers/v1"
	MaxWaivers    = 1 << 20
)

// waiverError is a mistake in a file of waivers. It wraps ErrWaivers.
type waiverError struct {
	name string
	line int
	msg  string
	next string // what to do
	err  error  // behind msg; may be nil
}

func (e *waiverError) Error() string {
	text := e.name + ": "
	if e.line > 0 {
		text += fmt.Sprintf("line %d: ", e.line)
	}
	return text + e.msg
}

func (e *waiverError) Hint() string { return e.next }

func (e *waiverError) Unwrap() []error { return []error{ErrWaivers, e.err} }

// waiversFile is the YAML of WaiversSchema.
type waiversFile struct {
	Schema  string         `yaml:"schema"`
	Waivers []*writtenDown `yaml:"waivers"` // nil for an entry without text, which would be left out otherwise
}

// writtenDown is one entry as it stands in the file.
type writtenDown struct {
	rule, thumbprint, reason, owner, expires string
	line                                     int
}

// UnmarshalYAML takes text as it is written: a thumbprint of digits is no number.
func (w *writtenDown) UnmarshalYAML(n *yaml.Node) error {
	into := map[string]*string{"rule": &w.rule, "thumbprint": &w.thumbprint, "reason": &w.reason, "owner": &w.owner, "expires": &w.expires}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("line %d: rule, thumbprint, reason, owner and expires are expected", n.Line)
	}
	w.line = n.Line
	var seen []string
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field := into[key.Value]
		switch {
		case field == nil:
			return fmt.Errorf("line %d: unknown field %q", key.Line, key.Value)
		case slices.Contains(seen, key.Value):
			return fmt.Errorf("line %d: %s is given twice", key.Line, key.Value)
		case value.Kind != yaml.ScalarNode:
			return fmt.Errorf("line %d: %s: text is expected", value.Line, key.Value)
		case value.ShortTag() != "!!null":
			*field = value.Value
		}
		seen = append(seen, key.Value)
	}
	return nil
}

// ReadWaivers reads a file of waivers, YAML of WaiversSchema:
//
//	schema: efgsta.waivers/v1
//	waivers:
//	  - rule: EFGS-308              # id or name
//	    thumbprint: 3F:0A:…         # SHA-256 of the certificate, 64 hex digits, colons or none
//	    reason: no e-mail address in certificates of this CA
//	    owner: PKI desk
//	    expires: 2027-01-31         # the last day on which it holds (UTC), or a time in RFC 3339
//
// Errors wrap ErrWaivers and name file and line.
func ReadWaivers(name string, data []byte) (*Waivers, error) {
	var f waiversFile
	if err := strictyaml.Unmarshal(data, MaxWaivers, &f); err != nil {
		return nil, &waiverError{name: name, msg: err.Error(), err: err,
			next: "a list of rule, thumbprint, reason, owner and expires: efgsta check --help shows one"}
	}
	if f.Schema != WaiversSchema {
		return nil, &waiverError{name: name, msg: fmt.Sprintf("schema is %s, %q expected", quote(f.Schema), WaiversSchema), next: "begin the file with the line: schema: " + WaiversSchema}
	}
	var list []Waiver
	for i, entry := range f.Waivers {
		if entry == nil {
			return nil, &waiverError{name: name, msg: fmt.Sprintf("entry %d is empty", i+1), next: "take its hyphen out"}
		}
		w := Waiver{Rule: entry.rule, Reason: entry.reason, Owner: entry.owner, Line: entry.line}
		ok := false
		if w.Thumbprint, ok = thumbprint(entry.thumbprint); !ok {
			return nil, &waiverError{name: name, line: entry.line, msg: fmt.Sprintf("thumbprint %s is no SHA-256 of 64 hex digits", quote(entry.thumbprint)),
				next: "efgsta check --format json has it as sha256; openssl x509 -noout -fingerprint -sha256 -in FILE prints it too"}
		}
		if w.Expires, ok = LastMoment(entry.expires); !ok {
			return nil, &waiverError{name: name, line: entry.line, msg: fmt.Sprintf("expires %s is no date", quote(entry.expires)),
				next: "a date such as 2027-01-31, the last day on which it holds, or a time in RFC 3339"}
		}
		list = append(list, w)
	}
	return NewWaivers(name, list)
}

func thumbprint(s string) (t cert.Thumbprint, ok bool) {
	b, err := hex.DecodeString(strings.ReplaceAll(s, ":", ""))
	return t, err == nil && copy(t[:], b) == len(t) && len(b) == len(t)
}

// LastMoment reads the end of a waiver: a date, which holds to its last second (UTC), or a
// time in RFC 3339. "" is the zero time.
func LastMoment(s string) (time.Time, bool) {
	if s == "" {
		return time.Time{}, true
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return t.AddDate(0, 0, 1).Add(-time.Second), true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UTC().Truncate(time.Second), err == nil
}
