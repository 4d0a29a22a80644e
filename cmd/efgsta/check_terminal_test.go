//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// slowly makes three named pipes, of which a run of check gets a certificate each: the
// second not before the run is long enough for progress to be shown.
func slowly(t *testing.T) (names []string, feed func(i int)) {
	t.Helper()
	dir := t.TempDir()
	certificate := filepath.Join(dir, "nbbs.pem")
	if err := newMaker().writeCert([]string{"nbbs", "DE", certificate}, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		name := filepath.Join(dir, fmt.Sprintf("pipe%d", i))
		if err := syscall.Mkfifo(name, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	began := time.Now()
	return names, func(i int) {
		t.Helper()
		if i == 1 {
			time.Sleep(time.Until(began.Add(progressAfter + progressAfter/2)))
		}
		write(t, names[i], readText(t, certificate), 0o600)
	}
}

// TestProgress shows how far a long check is on a terminal, and leaves nothing of it there.
func TestProgress(t *testing.T) {
	t.Parallel()
	names, feed := slowly(t)
	s := startThere(t, true, append([]string{"check", "--country", "DE", "--jobs", "1"}, names...)...)
	feed(0)
	feed(1)
	s.expect(`\rreading: 2 files`)
	feed(2)
	s.ends(exitYes)
	s.expect(`\r +\r`)
	waitFor(time.Second, func() bool { return strings.HasSuffix(s.shown(), " \r") })
	if screen := s.shown(); !regexp.MustCompile(`\r +\r$`).MatchString(screen) {
		t.Errorf("progress stays on the screen: %q", screen)
	}
	if text := s.out.String(); strings.Contains(text, "\r") || strings.Count(text, "ACCEPTED") != 3 {
		t.Errorf("stdout:\n%q", text)
	}
}

// TestNoProgress: nothing of it reaches a pipe.
func TestNoProgress(t *testing.T) {
	t.Parallel()
	names, feed := slowly(t)
	go func() {
		for i := range names {
			feed(i)
		}
	}()
	if o := finish(t, command(t, append([]string{"check", "--country", "DE"}, names...)...)); o.code != exitYes || o.stderr != "" {
		t.Errorf("exit %d, stderr %q", o.code, o.stderr)
	}
}

// TestInterruptedCheck: Ctrl-C ends a check that waits for a pipe, and one that writes.
func TestInterruptedCheck(t *testing.T) {
	t.Parallel()
	names, feed := slowly(t)
	s := startThere(t, true, append([]string{"check", "--jobs", "1"}, names...)...)
	feed(0)
	feed(1)
	s.expect(`\rreading: 2 files`)
	s.send("\x03")
	s.expect(`\r +\r(?:\^C)?efgsta: aborted\r\n`)
	s.ends(exitAborted)

	dir := filepath.Join(t.TempDir(), "reports")
	certs := manyCerts(t, 4000)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(dir, "report.json")
	write(t, report, "before", 0o600)
	c := command(t, "check", "--jobs", "1", "--format", "json", "-o", report, certs)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	begun := func() bool { all, err := os.ReadDir(dir); return err == nil && len(all) == 2 }
	waitFor(patience, begun)
	if !begun() {
		t.Fatal("no report is begun")
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := exitOf(t, c.Wait()); code != exitAborted {
		t.Errorf("exit %d", code)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 1 || readText(t, report) != "before" {
		t.Errorf("left: %v, %v", all, err)
	}
}

// manyCerts is a directory with n names of one certificate.
func manyCerts(t *testing.T, n int) string {
	t.Helper()
	dir := t.TempDir()
	first := filepath.Join(dir, "0.pem")
	if err := newMaker().writeCert([]string{"nbbs", "DE", first}, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	for i := 1; i < n; i++ {
		if err := os.Link(first, filepath.Join(dir, fmt.Sprintf("%d.pem", i))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestFlatMemory: ten times the files do not take ten times the memory, in a form
// that comes out with each verdict and in one that comes out at the end.
func TestFlatMemory(t *testing.T) {
	t.Parallel()
	few, many := manyCerts(t, 400), manyCerts(t, 4000)
	peak := func(format, dir string) int64 {
		c := command(t, "check", "--country", "DE", "--jobs", "2", "--format", format, dir)
		c.Stdout = nil
		if code := exitOf(t, c.Run()); code != exitYes {
			t.Fatalf("exit %d", code)
		}
		return c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss // KiB
	}
	for _, format := range []string{"json", "html"} {
		a, b := peak(format, few), peak(format, many)
		t.Logf("%s: %d KiB for 400 files, %d KiB for 4000", format, a, b)
		if b > 2*a {
			t.Errorf("%s: %d KiB for 400 files, %d KiB for 4000", format, a, b)
		}
	}
}

// TestChangedBetween: what is not what it was when keys were compared gets no verdict by its content.
func TestChangedBetween(t *testing.T) {
	t.Parallel()
	a := &app{in: strings.NewReader(""), out: os.Stdout, err: os.Stderr, env: os.Getenv, now: time.Now}
	dir := manyCerts(t, 1)
	run := newTestRun(t, a)
	if err := run.gather(t.Context(), []string{dir}); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "0.pem")
	for _, tc := range []struct {
		what, says string
		change     func() error
	}{
		{"the same", "", func() error { return nil }},
		{"one byte more", "changed while it was checked", func() error { return os.WriteFile(name, []byte(readText(t, name)+"\n"), 0o600) }},
		{"gone", "cannot be read now", func() error { return os.Remove(name) }},
	} {
		if err := tc.change(); err != nil {
			t.Fatal(err)
		}
		f := run.files[0]
		f.input = nil
		text := fmt.Sprint(run.vetFile(&f)[0].Findings)
		if tc.says == "" && strings.Contains(text, "EFGS-001") || !strings.Contains(text, tc.says) {
			t.Errorf("%s: %s", tc.what, text)
		}
	}
}

// TestPanicIsFinding: a file that brings us down gets a finding, and the run goes on.
func TestPanicIsFinding(t *testing.T) {
	t.Parallel()
	a := &app{in: strings.NewReader(""), out: os.Stdout, err: os.Stderr, env: os.Getenv, now: time.Now}
	run := newTestRun(t, a)
	run.options.Password = func() ([]byte, error) { panic("no such thing") }
	name := sealed(t)
	scanned := run.scan(source{name: name})
	if scanned.err != nil || scanned.input == nil {
		t.Fatalf("%+v", scanned)
	}
	for what, f := range map[string]file{
		"in the first pass":  {source: scanned.source, input: scanned.input},
		"in the second pass": {source: source{name: name}},
	} {
		results := run.vetFile(&f)
		if len(results) != 1 || results[0].Verdict != vet.VerdictRefused || !strings.Contains(fmt.Sprint(results[0].Findings), "failed internally on this file: no such thing") {
			t.Errorf("%s: %+v", what, results)
		}
	}
}

func newTestRun(t *testing.T, a *app) *checkRun {
	t.Helper()
	pol, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	engine, err := vet.New(pol)
	if err != nil {
		t.Fatal(err)
	}
	return &checkRun{app: a, engine: engine, jobs: 2, progress: &progress{}, keys: newOthers(nil), req: vet.Request{Role: vet.NBBS, Country: "DE", At: a.now(), AnyEnvironment: true}}
}

// sealed is a PKCS#12 file, for which a password is asked.
func sealed(t *testing.T) string {
	t.Helper()
	dir := manyCerts(t, 1)
	name := filepath.Join(dir, "sealed.p12")
	out, err := exec.Command("openssl", "pkcs12", "-export", "-nokeys", "-in", filepath.Join(dir, "0.pem"), "-out", name, "-passout", "pass:x").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return name
}
