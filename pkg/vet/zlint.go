package vet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// The most that is read of what zlint prints, in bytes. Version 3 lists its lints in
// 70 KB and a certificate's results in 20 KB.
const (
	MaxZlintList   = 4 << 20
	MaxZlintResult = 8 << 20
)

// ErrZlint marks output that is not zlint's.
var ErrZlint = errors.New("not what zlint prints")

// ZlintRunner runs an installed zlint over one certificate, given as DER, and returns
// what it printed. It is called from several goroutines at once. An error says why
// there is no result: a crash, no end in time, an exit code.
type ZlintRunner interface {
	RunZlint(der []byte) ([]byte, error)
}

// Zlint is an installed zlint: a second opinion on TLS certificates, in a family of
// its own. It is safe for concurrent use if its runner is.
type Zlint struct {
	Name string // "zlint v3.6.1", for reports

	families map[string][]lint // by the id of the rule, in order of their names
	runner   ZlintRunner
}

// lint is what zlint says of one of its lints.
type lint struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Citation    string `json:"citation"`
	Source      string `json:"source"`
}

// family is where a lint's findings go: the document that it reads, "" for none of ours.
func (l lint) family() string {
	switch {
	case l.Source == "CABF_BR", l.Source == "CABF_EV": // not S/MIME, not code signing
		return ruleZlintCABF
	case strings.HasPrefix(l.Source, "RFC"): // RFC 5280 and the RFCs that amend it for keys and names
		return ruleZlintRFC
	}
	return ""
}

const (
	ruleZlintCABF = "EFGS-831"
	ruleZlintRFC  = "EFGS-832"
)

// NewZlint reads list, the output of `zlint -list-lints-json`: one JSON object per
// line. Errors wrap ErrZlint.
func NewZlint(name string, list []byte, runner ZlintRunner) (*Zlint, error) {
	if len(list) > MaxZlintList {
		return nil, fmt.Errorf("%w: the list of lints has more than %d bytes", ErrZlint, MaxZlintList)
	}
	z := &Zlint{Name: name, families: map[string][]lint{}, runner: runner}
	for line := range bytes.Lines(list) {
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		var l lint
		if err := json.Unmarshal(line, &l); err != nil {
			return nil, fmt.Errorf("%w: the list of lints: %w", ErrZlint, err)
		}
		if l.Name == "" {
			return nil, fmt.Errorf("%w: the list of lints has one without a name", ErrZlint)
		}
		z.families[l.family()] = append(z.families[l.family()], l)
	}
	for _, id := range []string{ruleZlintCABF, ruleZlintRFC} {
		lints := z.families[id]
		if len(lints) == 0 {
			return nil, fmt.Errorf("%w: the list of lints has none of the CA/Browser Forum's or none of RFC 5280", ErrZlint)
		}
		slices.SortFunc(lints, func(a, b lint) int { return strings.Compare(a.Name, b.Name) })
	}
	return z, nil
}

// zlintResult is what one lint found. What else the object holds is left alone.
type zlintResult struct {
	Result  string `json:"result"`
	Details string `json:"details"`
}

// lint runs zlint and reads its results, by the name of the lint.
func (z *Zlint) lint(der []byte) (map[string]zlintResult, error) {
	out, err := z.runner.RunZlint(der)
	if err != nil {
		return nil, err
	}
	if len(out) > MaxZlintResult {
		return nil, fmt.Errorf("%w: more than %d bytes", ErrZlint, MaxZlintResult)
	}
	var results map[string]zlintResult
	if err := json.Unmarshal(out, &results); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrZlint, err)
	}
	return results, nil
}

// family is the outcome of one of the rules: a problem for each lint of the family that
// did not pass.
func (z *Zlint) family(id string, results map[string]zlintResult) outcome {
	var problems []problem
	lints, said := z.families[id], 0
	for _, l := range lints {
		r, ok := results[l.Name]
		if !ok {
			continue
		}
		said++
		kase := ""
		switch r.Result {
		case "pass", "NA", "NE": // not applicable; not in effect when the certificate was made
			continue
		case "info":
			kase = caseZlintNotice
		case "warn":
			kase = caseZlintWarning
		case "error", "fatal":
		default:
			return unknown("%s: the lint %s has the result %s, which is not known here", z.Name, l.Name, quote(clip(r.Result)))
		}
		problems = append(problems, problem{msg: l.message(r.Details), kase: kase})
	}
	// zlint also lists lints about revocation lists and responses, which say nothing of a certificate.
	if said <= len(lints)/2 {
		return unknown("%s: only %d of its %d lints of this family have a result", z.Name, said, len(lints))
	}
	return passUnless(problems)
}

func (l lint) message(details string) string {
	text := "zlint " + l.Name + ": " + strings.TrimSuffix(clip(l.Description), ".")
	if l.Citation != "" {
		text += " (" + clip(l.Citation) + ")"
	}
	if details != "" {
		text += ": " + clip(details)
	}
	return text
}

// clip is the beginning of a text that others wrote.
func clip(text string) string {
	const most = 300
	text = strings.TrimSpace(text)
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "…"
	}
	return text
}

const (
	caseZlintWarning = "zlint-warning"
	caseZlintNotice  = "zlint-notice"
)

// zlintRules: what an installed zlint says of a public TLS certificate.
func zlintRules() []Rule {
	tls := []Role{NBTLS, EFGSTLS}
	const (
		fix   = "have the CA issue a certificate as the document that the lint names says; to run it: efgsta check --zlint PATH FILE"
		cases = "; what zlint itself calls a warning or a notice is milder"
	)
	return []Rule{{
		ID: ruleZlintCABF, Name: "zlint-cabf", Clause: "Governance 2.2, 4.3", Roles: tls, Path: "tbsCertificate",
		Title: "zlint finds nothing against the rules of the CA/Browser Forum in a TLS certificate",
		Why:   "2.2: TLS certificates come from publicly trusted CAs, and those issue by these rules. A second opinion, which in the policies of this program refuses no certificate" + cases,
		Fix:   fix,
		Good:  "issued by a public CA as the Baseline Requirements of its day say", Bad: "no subjectAltName, a life of 400 days, an OU after 2022",
		Cases: []string{caseZlintWarning, caseZlintNotice},
		check: func(x *exam) outcome { return x.zlint(ruleZlintCABF) },
	}, {
		ID: ruleZlintRFC, Name: "zlint-rfc5280", Clause: "RFC 5280", Roles: tls, Path: "tbsCertificate",
		Title: "zlint finds nothing against RFC 5280 and the RFCs that amend it in a TLS certificate",
		Why:   "1.3: an X.509 v3 certificate. A second opinion beside the rules of this program about the same, by other people" + cases,
		Fix:   fix,
		Good:  "a certificate as RFC 5280 profiles it", Bad: "key usage that is not critical, no subject key identifier",
		Cases: []string{caseZlintWarning, caseZlintNotice},
		check: func(x *exam) outcome { return x.zlint(ruleZlintRFC) },
	}}
}

// zlintRun is what one run of zlint gave.
type zlintRun struct {
	results map[string]zlintResult
	err     error
}

// zlint is the outcome of one family; zlint is run once for both.
func (x *exam) zlint(id string) outcome {
	if x.Zlint == nil {
		return unasked("no zlint is given")
	}
	kept := x.memo
	if kept == nil {
		kept = &memo{}
	}
	if kept.zlint == nil {
		kept.zlint = &zlintRun{}
		kept.zlint.results, kept.zlint.err = x.Zlint.lint(x.c.Raw)
	}
	run := kept.zlint
	if run.err != nil {
		return unknown("%s gives no verdict: %s", x.Zlint.Name, clip(run.err.Error()))
	}
	return x.Zlint.family(id, run.results)
}
