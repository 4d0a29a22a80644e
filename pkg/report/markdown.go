package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Markdown writes the report for a pull request or a job summary: one table of
// certificates, then one of findings for each that has any.
func (c *Check) Markdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Certificate check: %s\n\nPolicy %s (sha256 `%s`), %s.\n\n", c.headline(), cell(c.Policy.Name), c.Policy.SHA256, c.judged())
	markdownRow(b, "File", "Type", "Country", "Subject", "SHA-256", "Verdict", "Passed")
	markdownRow(b, "---", "---", "---", "---", "---", "---", "---:")
	all := c.entries()
	for _, e := range all {
		sha := ""
		if e.sha256 != "" {
			sha = code(cert.ShortHex(e.sha256) + "…")
		}
		markdownRow(b, code(e.path()), e.role, cell(e.country), code(e.subject), sha, "**"+string(e.Verdict)+"**", fmt.Sprint(e.Passed))
	}
	for _, e := range all {
		e.markdown(b)
	}
	if c.Skipped > 0 {
		fmt.Fprintf(b, "\n%s skipped (no certificate).\n", count(c.Skipped, "file"))
	}
	return b.Flush()
}

func (e entry) markdown(b io.Writer) {
	if len(e.notes) == 0 && e.open == "" {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n", code(e.path()), code(e.label()))
	if e.open != "" {
		fmt.Fprintf(b, "\nNo verdict: %s\n", cell(e.open))
	}
	if len(e.notes) == 0 {
		return
	}
	fmt.Fprintln(b)
	markdownRow(b, "Rule", "", "Finding", "Clause", "Fix")
	markdownRow(b, "---", "---", "---", "---", "---")
	for _, n := range e.notes {
		word, fix := n.word, ""
		if n.stands {
			word, fix = "**"+word+"**", code(n.Fix)
		}
		text := n.text()
		if n.line > 0 {
			text = fmt.Sprintf("line %d: %s", n.line, text)
		}
		markdownRow(b, n.ID+" "+cell(n.Name), word, cell(text), cell(n.Clause), fix)
	}
}

func markdownRow(w io.Writer, cells ...string) {
	fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
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
