package registry

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/policy"
)

func approverKey(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	spki, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return spki
}

// In production a release is recorded only with enough approvals by the set of that
// moment, and brings what it names into force, once.
func TestApproversInProduction(t *testing.T) {
	at := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	dir := filepath.Join(t.TempDir(), "ws")
	if err := Init(dir, DefaultConfig(Production, policy.Default), at, "a", "test"); err != nil {
		t.Fatal(err)
	}
	w, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	change := func(d ApproverData, wantForce bool) {
		t.Helper()
		if added, inForce, err := w.ChangeApprovers(at, "a", d); err != nil || !added || inForce != wantForce {
			t.Fatalf("%s %s: added %v, in force %v, %v", d.Change, d.Name, added, inForce, err)
		}
	}
	sum := strings.Repeat("0", 64)
	by := func(name string) ReleaseApproval {
		a := w.Approver(name)
		if a == nil {
			return ReleaseApproval{name, sum, sum}
		}
		return ReleaseApproval{name, a.KeySHA256, sum}
	}
	for _, name := range []string{"anna", "bert"} {
		change(ApproverData{Change: ApproverAdd, Name: name, Key: approverKey(t)}, true)
	}
	anna, bert := by("anna"), by("bert")
	if w.Threshold() != 1 {
		t.Errorf("threshold %d", w.Threshold())
	}
	wrong := anna
	wrong.KeySHA256 = sum
	for name, d := range map[string]ReleasedData{
		"no approval":         {Sequence: 1, Signer: &bert},
		"no signer":           {Sequence: 1, Approvals: []ReleaseApproval{anna}},
		"the signer approves": {Sequence: 1, Approvals: []ReleaseApproval{anna}, Signer: &anna},
		"not enrolled":        {Sequence: 1, Approvals: []ReleaseApproval{{"carl", sum, sum}}, Signer: &bert},
		"another key":         {Sequence: 1, Approvals: []ReleaseApproval{wrong}, Signer: &bert},
		"signer not enrolled": {Sequence: 1, Approvals: []ReleaseApproval{anna}, Signer: &ReleaseApproval{"carl", sum, sum}},
		"nothing waits":       {Sequence: 1, Approvals: []ReleaseApproval{anna}, Signer: &bert, Proposals: []uint64{2}},
	} {
		if err := w.Released(at, "a", d); err == nil {
			t.Fatalf("%s: recorded", name)
		}
	}
	if err := w.Released(at, "a", ReleasedData{Sequence: 1, Approvals: []ReleaseApproval{anna}, Signer: &bert}); err != nil {
		t.Fatal(err)
	}
	// From here on changes wait.
	change(ApproverData{Change: ApproverAdd, Name: "carl", Key: approverKey(t)}, false)
	change(ApproverData{Change: ApproverThreshold, Threshold: 2}, false)
	if w.Approver("carl") != nil || w.Threshold() != 1 || len(w.Pending()) != 2 {
		t.Errorf("carl %v, threshold %d, pending %v", w.Approver("carl"), w.Threshold(), w.Pending())
	}
	if err := w.Released(at, "a", ReleasedData{Sequence: 2, Approvals: []ReleaseApproval{anna}, Signer: &bert, Proposals: w.Pending()}); err != nil {
		t.Fatal(err)
	}
	if w.Approver("carl") == nil || w.Threshold() != 2 || len(w.Pending()) != 0 {
		t.Errorf("after: carl %v, threshold %d, pending %v", w.Approver("carl"), w.Threshold(), w.Pending())
	}
	if err := w.Released(at, "a", ReleasedData{Sequence: 3, Approvals: []ReleaseApproval{anna}, Signer: &bert}); err == nil {
		t.Error("released with one approval of two")
	}
}

// A proposal for a key counts in production for the plan that shows it, and after it.
func TestMayUseInProduction(t *testing.T) {
	s := &State{Environment: Production, Anchor: &AnchorRecord{AnchorData: AnchorData{SHA256: "x"}}}
	s.proposals = []*Proposal{{ProposalData: ProposalData{Kind: SpareToken, Anchor: "x", Serial: "1", KeyID: "2", Weaknesses: []string{"w"}}, Event: 7}}
	if p, ok := s.MayUse("x", "1", "2", []string{"w"}); p == nil || ok {
		t.Errorf("before: %v, %v", p, ok)
	}
	if _, ok := s.MayUse("x", "1", "2", []string{"w"}, 7); !ok {
		t.Error("not for its own plan")
	}
	if _, ok := s.MayUse("x", "1", "2", []string{"w", "v"}, 7); ok {
		t.Error("for a weakness that it does not name")
	}
	s.inForce = map[uint64]bool{7: true}
	if _, ok := s.MayUse("x", "1", "2", []string{"w"}); !ok {
		t.Error("not after its release")
	}
}
