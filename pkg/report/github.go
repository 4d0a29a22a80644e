package report

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
)

// GitHub writes the report as workflow commands, which a runner turns into
// annotations: one per failed rule, and one for whatever else leaves a certificate
// without a verdict. The last line is for people; nothing of a certificate is in it.
func (c *Check) GitHub(w io.Writer) error {
	b := bufio.NewWriter(w)
	for _, e := range c.entries() {
		for _, n := range e.notes {
			level := n.Severity
			switch {
			case n.Status == vet.StatusNotEvaluated && n.stands:
				level = vet.SeverityError
			case !n.failed():
				continue
			}
			text := e.label() + ": " + n.text() + " [" + n.Clause + "]"
			if n.Fix != "" && n.stands {
				text += "\nfix: " + n.Fix
			}
			e.annotate(b, level, n.line, n.ID+" "+n.Name, text)
		}
		if e.open != "" {
			e.annotate(b, vet.SeverityError, 0, "undecided", e.label()+": "+e.open)
		}
	}
	s := c.summary()
	fmt.Fprintf(b, "%s in %s under policy %s; %s without evidence\n", c.headline(), count(s.Files, "file"), c.Policy.Name, count(s.NotEvaluated, "rule"))
	return b.Flush()
}

// annotate writes one workflow command; the levels of a runner are our severities.
func (e entry) annotate(w io.Writer, level string, line int, title, text string) {
	var properties []string
	add := func(name, value string) { properties = append(properties, name+"="+githubProperty(value)) }
	if e.file != "-" {
		add("file", Escape(filepath.ToSlash(e.file)))
	}
	if line > 0 {
		add("line", fmt.Sprint(line))
	}
	add("title", title)
	fmt.Fprintf(w, "::%s %s::%s\n", level, strings.Join(properties, ","), githubData(text))
}

// githubData escapes what would end a command.
func githubData(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}

// githubProperty escapes what would end a property.
func githubProperty(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C").Replace(s)
}
