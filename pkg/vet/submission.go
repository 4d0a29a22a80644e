package vet

import "strings"

// submissionRules: what a member state brings together, Governance 3.2. Outside of a submission they say nothing.
func submissionRules() []Rule {
	members := []Role{NBTLS, NBBS}
	return []Rule{{
		ID: "EFGS-505", Name: "both-submitted", Clause: "Governance 3.2", Roles: members, Path: "",
		Title: "the member state submits an NBTLS and an NBBS",
		Why:   "3.2 wants both: one without the other gives no access; what came before counts too",
		Fix:   "submit the other certificate: efgsta submit CC --nbtls FILE --nbbs FILE",
		Good:  "--nbtls and --nbbs", Bad: "an NBBS, and never an NBTLS",
		check: bothSubmitted,
	}, {
		ID: "EFGS-506", Name: "same-country", Clause: "Governance 3.2", Roles: members, Path: pathSubject,
		Title: "the certificates of one submission have one country",
		Why:   "3.2 wants C to be the member state; the gateway looks the signing certificate up by the C of the TLS certificate",
		Fix:   "re-issue the certificate whose C is not the member state's",
		Good:  "C=DE in both", Bad: "C=DE in one, C=AT in the other",
		check: sameCountry,
	}}
}

func bothSubmitted(x *exam) outcome {
	if len(x.Submission) == 0 {
		return skip()
	}
	other := NBBS
	if x.Role == NBBS {
		other = NBTLS
	}
	for _, k := range x.Submission {
		if k.Role == other {
			return pass()
		}
	}
	if x.Others != nil && x.Others.has(other, x.Country) {
		return pass()
	}
	return fail("there is no %s: neither in this submission nor before", strings.ToUpper(string(other)))
}

func sameCountry(x *exam) outcome {
	own := x.c.Countries()
	if len(x.Submission) == 0 || len(own) != 1 {
		return skip() // EFGS-301 has it
	}
	var problems []problem
	for _, k := range x.Submission {
		if cs := k.Certificate.Countries(); len(cs) == 1 && cs[0] != own[0] {
			problems = append(problems, problem{msg: "C is " + quote(own[0]) + " here and " + quote(cs[0]) + " in " + k.Source})
		}
	}
	return passUnless(problems)
}
