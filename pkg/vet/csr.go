package vet

import (
	"slices"

	"github.com/efgsta/efgsta/pkg/cert"
)

// aboutRequests reports whether a rule can be held against a signing request: the
// rules on its key, its subject, and the proof that it has the key. The rest is
// for the CA to write.
func aboutRequests(r *Rule) bool {
	switch r.ID[:len("EFGS-1")] {
	case "EFGS-1":
		// How the request is signed says nothing of how the certificate will be.
		return !slices.Contains([]string{"EFGS-105", "EFGS-106", "EFGS-107", "EFGS-108", "EFGS-114", "EFGS-115", "EFGS-116"}, r.ID)
	case "EFGS-3", "EFGS-9":
		return true
	}
	return slices.Contains([]string{"EFGS-501", "EFGS-503", "EFGS-603", "EFGS-702", "EFGS-703", "EFGS-705", "EFGS-707", "EFGS-808", "EFGS-823", "EFGS-824", "EFGS-825", "EFGS-826"}, r.ID)
}

// request vets a signing request, before a CA is paid for it. What it cannot
// conform to refuses it; it is never accepted, for it is no certificate.
func (e *Engine) request(in *cert.Input, item cert.Item, req Request, problems []cert.Problem) *Result {
	req.Certificate = item.Cert
	res := &Result{File: in.File, Index: len(in.Items) + item.Index, Certificate: item.Cert} // counted behind the certificates
	if item.Entry != "" {
		res.File += "!/" + item.Entry
	}
	if req.Role == "" {
		req.Role, res.RoleReason = RoleOf(item.Cert, req.Country)
	}
	res.Role = req.Role
	if cs := item.Cert.Countries(); len(cs) == 1 {
		res.Country = cs[0]
	}
	x := &exam{Request: &req, c: req.Certificate, memo: &memo{}, policy: e.policy}
	for i := range e.rules {
		r := &e.rules[i]
		switch {
		case r.check != nil && aboutRequests(r):
			e.apply(res, x, i)
		case r.ID == ruleWrongType:
			e.recordFile(res, i, unknown("this is a signing request, not a certificate: only its subject, its key, and the proof that it has the key were checked"))
		case r.problem != "":
			e.fileRule(res, i, problems)
		}
	}
	e.deviate(res, x, aboutRequests)
	res.decide()
	if res.Verdict == VerdictAccepted {
		res.Verdict = VerdictUndecided // a policy may make the rule above milder
	}
	return res
}
