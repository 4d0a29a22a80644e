package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCreateRefusesToReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := Create(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Create(path, []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("second Create: %v", err)
	}
	wantFile(t, path, "one")
	if err := Replace(path, []byte("three"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantFile(t, path, "three")
	wantNoTemp(t, filepath.Dir(path))
}

func TestCreateHonoursMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := Create(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if st, _ := os.Stat(path); st.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", st.Mode())
	}
}

func TestPublish(t *testing.T) {
	dir := t.TempDir()
	tmp := filepath.Join(dir, TempPrefix+"1")
	if err := WriteTree(tmp, map[string][]byte{"a": []byte("x"), "b/c/d": []byte("y")}, 0o644); err != nil {
		t.Fatal(err)
	}
	dst := filepath.Join(dir, "000001")
	if err := Publish(tmp, dst); err != nil {
		t.Fatal(err)
	}
	wantFile(t, filepath.Join(dst, "b", "c", "d"), "y")
	if err := WriteTree(tmp, map[string][]byte{"a": []byte("z")}, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Publish(tmp, dst); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("second Publish: %v", err)
	}
	wantFile(t, filepath.Join(dst, "a"), "x")
}

func TestCreateByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	if err := createByName(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := createByName(path, []byte("two"), 0o600); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("second: %v", err)
	}
	wantFile(t, path, "one")
}

func wantFile(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %q (%v), want %q", filepath.Base(path), got, err, want)
	}
}

func wantNoTemp(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), TempPrefix) {
			t.Errorf("left behind: %s", e.Name())
		}
	}
}
