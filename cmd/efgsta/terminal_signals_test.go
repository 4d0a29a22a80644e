//go:build linux

package main

import (
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/hsm/softhsmtest"
)

// TestEndsOfAPrompt: whatever ends a prompt for a secret gives the echo back, exit 4.
func TestEndsOfAPrompt(t *testing.T) {
	t.Parallel()
	// Under nohup a hangup is ignored, and what is started inherits that, unless it is caught here.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	p := newPlace(t)
	words := p.plan(t)
	before := p.journal(t)
	for name, end := range map[string]func(*terminal){
		"Ctrl-\\":                   func(s *terminal) { s.send("half a passph\x1c") },
		"Ctrl-D":                    func(s *terminal) { s.send("\x04") },
		"Ctrl-D behind half of one": func(s *terminal) { s.send("half a passph\x04") },
		"the terminal goes":         func(s *terminal) { _ = s.cmd.Process.Signal(syscall.SIGHUP) },
	} {
		s := startOnTerminal(t, "sign", "--workspace", p.ws, "--confirm", words)
		s.expect(`passphrase of .*: `)
		s.untilSilent()
		end(s)
		s.ends(exitAborted)
		if got := s.err.String(); !strings.HasSuffix(got, "efgsta: aborted\n") || strings.Contains(got, "goroutine") {
			t.Errorf("%s: stderr: %s", name, got)
		}
	}
	p.nothingSigned(t, before)
}

// TestTypedAheadIsNoAnswer: what was typed before a secret is asked for was shown, and
// is not taken for it.
func TestTypedAheadIsNoAnswer(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	s := startOnTerminal(t, "sign", "--workspace", p.ws)
	s.expect(`type its 8 words: `)
	s.send(words + "\nsomething typed too early\n")
	s.expect(`passphrase of .*: `)
	s.untilSilent()
	s.send(strings.TrimSpace(readText(t, p.pass)) + "\n")
	s.ends(exitYes)
}

// TestModuleThatHangs: a call of a module cannot be cut short. That is said, and a second
// signal ends the process in its own words.
func TestModuleThatHangs(t *testing.T) {
	dir := t.TempDir()
	store, err := softhsmtest.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	modules, err := buildModules(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(softhsmtest.EnvConf, store.Conf)
	t.Setenv("COUNTED_MODULE", store.Module)
	t.Setenv("COUNTED_CALLS", filepath.Join(dir, "calls"))
	t.Setenv("CRASH_AT", "constructor")
	t.Setenv("CRASH_HOW", "hang")

	s := startThere(t, true, "hsm", "list", "--module", filepath.Join(modules, "counting.so"))
	// The signal must find the handler in place: cobra sets it before the module is loaded.
	time.Sleep(500 * time.Millisecond)
	s.send("\x03")
	s.expect(`efgsta: interrupted, but the PKCS#11 module has not answered yet; interrupt again to end at once`)
	s.send("\x03")
	s.expect(`efgsta: aborted at once; what was not published is not published`)
	s.ends(exitAborted)
}

// TestRollAsksEachTokenOnce: both keys are in one token, and its PIN is asked for once.
func TestRollAsksEachTokenOnce(t *testing.T) {
	dir := t.TempDir()
	store, err := softhsmtest.Make(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"EFGSTA", "OTHER"} {
		if err := store.Init(label); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(softhsmtest.EnvConf, store.Conf)
	pin := filepath.Join(dir, "pin")
	write(t, pin, softhsmtest.UserPIN+"\n", 0o600)
	for token, prompts := range map[string]int{"EFGSTA": 1, "OTHER": 2} {
		ws := filepath.Join(dir, token)
		must(t, "init", ws, "--environment", "rehearsal")
		must(t, "anchor", "create", "--workspace", ws, "--algorithm", "ecdsa-p256", "--organization", "X",
			"--key", "pkcs11:token=EFGSTA;object=old", "--module", store.Module, "--pin-file", pin)
		s := startOnTerminal(t, "anchor", "roll", "announce", "--workspace", ws, "--next-key", "pkcs11:token="+token+";object=next", "--algorithm", "ecdsa-p256",
			"--organization", "X", "--from", time.Now().AddDate(0, 0, 200).UTC().Format(time.DateOnly), "-o", filepath.Join(dir, "roll"+token))
		for range prompts {
			s.expect(`PIN for token .*: `)
			s.untilSilent()
			s.send(softhsmtest.UserPIN + "\n")
		}
		s.ends(exitYes)
		if got := strings.Count(s.shown(), "PIN for token"); got != prompts {
			t.Errorf("%s: the PIN is asked for %d times, want %d:\n%s", token, got, prompts, s.shown())
		}
	}
}
