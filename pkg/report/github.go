package report

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
)

// github writes workflow commands, which a runner turns into annotations: one per
// failed rule, and one for whatever else leaves a certificate without a verdict. The
// last line is for people; nothing of a certificate is in it.
type github struct {
	out    io.Writer
	header Header
	began  bool
}

// begin annotates a policy that differs from the document.
func (g *github) begin() error {
	if g.began {
		return nil
	}
	g.began = true
	text := g.header.departure()
	if text == "" {
		return nil
	}
	_, err := fmt.Fprintf(g.out, "::notice title=policy %s::%s\n", githubProperty(g.header.Policy.Name), githubData(text))
	return err
}

func (g *github) result(e entry) error {
	if err := g.begin(); err != nil {
		return err
	}
	for _, n := range e.notes {
		level := n.Severity
		switch {
		case n.Status == vet.StatusNotEvaluated && n.stands:
			level = vet.SeverityError
		case !n.failed():
			continue
		}
		text := e.label() + ": " + n.text() + inBase(n.Finding) + " [" + n.Clause + "]"
		if n.Fix != "" && n.stands {
			text += "\nfix: " + n.Fix
		}
		if err := e.annotate(g.out, level, n.line, n.ID+" "+n.Name, text); err != nil {
			return err
		}
	}
	if e.open == "" {
		return nil
	}
	return e.annotate(g.out, vet.SeverityError, 0, "undecided", e.label()+": "+e.open)
}

func (g *github) close(s totals) error {
	if err := g.begin(); err != nil {
		return err
	}
	last := fmt.Sprintf("%s in %s under policy %s; %s without evidence", s.headline(), count(s.Files, "file"), g.header.Policy.Name, count(s.NotEvaluated, "rule"))
	if text := s.skipped(); text != "" {
		last += "; " + text
	}
	_, err := io.WriteString(g.out, last+"\n")
	return err
}

func (g *github) discard() {}

// annotate writes one workflow command; the levels of a runner are our severities.
func (e entry) annotate(w io.Writer, level string, line int, title, text string) error {
	var properties []string
	add := func(name, value string) { properties = append(properties, name+"="+githubProperty(value)) }
	if e.file != "-" {
		add("file", Escape(filepath.ToSlash(e.file)))
	}
	if line > 0 {
		add("line", fmt.Sprint(line))
	}
	add("title", title)
	_, err := fmt.Fprintf(w, "::%s %s::%s\n", level, strings.Join(properties, ","), githubData(text))
	return err
}

// githubData escapes what would end a command.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// githubProperty escapes what would end a property.
func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
