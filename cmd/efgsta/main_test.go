package main

import (
	"crypto/ecdsa"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain puts this program on the PATH as efgsta, and typed beside it: scripts and tests run it as a
// process of its own, with its own directory, terminal and signals.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"efgsta": main, "typed": typed})
}

// TestScript runs the sessions in testdata/script. Each is one txtar file that
// reads like what a person types; script_test.go has the commands that are ours.
func TestScript(t *testing.T) {
	dir := t.TempDir()
	module := sync.OnceValues(func() (string, error) { return buildModules(dir) })
	testscript.Run(t, testscript.Params{
		Dir:                filepath.Join("testdata", "script"),
		Cmds:               scriptCommands,
		RequireUniqueNames: true,
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, "USER=alice", "TZ=Europe/Brussels")
			e.Values[makerKey{}] = newMaker()
			e.Values[moduleKey{}] = module
			e.Values[keysKey{}] = map[string]*ecdsa.PrivateKey{}
			return writeSecrets(e)
		},
	})
}

// writeSecrets gives every session files with a passphrase and a wrong one, in the
// mode that a secret must have. Both are unlike anything that is in a certificate.
func writeSecrets(e *testscript.Env) error {
	for name, text := range map[string]string{"PASS": "pass-" + rand.Text(), "WRONG": "wrong-" + rand.Text()} {
		path := filepath.Join(e.Cd, "secret", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
			return fmt.Errorf("write %s: %w", path, err)
		}
		e.Vars = append(e.Vars, name+"="+path)
	}
	return nil
}
