//go:build cgo

package hsm

import (
	"crypto"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// The module is one per process: the second signer is refused and the first is not harmed.
func TestOneSignerPerProcess(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	c := config(store, URI{Token: "EFGSTA", Object: "anchor"})
	s := mustGenerate(t, c, "ecdsa-p256")
	_, err := Open(c, nil)
	refusedWith(t, err, "in use in this process already", "close")
	mustSign(t, s, make([]byte, 32), crypto.SHA256)
	mustClose(t, s)
}

func TestWrongModule(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "text.so")
	if err := os.WriteFile(text, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "missing.so"): "no such file",
		text:                             "not a shared library",
		libc(t):                          "does not export C_GetFunctionList",
	} {
		c := fakeConfig()
		c.Module = path
		_, err := Open(c, nil)
		refusedWith(t, err, want, "")
		_, err = Generate(c, "ecdsa-p256")
		refusedWith(t, err, want, "")
	}
}

func compile(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	file, module := filepath.Join(dir, "m.c"), filepath.Join(dir, "m.so")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", module, file).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v (run `make test-deps`)\n%s", err, out)
	}
	return module
}

// A module that is one by its symbols, and lacks a library: the loader alone knows.
func TestModuleThatDoesNotLoad(t *testing.T) {
	c := fakeConfig()
	c.Module = compile(t, "extern int efgsta_missing; int *C_GetFunctionList(void) { return &efgsta_missing; }\n")
	_, err := Open(c, nil)
	refusedWith(t, err, "could not load", "ldd")
}

func TestLibraryThatOnlyUsesAModule(t *testing.T) {
	c := fakeConfig()
	c.Module = compile(t, "extern int C_GetFunctionList(void); int use(void) { return C_GetFunctionList(); }\n")
	_, err := Open(c, nil)
	refusedWith(t, err, "does not export C_GetFunctionList", "")
}

func TestTokenDirectoryVanishes(t *testing.T) {
	store := softhsmtest.New(t)
	store.Token(t, "EFGSTA")
	s := mustGenerate(t, config(store, URI{Token: "EFGSTA", Object: "anchor"}), "ecdsa-p256")
	if err := os.RemoveAll(filepath.Join(store.Dir, "tokens")); err != nil {
		t.Fatal(err)
	}
	_, err := s.Sign(nil, make([]byte, 32), crypto.SHA256)
	refusedWith(t, err, "session with the token was lost", "start the step again")
	mustClose(t, s)
}

func TestBadConfigurationOfSoftHSM(t *testing.T) {
	store := softhsmtest.New(t)
	if err := os.WriteFile(store.Conf, []byte("directories.tokendir = /nonexistent/efgsta\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Open(config(store, URI{Token: "EFGSTA", Object: "anchor"}), nil)
	refusedWith(t, err, "CKR_GENERAL_ERROR", "SOFTHSM2_CONF")
}
