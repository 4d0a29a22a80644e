package ceremony_test

import (
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/strictjson"
)

// Each change of an approval voids it, and so does another plan. A statement of who
// signs is no approval.
func TestApprovalOfAnotherThing(t *testing.T) {
	f := ceremonytest.New(t)
	key := ceremonytest.ECKey(t)
	_, spki, err := ceremony.KeySHA256(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.ChangeApprovers(f.LastEvent(), ceremonytest.Actor, registry.ApproverData{Change: registry.ApproverAdd, Name: "anna", Key: spki}); err != nil {
		t.Fatal(err)
	}
	f.Members("DE")
	p := f.Plan(at)
	if _, err := p.Save(f.Workspace); err != nil {
		t.Fatal(err)
	}
	text, err := p.State(ceremony.ApprovalSchema, "anna", key, false, rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ceremony.ReadStatement(text)
	if err != nil {
		t.Fatal(err)
	}
	changed := func(change func(s *ceremony.Statement)) []byte {
		other := *s
		other.Signature = append([]byte{}, s.Signature...)
		change(&other)
		out, err := strictjson.Marshal(&other)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	signer, err := p.State(ceremony.SignerSchema, "anna", key, false, rand.Reader, at)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{
		"plan":                 changed(func(s *ceremony.Statement) { s.Plan = strings.Repeat("0", 64) }),
		"list":                 changed(func(s *ceremony.Statement) { s.ListID += "x" }),
		"environment":          changed(func(s *ceremony.Statement) { s.Environment = registry.Production }),
		"sequence":             changed(func(s *ceremony.Statement) { s.Sequence++ }),
		"name":                 changed(func(s *ceremony.Statement) { s.Name = "bert" }),
		"key":                  changed(func(s *ceremony.Statement) { s.KeySHA256 = strings.Repeat("0", 64) }),
		"time":                 changed(func(s *ceremony.Statement) { s.At = s.At.Add(time.Second) }),
		"time before the plan": changed(func(s *ceremony.Statement) { s.At = p.Plan.Created.Add(-time.Second) }),
		"time after the plan":  changed(func(s *ceremony.Statement) { s.At = p.Plan.SignBefore }),
		"algorithm":            changed(func(s *ceremony.Statement) { s.Algorithm = "rsa-pss-sha256" }),
		"signature":            changed(func(s *ceremony.Statement) { s.Signature[len(s.Signature)-1] ^= 1 }),
		"schema":               changed(func(s *ceremony.Statement) { s.Schema = ceremony.SignerSchema }),
		"signer as approval":   signer,
		"signer renamed":       []byte(strings.Replace(string(signer), string(ceremony.SignerSchema), string(ceremony.ApprovalSchema), 1)),
		"longer":               append(text[:len(text):len(text)], ' '),
		"nothing":              nil,
	} {
		if _, err := ceremony.Gather(f.Workspace, p, map[string][]byte{"x": text}, ""); !errors.Is(err, ceremony.ErrApproval) {
			t.Errorf("%s: %v", name, err)
		}
	}
	people, err := ceremony.Gather(f.Workspace, p, map[string][]byte{"x": text}, "")
	if err != nil || len(people.Approvals) != 1 {
		t.Errorf("the good one: %v, %v", people, err)
	}
	if err := people.SignedBy(f.Workspace, p, signer); !errors.Is(err, ceremony.ErrApproval) {
		t.Errorf("the approver signs: %v", err)
	}
	// The one that was kept counts again, and not for another plan.
	if people, err = ceremony.Gather(f.Workspace, p, nil, ""); err != nil || len(people.Approvals) != 1 {
		t.Errorf("kept: %v, %v", people, err)
	}
	later := f.Plan(at.Add(time.Hour))
	if _, err := ceremony.Sign(t.Context(), f.Workspace, later, people, f.Key, rand.Reader, at.Add(time.Hour), ceremonytest.Actor); !errors.Is(err, ceremony.ErrPlan) {
		t.Errorf("people of another plan: %v", err)
	}
}

// An RSA key signs in either scheme.
func TestRSAApprover(t *testing.T) {
	for _, pss := range []bool{false, true} {
		f := ceremonytest.New(t)
		key := ceremonytest.RSAKey(t)
		_, spki, err := ceremony.KeySHA256(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.ChangeApprovers(f.LastEvent(), ceremonytest.Actor, registry.ApproverData{Change: registry.ApproverAdd, Name: "anna", Key: spki}); err != nil {
			t.Fatal(err)
		}
		f.Members("DE")
		p := f.Plan(at)
		if _, err := p.Save(f.Workspace); err != nil {
			t.Fatal(err)
		}
		text, err := p.State(ceremony.ApprovalSchema, "anna", key, pss, rand.Reader, at)
		if err != nil {
			t.Fatal(err)
		}
		if people, err := ceremony.Gather(f.Workspace, p, map[string][]byte{"x": text}, ""); err != nil || len(people.Approvals) != 1 {
			t.Errorf("pss %v: %v", pss, err)
		}
	}
}

func FuzzReadStatement(f *testing.F) {
	good, err := strictjson.Marshal(&ceremony.Statement{Schema: ceremony.ApprovalSchema, Name: "anna", At: at, Signature: []byte{1}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"schema": "efgsta.approval/v1"}`))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ceremony.ReadStatement(text)
		if err != nil {
			if !errors.Is(err, ceremony.ErrApproval) {
				t.Fatalf("%v is no ErrApproval", err)
			}
			return
		}
		again, err := strictjson.Marshal(s)
		if err != nil || string(again) != string(text) {
			t.Fatalf("read %q, written %q: %v", text, again, err)
		}
	})
}
