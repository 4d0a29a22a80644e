package registry

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A workspace that cannot be written to can be looked at, and nothing is changed by
// looking, not even a journal whose last line was never finished.
func TestView(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	if err := Init(dir, DefaultConfig(Rehearsal, "efgs-2020"), at, "alice", "efgsta test"); err != nil {
		t.Fatal(err)
	}
	w, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddMember(at, "alice", MemberData{Country: "DE", Name: "Germany", Contacts: []string{"a@example.de"}}); err != nil {
		t.Fatal(err)
	}
	head, config := w.Head(), w.Config
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, JournalFile)
	journal, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	torn := append(journal, `{"seq":3`...)
	if err := os.WriteFile(path, torn, 0o600); err != nil {
		t.Fatal(err)
	}

	v := &Workspace{Dir: dir, Config: config}
	if err := v.view(); err != nil {
		t.Fatal(err)
	}
	if v.Head() != head || v.Member("DE") == nil || len(v.Notes) != 1 {
		t.Errorf("head %v, notes %q", v.Head(), v.Notes)
	}
	var refusal *Error
	if _, err := v.AddMember(at, "alice", MemberData{Country: "FR", Name: "France"}); !errors.As(err, &refusal) || refusal.Hint() == "" {
		t.Errorf("a decision in a copy: %v", err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	if now, _ := os.ReadFile(path); string(now) != string(torn) {
		t.Error("looking changed the journal")
	}
}
