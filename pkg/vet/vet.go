// Package vet checks a certificate against Section 4 of the governance document
// under a policy. One rule is one value: id, name, clause, check. A certificate
// that passes becomes an Accepted, a type that only this package can make.
package vet

import (
	"errors"
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Role is what a certificate is for, in the seeds' words.
type Role string

// The four certificates of the governance document.
const (
	NBTLS   Role = "nbtls"
	NBBS    Role = "nbbs"
	EFGSTLS Role = "efgstls"
	EFGSTA  Role = "efgsta"
)

const roleCount = 4

// Roles lists them in the order of the document.
func Roles() []Role { return []Role{NBTLS, NBBS, EFGSTLS, EFGSTA} }

// Verdict of one certificate.
type Verdict string

// The verdicts: Undecided means that only missing evidence (or the type) stands between it and a verdict.
const (
	VerdictAccepted  Verdict = "accepted"
	VerdictRefused   Verdict = "refused"
	VerdictUndecided Verdict = "undecided"
)

// Severities and states of a Finding.
const (
	SeverityError   = "error"
	SeverityWarning = "warning"
	SeverityNotice  = "notice"

	StatusFail         = "fail"
	StatusNotEvaluated = "not-evaluated"
	StatusWaived       = "waived"
)

// Finding is a rule that did not pass.
type Finding struct {
	ID       string `json:"id"`       // "EFGS-102"
	Name     string `json:"name"`     // "rsa-modulus-min"
	Severity string `json:"severity"` // "error", "warning", "notice"
	Status   string `json:"status"`   // "fail", "not-evaluated", "waived"
	Message  string `json:"message"`
	Clause   string `json:"clause"` // "Governance 4.1"
	Path     string `json:"path,omitempty"`
	Fix      string `json:"fix,omitempty"`
	// Blocks is true for a not-evaluated finding that keeps the certificate out of a plan.
	Blocks bool `json:"-"`
	// Fetch is true for a not-evaluated finding whose message says where what is missing can be fetched.
	Fetch bool `json:"-"`
	// Waiver is what excuses a waived finding.
	Waiver *Waived `json:"waiver,omitempty"`
	// Deviation is why the severity is not that of the policy's base.
	Deviation *Deviation `json:"deviation,omitempty"`

	kase     string // the case of the rule that it is about; "" for the rule itself
	internal bool   // the rule itself failed: no evidence is missing that a waiver could stand for
}

// refuses reports whether f alone makes the verdict refused.
func (f Finding) refuses() bool { return f.Status == StatusFail && f.Severity == SeverityError }

// Request is one certificate to vet.
type Request struct {
	Certificate *cert.Certificate
	Role        Role
	Country     string    // member state the certificate must belong to; "" if not told
	At          time.Time // the time to judge at
	Rehearsal   bool      // an EFGSTA must then carry OU=REHEARSAL, and must not otherwise
	// AnyEnvironment leaves the question of Rehearsal out: a linter does not know it.
	AnyEnvironment bool
	// Others are keys that this one must not equal (2.3, 2.4): certificates of other roles, members and the anchor.
	// nil means that there is nothing to compare with, and the rule is not evaluated; an empty Index means that
	// there is nothing else, and it passes (an empty NewPartialIndex means the former). The certificate itself, in the same role and country, may be among them.
	Others *Index
	// Evidence about chain and revocation of TLS certificates. nil means that none was given, and those rules are
	// not evaluated. Input adds the other certificates of the file to it.
	Evidence *Evidence
	// Issuers are certificates of CAs that may have signed this one, beside those of Evidence; what is no CA's
	// is not listened to. Input adds those of the file.
	Issuers []*cert.Certificate
	// Zlint is an installed zlint for a second opinion on TLS certificates. nil means that none was given, and its
	// rules are not evaluated.
	Zlint *Zlint
	// Within calls a renewal due so many days before the certificate ends, if the policy does not do so earlier.
	Within int
	// OtherEnvironments are certificates in use in test and acceptance environments. nil: none were given.
	OtherEnvironments *Index
	// Blocklists are lists of keys that others know (EFGS-905, EFGS-906).
	Blocklists []*Blocklist
	// Submission are the certificates that the member state brings together with this one. nil outside of a submission.
	Submission []Known
	// Intake asks for what is too slow for a linter: whether an RSA modulus is prime (EFGS-901), or the p of a DSA
	// key (EFGS-112), or an EC private key is below 65537 (EFGS-909). To require EFGS-901 or EFGS-909 asks for its part too.
	Intake bool
	// Require names rules, by id or name, or "all", that must be evaluated: without evidence they block.
	Require []string
	// Workspace: evidence that was never given is missing like any other, and blocks where the policy says so.
	// Without it, as for a linter, a rule of which nobody gave any evidence is only reported.
	Workspace bool
	// Waivers excuse findings; nil: none do.
	Waivers *Waivers
}

// Result is the verdict with everything that did not pass.
type Result struct {
	File        string
	Index       int
	Certificate *cert.Certificate // nil if the block could not be read
	Role        Role
	RoleReason  string // why the role was chosen by content, or why it could not be
	Country     string // of the subject; "" if it has none or several
	Verdict     Verdict
	Findings    []Finding
	Passed      int  // rules passed
	Evaluated   int  // rules that ran
	Waivers     bool // this is about the file of waivers: there is no certificate and no role
	publicChain bool // EFGS-601 was evaluated and passed
}

// Accepted is a certificate that was vetted and passed. Its zero value is not usable; only Accept makes one.
type Accepted struct {
	c       *cert.Certificate
	role    Role
	country string
	result  *Result
}

// ErrRefused marks a certificate that is not accepted.
var ErrRefused = errors.New("certificate refused")

// Accept vets and, if the verdict is accepted, returns the proof of it. The result is returned either way.
func (e *Engine) Accept(req Request) (Accepted, *Result, error) {
	res := e.Vet(req)
	if res.Verdict != VerdictAccepted {
		return Accepted{}, res, refusal(res)
	}
	country := req.Country
	if country == "" {
		country = res.Country
	}
	return Accepted{c: req.Certificate, role: req.Role, country: country, result: res}, res, nil
}

// refusal names the first rule that stands in the way.
func refusal(res *Result) error {
	for _, f := range res.Findings {
		if f.refuses() || res.Verdict == VerdictUndecided && f.Blocks {
			return fmt.Errorf("%w: %s %s: %s", ErrRefused, f.ID, f.Name, f.Message)
		}
	}
	return fmt.Errorf("%w: its type is not known", ErrRefused)
}

// Certificate returns the vetted certificate.
func (a Accepted) Certificate() *cert.Certificate { return a.c }

// Role returns the role it was vetted for.
func (a Accepted) Role() Role { return a.role }

// Country returns the member state it was vetted for.
func (a Accepted) Country() string { return a.country }

// Result returns the verdict with its warnings.
func (a Accepted) Result() *Result { return a.result }

// Valid reports whether a was made by Accept.
func (a Accepted) Valid() bool { return a.c != nil }
