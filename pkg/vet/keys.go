package vet

const fixNewKey = "make a new key pair for each certificate: " + fixRSA

// keyRules: one key, one purpose, Governance 2.3 and 2.4; and that a certificate is whole.
func keyRules() []Rule {
	return []Rule{{
		ID: "EFGS-501", Name: "key-not-shared", Clause: "Governance 2.3", Roles: []Role{NBTLS, NBBS}, Path: pathSPKI, NeverWaivable: true,
		Title: "the key is not that of another certificate, role or member state",
		Why:   "2.3: a new asymmetric key pair; they shall not reuse the TLS authentication key pair",
		Fix:   fixNewKey,
		Good:  "NBTLS and NBBS with a key each", Bad: "one key in both",
		check: keyNotShared,
	}, {
		ID: "EFGS-502", Name: "key-not-en", Clause: "Governance 2.3", Roles: []Role{NBBS}, Path: pathSPKI, NeverWaivable: true,
		Title: "the key is not a key of the national exposure notification service",
		Why:   "2.3: a new asymmetric key pair for the NBBS; the key that signs the national exports stays a key of its own",
		Fix:   fixNewKey,
		Good:  "a key pair made for the NBBS", Bad: "the key that signs the national exports",
		check: keyNotNational,
	}, {
		ID: "EFGS-503", Name: "ta-distinct", Clause: "Governance 2.4", Roles: []Role{EFGSTLS, EFGSTA}, Path: pathSPKI, NeverWaivable: true,
		Title: "the EFGSTA and the EFGSTLS have keys of their own",
		Why:   "2.4: two digital certificates with two distinct key pairs; the EFGSTA's is kept offline",
		Fix:   fixNewKey,
		Good:  "a key each", Bad: "one key in both",
		check: keyNotShared,
	}, {
		ID: "EFGS-603", Name: "self-signature", Clause: "Governance 2.3", Roles: []Role{NBBS, EFGSTA}, Path: "signatureValue", NeverWaivable: true,
		Title: "the signature verifies: of a self-issued certificate with its own key, of another with its issuer's",
		Why:   "otherwise the certificate was altered, or never made by whoever holds the key; where the issuer's certificate is not given, that is said and keeps nothing out: 2.3 asks for a key pair, not for a CA that anybody trusts",
		Fix:   "send the certificate as it was made, or make a new one; give the certificate of its issuer with it in one file, or by --with or --roots",
		Good:  "a certificate as openssl req -x509 wrote it", Bad: "the same with one byte changed, no signature, names that differ in the letter case only",
		check: selfSignature,
	}}
}

func keyNotShared(x *exam) outcome {
	if x.Others == nil {
		return unknown("there is no other certificate to compare the key with (--with FILE)")
	}
	if len(x.c.SPKI) == 0 {
		return unknown("the public key cannot be read")
	}
	var problems []problem
	for _, o := range x.sameKey() {
		if x.isSelf(o) || x.isRenewal(o) || o.bare() && x.Role == NBBS { // a bare key is EFGS-502's
			continue
		}
		problems = append(problems, problem{msg: "the key is also that of " + o.label()})
	}
	if len(problems) == 0 && x.Others.lacksOther(x.c) && (x.Others.bare == 0 || x.Role == NBBS) {
		return unknown("there is no other end entity's certificate to compare the key with (--with FILE)")
	}
	return passUnless(problems)
}

// keyNotNational: a bare key is one of the national service, which has no certificates.
func keyNotNational(x *exam) outcome {
	switch {
	case x.Others == nil || x.Others.bare == 0:
		return unasked("no key of the national exposure notification service was given (--with FILE, the public key in PEM or JWK)")
	case len(x.c.SPKI) == 0:
		return unknown("the public key cannot be read")
	}
	var problems []problem
	for _, o := range x.sameKey() {
		if o.bare() {
			problems = append(problems, problem{msg: "the key is also " + o.label()})
		}
	}
	return passUnless(problems)
}

// isSelf: the same certificate in the same place. In another role or for another member state it is shared.
func (x *exam) isSelf(o *entry) bool { return x.samePlace(o) && o.is(x.c) }

// isRenewal: another certificate of the same role and member state; whether it needs a fresh key is a rule of 3.4.
func (x *exam) isRenewal(o *entry) bool {
	return x.Role != "" && x.Role == o.role && x.samePlace(o)
}

func (x *exam) samePlace(o *entry) bool {
	if x.Role != "" && o.role != "" && x.Role != o.role {
		return false
	}
	country := x.country()
	return country == "" || o.country == "" || country == o.country
}

// country is the member state that brings the certificate, or else its own.
func (x *exam) country() string {
	if cs := x.c.Countries(); x.Country == "" && len(cs) == 1 {
		return cs[0]
	}
	return x.Country
}
