package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
)

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name      string        `xml:"name,attr"`
	ClassName string        `xml:"classname,attr"`
	Failure   *junitFailure `xml:"failure"`
	Output    *junitOutput  `xml:"system-out"`
}

type junitFailure struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",cdata"`
}

type junitOutput struct {
	Text string `xml:",cdata"`
}

// JUnit writes the report as JUnit XML: a suite per file and a test case per
// certificate, which fails where the exit code would. A failure has all its
// reasons in one element, since many readers show only the first.
func (c *Check) JUnit(w io.Writer) error {
	doc := junitSuites{Name: "efgsta check"}
	file := ""
	for _, e := range c.entries() {
		if len(doc.Suites) == 0 || e.file != file {
			file = e.file
			suite := junitSuite{Name: Escape(file)}
			for _, p := range c.basis() {
				suite.Properties = append(suite.Properties, junitProperty{p[0], p[1]})
			}
			doc.Suites = append(doc.Suites, suite)
		}
		suite := &doc.Suites[len(doc.Suites)-1]
		suite.Tests++
		doc.Tests++
		if e.fails {
			suite.Failures++
			doc.Failures++
		}
		suite.Cases = append(suite.Cases, e.junitCase())
	}
	text, err := xml.MarshalIndent(doc, "", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit XML: %w", err)
	}
	_, err = io.WriteString(w, xml.Header+string(text)+"\n")
	return err
}

func (e entry) junitCase() junitCase {
	t := junitCase{Name: e.label(), ClassName: Escape(e.file)}
	if e.number > 0 {
		t.Name = fmt.Sprintf("#%d %s", e.number, t.Name)
	}
	var lines []string
	first := ""
	if e.open != "" {
		first = e.open
		lines = append(lines, e.open)
	}
	for _, n := range e.notes {
		if first == "" && (n.stands || e.Verdict == vet.VerdictAccepted && n.failed()) {
			first = n.ID + " " + n.Name + ": " + n.text()
		}
		lines = append(lines, fmt.Sprintf("%s %s (%s): %s [%s]", n.ID, n.Name, n.word, n.text(), n.Clause))
		if n.Fix != "" && n.stands {
			lines = append(lines, "  fix: "+n.Fix)
		}
	}
	lines = append(lines, fmt.Sprintf("%s, %d rules passed", e.Verdict, e.Passed))
	text := strings.Join(lines, "\n") + "\n"
	if e.fails {
		t.Failure = &junitFailure{Type: string(e.Verdict), Message: first, Text: text}
	} else {
		t.Output = &junitOutput{Text: text}
	}
	return t
}
