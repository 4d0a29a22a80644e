package main

import (
	"path/filepath"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// TestKeygenAsks: what the backup can be is said before anything is made, and only the
// key's label is a yes.
func TestKeygenAsks(t *testing.T) {
	dir := t.TempDir()
	store, err := softhsmtest.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Init("EFGSTA"); err != nil {
		t.Fatal(err)
	}
	t.Setenv(softhsmtest.EnvConf, store.Conf)
	pin := filepath.Join(dir, "pin")
	write(t, pin, softhsmtest.UserPIN+"\n", 0o600)
	args := []string{"hsm", "keygen", "--key", "pkcs11:token=EFGSTA;object=k1", "--module", store.Module, "--algorithm", "ecdsa-p256"}

	no := startOnTerminal(t, args...)
	no.expect("type the label of the new key to make it: ")
	no.send("yes\n")
	no.ends(exitAborted)
	wantMatch(t, "stderr", no.err.String(), "about to make a new ecdsa-p256 key \"k1\"(?s).*The only backup.*that is not the label; no key was made")

	yes := startOnTerminal(t, args...)
	yes.expect("type the label of the new key to make it: ")
	yes.send("k1\n")
	yes.expect(`PIN for token "EFGSTA" .*: `)
	yes.untilSilent()
	yes.send(softhsmtest.UserPIN + "\n")
	yes.ends(exitYes)
	wantMatch(t, "stdout", yes.out.String(), `made ecdsa-p256 key "k1"`)
	o := must(t, "hsm", "inspect", "--key", "pkcs11:token=EFGSTA;object=k1", "--module", store.Module, "--pin-file", pin)
	wantMatch(t, "stdout", o.stdout, `key "k1", id [0-9a-f]{32}: ecdsa-p256`)
}
