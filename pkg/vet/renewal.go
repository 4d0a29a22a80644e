package vet

import "fmt"

// renewalRules: keys have an end as certificates have, Governance 3.4.
func renewalRules() []Rule {
	members := []Role{NBTLS, NBBS}
	return []Rule{{
		ID: "EFGS-208", Name: "key-age", Clause: "Governance 3.4", Roles: members, Path: pathSPKI,
		Title: "the key is not used longer than two years, in whatever certificates",
		Why:   "3.4: certificates shall not be used longer than two years, and renewal is there for fresh cryptographic keys",
		Fix:   fixNewKey,
		Good:  "a new key with each certificate", Bad: "a key of 2019 in a certificate that ends in 2022",
		Params: []string{"years"}, Implies: []string{"EFGS-504"},
		check: onEarlier(keyAge),
	}, {
		ID: "EFGS-504", Name: "renewal-fresh-key", Clause: "Governance 3.4", Roles: members, Path: pathSPKI,
		Title: "a renewed certificate has another key than its predecessor",
		Why:   "3.4: renewal is necessary to use fresh cryptographic keys",
		Fix:   fixNewKey,
		Good:  "a new key with each certificate", Bad: "openssl x509 -days 365 over last year's key",
		check: onEarlier(renewalFreshKey),
	}, {
		ID: "EFGS-508", Name: "cross-env-key", Clause: "practice", Roles: members, Path: pathSPKI,
		Title: "the key is not in use in a test or acceptance environment",
		Why:   "a test environment is guarded less, and what it signs would count in production; the successor system forbids it",
		Fix:   fixNewKey,
		Good:  "a key for each environment", Bad: "the acceptance environment's key in production",
		check: crossEnvironmentKey,
	}}
}

// onEarlier is for rules about a key and what else is known of it.
func onEarlier(check func(x *exam, same []*entry) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		switch {
		case x.Others == nil:
			return unknown("there is no earlier certificate to compare with (--with FILE)")
		case len(x.c.SPKI) == 0:
			return unknown("the public key cannot be read")
		case x.c.NotBefore.IsZero() || x.c.NotAfter.IsZero():
			return unknown("the validity cannot be read")
		}
		o := check(x, x.sameKey())
		if o.state == passed && x.Others.lacksEarlier(x.c, x.Role, x.country()) {
			return unknown("no earlier certificate of this role and member state is given (--with FILE)")
		}
		return o
	}
}

func keyAge(x *exam, same []*entry) outcome {
	var first *entry
	for _, o := range same {
		if !o.notBefore.IsZero() && o.notBefore.Before(x.c.NotBefore) && (first == nil || o.notBefore.Before(first.notBefore)) {
			first = o
		}
	}
	if first == nil {
		return pass() // the certificate itself is the first: EFGS-202
	}
	years := x.param("years")
	if end := first.notBefore.AddDate(years, 0, 0); x.c.NotAfter.After(end) {
		return fail("the key is in use since %s (%s), so for %d years on %s, before the certificate ends on %s",
			stamp(first.notBefore), first.label(), years, stamp(end), stamp(x.c.NotAfter))
	}
	return pass()
}

func renewalFreshKey(x *exam, same []*entry) outcome {
	var problems []problem
	for _, o := range same {
		if x.isRenewal(o) && !o.is(x.c) && !o.notBefore.After(x.c.NotBefore) {
			problems = append(problems, problem{msg: fmt.Sprintf("the key is that of its predecessor, %s", o.label())})
		}
	}
	return passUnless(problems)
}

func crossEnvironmentKey(x *exam) outcome {
	switch {
	case x.OtherEnvironments == nil:
		return unasked("no certificate of another environment was given (--other-environment FILE)")
	case len(x.c.SPKI) == 0:
		return unknown("the public key cannot be read")
	}
	var problems []problem
	for _, o := range x.OtherEnvironments.sameKey(x.c) {
		problems = append(problems, problem{msg: "the key is in use in another environment: " + o.label()})
	}
	return passUnless(problems)
}
