package vet

import (
	"fmt"
	"slices"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/policy"
)

// Rule is one condition of the governance document, or of a system around it.
// Severity and numbers are the policy's; everything else is here.
type Rule struct {
	ID     string // "EFGS-102": permanent, never reused
	Name   string // "rsa-modulus-min": accepted wherever the id is
	Clause string // "Governance 4.1"
	Title  string // the condition, in one line
	Why    string // what it guards against or where the reading comes from
	Fix    string // one line: a command or advice
	Good   string // what passes
	Bad    string // what fails
	Roles  []Role // the certificates it is about
	// NeverWaivable: no recorded exception can let a failure of this rule pass.
	NeverWaivable bool
	Path          string   // the part of the certificate it looks at, for findings
	Params        []string // numbers that a policy must give
	Cases         []string // cases that a policy must give a severity of their own
	// Implies names rules, by id, that a certificate may fail as a consequence of failing this one: a subject that
	// is empty has no country either. Whoever mends this one mends those.
	Implies []string

	check   func(*exam) outcome // nil for the rules about files
	problem string              // cert.Problem kind of a rule about files
}

// Rules returns every rule, in the order of their ids.
func Rules() []Rule {
	families := [...][]Rule{
		fileRules(), algorithmRules(), pssRules(), curveRules(), validityRules(), subjectRules(), templateRules(),
		usageRules(), tlsRules(), sanRules(), keyRules(), weakKeyRules(), identifierRules(), chainRules(), gatewayRules(),
		structureRules(), encodingRules(), textRules(), caRules(), zlintRules(),
		issuerRules(), renewalRules(), submissionRules(), blocklistRules(), sharedFactorRules(),
	}
	// Pointers are sorted: a Rule is large, and this is part of every start.
	order := make([]*Rule, 0, 128)
	for _, family := range families {
		for i := range family {
			order = append(order, &family[i])
		}
	}
	slices.SortFunc(order, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	all := make([]Rule, len(order))
	for i, r := range order {
		all[i] = *r
	}
	return all
}

// Find returns the rule with this id or name.
func Find(idOrName string) (Rule, bool) {
	for _, r := range Rules() {
		if r.ID == idOrName || r.Name == idOrName {
			return r, true
		}
	}
	return Rule{}, false
}

// exam is one certificate in front of one rule.
type exam struct {
	*Request
	c       *cert.Certificate
	setting policy.Setting
	policy  *policy.Policy
	memo    *memo // shared by the rules of one certificate; nil: nothing is kept
}

// param is a number of the policy; New has seen to it that it is there.
func (x *exam) param(name string) int { return x.setting.Params[name] }

// extension returns the first extension with this OID, read or not.
func (x *exam) extension(oid string) *cert.Extension {
	for i := range x.c.Extensions {
		if x.c.Extensions[i].OID == oid {
			return &x.c.Extensions[i]
		}
	}
	return nil
}

// faulty reports whether an extension, by name, is there but could not be decoded in full.
func (x *exam) faulty(extension string) bool {
	return slices.ContainsFunc(x.c.Faults, func(f cert.Fault) bool {
		return strings.HasPrefix(f.Path, "extensions[") && strings.HasSuffix(f.Path, " "+extension)
	})
}

// state is how a rule came out.
type state int

const (
	notApplicable state = iota
	passed
	failed
	notEvaluated
)

// outcome is what one rule says of one certificate; several problems are possible.
type outcome struct {
	state    state
	problems []problem
	unasked  bool // not evaluated, and nobody gave any evidence: does not block, unless required
	optional bool // unasked in a workspace too, unless the policy itself has it block
	fetch    bool // not evaluated, and the message says where the evidence is
}

type problem struct {
	msg  string
	path string // "" for the rule's own
	kase string // a case of the rule with a severity of its own, or ""
}

func pass() outcome { return outcome{state: passed} }

// skip: the rule says nothing about such a certificate.
func skip() outcome { return outcome{} }

func fail(format string, args ...any) outcome { return failCase("", format, args...) }

func failCase(kase, format string, args ...any) outcome {
	return outcome{state: failed, problems: []problem{{msg: fmt.Sprintf(format, args...), kase: kase}}}
}

// unknown: the rule lacks what it needs, and says what.
func unknown(format string, args ...any) outcome {
	return outcome{state: notEvaluated, problems: []problem{{msg: fmt.Sprintf(format, args...)}}}
}

// unasked: the rule lives on evidence of which nothing was given.
func unasked(format string, args ...any) outcome {
	o := unknown(format, args...)
	o.unasked = true
	return o
}

// at marks an outcome whose message names these addresses of the evidence, if there are any.
func (o outcome) at(addresses ...[]string) outcome {
	o.fetch = slices.ContainsFunc(addresses, func(a []string) bool { return len(a) > 0 })
	return o
}

// passUnless passes if there are no problems.
func passUnless(problems []problem) outcome {
	if len(problems) == 0 {
		return pass()
	}
	return outcome{state: failed, problems: problems}
}

func all() []Role { return Roles() }
