package ceremony_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

func waive(t *testing.T, f *ceremonytest.Federation, c *cert.Certificate, rule string, until time.Time) {
	t.Helper()
	if _, err := f.Waive(f.LastEvent(), "me", f.Find(c.Thumbprint()), registry.WaiverData{Rule: rule, Why: "secret reason", Owner: "secret owner", Until: until}); err != nil {
		t.Fatal(err)
	}
}

// A revoked certificate leaves with its reason, and one with its key as well; neither comes back.
func TestRevokedLeaves(t *testing.T) {
	f := ceremonytest.New(t)
	key := ceremonytest.ECKey(t)
	de := f.Submit(ceremonytest.Spec{Country: "DE", Key: key})
	f.Submit(ceremonytest.Spec{Country: "FR"})
	f.Release(at)
	if _, err := f.Revoke(at, "me", f.Find(de.Thumbprint()), registry.RevocationData{Reason: registry.KeyCompromise, Why: "secret reason"}); err != nil {
		t.Fatal(err)
	}
	p := f.Plan(at.Add(time.Hour))
	reason := "revoked on " + at.Format(time.DateOnly) + ": key-compromise"
	if got, want := changes(p), "keep FR nbbs: still accepted\nremove DE nbbs: "+reason; got != want {
		t.Errorf("changes\n%s\nwant\n%s", got, want)
	}
	if _, err := drop(f, at.Add(time.Hour), de.Thumbprint().String()); !errors.Is(err, ceremony.ErrDrop) {
		t.Errorf("dropped as well: %v", err)
	}
	v := f.Sign(p, at.Add(time.Hour)).Verified
	if r := v.List.Removed; len(r) != 1 || r[0].Reason != reason || !r[0].Since.Equal(at.Add(time.Hour)) || strings.Contains(string(v.ListText), "secret") {
		t.Errorf("removed %+v", r)
	}
	f.Submit(ceremonytest.Spec{Country: "DE", Key: key})
	next := f.Plan(at.Add(2 * time.Hour))
	if k := next.Plan.KeptOut; len(next.Plan.Certificates) != 1 || len(k) != 2 || k[1].Verdict != vet.VerdictRefused {
		t.Errorf("with the same key: kept out %+v", k)
	}
}

// A waived certificate is listed with rule and end and no names, and leaves when the waiver ends.
func TestWaivedIsListed(t *testing.T) {
	f := ceremonytest.New(t)
	c := f.Submit(ceremonytest.Spec{Country: "DE", Days: 200})
	f.Submit(ceremonytest.Spec{Country: "FR"})
	if p := f.Plan(at); len(p.Plan.Certificates) != 1 {
		t.Fatalf("listed without waiver: %+v", p.Plan.Certificates)
	}
	until := at.AddDate(0, 1, 0)
	waive(t, f, c, "EFGS-201", until)
	p := f.Plan(at)
	if !strings.Contains(string(p.Text), "secret owner") || strings.Contains(p.Plan.TrustList.Text, "secret") {
		t.Error("names are in the plan, and not in the list")
	}
	v := f.Sign(p, at).Verified
	e, ok := v.List.Find(c.Thumbprint())
	if !ok || len(e.Waived) != 1 || e.Waived[0].Rule != "EFGS-201" || !e.Waived[0].Until.Equal(until) {
		t.Fatalf("entry %+v", e)
	}
	if got := changes(f.Plan(until)); !strings.Contains(got, "keep DE nbbs: still accepted, waived: EFGS-201") {
		t.Errorf("at its last moment:\n%s", got)
	}
	if got := changes(f.Plan(until.Add(time.Second))); !strings.Contains(got, "remove DE nbbs: EFGS-201 validity-min, waiver ended on "+until.Format(time.DateOnly)) {
		t.Errorf("after it:\n%s", got)
	}
}

// When a waiver of missing evidence ends, nothing leaves unless the operator says so.
func TestEndedWaiverOfEvidence(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE"})
	waive(t, f, de, "EFGS-602", stale.AddDate(0, 1, 0))
	f.Release(at)
	if got := changes(f.Plan(stale)); got != "keep DE nbtls: still accepted, waived: EFGS-602" {
		t.Errorf("changes %q", got)
	}
	after := stale.AddDate(0, 1, 0).Add(time.Second)
	p, err := drop(f, after)
	if p != nil || !errors.Is(err, ceremony.ErrEvidence) || !strings.Contains(hintOf(err), "the waiver of EFGS-602 ended on") {
		t.Errorf("ended: %v (hint %q)", err, hintOf(err))
	}
	if p, err := drop(f, after, de.Thumbprint().String()); err != nil || len(p.Plan.Dropped) != 1 {
		t.Errorf("dropped: %v", err)
	}
}

// What is never waived stays out, whatever the journal says.
func TestNeverWaivedStaysOut(t *testing.T) {
	f := ceremonytest.New(t)
	key := ceremonytest.ECKey(t)
	f.Submit(ceremonytest.Spec{Country: "DE", Key: key})
	c := f.Submit(ceremonytest.Spec{Country: "FR", Key: key})
	waive(t, f, c, "EFGS-501", at.AddDate(0, 1, 0))
	for _, k := range f.Plan(at).Plan.Certificates {
		if k.Country == "FR" {
			t.Error("listed with a key that is another member's")
		}
	}
}
