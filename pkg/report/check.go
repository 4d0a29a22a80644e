package report

import (
	"io"
	"time"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// CheckSchema names the JSON form of a report; docs/schemas/check.schema.json describes it.
const CheckSchema = "efgsta.check/v1"

// Header is what a report rests on, known before its first result.
type Header struct {
	Policy  *policy.Policy
	At      time.Time
	Roots   string // what a path may end at, such as "mozilla 2026-10-30"; "" if nothing was given
	Zlint   string // the installed zlint that was run, such as "zlint v3.6.1"; "" if none was
	FailOn  string // mildest severity that counts against the exit code; "" is error
	Renewal bool   // a renewal that is due (EFGS-206) counts against the exit code too
	Version string // of efgsta
}

// Check is what one run of `efgsta check` found, as a whole. NewWriter takes the
// same piece by piece.
type Check struct {
	Header
	Results []*vet.Result // in the order of the files
	Files   int           // files that were looked at
	Skipped int           // walked files that hold nothing known
}

// Write writes the report in one of CheckFormats. Only the table looks at o.
func (c *Check) Write(w io.Writer, format string, o Options) error {
	out, err := NewWriter(w, format, c.Header, o)
	if err != nil {
		return err
	}
	defer out.Discard()
	for _, r := range c.Results {
		if err := out.Result(r); err != nil {
			return err
		}
	}
	return out.Close(c.Files, c.Skipped)
}

// Table writes the report for people.
func (c *Check) Table(w io.Writer, o Options) error { return c.Write(w, "table", o) }

// totals are the sums of a report.
type totals struct {
	Files        int `json:"files"`
	Skipped      int `json:"skipped"`
	Certificates int `json:"certificates"`
	Accepted     int `json:"accepted"`
	Refused      int `json:"refused"`
	Undecided    int `json:"undecided"`
	Errors       int `json:"errors"`
	Warnings     int `json:"warnings"`
	Notices      int `json:"notices"`
	NotEvaluated int `json:"notEvaluated"`

	results int // verdicts
	failed  int // of them those that count against the exit code
}

func (s *totals) add(r *vet.Result, fails bool) {
	s.results++
	if fails {
		s.failed++
	}
	if r.Certificate != nil {
		s.Certificates++
	}
	switch r.Verdict {
	case vet.VerdictAccepted:
		if !r.Waivers { // which says no more than that there are only warnings
			s.Accepted++
		}
	case vet.VerdictRefused:
		s.Refused++
	default:
		s.Undecided++
	}
	for _, f := range r.Findings {
		switch {
		case f.Status == vet.StatusNotEvaluated:
			s.NotEvaluated++
		case f.Status != vet.StatusFail:
		case f.Severity == vet.SeverityError:
			s.Errors++
		case f.Severity == vet.SeverityWarning:
			s.Warnings++
		default:
			s.Notices++
		}
	}
}
