package vet

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Waiver is a recorded exception: one rule, one certificate, who answers for it, why,
// and until when.
type Waiver struct {
	Rule       string          // id, "EFGS-308"
	Thumbprint cert.Thumbprint // of the certificate
	Reason     string
	Owner      string
	Expires    time.Time // the last moment at which it holds
	Line       int       // of the file that it stands in, from 1; 0 if it is from none
}

// Waived is what a finding says of the waiver that excuses it.
type Waived struct {
	Reason  string    `json:"reason"`
	Owner   string    `json:"owner"`
	Expires time.Time `json:"expires"`
}

// Waivers are the waivers of a run, which remember what they met. They are safe for
// concurrent use; nil has none.
type Waivers struct {
	name string // the file
	list []waiver
	of   map[cert.Thumbprint][]int // positions in list

	mu  sync.Mutex
	met []meeting // by position in list
}

// waiver is an entry with what the rule says of it.
type waiver struct {
	Waiver
	never bool // Rule.NeverWaivable
}

// meeting is what a waiver met in a run.
type meeting struct {
	finding bool // a finding of its rule on its certificate
	never   bool // and that was a failure of a rule that is never waived
}

// NewWaivers takes waivers that were written down in a file of that name, or elsewhere.
// Errors wrap ErrWaivers: a rule that does not exist, an entry without reason, owner or
// end, two for the same rule and certificate.
func NewWaivers(name string, list []Waiver) (*Waivers, error) {
	rules := map[string]Rule{}
	for _, r := range Rules() {
		rules[r.ID], rules[r.Name] = r, r
	}
	w := &Waivers{name: name, of: map[cert.Thumbprint][]int{}, met: make([]meeting, len(list))}
	for i, entry := range list {
		rule, known := rules[entry.Rule]
		if !known {
			return nil, &waiverError{name: name, line: entry.Line, msg: "there is no rule " + quote(entry.Rule),
				next: "efgsta rules lists them: an id such as EFGS-308, or its name"}
		}
		entry.Rule = rule.ID
		if err := entry.complete(); err != nil {
			err.name, err.line = name, entry.Line
			return nil, err
		}
		for _, j := range w.of[entry.Thumbprint] {
			if w.list[j].Rule == entry.Rule {
				return nil, &waiverError{name: name, line: entry.Line, msg: fmt.Sprintf("%s is waived for this certificate on line %d already", rule.ID, w.list[j].Line), next: "keep one of them"}
			}
		}
		w.of[entry.Thumbprint] = append(w.of[entry.Thumbprint], i)
		w.list = append(w.list, waiver{entry, rule.NeverWaivable})
	}
	return w, nil
}

// maxWaiverText caps reason and owner, in bytes.
const maxWaiverText = 1000

func (w Waiver) complete() *waiverError {
	switch {
	case strings.TrimSpace(w.Reason) == "" || len(w.Reason) > maxWaiverText:
		return &waiverError{msg: "reason is missing or too long", next: fmt.Sprintf("say in at most %d bytes why the rule may fail here", maxWaiverText)}
	case strings.TrimSpace(w.Owner) == "" || len(w.Owner) > maxWaiverText:
		return &waiverError{msg: "owner is missing or too long", next: "name who answers for it"}
	case w.Expires.IsZero():
		return &waiverError{msg: "expires is missing", next: "a date such as 2027-01-31, the last day on which it holds, or a time in RFC 3339"}
	}
	return nil
}

// apply excuses what a waiver covers of a result, and notes which waivers met something.
func (w *Waivers) apply(res *Result, at time.Time) {
	if w == nil || res.Certificate == nil {
		return
	}
	positions := w.of[res.Certificate.Thumbprint()]
	if len(positions) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, i := range positions {
		for j := range res.Findings {
			if f := &res.Findings[j]; f.ID == w.list[i].Rule && !f.internal {
				w.met[i].finding = true
				w.met[i].never = w.met[i].never || !w.list[i].excuse(f, at)
			}
		}
	}
}

// excuse turns a finding into a waived one if it failed or blocks, and the waiver still
// holds. It reports false if no waiver ever could.
func (w waiver) excuse(f *Finding, at time.Time) bool {
	failed := f.Status == StatusFail
	if failed && w.never {
		return false
	}
	if (failed || f.Blocks) && !at.After(w.Expires) {
		f.Status, f.Blocks = StatusWaived, false
		f.Waiver = &Waived{w.Reason, w.Owner, w.Expires}
	}
	return true
}

// Waivers judges the waivers themselves, after everything was vetted: one Result about
// their file, or none if each still holds, met a finding, and may excuse it.
func (e *Engine) Waivers(w *Waivers, at time.Time) []*Result {
	if w == nil {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var unusable, unmatched []problem
	for i, entry := range w.list {
		what := fmt.Sprintf("the waiver of %s for the certificate %s…", entry.Rule, cert.ShortHex(entry.Thumbprint.String()))
		p := problem{}
		if entry.Line > 0 {
			p.path = fmt.Sprintf("line %d", entry.Line)
		}
		switch met := w.met[i]; {
		case met.never:
			p.msg = what + " does nothing: a failure of this rule is never waived"
			unusable = append(unusable, p)
		case at.After(entry.Expires):
			p.msg = fmt.Sprintf("%s expired on %s (owner: %s)", what, moment(entry.Expires), entry.Owner)
			unusable = append(unusable, p)
		case !met.finding:
			p.msg = what + " meets nothing: there is no such certificate here, or the rule has nothing against it"
			unmatched = append(unmatched, p)
		}
	}
	res := &Result{File: w.name, Index: -1, Waivers: true}
	for i := range e.rules {
		switch e.rules[i].ID {
		case ruleWaiverUnusable:
			e.recordFile(res, i, passUnless(unusable))
		case ruleWaiverUnmatched:
			e.recordFile(res, i, passUnless(unmatched))
		}
	}
	if len(res.Findings) == 0 {
		return nil
	}
	res.decide()
	return []*Result{res}
}
