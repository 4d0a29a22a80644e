package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/efgsta/efgsta/pkg/vet"
)

type junitCase struct {
	XMLName   xml.Name      `xml:"testcase"`
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

// junit writes JUnit XML: a suite per file and a test case per certificate, which
// fails where the exit code would. A failure has all its reasons in one element,
// since many readers show only the first. Suites begin with their sums, and so does
// the document: cases and suites wait in spools.
type junit struct {
	out    io.Writer
	header Header
	suites spool // whole ones

	file            string // of the suite in the making
	cases           spool
	tests, failures int
}

func (j *junit) result(e entry) error {
	if j.tests > 0 && e.file != j.file {
		if err := j.endSuite(); err != nil {
			return err
		}
	}
	j.file = e.file
	j.tests++
	if e.fails {
		j.failures++
	}
	text, err := xml.MarshalIndent(e.junitCase(), "    ", "  ")
	if err != nil {
		return fmt.Errorf("encode JUnit XML: %w", err)
	}
	_, err = j.cases.Write(append(text, '\n'))
	return err
}

func (j *junit) endSuite() error {
	if j.tests == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"0\">\n    <properties>\n", xmlText(Escape(j.file)), j.tests, j.failures)
	for _, p := range j.header.basis() {
		fmt.Fprintf(&b, "      <property name=\"%s\" value=\"%s\"></property>\n", xmlText(p[0]), xmlText(p[1]))
	}
	b.WriteString("    </properties>\n")
	if _, err := io.WriteString(&j.suites, b.String()); err != nil {
		return err
	}
	if err := j.cases.copyTo(&j.suites); err != nil {
		return err
	}
	j.tests, j.failures = 0, 0
	_, err := io.WriteString(&j.suites, "  </testsuite>\n")
	return err
}

func (j *junit) close(s totals) error {
	if err := j.endSuite(); err != nil {
		return err
	}
	tests, last := s.results, ""
	if text := s.skipped(); text != "" {
		// A case of its own is what readers of JUnit show; properties most of them do not.
		tests++
		last = fmt.Sprintf("  <testsuite name=\"skipped\" tests=\"1\" failures=\"0\" errors=\"0\" skipped=\"1\">\n"+
			"    <testcase name=\"%s\" classname=\"skipped\">\n      <skipped message=\"%s\"></skipped>\n    </testcase>\n  </testsuite>\n", text, text)
	}
	_, err := fmt.Fprintf(j.out, "%s<testsuites name=\"efgsta check\" tests=\"%d\" failures=\"%d\" errors=\"0\">\n", xml.Header, tests, s.failed)
	if err != nil {
		return err
	}
	if err := j.suites.copyTo(j.out); err != nil {
		return err
	}
	_, err = io.WriteString(j.out, last+"</testsuites>\n")
	return err
}

func (j *junit) discard() {
	j.cases.discard()
	j.suites.discard()
}

// xmlText escapes text for an attribute.
func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
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
