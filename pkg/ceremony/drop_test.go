package ceremony_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// stale is a day after the first release, when the lists of revoked certificates that
// neglected submits have ended.
var stale = at.AddDate(0, 0, 1)

// neglected submits an NBTLS with a list that ends before stale.
func neglected(t *testing.T, f *ceremonytest.Federation, s ceremonytest.Spec) *cert.Certificate {
	t.Helper()
	s.Role = vet.NBTLS
	c := ceremonytest.Certificate(t, s)
	f.SubmitEvidence(s.Country, c, stale.Add(-time.Second))
	f.SubmitCertificate(s.Country, vet.NBTLS, c)
	return c
}

func drop(f *ceremonytest.Federation, at time.Time, names ...string) (*ceremony.Pending, error) {
	return ceremony.Make(f.Workspace, f.Policy, ceremonytest.Tool, at, names...)
}

// Nothing leaves the list for want of evidence unless the operator says so.
func TestStaleEvidenceIsNotRemoval(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE"})
	fr := neglected(t, f, ceremonytest.Spec{Country: "FR"})
	f.Submit(ceremonytest.Spec{Country: "IT"})
	f.Release(at)
	p, err := drop(f, stale)
	if p != nil || !errors.Is(err, ceremony.ErrEvidence) || !errors.Is(err, ceremony.ErrPlan) {
		t.Fatalf("planned: %v", err)
	}
	for _, c := range []string{"DE NBTLS " + de.Thumbprint().String()[:16], "FR NBTLS " + fr.Thumbprint().String()[:16]} {
		if !strings.Contains(err.Error(), c+" (EFGS-602 revoked)") || !strings.Contains(hintOf(err), c+": EFGS-602: ") {
			t.Errorf("%s is not named: %v (hint %q)", c, err, hintOf(err))
		}
	}
	if !strings.Contains(hintOf(err), "stale") || !strings.Contains(hintOf(err), "--drop") {
		t.Errorf("hint %q", hintOf(err))
	}
	// One of two is not enough.
	if _, err := drop(f, stale, de.Thumbprint().String()); !errors.Is(err, ceremony.ErrEvidence) || strings.Contains(err.Error(), "DE ") || !strings.Contains(err.Error(), "FR ") {
		t.Errorf("one dropped: %v", err)
	}
	// With fresh evidence both are kept.
	f.SubmitEvidence("DE", de, stale.AddDate(0, 1, 0))
	f.SubmitEvidence("FR", fr, stale.AddDate(0, 1, 0))
	if p := f.Plan(stale); len(p.Plan.Certificates) != 3 || len(p.Plan.Dropped) != 0 || strings.Contains(changes(p), "remove") {
		t.Errorf("changes\n%s", changes(p))
	}
}

// What the operator drops stands in the plan, is signed, and never comes back.
func TestDrop(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE"})
	f.Submit(ceremonytest.Spec{Country: "FR"})
	f.Release(at)
	full := de.Thumbprint().String()
	p, err := drop(f, stale, strings.ToUpper(full[:2])+":"+full[2:16], full)
	if err != nil {
		t.Fatal(err)
	}
	want := "keep FR nbbs: still accepted\nremove DE nbtls: dropped: EFGS-602 revoked not evaluated"
	if got := changes(p); got != want {
		t.Errorf("changes\n%s\nwant\n%s", got, want)
	}
	if d := p.Plan.Dropped; len(d) != 1 || d[0].Country != "DE" || d[0].Type != vet.NBTLS || d[0].SHA256 != full || !slices.Equal(d[0].Rules, []string{"EFGS-602"}) {
		t.Errorf("dropped %+v", d)
	}
	if _, err := p.Save(f.Workspace); err != nil {
		t.Fatal(err)
	}
	for _, now := range []time.Time{stale, stale.AddDate(0, 0, 2)} {
		again, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, p.Digest, now)
		if err != nil || again.Digest != p.Digest {
			t.Fatalf("loaded at %s: %v", now, err)
		}
	}
	v := f.Sign(p, stale).Verified
	if r := v.List.Removed; len(r) != 1 || r[0].SHA256 != full || r[0].Reason != "dropped: EFGS-602 revoked not evaluated" {
		t.Errorf("removed %+v", r)
	}
	f.SubmitEvidence("DE", de, stale.AddDate(0, 1, 0))
	next := f.Plan(stale.Add(time.Hour))
	if k := next.Plan.KeptOut; len(next.Plan.Certificates) != 1 || len(next.Plan.Dropped) != 0 || len(k) != 1 || k[0].Verdict != vet.VerdictRefused {
		t.Errorf("after fresh evidence: certificates %+v, kept out %+v", next.Plan.Certificates, k)
	}
}

// Only what is listed and lacks nothing but evidence is dropped by hand.
func TestDropRefuses(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE"}).Thumbprint().String()
	fr := f.Submit(ceremonytest.Spec{Country: "FR"}).Thumbprint().String()
	expired := neglected(t, f, ceremonytest.Spec{Country: "IT", From: stale.AddDate(0, 0, -400)}).Thumbprint().String()
	if _, err := drop(f, at, de); !errors.Is(err, ceremony.ErrDrop) {
		t.Errorf("before the first release: %v", err)
	}
	f.Release(at)
	unlisted := neglected(t, f, ceremonytest.Spec{Country: "NL"}).Thumbprint().String()
	for name, thumbprint := range map[string]string{
		"acceptable":   fr,
		"expired":      expired,
		"not listed":   unlisted,
		"not there":    strings.Repeat("0", 64),
		"too short":    de[:15],
		"too long":     de + "0",
		"not hex":      de[:15] + "g",
		"empty":        "",
		"another part": de[1:],
	} {
		if p, err := drop(f, stale, de, thumbprint); p != nil || !errors.Is(err, ceremony.ErrDrop) || hintOf(err) == "" {
			t.Errorf("%s: %v (hint %q)", name, err, hintOf(err))
		}
	}
	// The expired one leaves by itself.
	p, err := drop(f, stale, de)
	if err != nil || len(p.Plan.Dropped) != 1 || !strings.Contains(changes(p), "remove IT nbtls: EFGS-204 expired") {
		t.Errorf("%v", err)
	}
}

// A drop that nobody asked for, or of something else, is not signed.
func TestLoadChecksDrops(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE"}).Thumbprint().String()
	f.Submit(ceremonytest.Spec{Country: "FR"})
	f.Release(at)
	p, err := drop(f, stale, de)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string][2]string{
		"another certificate": {`"sha256": "` + de + `",` + "\n      \"rules\"", `"sha256": "` + strings.Repeat("0", 64) + `",` + "\n      \"rules\""},
		"a part of it":        {`"sha256": "` + de + `",` + "\n      \"rules\"", `"sha256": "` + de[:16] + `",` + "\n      \"rules\""},
		"another rule":        {`"rules": [` + "\n        \"EFGS-602\"", `"rules": [` + "\n        \"EFGS-601\""},
	} {
		digest := changed(t, f, p, change[0], change[1])
		if got, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, digest, stale); got != nil || !errors.Is(err, ceremony.ErrPlan) || hintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Evidence that goes stale, and a dropped certificate that expires, between plan and signature.
func TestEvidenceBetweenPlanAndSignature(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE", From: stale.AddDate(0, 0, -400+2)}).Thumbprint().String()
	f.Submit(ceremonytest.Spec{Country: "FR"})
	f.Release(at)
	fresh := f.Plan(stale.Add(-2 * time.Second))
	if _, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, fresh.Digest, stale); !errors.Is(err, ceremony.ErrEvidence) || !strings.Contains(err.Error(), de[:16]) {
		t.Errorf("stale since: %v", err)
	}
	p, err := drop(f, stale, de)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Save(f.Workspace); err != nil {
		t.Fatal(err)
	}
	if _, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, p.Digest, stale.AddDate(0, 0, 3)); err != nil {
		t.Errorf("expired since: %v", err)
	}
}

// A rule that fails is the reason to leave, whatever evidence lacks as well.
func TestFailureNeedsNoDrop(t *testing.T) {
	f := ceremonytest.New(t)
	de := neglected(t, f, ceremonytest.Spec{Country: "DE"}).Thumbprint().String()
	f.Release(at)
	f.Policy = load(t, policy.Default)
	f.Policy.SHA256 = strings.Repeat("ab", 32)
	f.Policy.Rules["EFGS-803"].Params["octets"] = 1
	if got := changes(f.Plan(stale)); !strings.HasPrefix(got, "remove DE nbtls: EFGS-803") {
		t.Errorf("changes %q", got)
	}
	if _, err := drop(f, stale, de); !errors.Is(err, ceremony.ErrDrop) {
		t.Errorf("dropped as well: %v", err)
	}
}
