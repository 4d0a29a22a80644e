package vet

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// MaxVerdicts is how many certificates and requests of one file are vetted. A file of
// hundreds of thousands would make a report that nobody can open.
const MaxVerdicts = 1000

// Input vets a whole file: file rules (EFGS-001…007), each certificate, and each
// signing request as far as it goes. An
// input without certificate is one Result with Certificate nil. With role "" the
// role of each certificate is decided by its content, or left undecided.
// Chain certificates beside a submitted one have no Result: EFGS-004 names them.
// What is beyond MaxVerdicts is one more Result, refused by EFGS-001, that says how
// many there are.
func (e *Engine) Input(in *cert.Input, req Request) []*Result {
	req.Evidence = req.Evidence.with(in)
	req.Issuers = append(slices.Clip(req.Issuers), issuersOf(in)...)
	chain := chainItems(in)
	shared, own := sortProblems(in, chain)
	taken := takenForChain(in, chain)
	var results []*Result
	beyond := 0
	for i, item := range in.Items {
		switch {
		case chain[i]:
		case len(results) == MaxVerdicts:
			beyond++
		default:
			results = append(results, e.item(in, i, req, append(own[item.Index], shared...), taken))
		}
	}
	for _, item := range in.Requests {
		if len(results) == MaxVerdicts {
			beyond++
			continue
		}
		results = append(results, e.request(in, item, req, shared))
	}
	if beyond > 0 {
		results = append(results, e.beyond(in, req, beyond))
	}
	if len(results) > 0 {
		return results
	}
	if len(shared) == 0 {
		shared = []cert.Problem{{Kind: cert.ProblemNoCertificate, Index: -1, Msg: "no certificate found in the file"}}
	}
	res := &Result{File: in.File, Index: -1, Role: req.Role}
	e.file(res, shared)
	res.decide()
	return []*Result{res}
}

// beyond is the Result of everything behind MaxVerdicts. It passes no rule and is
// never accepted, whatever the policy says of EFGS-001.
func (e *Engine) beyond(in *cert.Input, req Request, n int) *Result {
	res := &Result{File: in.File, Index: -1, Role: req.Role}
	for i := range e.rules {
		if e.rules[i].problem == cert.ProblemUnreadable {
			e.fileRule(res, i, []cert.Problem{{Kind: cert.ProblemUnreadable, Index: -1, Msg: fmt.Sprintf(
				"%d more certificates or requests are in the file and have no verdict: at most %d of one file are vetted, so bring them in several files", n, MaxVerdicts)}})
		}
	}
	if res.decide(); res.Verdict == VerdictAccepted {
		res.Verdict = VerdictUndecided
	}
	return res
}

// item vets one certificate of the file; one that could not be read has file findings only.
func (e *Engine) item(in *cert.Input, i int, req Request, problems []cert.Problem, taken outcome) *Result {
	item := in.Items[i]
	req.Certificate = item.Cert
	res := &Result{Role: req.Role}
	switch {
	case item.Cert == nil && !hasKind(problems, cert.ProblemUnreadable):
		problems = append(problems, cert.Problem{Kind: cert.ProblemUnreadable, Line: item.Line, Msg: "the certificate cannot be read"})
	case item.Cert != nil:
		reason := ""
		if req.Role == "" {
			req.Role, reason = RoleOf(item.Cert, req.Country)
		}
		res = e.Vet(req)
		res.RoleReason = reason
	}
	res.File, res.Index = in.File, item.Index
	if item.Entry != "" {
		res.File += "!/" + item.Entry
	}
	e.file(res, problems)
	for i := range e.rules {
		switch e.rules[i].ID {
		case ruleOneCert:
			e.recordFile(res, i, taken)
		case ruleCanonical:
			e.recordFile(res, i, canonical(in))
		}
	}
	req.Waivers.apply(res, req.At)
	res.decide()
	return res
}

// maxCompared caps the certificates of one file whose signatures are tried on
// each other, and maxShared the problems of a file repeated with each certificate.
const (
	maxCompared = 32
	maxShared   = 10
)

// chainItems marks, by position, the certificates that only accompany another:
// CAs, and issuers of others, as long as something else remains.
func chainItems(in *cert.Input) map[int]bool {
	chain := map[int]bool{}
	rest := 0
	for i, item := range in.Items {
		switch {
		case item.Cert == nil:
		case item.Cert.BasicConstraints != nil && item.Cert.BasicConstraints.CA, issuesAnother(in, i):
			chain[i] = true
		default:
			rest++
		}
	}
	if rest == 0 {
		return nil
	}
	return chain
}

// issuesAnother: by name and by signature; by name alone where the signature cannot be checked.
func issuesAnother(in *cert.Input, i int) bool {
	issuer := in.Items[i].Cert
	if len(in.Items) > maxCompared || len(issuer.Subject.Raw) == 0 {
		return false
	}
	for _, other := range in.Items {
		c := other.Cert
		if c == nil || c.SelfIssued() || !bytes.Equal(c.Issuer.Raw, issuer.Subject.Raw) {
			continue
		}
		if err := c.CheckSignedBy(issuer); err == nil || errors.Is(err, sigalg.ErrUnsupported) {
			return true
		}
	}
	return false
}

// sortProblems parts what concerns every certificate of the file from what
// concerns one. A private key, and whatever befell a chain certificate, concerns all.
func sortProblems(in *cert.Input, chain map[int]bool) (shared []cert.Problem, own map[int][]cert.Problem) {
	hasResult := map[int]bool{}
	for i, item := range in.Items {
		hasResult[item.Index] = !chain[i]
	}
	own = map[int][]cert.Problem{}
	more := map[string]int{}
	for _, p := range in.Problems {
		switch {
		case p.Kind != cert.ProblemPrivateKey && hasResult[p.Index]:
			own[p.Index] = append(own[p.Index], p)
		default:
			if more[p.Kind]++; more[p.Kind] <= maxShared {
				shared = append(shared, p)
			}
		}
	}
	for _, r := range fileRules() {
		if n := more[r.problem] - maxShared; n > 0 {
			shared = append(shared, cert.Problem{Kind: r.problem, Index: -1, Msg: fmt.Sprintf("and %d more of this kind", n)})
		}
	}
	if in.PrivateKey && more[cert.ProblemPrivateKey] == 0 {
		shared = append(shared, cert.Problem{Kind: cert.ProblemPrivateKey, Index: -1, Msg: "a private key is in the file"})
	}
	return shared, own
}

func hasKind(problems []cert.Problem, kind string) bool {
	for _, p := range problems {
		if p.Kind == kind {
			return true
		}
	}
	return false
}

// FileFailures returns the rules about files that the input fails with severity
// error, for whoever takes only one certificate of it.
func (e *Engine) FileFailures(in *cert.Input, role Role) []Finding {
	res := &Result{Role: role}
	e.file(res, in.Problems)
	var failed []Finding
	for _, f := range res.Findings {
		if f.refuses() {
			failed = append(failed, f)
		}
	}
	return failed
}

// file applies the rules about files that pkg/cert's problems belong to.
func (e *Engine) file(res *Result, problems []cert.Problem) {
	for i := range e.rules {
		if e.rules[i].problem != "" {
			e.fileRule(res, i, problems)
		}
	}
}

// fileRule and recordFile take the rule at i.
func (e *Engine) fileRule(res *Result, i int, problems []cert.Problem) {
	var found []problem
	for _, p := range problems {
		if p.Kind != e.rules[i].problem {
			continue
		}
		where := ""
		if p.Line > 0 {
			where = fmt.Sprintf("line %d", p.Line)
		}
		found = append(found, problem{msg: p.Msg, path: where})
	}
	e.recordFile(res, i, passUnless(found))
}

// takenForChain is EFGS-004 for the whole file: which certificates were taken for the chain.
func takenForChain(in *cert.Input, chain map[int]bool) outcome {
	var names []string
	for i, item := range in.Items {
		switch {
		case !chain[i]:
		case len(names) == maxShared:
			names = append(names, "and more")
		case len(names) < maxShared:
			names = append(names, fmt.Sprintf("%s (sha256 %s…)", item.Cert.Subject, cert.ShortHex(item.Cert.Thumbprint().String())))
		}
	}
	if len(names) == 0 {
		return pass()
	}
	return fail("taken for the chain and not vetted: %s", strings.Join(names, "; "))
}

// canonical is EFGS-706.
func canonical(in *cert.Input) outcome {
	if !in.Canonical() {
		return fail("the file is not one certificate in PEM with lines of 64 characters and LF, and nothing else")
	}
	return pass()
}

func (e *Engine) recordFile(res *Result, i int, o outcome) {
	g := &e.settings[i]
	if severity := g.severityFor(res.Role); severity != "off" {
		res.record(&e.rules[i], &g.setting, severity, o, false)
	}
}
