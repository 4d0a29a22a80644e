package report

import (
	"bufio"
	"fmt"
	"io"

	"github.com/efgsta/efgsta/policy"
)

// PolicyValidation is what was found in policy files.
type PolicyValidation struct {
	Files []ValidatedPolicy
}

// ValidatedPolicy is one of them; it is valid if there are no mistakes.
type ValidatedPolicy struct {
	File     string
	Policy   *policy.Policy // nil if it could not be read
	Mistakes []policy.Mistake
}

// Valid reports whether every file is.
func (v *PolicyValidation) Valid() bool {
	for _, f := range v.Files {
		if len(f.Mistakes) > 0 {
			return false
		}
	}
	return true
}

type validatedJSON struct {
	File     string        `json:"file"`
	Valid    bool          `json:"valid"`
	Policy   *policyJSON   `json:"policy,omitempty"`
	Mistakes []mistakeJSON `json:"mistakes"`
}

type mistakeJSON struct {
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// JSON writes it in the form of PolicyValidateSchema.
func (v *PolicyValidation) JSON(w io.Writer) error {
	doc := struct {
		Schema string          `json:"schema"`
		Files  []validatedJSON `json:"files"`
	}{PolicyValidateSchema, []validatedJSON{}}
	for _, f := range v.Files {
		e := validatedJSON{File: f.File, Valid: len(f.Mistakes) == 0, Mistakes: []mistakeJSON{}}
		if e.Valid {
			p := newPolicyJSON(f.Policy)
			e.Policy = &p
		}
		for _, m := range f.Mistakes {
			e.Mistakes = append(e.Mistakes, mistakeJSON{m.Line, m.Msg, m.Next})
		}
		doc.Files = append(doc.Files, e)
	}
	return writeJSON(w, doc)
}

// Table writes "FILE:LINE: what is wrong" for each mistake, as editors read it.
func (v *PolicyValidation) Table(w io.Writer, o Options) error {
	p := &printer{w: bufio.NewWriter(w), Options: o}
	for _, f := range v.Files {
		for _, m := range f.Mistakes {
			where := Escape(f.File)
			if m.Line > 0 {
				where = fmt.Sprintf("%s:%d", where, m.Line)
			}
			fmt.Fprintf(p.w, "%s: %s\n", where, Escape(m.Msg))
			if m.Next != "" {
				p.wrap("    hint: ", "          ", Escape(m.Next))
			}
		}
		if len(f.Mistakes) > 0 {
			continue
		}
		text := f.Policy.Difference()
		if text == "" {
			text = "says what " + policy.Default + " says"
		}
		p.wrap("", "    ", fmt.Sprintf("%s: valid: policy %s, %s, sha256 %s", Escape(f.File), f.Policy.Name, text, f.Policy.SHA256))
	}
	return p.w.Flush()
}
