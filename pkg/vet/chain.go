package vet

import (
	"crypto/x509"
	"strings"
	"time"
)

// caseStale is the case of evidence that has gone out of date.
const caseStale = "stale"

// chainRules: what Governance 3.1 asks of public TLS certificates beyond the
// certificate itself. The evidence comes from outside; without it they say what to fetch.
func chainRules() []Rule {
	tls := []Role{NBTLS, EFGSTLS}
	return []Rule{{
		ID: "EFGS-601", Name: "chain", Clause: "Governance 3.1, 2.2", Roles: tls, Path: "tbsCertificate.issuer",
		Title: "a TLS certificate has a path to a publicly trusted root",
		Why:   "3.1: shall include the verification of the CA chain; a workspace lists no certificate without it; check without roots only reports that",
		Fix:   "give the roots, and the issuers' certificates in the same file as the certificate: --roots mozilla FILE",
		Good:  "a path to a root that all major browsers include", Bad: "a private CA",
		check: chainVerified,
	}, {
		ID: "EFGS-602", Name: "revoked", Clause: "Governance 3.1, 3.3", Roles: tls, Path: "tbsCertificate.serialNumber",
		Title: "a TLS certificate is not revoked by its CA",
		Why:   "3.1: shall include the revocation status; a CA on the path must not be revoked either, where a list of its issuer is given. A workspace lists no certificate without a list or a response; check without any only reports that",
		Fix:   "fetch what the certificate names on a connected machine, and give it: --roots mozilla --crl LIST, or --ocsp RESPONSE",
		Good:  "not on the issuer's current revocation list", Bad: "on it, or the list is not signed by the issuer",
		Cases: []string{caseStale},
		check: notRevoked,
	}}
}

func chainVerified(x *exam) outcome {
	if x.Evidence == nil || x.Evidence.Roots == nil && x.path().pretender == nil {
		issuer := x.accessURIs(accessIssuer)
		return unasked("no trusted roots are given%s", named("; the issuer's certificate is at", issuer)).at(issuer)
	}
	return x.path().outcome
}

// notRevoked listens to every list and response. Revoked or forged in one counts,
// whatever the others say; good counts from an issuer on a verified path only, and not
// if there is a list of the issuer that cannot be taken and is newer, or has the serial number.
func notRevoked(x *exam) outcome {
	ev := x.Evidence
	if ev == nil || len(ev.CRLs)+len(ev.OCSP) == 0 {
		lists, responders := x.crlURIs(), x.accessURIs(accessOCSP)
		return unasked("no revocation list and no OCSP response is given%s%s", named("; the list is at", lists), named("; the responder is at", responders)).
			at(lists, responders)
	}
	p := x.path()
	switch {
	case p.leaf == nil:
		return p.outcome
	case p.issuer == nil && p.pretender != nil:
		return unknown("the issuer %s may not issue certificates (EFGS-601), so none of its lists and responses tells", quote(p.pretender.Subject.String()))
	case p.issuer == nil:
		return unknown("the issuer's certificate is not given, so no list or response about the certificate can be verified")
	}
	words := ev.about(p.leaf, p.issuer, x.At)
	isGood := false
	var newest time.Time
	for _, w := range words {
		switch w.standing {
		case revoked, forged:
			return fail("%s", w.msg)
		case good:
			isGood = true
			if w.of.After(newest) {
				newest = w.of
			}
		}
	}
	var doubts []string
	for _, w := range words {
		if w.standing == doubtful && (w.named || w.of.After(newest)) {
			doubts = append(doubts, w.msg)
		}
	}
	for i := 1; i+1 < len(p.chain); i++ {
		ca := "the CA " + quote(p.chain[i].Subject.String()) + " on the path: "
		for _, w := range ev.about(p.chain[i], p.chain[i+1], x.At) {
			switch {
			case w.standing == revoked || w.standing == forged:
				return fail("%s", ca+w.msg)
			case w.standing == doubtful && w.named:
				doubts = append(doubts, ca+w.msg)
			}
		}
	}
	switch {
	case !isGood:
		return x.noWord(words)
	case len(p.chain) == 0:
		return unknown("not revoked, says an issuer that no path to a trusted root vouches for (EFGS-601)")
	case len(doubts) > 0:
		return unknown("%s; give a complete list of that day or later%s", strings.Join(doubts, "; "), named(", which is at", x.crlURIs()))
	}
	return pass()
}

// about is what all evidence says of a certificate with this issuer, as far as it says something.
func (ev *Evidence) about(subject, issuer *x509.Certificate, at time.Time) []word {
	var all []word
	for _, c := range ev.CRLs {
		all = append(all, c.says(subject, issuer, at))
	}
	for _, o := range ev.OCSP {
		all = append(all, o.says(subject, issuer, at))
	}
	said := all[:0]
	for _, w := range all {
		if w.standing != silent {
			said = append(said, w)
		}
	}
	return said
}

// noWord is the outcome when nothing that was given tells.
func (x *exam) noWord(words []word) outcome {
	fresh := named("; the list is at", x.crlURIs()) + named("; the responder is at", x.accessURIs(accessOCSP))
	o := unknown("none of the lists and responses that are given is about this certificate%s", fresh)
	if len(words) == 0 {
		return o
	}
	var msgs []string
	isStale := false
	for _, w := range words {
		msgs = append(msgs, w.msg)
		isStale = isStale || w.standing == stale
	}
	o.problems[0].msg = strings.Join(msgs, "; ") + fresh
	if isStale {
		o.problems[0].kase = caseStale
	}
	return o
}
