package vet

import (
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

const pathSubject = "tbsCertificate.subject"

const tagPrintableString = 19

// subjectRules: whose certificate it is, Governance 2.3 and 3.2.
func subjectRules() []Rule {
	return []Rule{{
		ID: "EFGS-301", Name: "subject-c", Clause: "Governance 2.3, 3.2", Roles: all(), Path: pathSubject, NeverWaivable: true,
		Title: "the subject has exactly one country (C)",
		Why:   "2.3: a batch is linked to its member state by C = Member State; the gateway refuses none and several",
		Fix:   "openssl req … -subj '/C=DE/O=…/CN=…'",
		Good:  "C=DE, O=…, CN=…", Bad: "O=…, CN=…; C=DE, C=FR",
		Implies: []string{"EFGS-302", "EFGS-311"},
		check:   subjectC,
	}, {
		ID: "EFGS-302", Name: "c-matches-member", Clause: "Governance 3.2", Roles: []Role{NBTLS, NBBS}, Path: pathSubject, NeverWaivable: true,
		Title: "the subject's country is that of the member state that brings the certificate",
		Why:   "3.2: must verify that the certificate content corresponds to the requesting member state (e.g. that C = Member State)",
		Fix:   "bring a certificate whose subject has the right C; say which member state with --country CC",
		Good:  "C=DE brought by DE", Bad: "C=FR brought by DE",
		check: cMatchesMember,
	}, {
		ID: "EFGS-303", Name: "c-format", Clause: "RFC 5280 A.1", Roles: all(), Path: pathSubject,
		Title: "a country is a PrintableString of two letters A-Z",
		Why:   "the gateway compares it letter for letter",
		Fix:   "two upper-case letters; openssl writes the right string type by itself",
		Good:  "PrintableString DE", Bad: "de, DEU, UTF8String DE",
		Implies: []string{"EFGS-302"},
		check:   onCountries(cFormat),
	}, {
		ID: "EFGS-304", Name: "c-iso", Clause: "Governance 3.2", Roles: all(), Path: pathSubject,
		Title: "a country is assigned in ISO 3166-1",
		Why:   "batches carry their origin as an ISO code; EL and UK are used elsewhere in the Union, but are none",
		Fix:   "use the ISO 3166-1 alpha-2 code",
		Good:  "GR, GB, DE", Bad: "EL, UK, EU, XX",
		Implies: []string{"EFGS-302"},
		check:   onCountries(cISO),
	}, {
		ID: "EFGS-305", Name: "c-participant", Clause: "Governance 1", Roles: []Role{NBTLS, NBBS}, Path: pathSubject,
		Title: "a country is a member state of the European Union",
		Why:   "the gateway is the member states'; Norway, Iceland, Liechtenstein and Switzerland may be associated and are noted",
		Fix:   "make sure that the state takes part",
		Good:  "DE", Bad: "US; noted: CH",
		Cases: []string{"associated"},
		check: cParticipant,
	}}
}

const (
	memberStates     = " AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK "
	associatedStates = " CH IS LI NO "
)

func cParticipant(x *exam) outcome {
	cs, o, ok := x.attributes(cert.OIDCountry)
	if !ok || len(cs) == 0 {
		return o
	}
	var problems []problem
	for _, c := range cs {
		code := strings.ToUpper(strings.TrimSpace(c.Value))
		switch {
		case !assigned(code): // EFGS-304 has it
		case strings.Contains(associatedStates, " "+code+" "):
			problems = append(problems, problem{msg: code + " is not a member state; it may take part as an associated state", kase: "associated"})
		case !strings.Contains(memberStates, " "+code+" "):
			problems = append(problems, problem{msg: code + " is not a member state of the European Union"})
		}
	}
	return passUnless(problems)
}

// attributes returns those of that type, or an outcome if the subject cannot be read.
func (x *exam) attributes(oid string) ([]cert.Attribute, outcome, bool) {
	if len(x.c.Subject.Raw) == 0 {
		return nil, unknown("the subject cannot be read"), false
	}
	var found []cert.Attribute
	for _, rdn := range x.c.Subject.RDNs {
		for i := range rdn {
			switch {
			case rdn[i].OID != oid:
			case found == nil: // nearly always the only one: not copied
				found = rdn[i : i+1 : i+1]
			default:
				found = append(found, rdn[i])
			}
		}
	}
	return found, skip(), true
}

func subjectC(x *exam) outcome {
	cs, o, ok := x.attributes(cert.OIDCountry)
	switch {
	case !ok:
		return o
	case len(cs) == 0:
		return fail("the subject has no country (C)")
	case len(cs) > 1:
		return fail("the subject has %d countries (C=%s), exactly one required", len(cs), strings.Join(values(cs), ", C="))
	}
	return pass()
}

func values(as []cert.Attribute) []string {
	var vs []string
	for _, a := range as {
		vs = append(vs, a.Value)
	}
	return vs
}

func cMatchesMember(x *exam) outcome {
	if x.Country == "" {
		return unknown("the member state was not given (--country CC)")
	}
	cs, o, ok := x.attributes(cert.OIDCountry)
	if !ok {
		return o
	}
	if len(cs) == 0 {
		return fail("the subject has no country, %s required", x.Country)
	}
	for _, c := range cs {
		if c.Value != x.Country {
			return fail("the subject's country is %s, but %s brings the certificate", c.Value, x.Country)
		}
	}
	return pass()
}

// onCountries runs check on every country; none at all is EFGS-301.
func onCountries(check func(cert.Attribute) (msg string)) func(*exam) outcome {
	return func(x *exam) outcome {
		cs, o, ok := x.attributes(cert.OIDCountry)
		if !ok || len(cs) == 0 {
			return o
		}
		var problems []problem
		for _, c := range cs {
			if msg := check(c); msg != "" {
				problems = append(problems, problem{msg: msg})
			}
		}
		return passUnless(problems)
	}
}

func cFormat(c cert.Attribute) string {
	v := c.Value
	switch {
	case len(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z':
		return "the country is " + quote(v) + ", two letters A-Z required"
	case c.Tag != tagPrintableString:
		return "the country " + v + " is not a PrintableString"
	}
	return ""
}

// quote marks where a value begins and ends; escaping is for whoever shows it.
func quote(s string) string { return "“" + s + "”" }

func cISO(c cert.Attribute) string {
	// Letter case and stray blanks are EFGS-303's.
	switch code := strings.ToUpper(strings.TrimSpace(c.Value)); {
	case code == "EL":
		return "EL is not an ISO 3166-1 code: Greece is GR"
	case code == "UK":
		return "UK is not an ISO 3166-1 code: the United Kingdom is GB"
	case code == "EU":
		return "EU is not a country of ISO 3166-1: use the code of the member state"
	case !assigned(code):
		return "the country " + quote(c.Value) + " is not assigned in ISO 3166-1"
	}
	return ""
}

// assigned reports whether code is an ISO 3166-1 alpha-2 code in use.
func assigned(code string) bool {
	return len(code) == 2 && !strings.Contains(code, " ") && strings.Contains(iso3166, " "+code+" ")
}

// iso3166 holds the 249 codes that are officially assigned.
const iso3166 = " AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ" +
	" BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ" +
	" CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ" +
	" DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR" +
	" GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY" +
	" HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP" +
	" KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY" +
	" MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ" +
	" NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA" +
	" RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ" +
	" TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU" +
	" WF WS YE YT ZA ZM ZW "
