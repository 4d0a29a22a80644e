package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// markdown writes the report for a pull request or a job summary: one table of
// certificates, then one of findings for each that has any. The sums stand first:
// both parts wait in spools.
type markdown struct {
	out         io.Writer
	header      Header
	rows, parts spool
}

func (m *markdown) result(e entry) error {
	sha := ""
	if e.sha256 != "" {
		sha = code(cert.ShortHex(e.sha256) + "…")
	}
	if err := markdownRow(&m.rows, code(e.path()), e.role, cell(e.country), code(e.subject), sha, "**"+string(e.Verdict)+"**", fmt.Sprint(e.Passed)); err != nil {
		return err
	}
	_, err := io.WriteString(&m.parts, e.markdown())
	return err
}

func (m *markdown) close(s totals) error {
	_, err := fmt.Fprintf(m.out, "# Certificate check: %s\n\nPolicy %s (sha256 `%s`), %s.\n\n", s.headline(), cell(m.header.Policy.Name), m.header.Policy.SHA256, m.header.judged())
	if err != nil {
		return err
	}
	if text := m.header.departure(); text != "" {
		if _, err := fmt.Fprintf(m.out, "Not the document to the letter: %s.\n\n", cell(text)); err != nil {
			return err
		}
	}
	if err := markdownRow(m.out, "File", "Type", "Country", "Subject", "SHA-256", "Verdict", "Passed"); err != nil {
		return err
	}
	if err := markdownRow(m.out, "---", "---", "---", "---", "---", "---", "---:"); err != nil {
		return err
	}
	if err := m.rows.copyTo(m.out); err != nil {
		return err
	}
	if err := m.parts.copyTo(m.out); err != nil {
		return err
	}
	if text := s.skipped(); text != "" {
		_, err = fmt.Fprintf(m.out, "\n%s.\n", text)
	}
	return err
}

func (m *markdown) discard() {
	m.rows.discard()
	m.parts.discard()
}

// markdown is the part about one certificate; "" if there is nothing to say.
func (e entry) markdown() string {
	if len(e.notes) == 0 && e.open == "" {
		return ""
	}
	var b strings.Builder
	row := func(cells ...string) { _ = markdownRow(&b, cells...) } // a Builder takes everything
	fmt.Fprintf(&b, "\n## %s\n\n%s\n", code(e.path()), code(e.label()))
	if e.open != "" {
		fmt.Fprintf(&b, "\nNo verdict: %s\n", cell(e.open))
	}
	if len(e.notes) == 0 {
		return b.String()
	}
	b.WriteString("\n")
	row("Rule", "", "Finding", "Clause", "Fix")
	row("---", "---", "---", "---", "---")
	for _, n := range e.notes {
		word, fix := n.word, ""
		if n.stands {
			word, fix = "**"+word+"**", code(n.Fix)
		}
		text := n.text()
		if n.line > 0 {
			text = fmt.Sprintf("line %d: %s", n.line, text)
		}
		row(n.ID+" "+cell(n.Name), word, cell(text), cell(n.Clause), fix)
	}
	return b.String()
}

func markdownRow(w io.Writer, cells ...string) error {
	_, err := fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	return err
}

// cell makes text plain text inside a table. What GitHub would turn into a mention,
// an issue or a link even behind a backslash becomes code instead.
func cell(s string) string {
	lower := strings.ToLower(s)
	for _, live := range []string{"@", "#", "://", "www.", "mailto:", "xmpp:"} {
		if strings.Contains(lower, live) {
			return code(s)
		}
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case strings.ContainsRune("\\`*_{}[]|~$!", r):
			b.WriteRune('\\')
			b.WriteRune(r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code makes text a code span inside a table, fenced with more backticks than it has in a row.
func code(s string) string {
	if s == "" {
		return ""
	}
	longest, run := 0, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	pad := ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") || strings.HasPrefix(s, " ") && strings.HasSuffix(s, " ") {
		pad = " "
	}
	// A table is cut into cells before code is looked for.
	return fence + pad + strings.ReplaceAll(s, "|", `\|`) + pad + fence
}
