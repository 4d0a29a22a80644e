package ceremony_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
)

// federation has a member whose NBBS expires in a few days, within the plan's window.
func federation(t *testing.T) *ceremonytest.Federation {
	t.Helper()
	f := ceremonytest.New(t)
	f.Members("DE")
	f.Submit(ceremonytest.Spec{Country: "FR", From: at.AddDate(0, 0, -400+3)})
	return f
}

func TestLoad(t *testing.T) {
	f := federation(t)
	old := f.Plan(at)
	p := f.Plan(at.Add(time.Hour))
	for _, now := range []time.Time{at.Add(time.Hour), at.AddDate(0, 0, 2)} {
		for _, digest := range []string{"", p.Digest} {
			got, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, digest, now)
			if err != nil || got.Digest != p.Digest || !bytes.Equal(got.Text, p.Text) {
				t.Errorf("%q at %s: %v", digest, now, err)
			}
		}
	}
	if got, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, old.Digest, at.Add(time.Hour)); err != nil || got.Digest != old.Digest {
		t.Errorf("the older by name: %v", err)
	}
	// What is no plan is passed over when none is named.
	for _, name := range []string{".tmp-1", "notes", strings.Repeat("0", 64)} {
		if err := os.Mkdir(filepath.Join(f.PlansDir(), name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, "", at.Add(time.Hour)); err != nil || got.Digest != p.Digest {
		t.Errorf("beside other directories: %v", err)
	}
}

// changed writes a plan with a change in its text under the digest of that text.
func changed(t *testing.T, f *ceremonytest.Federation, p *ceremony.Pending, from, to string) (digest string) {
	t.Helper()
	text := strings.Replace(string(p.Text), from, to, 1)
	if text == string(p.Text) {
		t.Fatalf("%q is not in the plan", from)
	}
	digest = release.Digest([]byte(text))
	if err := os.Mkdir(f.PlanDir(digest), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(f.PlanDir(digest), "plan.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return digest
}

func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(f *ceremonytest.Federation, p *ceremony.Pending) (digest string, now time.Time)
		reason string
	}{
		"a byte of the file": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			text := bytes.Replace(p.Text, []byte("still"), []byte("stilt"), 1)
			text[len(text)/2] ^= 1
			if err := os.WriteFile(filepath.Join(f.PlanDir(p.Digest), "plan.json"), text, 0o644); err != nil {
				t.Fatal(err)
			}
			return p.Digest, at
		}, "was changed"},
		"another plan under its own digest": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return changed(t, f, p, `"reason": "accepted under`, `"reason": "rejected under`), at
		}, "its file was changed"},
		"more in the list": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return changed(t, f, p, `"sequence": 1`, `"sequence": 7`), at
		}, "its file was changed"},
		"not in canonical form": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return changed(t, f, p, "{\n", "{\n\n"), at
		}, "canonical"},
		"another schema": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return changed(t, f, p, ceremony.PlanSchema, "efgsta.plan/v2"), at
		}, "schema"},
		"a longer window": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return changed(t, f, p, p.Plan.SignBefore.Format(time.RFC3339), "2027-01-01T00:00:00Z"), at.AddDate(0, 0, 30)
		}, ""},
		"the journal gone on": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			f.Member("IT")
			return p.Digest, at
		}, "journal has gone on"},
		"the journal gone on, newest": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			f.Member("IT")
			return "", at
		}, "no plan for the current state"},
		"configuration changed": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			path := filepath.Join(f.Dir, registry.ConfigFile)
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, bytes.Replace(text, []byte("90d"), []byte("91d"), 1), 0o644); err != nil {
				t.Fatal(err)
			}
			f.Reopen()
			return p.Digest, at
		}, "efgsta.yaml was changed"},
		"policy changed": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			f.Policy.SHA256 = strings.Repeat("ab", 32)
			return p.Digest, at
		}, "policy was changed"},
		"policy changed behind its name": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			f.Policy.Rules["EFGS-803"].Params["octets"] = 1
			return p.Digest, at
		}, "its file was changed"},
		"too early": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return p.Digest, at.Add(-time.Second)
		}, "may be signed from"},
		"too late": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return p.Digest, p.Plan.SignBefore
		}, "may be signed from"},
		"certificate expired since": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return p.Digest, at.AddDate(0, 0, 4)
		}, "not acceptable any more"},
		"unknown digest": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return strings.Repeat("12", 32), at
		}, "there is no plan 1212"},
		"digest that is a path": {func(f *ceremonytest.Federation, p *ceremony.Pending) (string, time.Time) {
			return "../plans/" + p.Digest, at
		}, "there is no plan"},
	} {
		t.Run(name, func(t *testing.T) {
			f := federation(t)
			p := f.Plan(at)
			digest, now := c.change(f, p)
			got, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, digest, now)
			if err == nil || got != nil {
				t.Fatal("loaded")
			}
			if !errors.Is(err, ceremony.ErrPlan) || !strings.Contains(err.Error(), c.reason) || hintOf(err) == "" {
				t.Errorf("error %q (hint %q), want %q", err, hintOf(err), c.reason)
			}
		})
	}
	f := federation(t)
	p := f.Plan(at)
	if _, err := ceremony.Load(f.Workspace, f.Policy, "efgsta next", p.Digest, at); !errors.Is(err, ceremony.ErrPlan) || !strings.Contains(err.Error(), "it was made by efgsta test") {
		t.Errorf("another version of the tool: %v", err)
	}
}

// A plan that expires with its EFGSTA is not signed after it.
func TestLoadAfterTheAnchor(t *testing.T) {
	f := ceremonytest.New(t)
	end := f.Anchor.Certificate.NotAfter
	p := f.Plan(end.Add(-time.Hour))
	if _, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, p.Digest, end.Add(time.Second)); !errors.Is(err, ceremony.ErrPlan) {
		t.Errorf("after the EFGSTA: %v", err)
	}
}
