package report

import (
	"bufio"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// Options of the forms for people.
type Options struct {
	Width  int  // columns to wrap at, from 40 on; 0: one line per finding, however long
	Colour bool // the caller has seen that the output is a terminal that wants it
	Quiet  bool // only what is not accepted, and of that only what stands in the way
}

// table writes the report for people.
type table struct {
	*printer
	header Header
	began  bool
}

// begin says first of all whether the policy differs from the document, also where little else is said.
func (t *table) begin() {
	if t.began {
		return
	}
	t.began = true
	if text := t.header.departure(); text != "" {
		t.wrap("", "", text)
		fmt.Fprintln(t.w)
	}
}

func (t *table) result(e entry) error {
	t.begin()
	if !t.Quiet || e.Verdict != vet.VerdictAccepted {
		t.verdict(e)
	}
	return nil // the buffer keeps a failed write for Flush
}

func (t *table) close(s totals) error {
	t.begin()
	if !t.Quiet {
		t.totals(s, t.header)
	}
	return nil
}

func (t *table) discard() {}

type printer struct {
	Options
	w *bufio.Writer
}

func (p *printer) verdict(r entry) {
	head := Escape(r.File)
	if r.Index > 0 {
		head += fmt.Sprintf(" #%d", r.Index+1)
	}
	if r.Role != "" {
		head += "  " + strings.ToUpper(string(r.Role))
	} else if r.Certificate != nil {
		head += "  type unknown"
	}
	if r.Country != "" {
		head += "  " + r.country
	}
	who := ""
	if r.Certificate != nil {
		if r.subject != "" {
			who = r.subject + "  "
		}
		who += "sha256 " + cert.ShortHex(r.sha256) + "…"
	}
	verdict := p.paint(verdictColour(r.Verdict), strings.ToUpper(string(r.Verdict)))
	// On a terminal the subject gets a line of its own, and the verdict the right margin.
	if p.Width == 0 {
		if who != "" {
			head += "  " + who
		}
		fmt.Fprintf(p.w, "%s  %s\n", head, verdict)
	} else {
		if gap := p.Width - utf8.RuneCountInString(head) - len(r.Verdict); gap >= 2 {
			fmt.Fprintf(p.w, "%s%s%s\n", head, strings.Repeat(" ", gap), verdict)
		} else {
			p.wrap("", "", head)
			fmt.Fprintf(p.w, "%s%s\n", strings.Repeat(" ", max(0, p.Width-len(r.Verdict))), verdict)
		}
		if who != "" {
			p.wrap("  ", "  ", who)
		}
	}
	if r.RoleReason != "" && (r.Role == "" || !p.Quiet) {
		p.wrap("  · type: ", "    ", Escape(r.RoleReason))
	}
	p.findings(r.Result)
	fmt.Fprintln(p.w)
}

func (p *printer) findings(r *vet.Result) {
	var rows []vet.Finding
	var silent []string // not evaluated, and not what the verdict hangs on
	label := 0
	for _, f := range r.Findings {
		if f.Status == vet.StatusNotEvaluated && (!f.Blocks || r.Verdict == vet.VerdictRefused) && !p.fetch(r, f) {
			if len(silent) == 0 || silent[len(silent)-1] != f.ID {
				silent = append(silent, f.ID)
			}
			continue
		}
		if p.Quiet && !stands(f) {
			continue
		}
		rows = append(rows, f)
		label = max(label, len(f.ID)+1+len(f.Name))
	}
	for _, f := range rows {
		p.finding(f, label)
	}
	if p.Quiet {
		return
	}
	line := fmt.Sprintf("%d rules passed", r.Passed)
	if len(silent) > 0 {
		line += fmt.Sprintf(" · %d not evaluated (%s)", len(silent), strings.Join(silent, ", "))
	}
	p.wrap("  "+p.paint(green, "✓")+" ", "    ", line)
}

// fetch reports whether a finding is shown that hinders nothing, for what it says to fetch.
func (p *printer) fetch(r *vet.Result, f vet.Finding) bool {
	return f.Fetch && !p.Quiet && r.Verdict != vet.VerdictRefused
}

// stands reports whether a finding keeps a certificate from being accepted.
func stands(f vet.Finding) bool {
	return f.Blocks || f.Status == vet.StatusFail && f.Severity == vet.SeverityError
}

func (p *printer) finding(f vet.Finding, label int) {
	glyph, word := mark(f)
	word += inBase(f)
	begin := "  " + p.paint(glyphColour(glyph), glyph) + " "
	name := f.ID + " " + f.Name
	head := fmt.Sprintf("%s%-*s  %s", begin, label, name, word)
	text := Escape(f.Message) + excuse(f)
	if strings.HasPrefix(f.Path, "line ") || strings.HasPrefix(f.Path, "extensions[") {
		text = Escape(f.Path) + ": " + text
	}
	text += "  [" + f.Clause + "]"
	if p.Width == 0 {
		fmt.Fprintf(p.w, "%s%s  %s\n", head, strings.Repeat(" ", max(0, len("not evaluated")-len(word))), text)
	} else {
		if columns(head) <= p.Width {
			fmt.Fprintln(p.w, head)
		} else {
			p.wrap(begin, "      ", name+"  "+word)
		}
		p.wrap("      ", "      ", text)
	}
	if f.Fix != "" && stands(f) {
		p.wrap("      fix: ", "           ", Escape(f.Fix))
	}
}

func mark(f vet.Finding) (glyph, word string) {
	switch {
	case f.Status == vet.StatusNotEvaluated:
		return "·", "not evaluated"
	case f.Status == vet.StatusWaived:
		return "·", "waived"
	case f.Severity == vet.SeverityError:
		return "✗", "error"
	case f.Severity == vet.SeverityWarning:
		return "!", "warning"
	}
	return "·", f.Severity
}

func (p *printer) totals(s totals, h Header) {
	line := fmt.Sprintf("%d accepted, %d refused, %d undecided · %s in %s", s.Accepted, s.Refused, s.Undecided,
		count(s.Certificates, "certificate"), count(s.Files, "file"))
	if text := s.skipped(); text != "" {
		line += " · " + text
	}
	line += fmt.Sprintf(" · policy %s, judged at %s", h.Policy.Name, h.At.UTC().Format("2006-01-02 15:04Z"))
	p.wrap("", "", line)
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// wrap writes text behind first, and its further lines behind next. A word that
// is longer than a line is cut. Width 0 does not wrap.
func (p *printer) wrap(first, next, text string) {
	for prefix := first; ; prefix = next {
		line, rest := text, ""
		if p.Width > 0 {
			line, rest = cut(text, max(20, p.Width-columns(prefix)))
		}
		fmt.Fprintf(p.w, "%s%s\n", prefix, line)
		if text = rest; text == "" {
			return
		}
	}
}

// columns is the width of a prefix, without its colours.
func columns(s string) int {
	n := 0
	for s != "" {
		if strings.HasPrefix(s, "\x1b[") {
			if end := strings.IndexByte(s, 'm'); end >= 0 {
				s = s[end+1:]
				continue
			}
		}
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
		n++
	}
	return n
}

// cut takes at most n characters off text, at a blank where there is one.
func cut(text string, n int) (line, rest string) {
	blank, i := -1, 0
	for at, r := range text {
		if i == n {
			if r == ' ' {
				blank = at
			}
			if blank <= 0 {
				return text[:at], text[at:]
			}
			return strings.TrimRight(text[:blank], " "), strings.TrimLeft(text[blank:], " ")
		}
		if r == ' ' {
			blank = at
		}
		i++
	}
	return text, ""
}

// SGR colours; "" paints nothing.
const (
	red    = "31"
	green  = "32"
	yellow = "33"
)

func (p *printer) paint(colour, text string) string {
	if !p.Colour || colour == "" {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

func verdictColour(v vet.Verdict) string {
	switch v {
	case vet.VerdictAccepted:
		return green
	case vet.VerdictRefused:
		return red
	}
	return yellow
}

func glyphColour(glyph string) string {
	switch glyph {
	case "✗":
		return red
	case "!":
		return yellow
	}
	return ""
}
