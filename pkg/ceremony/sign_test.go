package ceremony_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"io/fs"
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
)

func sign(ctx context.Context, f *ceremonytest.Federation, p *ceremony.Pending, key crypto.Signer, now time.Time) (*ceremony.Result, error) {
	return ceremony.Sign(ctx, f.Workspace, p, nil, key, rand.Reader, now, ceremonytest.Actor)
}

// Two signatures for each certificate, one over the list, two over the manifest, and nothing else.
func TestSignCountsItsSignatures(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE", "FR")
	p := f.Plan(at)
	key := &ceremonytest.Signer{Signer: f.Key}
	r, err := sign(t.Context(), f, p, key, at.Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if want := 2*4 + 3; key.Count != want || r.Signatures != want {
		t.Errorf("the key made %d signatures, Sign says %d, want %d", key.Count, r.Signatures, want)
	}
	last := f.LastRelease()
	if r.Sequence != 1 || r.Dir != f.ReleaseDir(1) || last.Sequence != 1 || last.Signed != 11 || last.Plan != p.Digest || last.Manifest != r.Verified.ManifestHash ||
		last.Files != len(f.Files(1)) || last.TrustList != release.Digest(r.Verified.ListText) || last.Anchor != f.Anchor.SHA256 {
		t.Errorf("result %+v, event %+v", r, last)
	}
	for _, s := range r.Verified.Steps {
		if !s.Proven {
			t.Errorf("not proven of our own release: %s", s.Text)
		}
	}
	f.Reopen()
	if f.LastRelease() == nil || len(names(t, f.ReleasesDir())) != 1 {
		t.Errorf("releases %q", names(t, f.ReleasesDir()))
	}
}

// untouched fails unless the workspace is as before the attempt, and the same plan can be signed now.
func untouched(t *testing.T, f *ceremonytest.Federation, p *ceremony.Pending) {
	t.Helper()
	if got := names(t, f.ReleasesDir()); len(got) != 0 {
		t.Fatalf("left behind: %q", got)
	}
	if f.LastRelease() != nil {
		t.Fatalf("the journal has a release: %+v", f.LastRelease())
	}
	f.Reopen()
	if notes, err := ceremony.Recover(f.Workspace, at, ceremonytest.Actor); err != nil || len(notes) != 0 {
		t.Fatalf("there was something to recover: %q, %v", notes, err)
	}
	again, err := ceremony.Load(f.Workspace, f.Policy, ceremonytest.Tool, p.Digest, at)
	if err != nil {
		t.Fatal(err)
	}
	f.Sign(again, at)
}

func TestSignFailingAtEachSignature(t *testing.T) {
	for k := 1; k <= 2*1+3; k++ {
		for _, lie := range []bool{false, true} {
			f := ceremonytest.New(t)
			f.Submit(ceremonytest.Spec{Country: "DE"})
			p := f.Plan(at)
			key := &ceremonytest.Signer{Signer: f.Key, FailAt: k, Lie: lie}
			want := ceremonytest.ErrToken
			if lie {
				want = sigalg.ErrSignature
			}
			if r, err := sign(t.Context(), f, p, key, at); !errors.Is(err, want) || r != nil {
				t.Fatalf("signature %d, lie %v: %v, %v", k, lie, r, err)
			}
			if key.Count != k {
				t.Errorf("the key was asked %d times, it failed at %d", key.Count, k)
			}
			untouched(t, f, p)
		}
	}
}

func TestSignCancelled(t *testing.T) {
	for k := 1; k <= 2*2+3; k++ {
		f := ceremonytest.New(t)
		f.Members("DE")
		p := f.Plan(at)
		ctx, cancel := context.WithCancel(t.Context())
		key := &ceremonytest.Signer{Signer: f.Key, After: func(n int) {
			if n == k {
				cancel()
			}
		}}
		if r, err := sign(ctx, f, p, key, at); !errors.Is(err, context.Canceled) || r != nil {
			t.Fatalf("cancelled after %d: %v, %v", k, r, err)
		}
		untouched(t, f, p)
	}
}

func TestSignRefuses(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	p := f.Plan(at)
	for name, c := range map[string]struct {
		key  crypto.Signer
		now  time.Time
		want error
	}{
		"wrong key":    {ceremonytest.ECKey(t), at, anchor.ErrKey},
		"another kind": {ceremonytest.RSAKey(t), at, anchor.ErrKey},
		"too early":    {f.Key, at.Add(-time.Second), ceremony.ErrPlan},
		"too late":     {f.Key, p.Plan.SignBefore, ceremony.ErrPlan},
	} {
		key := &ceremonytest.Signer{Signer: c.key}
		if r, err := sign(t.Context(), f, p, key, c.now); !errors.Is(err, c.want) || r != nil || key.Count != 0 {
			t.Errorf("%s: %v, %v after %d signatures", name, r, err, key.Count)
		}
	}
	untouched(t, f, p)

	// The plan of yesterday, held in memory over an event.
	key := &ceremonytest.Signer{Signer: f.Key}
	if _, err := sign(t.Context(), f, p, key, at); !errors.Is(err, ceremony.ErrPlan) || key.Count != 0 {
		t.Errorf("signed twice: %v after %d signatures", err, key.Count)
	}
}

// Production signs only what was approved.
func TestSignRefusesProduction(t *testing.T) {
	f := ceremonytest.Open(t, ceremonytest.Init(t, registry.Production))
	f.Key, f.Scheme = ceremonytest.ECKey(t), sigalg.ECDSA
	f.SetAnchor(f.MakeAnchor(anchor.Params{Organization: "European Commission", Days: 730, NotBefore: ceremonytest.Start}))
	f.Members("DE")
	p := f.Plan(at)
	key := &ceremonytest.Signer{Signer: f.Key}
	r, err := sign(t.Context(), f, p, key, at)
	if !errors.Is(err, ceremony.ErrPlan) || r != nil || key.Count != 0 || hintOf(err) == "" || !strings.Contains(err.Error(), "approv") {
		t.Errorf("%v, %v after %d signatures", r, err, key.Count)
	}
	if got := names(t, f.ReleasesDir()); len(got) != 0 {
		t.Errorf("releases %q", got)
	}
}

// Whatever the disk refuses, there is no half release, and afterwards it works.
func TestSignWithoutDisk(t *testing.T) {
	for name, c := range map[string]struct {
		after  int // signatures until the disk fails
		breaks func(f *ceremonytest.Federation) (repair func() error, err error)
	}{
		"no releases directory from the start":  {0, fileInPlace(func(f *ceremonytest.Federation) string { return f.ReleasesDir() })},
		"no releases directory while signing":   {7, fileInPlace(func(f *ceremonytest.Federation) string { return f.ReleasesDir() })},
		"a directory in the way from the start": {0, inTheWay},
		"a directory in the way while signing":  {7, inTheWay},
	} {
		t.Run(name, func(t *testing.T) {
			f := ceremonytest.New(t)
			f.Members("DE")
			p := f.Plan(at)
			var repair func() error
			breaks := func() {
				var err error
				if repair, err = c.breaks(f); err != nil {
					t.Fatal(err)
				}
			}
			key := &ceremonytest.Signer{Signer: f.Key, After: func(n int) {
				if n == c.after {
					breaks()
				}
			}}
			if c.after == 0 {
				breaks()
			}
			r, err := sign(t.Context(), f, p, key, at)
			if err == nil || r != nil {
				t.Fatal("signed")
			}
			if c.after == 0 && key.Count != 0 {
				t.Errorf("the key was used %d times for nothing", key.Count)
			}
			if f.LastRelease() != nil {
				t.Error("the journal has a release")
			}
			if err := repair(); err != nil {
				t.Fatal(err)
			}
			untouched(t, f, p)
		})
	}
}

func fileInPlace(of func(*ceremonytest.Federation) string) func(*ceremonytest.Federation) (func() error, error) {
	return func(f *ceremonytest.Federation) (func() error, error) {
		path := of(f)
		repair := func() error { return errors.Join(os.Remove(path), os.Rename(path+".away", path)) }
		return repair, errors.Join(os.Rename(path, path+".away"), os.WriteFile(path, nil, 0o644))
	}
}

func inTheWay(f *ceremonytest.Federation) (func() error, error) {
	return func() error { return os.Remove(f.ReleaseDir(1)) }, os.Mkdir(f.ReleaseDir(1), 0o755)
}

// The journal does not take the event: the release is whole, and the next command records it.
func TestSignWithoutJournal(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	p := f.Plan(at)
	key := &ceremonytest.Signer{Signer: f.Key, After: func(n int) {
		if n == 7 {
			_ = f.Close()
		}
	}}
	r, err := sign(t.Context(), f, p, key, at)
	if err == nil || r != nil || !strings.Contains(err.Error(), "release 1 is complete") || hintOf(err) == "" {
		t.Fatalf("%v, %v", r, err)
	}
	f.Reopen()
	if f.LastRelease() != nil {
		t.Fatal("the journal has it")
	}
	notes, err := ceremony.Recover(f.Workspace, at, ceremonytest.Actor)
	if err != nil || len(notes) != 1 || !strings.Contains(notes[0], "release 1 was complete") {
		t.Fatalf("Recover = %q, %v", notes, err)
	}
	if last := f.LastRelease(); last == nil || last.Sequence != 1 || last.Signed != 0 || last.Plan != p.Digest {
		t.Errorf("recorded %+v", last)
	}
	f.Reopen()
	f.Release(at.AddDate(0, 0, 1))
}

func TestRecover(t *testing.T) {
	f := ceremonytest.New(t)
	f.Members("DE")
	f.Plan(at)
	if notes, err := ceremony.Recover(f.Workspace, at, "me"); err != nil || len(notes) != 0 {
		t.Errorf("of nothing: %q, %v", notes, err)
	}
	head := f.Head()
	for _, path := range []string{
		filepath.Join(f.ReleasesDir(), ".tmp-1", "trust"), filepath.Join(f.PlansDir(), ".tmp-2"), filepath.Join(f.ObjectsDir(), ".tmp-3"),
	} {
		if err := os.MkdirAll(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(f.ReleasesDir(), ".tmp-1", "trust", "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	notes, err := ceremony.Recover(f.Workspace, at, "me")
	if err != nil || len(notes) != 3 {
		t.Errorf("of temporary files: %q, %v", notes, err)
	}
	for _, dir := range []string{f.ReleasesDir(), f.PlansDir(), f.ObjectsDir()} {
		for _, name := range names(t, dir) {
			if strings.HasPrefix(name, ".tmp-") {
				t.Errorf("%s is still in %s", name, dir)
			}
		}
	}
	if f.Head() != head {
		t.Error("sweeping wrote an event")
	}
}

// Only a whole release that continues this very workspace is adopted.
func TestRecoverRefuses(t *testing.T) {
	foreign := ceremonytest.New(t)
	foreign.Members("DE")
	foreign.Release(at)
	// unrecorded has a whole release that its journal does not know.
	unrecorded := func(t *testing.T) *ceremonytest.Federation {
		f := ceremonytest.New(t)
		f.Members("DE")
		p := f.Plan(at)
		key := &ceremonytest.Signer{Signer: f.Key, After: func(n int) {
			if n == 7 {
				_ = f.Close()
			}
		}}
		if _, err := sign(t.Context(), f, p, key, at); err == nil {
			t.Fatal("the journal took it")
		}
		f.Reopen()
		return f
	}
	for name, c := range map[string]struct {
		change func(f *ceremonytest.Federation) error
		reason string
	}{
		"of another EFGSTA": {func(f *ceremonytest.Federation) error {
			return errors.Join(os.RemoveAll(f.ReleaseDir(1)), os.CopyFS(f.ReleaseDir(1), os.DirFS(foreign.ReleaseDir(1))))
		}, "not pinned"},
		"a file is missing": {func(f *ceremonytest.Federation) error {
			return os.Remove(filepath.Join(f.ReleaseDir(1), release.AnchorPath))
		}, "missing"},
		"a file more": {func(f *ceremonytest.Federation) error {
			return os.WriteFile(filepath.Join(f.ReleaseDir(1), "more"), nil, 0o644)
		}, "not in the manifest"},
		"another plan": {func(f *ceremonytest.Federation) error {
			return os.WriteFile(filepath.Join(f.ReleaseDir(1), release.PlanPath), []byte("{}"), 0o644)
		}, release.PlanPath},
		"empty": {func(f *ceremonytest.Federation) error {
			return errors.Join(os.RemoveAll(f.ReleaseDir(1)), os.Mkdir(f.ReleaseDir(1), 0o755))
		}, "manifest.json"},
		"a file in its place": {func(f *ceremonytest.Federation) error {
			return errors.Join(os.RemoveAll(f.ReleaseDir(1)), os.WriteFile(f.ReleaseDir(1), nil, 0o644))
		}, ""},
		"of another state of the journal": {func(f *ceremonytest.Federation) error {
			_, err := f.AddMember(f.LastEvent(), "me", registry.MemberData{Country: "IT", Name: "Italy"})
			return err
		}, "another state of the journal"},
	} {
		t.Run(name, func(t *testing.T) {
			f := unrecorded(t)
			if err := c.change(f); err != nil {
				t.Fatal(err)
			}
			notes, err := ceremony.Recover(f.Workspace, at, "me")
			if !errors.Is(err, registry.ErrDamaged) || !strings.Contains(err.Error(), c.reason) || hintOf(err) == "" {
				t.Errorf("Recover = %q, %v (hint %q)", notes, err, hintOf(err))
			}
			if f.LastRelease() != nil {
				t.Error("it was recorded")
			}
			if _, err := os.Lstat(f.ReleaseDir(1)); errors.Is(err, fs.ErrNotExist) {
				t.Error("Recover removed what it does not know")
			}
		})
	}

	// A copy of the first release in the place of the second does not follow it.
	f := ceremonytest.New(t)
	f.Members("DE")
	f.Release(at)
	if err := os.CopyFS(f.ReleaseDir(2), os.DirFS(f.ReleaseDir(1))); err != nil {
		t.Fatal(err)
	}
	if _, err := ceremony.Recover(f.Workspace, at, "me"); !errors.Is(err, registry.ErrDamaged) || !strings.Contains(err.Error(), "does not follow") {
		t.Errorf("release 1 as 2: %v", err)
	}

	// Without an EFGSTA nothing can be adopted.
	none := ceremonytest.Open(t, ceremonytest.Init(t, registry.Rehearsal))
	if err := os.CopyFS(none.ReleaseDir(1), os.DirFS(foreign.ReleaseDir(1))); err != nil {
		t.Fatal(err)
	}
	if _, err := ceremony.Recover(none.Workspace, at, "me"); !errors.Is(err, registry.ErrDamaged) {
		t.Errorf("without EFGSTA: %v", err)
	}
}
