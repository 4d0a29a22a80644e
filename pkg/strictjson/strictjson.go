// Package strictjson is the one JSON form of everything that is signed, approved
// or compared byte for byte: a value has exactly one encoding, and reading
// accepts that encoding only.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrForm marks JSON that is not the canonical form, or not of the expected shape.
var ErrForm = errors.New("not in canonical form")

// Marshal encodes v: members in field order, two spaces of indentation, no HTML
// escaping, invisible characters escaped, one trailing LF.
func Marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return escapeInvisible(b.Bytes()), nil
}

// escapeInvisible writes as \uXXXX the characters that would steer a terminal or
// reorder the text around them: the same value for a program, plain to a person.
// Outside of strings JSON has none of them.
func escapeInvisible(text []byte) []byte {
	if !bytes.ContainsFunc(text, invisible) {
		return text
	}
	var out []byte
	for _, r := range string(text) {
		if invisible(r) {
			out = fmt.Appendf(out, "\\u%04x", r)
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

// invisible reports DEL, the C1 controls, and the zero-width and bidirectional
// format characters.
func invisible(r rune) bool {
	return r >= 0x7f && r <= 0x9f || r == 0xad || r >= 0x200b && r <= 0x200f || r >= 0x202a && r <= 0x202e ||
		r >= 0x2060 && r <= 0x2069 || r == 0xfeff
}

// Unmarshal decodes data of at most max bytes into v, a pointer to a struct. It
// accepts only what Marshal would write for the result, so unknown and duplicate
// members, other orders, spellings and trailing data are all ErrForm.
func Unmarshal(data []byte, max int, v any) error {
	if len(data) > max {
		return fmt.Errorf("%w: %d bytes, at most %d are read", ErrForm, len(data), max)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	again, err := Marshal(v)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	if !bytes.Equal(data, again) {
		return fmt.Errorf("%w: differs from its own encoding at byte %d", ErrForm, firstDifference(data, again))
	}
	return nil
}

func firstDifference(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
