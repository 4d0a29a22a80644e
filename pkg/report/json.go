package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// checkJSON is how the JSON form of a report begins; certificates and summary follow.
type checkJSON struct {
	Schema string     `json:"schema"`
	Policy policyJSON `json:"policy"`
	At     string     `json:"at"`
	Roots  string     `json:"roots,omitempty"`
	Zlint  string     `json:"zlint,omitempty"`
}

type policyJSON struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	// Difference is how far it is from the governance document; "" if it is the document.
	Difference string `json:"difference,omitempty"`
}

func newPolicyJSON(p *policy.Policy) policyJSON { return policyJSON{p.Name, p.SHA256, p.Difference()} }

type certificateJSON struct {
	File       string        `json:"file"`
	Index      int           `json:"index"`
	SHA256     string        `json:"sha256"`
	SPKISHA256 string        `json:"spkiSha256"`
	Type       string        `json:"type"`
	TypeReason string        `json:"typeReason,omitempty"`
	Country    string        `json:"country"`
	Subject    string        `json:"subject"`
	Verdict    vet.Verdict   `json:"verdict"`
	Findings   []vet.Finding `json:"findings"`
	Passed     int           `json:"passed"`
}

// jsonForm writes the form of CheckSchema.
type jsonForm struct {
	w            io.Writer
	head         checkJSON
	certificates jsonList
}

func newJSON(w io.Writer, h Header) *jsonForm {
	return &jsonForm{w: w, certificates: jsonList{w: w, indent: "    "}, head: checkJSON{
		Schema: CheckSchema,
		Policy: newPolicyJSON(h.Policy),
		At:     h.At.UTC().Format(time.RFC3339),
		Roots:  h.Roots,
		Zlint:  h.Zlint,
	}}
}

// begin writes what stands before the first certificate.
func (f *jsonForm) begin() error {
	if f.certificates.began {
		return nil
	}
	if err := openJSON(f.w, "", f.head, "\n}"); err != nil {
		return err
	}
	return f.certificates.begin("certificates")
}

func (f *jsonForm) result(e entry) error {
	if err := f.begin(); err != nil {
		return err
	}
	c := certificateJSON{
		File: e.File, Index: e.Index, SHA256: e.sha256, Type: string(e.Role), TypeReason: e.RoleReason, Country: clip(e.Country),
		Verdict: e.Verdict, Findings: e.Findings, Passed: e.Passed,
	}
	if c.Findings == nil {
		c.Findings = []vet.Finding{}
	}
	if crt := e.Certificate; crt != nil {
		c.Subject = clip(crt.Subject.String())
		if len(crt.SPKI) > 0 {
			c.SPKISHA256 = crt.SPKISHA256().String()
		}
	}
	return f.certificates.add(c)
}

func (f *jsonForm) close(s totals) error {
	if err := f.begin(); err != nil {
		return err
	}
	if err := f.certificates.end(); err != nil {
		return err
	}
	if _, err := io.WriteString(f.w, ",\n  \"summary\": "); err != nil {
		return err
	}
	if err := encodeJSON(f.w, "  ", s); err != nil {
		return err
	}
	_, err := io.WriteString(f.w, "\n}\n")
	return err
}

func (f *jsonForm) discard() {}

// jsonList writes an array that is a member of an object, element by element.
type jsonList struct {
	w      io.Writer
	indent string // of its elements
	flat   bool   // each element is one line
	began  bool
	n      int
}

// begin writes the name behind the members before it.
func (l *jsonList) begin(name string) error {
	l.began = true
	_, err := fmt.Fprintf(l.w, ",\n%s%q: [", l.indent[2:], name)
	return err
}

func (l *jsonList) add(v any) error {
	comma := ","
	if l.n == 0 {
		comma = ""
	}
	l.n++
	if _, err := io.WriteString(l.w, comma+"\n"+l.indent); err != nil {
		return err
	}
	if !l.flat {
		return encodeJSON(l.w, l.indent, v)
	}
	var b bytes.Buffer
	if err := encodeJSON(&b, "", v); err != nil {
		return err
	}
	_, err := l.w.Write(oneLine(b.Bytes()))
	return err
}

// oneLine takes out line ends and the blanks behind them. Strings have none.
func oneLine(text []byte) []byte {
	out := text[:0]
	for line := range bytes.Lines(text) {
		out = append(out, bytes.Trim(line, " \n")...)
		if bytes.HasSuffix(line, []byte(",\n")) {
			out = append(out, ' ')
		}
	}
	return out
}

func (l *jsonList) end() error {
	end := "]"
	if l.n > 0 {
		end = "\n" + l.indent[2:] + end
	}
	_, err := io.WriteString(l.w, end)
	return err
}

// openJSON writes v without its end, so that further members can follow. indent
// stands before the lines behind the first.
func openJSON(w io.Writer, indent string, v any, end string) error {
	var b bytes.Buffer
	if err := encodeJSON(&b, indent, v); err != nil {
		return err
	}
	_, err := w.Write(bytes.TrimSuffix(b.Bytes(), []byte(end)))
	return err
}

// writeJSON writes v indented, with a newline at the end.
func writeJSON(w io.Writer, v any) error {
	if err := encodeJSON(w, "", v); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// encodeJSON writes v indented; indent stands before every line but the first.
// Invisible characters become JSON escapes, since JSON is read on terminals too.
func encodeJSON(w io.Writer, indent string, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent(indent, "  ")
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encode JSON: %w", err)
	}
	_, err := w.Write(escapeJSON(bytes.TrimSuffix(b.Bytes(), []byte("\n"))))
	return err
}

// escapeJSON replaces characters that do not show. Outside of strings there are none.
func escapeJSON(data []byte) []byte {
	out := make([]byte, 0, len(data))
	for i := 0; i < len(data); {
		plain := i
		for plain < len(data) && (data[plain] >= 0x20 && data[plain] < 0x7f || data[plain] == '\n') {
			plain++
		}
		if plain > i {
			out = append(out, data[i:plain]...)
			i = plain
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		switch {
		case r >= 0x20 && visible(r):
			out = append(out, data[i:i+size]...)
		case r > 0xffff:
			r -= 0x10000
			out = fmt.Appendf(out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}
