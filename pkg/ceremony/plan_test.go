package ceremony_test

import (
	"bytes"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

var at = ceremonytest.Start.Add(time.Hour)

func hintOf(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func load(t *testing.T, name string) *policy.Policy {
	t.Helper()
	p, err := policy.Load(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestMakeIsDeterministic(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE", "FR", "IT")
	f.Submit(ceremonytest.Spec{Country: "FR", Days: 100}) // kept out
	first := f.Plan(at)
	for range 5 {
		f.Reopen()
		again, err := ceremony.Make(f.Workspace, load(t, policy.Default), ceremonytest.Tool, at.In(time.FixedZone("", 7200)).Add(time.Millisecond))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Text, again.Text) || first.Digest != again.Digest {
			t.Fatalf("the same workspace and time give\n%s\nand\n%s", first.Text, again.Text)
		}
	}
	if first.Digest != release.Digest(first.Text) || len(first.Words()) != ceremony.ConfirmWords {
		t.Errorf("digest %s, words %q", first.Digest, first.Words())
	}
	later, err := ceremony.Make(f.Workspace, f.Policy, ceremonytest.Tool, at.Add(time.Second))
	if err != nil || later.Digest == first.Digest {
		t.Errorf("another time gives the same plan (%v)", err)
	}
}

// What the plan shows is what the release holds.
func TestPlanFixesWhatIsSigned(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	p := f.Plan(at)
	files := f.Files(f.Sign(p, at.Add(time.Hour)).Sequence)
	if string(files[release.ListPath]) != p.Plan.TrustList.Text || !bytes.Equal(files[release.PlanPath], p.Text) {
		t.Error("list or plan in the release are not those of the plan")
	}
	a := f.CurrentAnchor()
	info, err := a.VerifyCMS(files[release.ListCMSPath], files[release.ListPath])
	if err != nil || !bytes.Equal(info.Attributes, p.Plan.TrustList.CMSAttributes) {
		t.Errorf("the list's signed attributes are not those of the plan (%v)", err)
	}
	for _, c := range p.Plan.Certificates {
		base := "trust/certificates/" + c.Country + "-" + string(c.Type) + "-" + c.SHA256[:16]
		if string(files[base+".pem"]) != c.PEM {
			t.Errorf("%s.pem is not that of the plan", base)
		}
		registered := f.Find(f.Certificates()[0].Certificate.Thumbprint())
		if c.SHA256 != registered.SHA256 {
			registered = f.Certificates()[1]
		}
		info, err := a.VerifyCMS(files[base+".p7s"], registered.Certificate.Raw)
		if err != nil || !bytes.Equal(info.Attributes, c.CMSAttributes) {
			t.Errorf("%s.p7s: the signed attributes are not those of the plan (%v)", base, err)
		}
	}
	planned := map[string]string{}
	for _, file := range p.Plan.Manifest.Files {
		planned[file.Path] = file.SHA256
		if file.SHA256 != "" && release.Digest(files[file.Path]) != file.SHA256 {
			t.Errorf("%s is not what the plan says", file.Path)
		}
	}
	open := 0
	for name := range files {
		if strings.HasPrefix(name, "manifest.json") {
			continue
		}
		sha, ok := planned[name]
		if !ok {
			t.Errorf("%s is not in the plan", name)
		}
		if sha == "" {
			open++
		}
	}
	// Open are only the files with signatures in them, and the plan itself.
	if want := 2*2 + 1 + 2 + 1; open != want {
		t.Errorf("%d files are left open, want %d", open, want)
	}
}

func TestMakeRefuses(t *testing.T) {
	none := ceremonytest.Open(t, ceremonytest.Init(t, registry.Rehearsal))
	f := ceremonytest.New(t)
	notAfter := f.Anchor.Certificate.NotAfter
	wrong := ceremonytest.Open(t, ceremonytest.Init(t, registry.Rehearsal))
	wrong.Key, wrong.Scheme = ceremonytest.ECKey(t), sigalg.ECDSA
	wrong.SetAnchor(wrong.MakeAnchor(anchor.Params{Organization: "x", Days: 730, NotBefore: ceremonytest.Start}))
	production := ceremonytest.Open(t, ceremonytest.Init(t, registry.Production))
	production.Key, production.Scheme = wrong.Key, sigalg.ECDSA
	production.SetAnchor(production.MakeAnchor(anchor.Params{Organization: "x", Rehearsal: true, Days: 730, NotBefore: ceremonytest.Start}))
	for name, c := range map[string]struct {
		w      *registry.Workspace
		at     time.Time
		reason string
	}{
		"no anchor":                      {none.Workspace, at, "no EFGSTA"},
		"anchor not yet valid":           {f.Workspace, ceremonytest.Start.Add(-time.Second), "valid from"},
		"anchor expired":                 {f.Workspace, notAfter.Add(time.Second), "valid from"},
		"anchor's last second":           {f.Workspace, notAfter, "valid from"},
		"production anchor in rehearsal": {wrong.Workspace, at, "does not belong"},
		"rehearsal anchor in production": {production.Workspace, at, "does not belong"},
	} {
		p, err := ceremony.Make(c.w, load(t, policy.Default), ceremonytest.Tool, c.at)
		if p != nil || !errors.Is(err, ceremony.ErrPlan) || !strings.Contains(err.Error(), c.reason) || hintOf(err) == "" {
			t.Errorf("%s: %v (hint %q)", name, err, hintOf(err))
		}
	}
	bad := load(t, policy.Default)
	delete(bad.Rules, "EFGS-102")
	if _, err := ceremony.Make(f.Workspace, bad, ceremonytest.Tool, at); !errors.Is(err, vet.ErrPolicy) {
		t.Errorf("policy that does not fit: %v", err)
	}
}

// A list ends with its EFGSTA at the latest.
func TestListEndsWithTheAnchor(t *testing.T) {
	f := ceremonytest.New(t)
	end := f.Anchor.Certificate.NotAfter
	p := f.Plan(end.AddDate(0, 0, -10))
	l, err := trustlist.Parse([]byte(p.Plan.TrustList.Text))
	if err != nil || !l.NextUpdate.Equal(end) {
		t.Errorf("next update %s, want %s (%v)", l.NextUpdate, end, err)
	}
}

func changes(p *ceremony.Pending) string {
	var out []string
	for _, c := range p.Plan.Changes {
		out = append(out, c.Kind+" "+c.Country+" "+string(c.Type)+": "+c.Reason)
	}
	return strings.Join(out, "\n")
}

// A certificate that expires leaves the list, stands in it as removed for good, and
// the next list follows the one before.
func TestListsFollowEachOther(t *testing.T) {
	f := ceremonytest.New(t)
	old := f.Submit(ceremonytest.Spec{Country: "DE", From: ceremonytest.Start.AddDate(-1, 0, 0)}) // 35 days left
	f.Submit(ceremonytest.Spec{Country: "FR"})
	_, first := f.Release(at)
	if first.Manifest.Previous != "" || first.List.Previous != "" {
		t.Error("the first release follows another")
	}
	f.Submit(ceremonytest.Spec{Country: "DE", Role: vet.NBTLS})
	later := at.AddDate(0, 0, 50)
	p := f.Plan(later)
	want := "keep FR nbbs: still accepted\nadd DE nbtls: accepted under efgs-2020\nremove DE nbbs: EFGS-204 expired"
	if got := changes(p); got != want {
		t.Errorf("changes\n%s\nwant\n%s", got, want)
	}
	if len(p.Plan.KeptOut) != 1 || p.Plan.KeptOut[0].SHA256 != old.Thumbprint().String() || p.Plan.KeptOut[0].Verdict != vet.VerdictRefused {
		t.Errorf("kept out %+v", p.Plan.KeptOut)
	}
	second := f.Sign(p, later).Verified
	l := second.List
	if second.Manifest.Sequence != 2 || second.Manifest.Previous != first.ManifestHash || l.Previous != release.Digest(first.ListText) {
		t.Errorf("release %+v does not follow the first", second.Manifest)
	}
	if len(l.Removed) != 1 || l.Removed[0].SHA256 != old.Thumbprint().String() || !l.Removed[0].Since.Equal(later) || len(l.Entries) != 2 {
		t.Errorf("list %+v", l)
	}
	third := f.Sign(f.Plan(later.AddDate(0, 0, 1)), later.AddDate(0, 0, 1)).Verified
	if r := third.List.Removed; len(r) != 1 || !r[0].Since.Equal(later) {
		t.Errorf("removed in the third list: %+v", r)
	}
}

// A TLS certificate whose chain and revocation nobody gave any evidence of is not
// planned (Governance 3.1), until it is given.
func TestNoEvidenceNoListing(t *testing.T) {
	f := ceremonytest.New(t)
	f.Submit(ceremonytest.Spec{Country: "DE"})
	c := ceremonytest.Certificate(t, ceremonytest.Spec{Country: "DE", Role: vet.NBTLS})
	f.SubmitCertificate("DE", vet.NBTLS, c)
	p := f.Plan(at)
	if out := p.Plan.KeptOut; len(p.Plan.Certificates) != 1 || len(out) != 1 || out[0].SHA256 != c.Thumbprint().String() || out[0].Verdict != vet.VerdictUndecided {
		t.Fatalf("certificates %+v, kept out %+v", p.Plan.Certificates, out)
	}
	f.SubmitEvidence("DE", c, at.AddDate(0, 1, 0))
	if p := f.Plan(at); len(p.Plan.Certificates) != 2 || len(p.Plan.KeptOut) != 0 {
		t.Errorf("certificates %+v, kept out %+v", p.Plan.Certificates, p.Plan.KeptOut)
	}
}

// What a list removed does not come back when the policy is relaxed again.
func TestRemovedNeverComesBack(t *testing.T) {
	f := ceremonytest.New(t)
	c := f.Submit(ceremonytest.Spec{Country: "DE"})
	f.Release(at)
	strict := load(t, policy.Default)
	strict.SHA256 = strings.Repeat("ab", 32)
	strict.Rules["EFGS-803"].Params["octets"] = 1
	f.Policy = strict
	f.Release(at.AddDate(0, 0, 1))
	f.Policy = load(t, policy.Default)
	p := f.Plan(at.AddDate(0, 0, 2))
	if len(p.Plan.Certificates) != 0 || len(p.Plan.KeptOut) != 1 {
		t.Fatalf("certificates %+v, kept out %+v", p.Plan.Certificates, p.Plan.KeptOut)
	}
	k := p.Plan.KeptOut[0]
	last := k.Findings[len(k.Findings)-1]
	if k.SHA256 != c.Thumbprint().String() || k.Verdict != vet.VerdictRefused || last.Name != "removed-before" || !strings.Contains(last.Message, "never comes back") {
		t.Errorf("kept out %+v", k)
	}
	if _, v := f.Release(at.AddDate(0, 0, 3)); len(v.List.Removed) != 1 || len(v.List.Entries) != 0 {
		t.Errorf("list %+v", v.List)
	}
}

// A certificate that only the gateway cannot use stays in the list, without a row, and the plan says so.
func TestWithoutRow(t *testing.T) {
	f := ceremonytest.New(t)
	f.Submit(ceremonytest.Spec{Country: "DE"})
	large := f.Submit(ceremonytest.Spec{Country: "FR", Extra: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Value: make([]byte, 9000)}}})
	p := f.Plan(at)
	if w := p.Plan.WithoutRow; len(w) != 1 || w[0].SHA256 != large.Thumbprint().String() || !strings.Contains(w[0].Reason, "10240") {
		t.Fatalf("without row: %+v (kept out %+v)", w, p.Plan.KeptOut)
	}
	files := f.Files(f.Sign(p, at).Sequence)
	if rows := string(files["gateway/rows.json"]); strings.Contains(rows, large.Thumbprint().String()) || !strings.Contains(rows, `"country": "DE"`) {
		t.Errorf("rows %s", rows)
	}
	if !strings.Contains(string(files[release.ListPath]), large.Thumbprint().String()) {
		t.Error("it is not in the list")
	}
}

// With RSASSA-PSS the gateway is left out, with the reason.
func TestLeftOut(t *testing.T) {
	f := ceremonytest.NewWith(t, ceremonytest.RSAKey(t), sigalg.RSAPSS)
	f.Members("DE")
	p := f.Plan(at)
	if l := p.Plan.LeftOut; len(l) != 1 || l[0].Target != release.TargetGateway || !strings.Contains(l[0].Reason, "RSASSA-PSS") {
		t.Fatalf("left out %+v", l)
	}
	for name := range f.Files(f.Sign(p, at).Sequence) {
		if strings.HasPrefix(name, "gateway/") {
			t.Errorf("%s is there", name)
		}
	}
}

func TestMakeWantsTheLastRelease(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	f.Release(at)
	list := filepath.Join(f.ReleaseDir(1), release.ListPath)
	good, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func() error{
		"changed": func() error { return os.WriteFile(list, bytes.Replace(good, []byte("DE"), []byte("FR"), 1), 0o644) },
		"gone":    func() error { return os.Remove(list) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		if _, err := ceremony.Make(f.Workspace, f.Policy, ceremonytest.Tool, at.AddDate(0, 0, 1)); !errors.Is(err, registry.ErrDamaged) || hintOf(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.WriteFile(list, good, 0o644); err != nil {
		t.Fatal(err)
	}
	// Another release of the same key in its place.
	other := f.Plan(at.AddDate(0, 0, 1))
	f.Sign(other, at.AddDate(0, 0, 1))
	if err := os.RemoveAll(f.ReleaseDir(2)); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(f.ReleaseDir(2), os.DirFS(f.ReleaseDir(1))); err != nil {
		t.Fatal(err)
	}
	if _, err := ceremony.Make(f.Workspace, f.Policy, ceremonytest.Tool, at.AddDate(0, 0, 2)); !errors.Is(err, registry.ErrDamaged) {
		t.Errorf("another release: %v", err)
	}
}

func TestSave(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	p := f.Plan(at)
	path, err := p.Save(f.Workspace)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, p.Text) {
		t.Errorf("saved %v", err)
	}
	if err := os.WriteFile(path, append(p.Text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Save(f.Workspace); !errors.Is(err, registry.ErrDamaged) || hintOf(err) == "" {
		t.Errorf("over a changed one: %v", err)
	}
	if got := names(t, f.PlansDir()); len(got) != 1 {
		t.Errorf("plans: %q", got)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}
