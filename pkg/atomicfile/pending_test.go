package atomicfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPending(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "report.json")
	if err := Create(path, []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	begin := func() *Pending {
		p, err := Begin(path, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"aft", "er"} {
			if _, err := p.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		wantFile(t, path, "before")
		return p
	}
	begin().Discard()
	wantFile(t, path, "before")
	p := begin()
	if err := p.Commit(); err != nil {
		t.Fatal(err)
	}
	p.Discard()
	wantFile(t, path, "after")
	if st, err := os.Stat(path); err != nil || st.Mode().Perm() != 0o644 {
		t.Errorf("mode %v, %v", st.Mode(), err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left: %v, %v", left, err)
	}
	if _, err := Begin(filepath.Join(dir, "no", "where"), 0o644); err == nil {
		t.Error("a file in a directory that is not there")
	}
}
