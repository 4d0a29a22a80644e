package registry_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/registry"
)

func TestLockNamesItsHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ws")
	since := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	if err := registry.Init(dir, config(), since, "me", "test"); err != nil {
		t.Fatal(err)
	}
	w, err := registry.OpenAs(dir, registry.Holder{PID: 4711, Command: "efgsta sign", Since: since})
	if err != nil {
		t.Fatal(err)
	}
	const want = "is in use by process 4711 (efgsta sign, since 2026-03-02T10:00:00Z)"
	for name, lock := range map[string]func() error{
		"open": func() error { _, err := registry.Open(dir); return err },
		"lock": func() error { _, err := registry.Lock(dir, registry.Holder{}); return err },
	} {
		if err := lock(); err == nil || !strings.Contains(err.Error(), want) || !hasHint(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What else may stand in the file is no reason to say nothing, or to say it as it is.
	path := filepath.Join(dir, "lock")
	for text, want := range map[string]string{
		"":           "is in use by another efgsta",
		"{}":         "is in use by another efgsta",
		"{\"pid\":1": "is in use by another efgsta",
		`{"pid":1,"command":"\u001b[31mx","since":"2026-03-02T10:00:00Z"}`: `process 1 ("\x1b[31mx", since`,
		strings.Repeat(" ", 4<<10) + `{"pid":1}`:                           "is in use by another efgsta",
	} {
		write(t, path, text)
		if _, err := registry.Open(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("lock file %.40q: %v", text, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	unlock, err := registry.Lock(dir, registry.Holder{PID: 1, Command: "x", Since: since})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Open(dir); err == nil {
		t.Error("opened twice")
	}
	if err := unlock(); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || len(text) != 0 {
		t.Errorf("the lock file still says %q, %v", text, err)
	}
	if _, err := registry.Lock(t.TempDir(), registry.Holder{}); err == nil || !hasHint(err) {
		t.Errorf("no workspace: %v", err)
	}
}
