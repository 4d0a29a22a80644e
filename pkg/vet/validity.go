package vet

import (
	"fmt"
	"time"
)

// RuleRenewal is the rule about certificates that end soon; Request.Within widens it.
const RuleRenewal = "EFGS-206"

const (
	pathValidity = "tbsCertificate.validity"
	fixDays      = "openssl req -x509 … -days 365 (up to 730); a CA: ask for a life between one and two years"
)

// validityRules: Governance 4.2 and 3.4. A year is 365 days where it is a
// minimum, and a calendar year where it is a maximum; RFC 5280 counts the last second.
func validityRules() []Rule {
	return []Rule{{
		ID: "EFGS-201", Name: "validity-min", Clause: "Governance 4.2", Roles: all(), Path: pathValidity,
		Title: "the certificate lives at least one year (365 days, the last second included)",
		Why:   "4.2: between one and two years. Public CAs no longer issue such lives for TLS",
		Fix:   fixDays,
		Good:  "-days 365", Bad: "-days 364, a 200-day public TLS certificate",
		Params: []string{"days"},
		check:  onValidity(validityMin),
	}, {
		ID: "EFGS-202", Name: "validity-max", Clause: "Governance 4.2, 3.4", Roles: all(), Path: pathValidity,
		Title: "the certificate lives at most two calendar years",
		Why:   "4.2: Max= 2 years; 3.4: shall not be used longer than two years",
		Fix:   fixDays,
		Good:  "2020-09-01 to 2022-09-01, same second", Bad: "one second longer",
		Params: []string{"years"},
		check:  onValidity(validityMax),
	}, {
		ID: "EFGS-203", Name: "validity-boundary", Clause: "Governance 4.2", Roles: all(), Path: pathValidity,
		Title: "the certificate's life does not hang on how a year is counted",
		Why:   "365 days may be a day short of a calendar year, and RFC 5280 counts the last second: accepted here, others may count differently",
		Fix:   "choose a life between 366 and 729 days",
		Good:  "-days 400", Bad: "-days 365 across 29 February; two years to the very second",
		check: onValidity(validityBoundary),
	}, {
		ID: "EFGS-204", Name: "expired", Clause: "Governance 3.4", Roles: all(), Path: pathValidity + ".notAfter",
		Title: "the certificate has not expired",
		Why:   "3.4: Expired certificates shall be removed",
		Fix:   "bring a new certificate with a new key",
		Good:  "notAfter in the future", Bad: "notAfter in the past",
		check: onClock(expired),
	}, {
		ID: "EFGS-205", Name: "not-yet-valid", Clause: "Governance 3.4", Roles: all(), Path: pathValidity + ".notBefore",
		Title: "the certificate's life has begun",
		Why:   "the gateway refuses it until then",
		Fix:   "wait until notBefore, or check the clock",
		Good:  "notBefore in the past", Bad: "notBefore tomorrow",
		check: onClock(notYetValid),
	}, {
		ID: RuleRenewal, Name: "renewal-due", Clause: "Governance 3.4", Roles: all(), Path: pathValidity + ".notAfter",
		Title: "more than one calendar month of life is left",
		Why:   "3.4: renewed at least one month prior to their expiration",
		Fix:   "bring the successor now, with a new key",
		Good:  "two months left", Bad: "three weeks left",
		Params:  []string{"months"},
		Implies: []string{"EFGS-207"},
		check:   onClock(renewalDue),
	}, {
		ID: "EFGS-207", Name: "onboarding-remaining", Clause: "gateway design 3.3", Roles: []Role{NBTLS, NBBS}, Path: pathValidity + ".notAfter",
		Title: "more than three calendar months of life are left",
		Why:   "the gateway's design wants that much of a certificate that is brought for onboarding",
		Fix:   "bring a certificate that was made recently",
		Good:  "a year left", Bad: "two months left",
		Params: []string{"months"},
		check:  onClock(onboardingRemaining),
	}, {
		ID: "EFGS-209", Name: "br-validity", Clause: "CA/Browser Forum BR 6.3.2", Roles: []Role{NBTLS, EFGSTLS}, Path: pathValidity,
		Title: "a certificate that says it follows the Baseline Requirements is valid no longer than they allow",
		Why:   "browsers refuse longer lives; since March 2026 they are shorter than the year that 4.2 wants, and both cannot be had",
		Fix:   "ask the CA for a life within its rules",
		Good:  "397 days in 2021", Bad: "two years in 2021",
		check: onValidity(brValidity),
	}}
}

func onboardingRemaining(x *exam, _, to time.Time) outcome {
	if x.At.After(to) {
		return skip() // EFGS-204 has it
	}
	if months := x.param("months"); to.Before(addMonths(x.At, months)) {
		return fail("expires on %s: less than %d months left", stamp(to), months)
	}
	return pass()
}

// brLimits: from which day on, how many days at most. The latest comes first.
func brLimits() []struct {
	since time.Time
	days  int
} {
	day := func(year int, month time.Month, day int) time.Time {
		return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	}
	return []struct {
		since time.Time
		days  int
	}{
		{day(2029, 3, 15), 47}, {day(2027, 3, 15), 100}, {day(2026, 3, 15), 200}, {day(2020, 9, 1), 398}, {day(2018, 3, 1), 825},
	}
}

func brValidity(x *exam, from, to time.Time) outcome {
	if !issuedUnderBR(x.c) {
		return skip()
	}
	for _, limit := range brLimits() {
		if from.Before(limit.since) {
			continue
		}
		if !to.Before(from.Add(time.Duration(limit.days) * 24 * time.Hour)) {
			return fail("valid for %s, at most %d allowed for certificates issued since %s", life(from, to), limit.days, limit.since.Format("2006-01-02"))
		}
		return pass()
	}
	return skip()
}

func onValidity(check func(x *exam, from, to time.Time) outcome) func(*exam) outcome {
	return func(x *exam) outcome {
		if x.c.NotBefore.IsZero() || x.c.NotAfter.IsZero() {
			return unknown("the validity cannot be read")
		}
		return check(x, x.c.NotBefore, x.c.NotAfter)
	}
}

func onClock(check func(x *exam, from, to time.Time) outcome) func(*exam) outcome {
	return onValidity(func(x *exam, from, to time.Time) outcome {
		if x.At.IsZero() {
			return unknown("no time to judge at was given")
		}
		return check(x, from, to)
	})
}

func validityMin(x *exam, from, to time.Time) outcome {
	if days := x.param("days"); to.Add(time.Second).Before(from.Add(time.Duration(days) * 24 * time.Hour)) {
		return fail("valid for %s, at least %d days required", life(from, to), days)
	}
	return pass()
}

func validityMax(x *exam, from, to time.Time) outcome {
	// AddDate takes 29 February to 1 March: the reading that is kinder to the holder.
	if years := x.param("years"); to.After(from.AddDate(years, 0, 0)) {
		return fail("valid for %s, at most %d calendar years allowed (until %s)", life(from, to), years, stamp(from.AddDate(years, 0, 0)))
	}
	return pass()
}

func validityBoundary(_ *exam, from, to time.Time) outcome {
	end := to.Add(time.Second)
	switch year, two := addMonths(from, 12), from.AddDate(2, 0, 0); {
	case !end.Before(from.Add(365*24*time.Hour)) && end.Before(year):
		return fail("valid for 365 days, which is shorter than the calendar year")
	case end.After(two) && !to.After(two):
		return fail("valid for two years and the last second that RFC 5280 includes")
	}
	return pass()
}

func expired(x *exam, _, to time.Time) outcome {
	if x.At.After(to) {
		return fail("expired on %s", stamp(to))
	}
	return pass()
}

func notYetValid(x *exam, from, _ time.Time) outcome {
	if x.At.Before(from) {
		return fail("not valid before %s", stamp(from))
	}
	return pass()
}

func renewalDue(x *exam, _, to time.Time) outcome {
	if x.At.After(to) {
		return skip() // EFGS-204 has it
	}
	if x.At.After(addMonths(to, -x.param("months"))) || x.Within > 0 && x.At.AddDate(0, 0, x.Within).After(to) {
		return fail("expires on %s: %d days left, renewal is due", stamp(to), int(to.Sub(x.At).Hours()/24))
	}
	return pass()
}

// addMonths moves by calendar months and stays inside the target month: 31 March less one is 28 or 29 February.
func addMonths(t time.Time, months int) time.Time {
	moved := t.AddDate(0, months, 0)
	if moved.Day() != t.Day() {
		moved = moved.AddDate(0, 0, -moved.Day())
	}
	return moved
}

// life is a validity in days, its last second included.
func life(from, to time.Time) string {
	if to.Before(from) {
		return "no time at all"
	}
	// In seconds, since a Duration ends after 292 years.
	seconds := to.Unix() - from.Unix() + 1
	switch days, rest := seconds/86400, seconds%86400; {
	case rest == 0:
		return fmt.Sprintf("%d days", days)
	case rest == 1:
		return fmt.Sprintf("%d days and a second", days)
	default:
		return fmt.Sprintf("%d days and %s", days, time.Duration(rest)*time.Second)
	}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }
