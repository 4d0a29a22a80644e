//go:build linux

package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilePassword: submit asks for a file's password without showing it, and where
// there is no terminal says what to give instead.
func TestFilePassword(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	file := filepath.Join(p.dir, "nbbs.p12")
	openssl := exec.Command("openssl", "pkcs12", "-export", "-nokeys", "-in", p.nbbs(t, "another"), "-passout", "pass:correct horse", "-out", file)
	if out, err := openssl.CombinedOutput(); err != nil {
		t.Fatalf("openssl (run make test-deps): %v\n%s", err, out)
	}
	args := []string{"submit", "DE", file, "--workspace", p.ws}
	before := p.journal(t)

	alone := command(t, args...)
	alone.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if o := finish(t, alone); o.code != exitUsage {
		t.Errorf("without terminal: exit %d", o.code)
	} else {
		wantMatch(t, "stderr", o.stderr, `there is no terminal to ask on\nhint: give it with --password-file`)
	}
	for _, tc := range []struct {
		answer string
		code   int
		says   string
	}{
		{"corr\x03", exitAborted, "aborted"},
		{"\n", exitUsage, "the password is wrong"},
		{"correct house\n", exitUsage, "the password is wrong"},
	} {
		s := startOnTerminal(t, args...)
		s.expect(`password of nbbs\.p12: `)
		s.untilSilent()
		s.send(tc.answer)
		s.ends(tc.code)
		wantMatch(t, "stderr", s.err.String(), tc.says)
	}
	if p.journal(t) != before {
		t.Error("the journal has gone on")
	}
	s := startOnTerminal(t, args...)
	s.expect(`password of nbbs\.p12: `)
	s.untilSilent()
	s.send("correct horse\n")
	s.ends(exitYes)
	wantMatch(t, "stdout", s.out.String(), "recorded DE nbbs")
	if strings.Contains(s.shown(), "horse") {
		t.Error("the password is shown")
	}
}
