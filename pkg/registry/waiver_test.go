package registry_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/vet"
)

// short is an NBBS that fails EFGS-201 and no other rule.
func short(f *ceremonytest.Federation) *registry.Certificate {
	return f.Find(f.Submit(ceremonytest.Spec{Country: "DE", Days: 200}).Thumbprint())
}

// A waiver excuses until its last moment, survives the journal, and ends when withdrawn.
func TestWaive(t *testing.T) {
	f := ceremonytest.New(t)
	c := short(f)
	until := f.LastEvent().AddDate(0, 2, 0)
	data := registry.WaiverData{Rule: "EFGS-201", Why: "w", Owner: "o", Until: until}
	if added, err := f.Waive(f.LastEvent(), "me", c, data); err != nil || !added {
		t.Fatal(added, err)
	}
	if added, err := f.Waive(f.LastEvent(), "me", c, data); err != nil || added {
		t.Fatalf("the same again: %v, %v", added, err)
	}
	longer := data
	longer.Until = until.AddDate(0, 1, 0).Add(5 * time.Millisecond)
	if added, err := f.Waive(f.LastEvent(), "me", c, longer); err != nil || !added || len(f.GrantedWaivers()) != 1 {
		t.Fatalf("longer: %v, %v", added, err)
	}
	f.Reopen()
	c = f.Find(c.Certificate.Thumbprint())
	end := until.AddDate(0, 1, 0)
	if w := f.Waiver(c.SHA256, "EFGS-201"); w == nil || !w.Until.Equal(end) || !w.Holds(end) || w.Holds(end.Add(time.Second)) {
		t.Fatalf("waiver %+v", w)
	}
	accepted := func(at time.Time) bool {
		t.Helper()
		ws, err := f.Waivers()
		if err != nil {
			t.Fatal(err)
		}
		a, _, err := f.Engine.Accept(vet.Request{Certificate: c.Certificate, Role: c.Type, Country: c.Country, At: at, Workspace: true, Others: f.Known(), Waivers: ws})
		return err == nil && a.Valid()
	}
	if !accepted(end) || accepted(end.Add(time.Second)) {
		t.Error("excuses at another time than it says")
	}
	if ended, err := f.WithdrawWaiver(f.LastEvent(), "me", c, "EFGS-201", "w"); err != nil || !ended {
		t.Fatal(ended, err)
	}
	f.Reopen()
	c = f.Find(c.Certificate.Thumbprint())
	if accepted(f.LastEvent()) || !f.WasWaived(c.SHA256, "EFGS-201") || len(f.GrantedWaivers()) != 0 {
		t.Error("withdrawn, and still there")
	}
	if ended, err := f.WithdrawWaiver(f.LastEvent(), "me", c, "EFGS-201", "w"); err != nil || ended {
		t.Fatalf("withdrawn twice: %v, %v", ended, err)
	}
}

func TestWaiveRefuses(t *testing.T) {
	f := ceremonytest.New(t)
	c := short(f)
	now := f.LastEvent()
	long := strings.Repeat("x", 1001)
	for name, d := range map[string]registry.WaiverData{
		"no why":       {Rule: "EFGS-201", Owner: "o", Until: now.AddDate(0, 1, 0)},
		"blank why":    {Rule: "EFGS-201", Why: " ", Owner: "o", Until: now.AddDate(0, 1, 0)},
		"long why":     {Rule: "EFGS-201", Why: long, Owner: "o", Until: now.AddDate(0, 1, 0)},
		"no owner":     {Rule: "EFGS-201", Why: "w", Until: now.AddDate(0, 1, 0)},
		"long owner":   {Rule: "EFGS-201", Why: "w", Owner: long, Until: now.AddDate(0, 1, 0)},
		"ended":        {Rule: "EFGS-201", Why: "w", Owner: "o", Until: now},
		"without time": {Rule: "EFGS-201", Why: "w", Owner: "o"},
	} {
		var refusal *registry.Error
		if added, err := f.Waive(now, "me", c, d); added || !errors.As(err, &refusal) || refusal.Hint() == "" {
			t.Errorf("%s: %v, %v", name, added, err)
		}
	}
	if _, err := f.WithdrawWaiver(now, "me", c, "EFGS-201", ""); err == nil {
		t.Error("withdrawn without a reason")
	}
}
