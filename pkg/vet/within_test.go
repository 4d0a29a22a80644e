package vet

import (
	"slices"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Within widens the lead of EFGS-206 to so many days, to the second, and never narrows it.
func TestWithin(t *testing.T) {
	c := cert.Read("nbbs.pem", pemOf(NBBS)).Items[0].Cert
	end := c.NotAfter
	for _, tc := range []struct {
		within int
		at     time.Time
		due    bool
	}{
		{0, end.AddDate(0, 0, -45).Add(time.Second), false},
		{45, end.AddDate(0, 0, -46), false},
		{45, end.AddDate(0, 0, -45), false},
		{45, end.AddDate(0, 0, -45).Add(time.Second), true},
		{45, end.AddDate(0, 0, -1), true},
		{45, end, true},
		{45, end.Add(time.Second), false}, // EFGS-204 has it
		{10, end.AddDate(0, 0, -15), true},
		{0, end.AddDate(0, 0, -15), true},
	} {
		res := defaultEngine(t).Vet(Request{Certificate: c, Role: NBBS, Country: "DE", At: tc.at, Within: tc.within})
		due := slices.ContainsFunc(res.Findings, func(f Finding) bool { return f.ID == RuleRenewal && f.Status == StatusFail })
		if due != tc.due {
			t.Errorf("within %d days, at %s, ends %s: due is %v", tc.within, tc.at, end, due)
		}
	}
}
