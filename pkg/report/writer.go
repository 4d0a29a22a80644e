package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/efgsta/efgsta/pkg/vet"
)

// ErrFormat marks a format that does not exist.
var ErrFormat = errors.New("unknown format")

// CheckFormats lists the formats of a report by name, the default first.
func CheckFormats() []string {
	return []string{"table", "json", "sarif", "junit", "github", "markdown", "html"}
}

// Writer writes a report result by result, in memory that does not grow with their
// number. The table, JSON, SARIF and GitHub forms come out with each result; the
// others begin with their sums and come out with Close.
type Writer struct {
	Header
	out  *bufio.Writer
	form form
	sum  totals
}

// form is one format of a report. What it writes to the Writer's buffer is flushed
// after each call.
type form interface {
	result(e entry) error
	close(s totals) error
	discard() // gives back what is held outside of memory
}

// NewWriter begins a report. Only the table looks at o. Close ends the report;
// Discard must be called either way. Errors: ErrFormat, and those of w.
func NewWriter(w io.Writer, format string, h Header, o Options) (*Writer, error) {
	r := &Writer{Header: h, out: bufio.NewWriter(w)}
	switch format {
	case "table":
		r.form = &table{printer: &printer{w: r.out, Options: o}, header: h}
	case "json":
		r.form = newJSON(r.out, h)
	case "sarif":
		r.form = newSARIF(r.out, h)
	case "junit":
		r.form = &junit{out: r.out, header: h}
	case "github":
		r.form = &github{out: r.out, header: h}
	case "markdown":
		r.form = &markdown{out: r.out, header: h}
	case "html":
		r.form = newHTML(r.out, h)
	default:
		return nil, fmt.Errorf("%w %q", ErrFormat, format)
	}
	return r, nil
}

// Result adds one verdict; r may be forgotten afterwards.
func (w *Writer) Result(r *vet.Result) error {
	e := newEntry(r, w.Fails(r))
	w.sum.add(r, e.fails)
	if err := w.form.result(e); err != nil {
		return err
	}
	return w.out.Flush()
}

// Failed is the number of results so far that count against the exit code.
func (w *Writer) Failed() int { return w.sum.failed }

// Close ends the report with its sums: the files that were looked at, and the
// walked ones that hold nothing known.
func (w *Writer) Close(files, skipped int) error {
	w.sum.Files, w.sum.Skipped = files, skipped
	if err := w.form.close(w.sum); err != nil {
		return err
	}
	return w.out.Flush()
}

// Discard frees what a report that is not closed still holds.
func (w *Writer) Discard() { w.form.discard() }
