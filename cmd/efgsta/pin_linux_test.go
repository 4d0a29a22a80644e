package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// ownPIN is in nothing else.
const ownPIN = "k7-Qz.81/pin"

// TestPINIsNowhere types a PIN at the terminal and looks for it everywhere that others
// can see: the process's command line and environment while it is held, the screen, the
// output, the errors and every file of the workspace. No core file can be written then.
func TestPINIsNowhere(t *testing.T) {
	dir := t.TempDir()
	store, err := softhsmtest.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.InitWithPIN("EFGSTA", ownPIN); err != nil {
		t.Fatal(err)
	}
	t.Setenv(softhsmtest.EnvConf, store.Conf)
	ws := filepath.Join(dir, "ws")
	must(t, "init", ws, "--environment", "rehearsal")

	s := startOnTerminal(t, "anchor", "create", "--workspace", ws, "--algorithm", "ecdsa-p256", "--organization", "X",
		"--key", "pkcs11:token=EFGSTA;object=efgsta", "--module", store.Module)
	s.expect(`PIN for token "EFGSTA" .*: `)
	s.untilSilent()
	proc := fmt.Sprintf("/proc/%d/", s.cmd.Process.Pid)
	for _, line := range strings.Split(readText(t, proc+"limits"), "\n") {
		if strings.HasPrefix(line, "Max core file size") && len(strings.Fields(line)) > 5 && (strings.Fields(line)[4] != "0" || strings.Fields(line)[5] != "0") {
			t.Errorf("core files may be written: %s", line)
		}
	}
	s.send(ownPIN + "\n")
	s.expect("\n")
	for _, name := range []string{"cmdline", "environ"} {
		if text, err := os.ReadFile(proc + name); err == nil && strings.Contains(string(text), ownPIN) {
			t.Errorf("the PIN is in /proc/PID/%s", name)
		}
	}
	s.ends(exitYes)
	wrong := startOnTerminal(t, "hsm", "inspect", "--workspace", ws)
	wrong.expect(`PIN for token`)
	wrong.untilSilent()
	wrong.send("wrong" + ownPIN + "\n")
	wrong.ends(exitHSM)
	for what, text := range map[string]string{"screen": s.shown() + wrong.shown(), "stdout": s.out.String() + wrong.out.String(), "stderr": s.err.String() + wrong.err.String()} {
		if strings.Contains(text, ownPIN) {
			t.Errorf("the PIN is in %s", what)
		}
	}
	err = filepath.WalkDir(ws, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && strings.Contains(readText(t, path), ownPIN) {
			t.Errorf("the PIN is in %s", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
