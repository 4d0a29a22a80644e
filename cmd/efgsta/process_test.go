package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// patience is how long any single run may take before it counts as hanging.
const patience = 60 * time.Second

// command is efgsta as a process of its own. TestMain put it on the PATH.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "efgsta", args...)
	c.Env = append(os.Environ(), "USER=alice", "EFGSTA_WORKSPACE=")
	return c
}

// outcome is what a run showed and how it ended.
type outcome struct {
	code           int
	stdout, stderr string
}

func finish(t *testing.T, c *exec.Cmd) outcome {
	t.Helper()
	var out, err bytes.Buffer
	c.Stdout, c.Stderr = &out, &err
	code := exitOf(t, c.Run())
	return outcome{code, out.String(), err.String()}
}

func exitOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// must runs efgsta and demands exit 0.
func must(t *testing.T, args ...string) outcome {
	t.Helper()
	o := finish(t, command(t, args...))
	if o.code != 0 {
		t.Fatalf("efgsta %s: exit %d\n%s%s", strings.Join(args, " "), o.code, o.stdout, o.stderr)
	}
	return o
}

// place is a rehearsal workspace with a P-256 EFGSTA and one member's certificates.
type place struct {
	dir, ws, pass, anchor string
	maker                 *maker
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{dir: dir, ws: filepath.Join(dir, "ws"), pass: filepath.Join(dir, "pass"), anchor: filepath.Join(dir, "efgsta.pem"), maker: newMaker()}
	write(t, p.pass, "pass-"+rand.Text()+"\n", 0o600)
	must(t, "init", p.ws, "--environment", "rehearsal")
	must(t, "anchor", "create", "--workspace", p.ws, "--algorithm", "ecdsa-p256", "--organization", "X", "--key", "file:keys/efgsta.p8", "--pin-file", p.pass)
	write(t, p.anchor, must(t, "anchor", "show", "--workspace", p.ws, "--pem").stdout, 0o644)
	must(t, "member", "add", "DE", "--workspace", p.ws, "--name", "Germany", "--contact", "PKI desk <pki@example.de>")
	p.submit(t)
	return p
}

// submit brings one more NBBS and one more NBTLS.
func (p *place) submit(t *testing.T) {
	t.Helper()
	as := func(s string) string { return s }
	ca, list := filepath.Join(p.dir, "ca.pem"), filepath.Join(p.dir, "list.crl")
	if err := writeCA([]string{ca, list}, as); err != nil {
		t.Fatal(err)
	}
	for _, role := range []string{"nbbs", "nbtls"} {
		name := filepath.Join(p.dir, role+".pem")
		if err := p.maker.writeCert([]string{role, "DE", name}, as); err != nil {
			t.Fatal(err)
		}
		must(t, "submit", "DE", "--workspace", p.ws, "--"+role, name, "--roots", ca, "--crl", list, "--confirmed-by", "phone")
	}
}

// nbbs makes another NBBS without submitting it.
func (p *place) nbbs(t *testing.T, name string) string {
	t.Helper()
	file := filepath.Join(p.dir, name+".pem")
	if err := p.maker.writeCert([]string{"nbbs", "DE", file}, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	return file
}

// plan plans and returns the words.
func (p *place) plan(t *testing.T) string {
	t.Helper()
	m := wordsLine.FindStringSubmatch(must(t, "plan", "--workspace", p.ws).stdout)
	if m == nil {
		t.Fatal("the plan has no words")
	}
	return m[1]
}

// releases are the names under releases/, finished or not.
func (p *place) releases(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(p.ws, "releases"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (p *place) nothingSigned(t *testing.T, journalBefore string) {
	t.Helper()
	if names := p.releases(t); len(names) > 0 {
		t.Errorf("releases holds %v", names)
	}
	if p.journal(t) != journalBefore {
		t.Error("the journal has gone on")
	}
}

func (p *place) journal(t *testing.T) string {
	t.Helper()
	return readText(t, filepath.Join(p.ws, "journal.jsonl"))
}

func write(t *testing.T, name, text string, perm os.FileMode) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), perm); err != nil {
		t.Fatal(err)
	}
}

func wantMatch(t *testing.T, what, text, pattern string) {
	t.Helper()
	if !regexp.MustCompile(pattern).MatchString(text) {
		t.Errorf("%s does not match %q:\n%s", what, pattern, text)
	}
}

func readText(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
