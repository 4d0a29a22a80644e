// Package ceremonytest is for tests: a small federation, with an EFGSTA, member
// states and their certificates, in a workspace of its own.
package ceremonytest

import (
	"context"
	"crypto"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// What stands in every journal and plan of a test.
const (
	Tool  = "efgsta test"
	Actor = "tester"
)

// Start is the time of a federation's first event. Nothing in a test asks a clock.
var Start = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// Federation is an open workspace with its EFGSTA and the key of it.
type Federation struct {
	*registry.Workspace
	TB     testing.TB
	Policy *policy.Policy
	Engine *vet.Engine
	Key    crypto.Signer
	Scheme sigalg.Scheme // of the EFGSTA, by Key unless PSS is wanted
}

// New makes a rehearsal workspace whose EFGSTA has a key on P-256.
func New(tb testing.TB) *Federation {
	tb.Helper()
	return NewWith(tb, ECKey(tb), sigalg.ECDSA)
}

// NewWith makes a rehearsal workspace with this key and scheme, SHA-256.
func NewWith(tb testing.TB, key crypto.Signer, scheme sigalg.Scheme) *Federation {
	tb.Helper()
	f := Open(tb, Init(tb, registry.Rehearsal))
	f.Key, f.Scheme = key, scheme
	f.SetAnchor(f.MakeAnchor(anchor.Params{Organization: "European Commission", Rehearsal: true, Days: 730, NotBefore: Start}))
	return f
}

// Init makes a workspace without EFGSTA.
func Init(tb testing.TB, env registry.Environment) (dir string) {
	tb.Helper()
	dir = filepath.Join(tb.TempDir(), "ws")
	if err := registry.Init(dir, registry.DefaultConfig(env, policy.Default), Start, Actor, Tool); err != nil {
		tb.Fatal(err)
	}
	return dir
}

// Open opens a workspace until the test ends or it is closed.
func Open(tb testing.TB, dir string) *Federation {
	tb.Helper()
	w, err := registry.Open(dir)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = w.Close() })
	p, err := policy.Load(policy.Default)
	if err != nil {
		tb.Fatal(err)
	}
	e, err := vet.New(p)
	if err != nil {
		tb.Fatal(err)
	}
	return &Federation{Workspace: w, TB: tb, Policy: p, Engine: e}
}

// Reopen closes the workspace and opens it again, as the next command would.
func (f *Federation) Reopen() {
	f.TB.Helper()
	_ = f.Close()
	w, err := registry.Open(f.Dir)
	if err != nil {
		f.TB.Fatal(err)
	}
	f.Workspace = w
	f.TB.Cleanup(func() { _ = w.Close() })
}

// MakeAnchor makes an EFGSTA certificate with the federation's key; scheme and hash are filled in.
func (f *Federation) MakeAnchor(p anchor.Params) *anchor.Anchor {
	f.TB.Helper()
	p.Scheme, p.Hash = f.Scheme, crypto.SHA256
	a, err := anchor.Create(f.Engine, p, f.Key, rand.Reader)
	if err != nil {
		f.TB.Fatal(err)
	}
	return a
}

// SetAnchor records an EFGSTA.
func (f *Federation) SetAnchor(a *anchor.Anchor) {
	f.TB.Helper()
	if err := f.Workspace.SetAnchor(f.LastEvent(), Actor, a.Certificate, registry.AnchorData{Algorithm: a.Algorithm.String(), Key: "file:test"}); err != nil {
		f.TB.Fatal(err)
	}
}

// CurrentAnchor returns the EFGSTA, as a receiver pins it.
func (f *Federation) CurrentAnchor() *anchor.Anchor {
	f.TB.Helper()
	a, err := anchor.New(f.Anchor.Certificate)
	if err != nil {
		f.TB.Fatal(err)
	}
	return a
}

// Member adds a member state unless it is one.
func (f *Federation) Member(country string) {
	f.TB.Helper()
	if f.Workspace.Member(country) != nil {
		return
	}
	if _, err := f.AddMember(f.LastEvent(), Actor, registry.MemberData{Country: country, Name: country, Contacts: []string{"desk@example.eu"}}); err != nil {
		f.TB.Fatal(err)
	}
}

// Submit makes a certificate by the spec and takes it in, an NBTLS with its CA and a
// list of it.
func (f *Federation) Submit(s Spec) *cert.Certificate {
	f.TB.Helper()
	c := Certificate(f.TB, s)
	role := s.Role
	if role == "" {
		role = vet.NBBS
	}
	if role == vet.NBTLS {
		f.SubmitEvidence(s.Country, c, Start.AddDate(10, 0, 0))
	}
	f.SubmitCertificate(s.Country, role, c)
	return c
}

// SubmitEvidence records Evidence that a member state brings for an NBTLS.
func (f *Federation) SubmitEvidence(country string, c *cert.Certificate, stale time.Time) {
	f.TB.Helper()
	f.Member(country)
	if err := f.SetEvidence(f.LastEvent(), Actor, country, []string{c.Thumbprint().String()}, Evidence(f.TB, stale)); err != nil {
		f.TB.Fatal(err)
	}
}

// SubmitCertificate takes in a certificate, and nothing else, for a member state, which is added if it is new.
func (f *Federation) SubmitCertificate(country string, role vet.Role, c *cert.Certificate) {
	f.TB.Helper()
	f.Member(country)
	err := f.Workspace.Submit(f.LastEvent(), Actor, country, "phone", []registry.Submitted{{
		Data: registry.SubmittedCertificate{Type: role, File: "c.pem", Chosen: "only", Verdict: vet.VerdictAccepted, Policy: f.Policy.SHA256},
		File: c.PEM(), Certificate: c,
	}})
	if err != nil {
		f.TB.Fatal(err)
	}
}

// Members submits an NBTLS and an NBBS for each country.
func (f *Federation) Members(countries ...string) {
	f.TB.Helper()
	for _, country := range countries {
		f.Submit(Spec{Country: country, Role: vet.NBTLS})
		f.Submit(Spec{Country: country, Role: vet.NBBS})
	}
}

// Plan makes and saves a plan.
func (f *Federation) Plan(at time.Time) *ceremony.Pending {
	f.TB.Helper()
	p, err := ceremony.Make(f.Workspace, f.Policy, Tool, at)
	if err != nil {
		f.TB.Fatal(err)
	}
	if _, err := p.Save(f.Workspace); err != nil {
		f.TB.Fatal(err)
	}
	return p
}

// Sign signs a plan.
func (f *Federation) Sign(p *ceremony.Pending, at time.Time) *ceremony.Result {
	f.TB.Helper()
	r, err := ceremony.Sign(context.Background(), f.Workspace, p, nil, f.Key, rand.Reader, at, Actor)
	if err != nil {
		f.TB.Fatal(err)
	}
	return r
}

// Release plans and signs at that time and returns the files.
func (f *Federation) Release(at time.Time) (release.Files, *release.Verified) {
	f.TB.Helper()
	r := f.Sign(f.Plan(at), at)
	return f.Files(r.Sequence), r.Verified
}

// Files reads a release from disk.
func (f *Federation) Files(sequence uint64) release.Files {
	f.TB.Helper()
	files, err := release.ReadDir(os.DirFS(f.ReleaseDir(sequence)))
	if err != nil {
		f.TB.Fatal(err)
	}
	return files
}
