package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// entry is one result as the forms for people and platforms show it. Its text is
// safe to show (see Escape); each form then escapes what its own grammar needs.
type entry struct {
	*vet.Result
	file    string // the path as it was given; the only text here that is not escaped
	number  int    // of the certificate in its file, from 2; 0 for the first or only one
	role    string // "NBBS"; "" if it is not known
	country string
	subject string
	sha256  string // 64 characters of hex; "" if no certificate could be read
	fails   bool   // counts against the exit code
	open    string // why there is no verdict although no finding says so; "" otherwise
	notes   []note
}

// note is a finding with its text made safe to show.
type note struct {
	vet.Finding
	word   string // "error", "warning", "notice", "not evaluated", "waived"
	line   int    // of the file, from 1; 0 if the finding is not about a line
	stands bool   // it keeps the certificate from being accepted
}

// newEntry makes what a result says safe to show.
func newEntry(r *vet.Result, fails bool) entry {
	e := entry{Result: r, file: r.File, role: strings.ToUpper(string(r.Role)), country: clip(Escape(r.Country)), fails: fails}
	if r.Index > 0 {
		e.number = r.Index + 1
	}
	if crt := r.Certificate; crt != nil {
		e.subject, e.sha256 = clip(Escape(crt.Subject.String())), crt.Thumbprint().String()
	}
	for _, f := range r.Findings {
		e.notes = append(e.notes, newNote(f))
	}
	if r.Verdict == vet.VerdictUndecided && !slices.ContainsFunc(e.notes, func(n note) bool { return n.stands }) {
		if e.open = Escape(r.RoleReason); e.open == "" {
			e.open = "the type of the certificate is not known"
		}
	}
	return e
}

// maxText is how much of one text of a certificate is shown, in bytes: names that
// mean something are shorter, and one of megabytes would stand in every report.
const maxText = 4096

// clip cuts text that is longer, between two characters.
func clip(s string) string {
	if len(s) <= maxText {
		return s
	}
	end := maxText
	for end > maxText-utf8.UTFMax && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

func newNote(f vet.Finding) note {
	n := note{Finding: f, stands: stands(f)}
	_, n.word = mark(f)
	n.word += inBase(f)
	n.Message, n.Path, n.Fix = Escape(f.Message)+excuse(f), Escape(f.Path), Escape(f.Fix)
	if digits, ok := strings.CutPrefix(f.Path, "line "); ok {
		if line, err := strconv.Atoi(digits); err == nil && line > 0 {
			n.line = line
		}
	}
	return n
}

// excuse is what the waiver of a finding says, in brackets; "" if there is none.
func excuse(f vet.Finding) string {
	if f.Waiver == nil {
		return ""
	}
	return fmt.Sprintf(" (waived until %s by %s: %s)", f.Waiver.Expires.UTC().Format("2006-01-02 15:04:05Z"), Escape(f.Waiver.Owner), Escape(f.Waiver.Reason))
}

// text is the message, behind the extension that it is about where the rule's name does not tell.
func (n note) text() string {
	if strings.HasPrefix(n.Path, "extensions[") {
		return n.Path + ": " + n.Message
	}
	return n.Message
}

// failed reports whether the rule was evaluated, did not pass, and nothing excuses it.
func (n note) failed() bool { return n.Status == vet.StatusFail }

// path is the file with slashes, safe to show.
func (e entry) path() string {
	name := Escape(e.file)
	if e.number > 0 {
		name += fmt.Sprintf(" #%d", e.number)
	}
	return name
}

// label names the certificate without its file: "NBBS DE C=DE, CN=… (sha256 3f0a…)".
func (e entry) label() string {
	if e.Waivers {
		return "waivers"
	}
	if e.sha256 == "" {
		return "no certificate"
	}
	words := []string{e.roleWord()}
	if e.country != "" {
		words = append(words, e.country)
	}
	if e.subject != "" {
		words = append(words, e.subject)
	}
	return strings.Join(append(words, "(sha256 "+cert.ShortHex(e.sha256)+"…)"), " ")
}

func (e entry) roleWord() string {
	if e.role == "" {
		return "type unknown"
	}
	return e.role
}

// Fails reports whether a result counts against the exit code: it is not
// accepted, or has a finding of severity FailOn or above, or one of a due renewal
// where that counts.
func (h Header) Fails(r *vet.Result) bool {
	if r.Verdict != vet.VerdictAccepted {
		return true
	}
	severities := []string{vet.SeverityError, vet.SeverityWarning, vet.SeverityNotice}
	reach := max(0, slices.Index(severities, h.FailOn))
	return slices.ContainsFunc(r.Findings, func(f vet.Finding) bool {
		i := slices.Index(severities, f.Severity)
		return f.Status == vet.StatusFail && (i >= 0 && i <= reach || h.Renewal && f.ID == vet.RuleRenewal)
	})
}

// headline is the sum of a report in one line.
func (s totals) headline() string {
	return fmt.Sprintf("%d accepted, %d refused, %d undecided", s.Accepted, s.Refused, s.Undecided)
}

// skipped says how many walked files hold nothing known; "" if none.
func (s totals) skipped() string {
	if s.Skipped == 0 {
		return ""
	}
	return count(s.Skipped, "file") + " skipped (no certificate)"
}

// judged says when, and against which roots.
func (h Header) judged() string {
	text := "judged at " + h.At.UTC().Format("2006-01-02 15:04:05Z")
	if h.Roots != "" {
		text += ", roots " + Escape(h.Roots)
	}
	if h.Zlint != "" {
		text += ", " + Escape(h.Zlint)
	}
	return text
}

// basis is what the report rests on, by name, for forms that have properties.
func (h Header) basis() [][2]string {
	all := [][2]string{{"policy", h.Policy.Name}, {"policySha256", h.Policy.SHA256}, {"at", h.At.UTC().Format(time.RFC3339)}}
	if h.Roots != "" {
		all = append(all, [2]string{"roots", Escape(h.Roots)})
	}
	if h.Zlint != "" {
		all = append(all, [2]string{"zlint", Escape(h.Zlint)})
	}
	if text := h.departure(); text != "" {
		all = append(all, [2]string{"policyDifference", text})
	}
	return all
}
