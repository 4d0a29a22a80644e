package report

import (
	"io"
	"time"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// CheckSchema names the JSON form of Check; docs/schemas/check.schema.json describes it.
const CheckSchema = "efgsta.check/v1"

// Check is what one run of `efgsta check` found.
type Check struct {
	Policy  *policy.Policy
	At      time.Time
	Results []*vet.Result // in the order of the files
	Files   int           // files that were looked at
	Skipped int           // walked files that hold nothing known
	Roots   string        // what a path may end at, such as "mozilla 2026-10-30"; "" if nothing was given
	FailOn  string        // mildest severity that counts against the exit code; "" is error
	Version string        // of efgsta
}

type checkJSON struct {
	Schema       string            `json:"schema"`
	Policy       policyJSON        `json:"policy"`
	At           string            `json:"at"`
	Roots        string            `json:"roots,omitempty"`
	Certificates []certificateJSON `json:"certificates"`
	Summary      summaryJSON       `json:"summary"`
}

type policyJSON struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

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

type summaryJSON struct {
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
}

// JSON writes the report in the form of CheckSchema.
func (c *Check) JSON(w io.Writer) error {
	doc := checkJSON{
		Schema:       CheckSchema,
		Policy:       policyJSON{Name: c.Policy.Name, SHA256: c.Policy.SHA256},
		At:           c.At.UTC().Format(time.RFC3339),
		Roots:        c.Roots,
		Certificates: []certificateJSON{},
		Summary:      c.summary(),
	}
	for _, r := range c.Results {
		e := certificateJSON{
			File: r.File, Index: r.Index, Type: string(r.Role), TypeReason: r.RoleReason, Country: r.Country,
			Verdict: r.Verdict, Findings: r.Findings, Passed: r.Passed,
		}
		if e.Findings == nil {
			e.Findings = []vet.Finding{}
		}
		if crt := r.Certificate; crt != nil {
			e.SHA256, e.Subject = crt.Thumbprint().String(), crt.Subject.String()
			if len(crt.SPKI) > 0 {
				e.SPKISHA256 = crt.SPKISHA256().String()
			}
		}
		doc.Certificates = append(doc.Certificates, e)
	}
	return writeJSON(w, doc)
}

func (c *Check) summary() summaryJSON {
	s := summaryJSON{Files: c.Files, Skipped: c.Skipped}
	for _, r := range c.Results {
		if r.Certificate != nil {
			s.Certificates++
		}
		switch r.Verdict {
		case vet.VerdictAccepted:
			s.Accepted++
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
	return s
}
