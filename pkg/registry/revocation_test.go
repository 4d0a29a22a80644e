package registry_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

// What is revoked is barred, and so is its key where it may be compromised.
func TestBarred(t *testing.T) {
	f := ceremonytest.New(t)
	for _, reason := range registry.Reasons() {
		key := ceremonytest.ECKey(t)
		spec := ceremonytest.Spec{Country: "DE", Role: vet.NBTLS, Key: key}
		first, second := f.Submit(spec), f.Submit(spec)
		other := f.Submit(ceremonytest.Spec{Country: "DE"})
		c := f.Find(first.Thumbprint())
		added, err := f.Revoke(f.LastEvent(), "me", c, registry.RevocationData{Reason: reason, Why: "w", ReportedBy: "r"})
		if err != nil || !added {
			t.Fatalf("%s: %v, %v", reason, added, err)
		}
		f.Reopen()
		b := f.Barred(first)
		if b == nil || b.Finding.Name != "revoked" || !strings.HasSuffix(b.Reason, string(reason)) || b.Finding.ID != "" {
			t.Fatalf("%s: barred %+v", reason, b)
		}
		wantKey := reason == registry.KeyCompromise || reason == registry.Unspecified
		if b := f.Barred(second); (b != nil) != wantKey || wantKey && (b.Finding.Name != "revoked-key" || !strings.Contains(b.Reason, c.SHA256[:16])) {
			t.Errorf("%s: another certificate with the key: %+v", reason, b)
		}
		if same := f.SameKey(f.Find(first.Thumbprint())); (len(same) == 1) != wantKey {
			t.Errorf("%s: same key %v", reason, same)
		}
		if b := f.Barred(other); b != nil {
			t.Errorf("%s: a certificate with its own key: %+v", reason, b)
		}
	}
}

// Repeating changes nothing, and nothing that was recorded is changed.
func TestRevokeTwice(t *testing.T) {
	f := ceremonytest.New(t)
	c := f.Find(f.Submit(ceremonytest.Spec{Country: "DE"}).Thumbprint())
	data := registry.RevocationData{Reason: registry.Superseded, Why: "w", ReportedBy: "r"}
	if added, err := f.Revoke(f.LastEvent(), "me", c, data); err != nil || !added {
		t.Fatal(added, err)
	}
	head := f.Head()
	for name, d := range map[string]registry.RevocationData{"same": data, "less said": {Reason: registry.Superseded}} {
		if added, err := f.Revoke(f.LastEvent(), "me", c, d); err != nil || added {
			t.Errorf("%s: %v, %v", name, added, err)
		}
	}
	for name, d := range map[string]registry.RevocationData{
		"another reason":   {Reason: registry.KeyCompromise},
		"another why":      {Reason: registry.Superseded, Why: "x"},
		"another reporter": {Reason: registry.Superseded, ReportedBy: "x"},
		"no reason":        {},
		"unknown":          {Reason: "stolen"},
		"hold":             {Reason: "certificate-hold"},
		"long":             {Reason: registry.Superseded, Why: strings.Repeat("x", 1001)},
	} {
		var refusal *registry.Error
		if added, err := f.Revoke(f.LastEvent(), "me", c, d); added || !errors.As(err, &refusal) || refusal.Hint() == "" {
			t.Errorf("%s: %v, %v", name, added, err)
		}
	}
	if f.Head() != head {
		t.Error("a refusal was recorded")
	}
}

// A prefix names one certificate of one member, or none.
func TestPick(t *testing.T) {
	f := ceremonytest.New(t)
	de := f.Submit(ceremonytest.Spec{Country: "DE"}).Thumbprint().String()
	fr := f.Submit(ceremonytest.Spec{Country: "FR"}).Thumbprint().String()
	for _, name := range []string{de, de[:16], strings.ToUpper(de), de[:2] + ":" + de[2:20]} {
		if c, err := f.Pick("DE", name); err != nil || c.SHA256 != de {
			t.Errorf("%q: %v", name, err)
		}
	}
	for _, bad := range [][2]string{{"DE", de[:15]}, {"DE", de + "0"}, {"DE", ""}, {"DE", fr}, {"IT", de}, {"DE", strings.Repeat("0", 64)}, {"DE", "zz" + de[2:]}} {
		var refusal *registry.Error
		if c, err := f.Pick(bad[0], bad[1]); c != nil || !errors.As(err, &refusal) || refusal.Hint() == "" {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Events about certificates that do not fit were not written by this program.
func TestDecisionsThatDoNotFit(t *testing.T) {
	first := registry.InitData{ListID: "efgs-rehearsal", Environment: registry.Rehearsal, Policy: "efgs-2020", Tool: "t"}
	hex := strings.Repeat("ab", 32)
	member := registry.MemberData{Country: "DE", Name: "Germany"}
	for name, event := range map[string][2]any{
		"revocation of nothing":    {registry.EventRevoked, registry.RevocationData{Country: "DE", SHA256: hex, Reason: registry.Superseded}},
		"revocation, wrong shape":  {registry.EventRevoked, json.RawMessage(`7`)},
		"waiver of nothing":        {registry.EventWaived, registry.WaiverData{Country: "DE", SHA256: hex, Rule: "EFGS-201", Why: "w", Owner: "o", Until: start}},
		"waiver, wrong shape":      {registry.EventWaived, json.RawMessage(`{"names":[]}`)},
		"withdrawal of nothing":    {registry.EventWithdrawn, registry.WithdrawalData{Country: "DE", SHA256: hex, Rule: "EFGS-201", Why: "w"}},
		"withdrawal, wrong shape":  {registry.EventWithdrawn, json.RawMessage(`[]`)},
		"revocation without a key": {registry.EventRevoked, json.RawMessage(`{"country":"DE"}`)},
	} {
		w, err := registry.Open(events(t, registry.EventInit, first, registry.EventMember, member, event[0], event[1]))
		if err == nil {
			w.Close()
		}
		if !errors.Is(err, registry.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
