package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestWithoutCgo: the static build has no PKCS#11 and says so (exit 3), before it asks
// for a PIN; everything else works.
func TestWithoutCgo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	program := filepath.Join(dir, "efgsta-static")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	static := func(args ...string) outcome { return finish(t, exec.CommandContext(t.Context(), program, args...)) }
	ws := filepath.Join(dir, "ws")
	create := []string{"anchor", "create", "--workspace", ws, "--algorithm", "ecdsa-p256", "--organization", "X"}
	if o := static("init", ws, "--environment", "rehearsal"); o.code != exitYes {
		t.Fatalf("init: exit %d: %s", o.code, o.stderr)
	}
	o := static(append(create, "--key", "pkcs11:token=T;object=o", "--module", filepath.Join(dir, "module.so"), "--pin-file", filepath.Join(dir, "none"))...)
	if o.code != exitHSM {
		t.Errorf("exit %d, want %d", o.code, exitHSM)
	}
	wantMatch(t, "stderr", o.stderr, `built without PKCS#11 support \(cgo\)\nhint: `)

	pass := filepath.Join(dir, "pass")
	write(t, pass, "a passphrase\n", 0o600)
	if o := static(append(create, "--key", "file:keys/efgsta.p8", "--pin-file", pass)...); o.code != exitYes {
		t.Errorf("a key file: exit %d: %s", o.code, o.stderr)
	}
}
