//go:build !windows

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fakeZlint is a program that lists a lint of each family, and does as told with a
// certificate: what the real one shows only by accident. It returns its path.
func fakeZlint(t *testing.T, does string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "zlint")
	script := `#!/bin/sh
case $1 in
-version) echo "ZLint version v9.9.9" ;;
-list-lints-json)
	echo '{"name":"e_one","description":"one","citation":"BRs: 1","source":"CABF_BR"}'
	echo '{"name":"e_two","description":"two","citation":"RFC 5280: 2","source":"RFC5280"}' ;;
*) ` + does + ` ;;
esac
`
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func program(t *testing.T, ctx context.Context, does string) *zlintProgram {
	t.Helper()
	return &zlintProgram{ctx: ctx, path: fakeZlint(t, does), dir: t.TempDir(), time: 20 * time.Second}
}

// What goes wrong with zlint is said, the same in every run, and never taken for an answer.
func TestZlintFails(t *testing.T) {
	for _, test := range []struct{ what, does, says string }{
		{"an exit code", `echo '{}'; exit 3`, "exit status 3"},
		{"its log", `echo 'time="2026-11-22T10:19:00Z" level=fatal msg="unable to parse certificate: \"x\""' >&2; exit 1`, `exit status 1: unable to parse certificate: "x"`},
		{"a panic", `printf 'panic: runtime error: index out of range\n\ngoroutine 1 [running]:\n' >&2; exit 2`, "exit status 2: panic: runtime error: index out of range"},
		{"a signal", `kill -SEGV $$`, "signal: segmentation fault"},
		{"a lot of stderr", `while echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; do n=$((n+1)); [ $n -lt 1000 ] || exit 4; done >&2`, "exit status 4: xxx"},
		{"no end of output", `exec /bin/cat /dev/zero`, "it prints too much: more than 8388608 bytes"},
	} {
		out, err := program(t, t.Context(), test.does).RunZlint([]byte("certificate"))
		if err == nil || !strings.HasPrefix(err.Error(), test.says) || len(err.Error()) > 2*zlintStderr || out != nil {
			t.Errorf("%s: %q, %.200v; want %q", test.what, out, err, test.says)
		}
	}
}

// It gets the certificate and nothing else: an empty environment, a directory of its own.
func TestZlintGets(t *testing.T) {
	t.Setenv("SECRET", "value")
	z := program(t, t.Context(), `echo "$*"; /bin/pwd; /bin/cat; echo; echo "[$SECRET][$HOME][$USER]"`)
	out, err := z.RunZlint([]byte("certificate"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := filepath.EvalSymlinks(z.dir)
	if err != nil {
		t.Fatal(err)
	}
	if want := "-format der\n" + dir + "\ncertificate\n[][][]\n"; string(out) != want {
		t.Errorf("got %q, want %q", out, want)
	}
}

// A zlint that does not end is ended, with what it started: at its time, and on Ctrl-C.
func TestZlintHangs(t *testing.T) {
	ctx, interrupt := context.WithCancel(t.Context())
	for _, test := range []struct {
		what string
		ctx  context.Context
		time time.Duration
		want error
	}{
		{"time", t.Context(), 500 * time.Millisecond, errZlintTime},
		{"Ctrl-C", ctx, time.Minute, context.Canceled},
	} {
		pidFile := filepath.Join(t.TempDir(), "pid")
		z := program(t, test.ctx, fmt.Sprintf(`/bin/sleep 300 & echo $! >%s.new; /bin/mv %s.new %s; wait`, pidFile, pidFile, pidFile))
		z.time = test.time
		done := make(chan error)
		go func() {
			_, err := z.RunZlint(nil)
			done <- err
		}()
		pid := 0
		eventually(t, "its child", func() bool {
			text, err := os.ReadFile(pidFile)
			if err == nil {
				pid, err = strconv.Atoi(strings.TrimSpace(string(text)))
			}
			return err == nil
		})
		if test.want == context.Canceled {
			interrupt()
		}
		if err := <-done; !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.what, err)
		}
		eventually(t, test.what+": the end of its child", func() bool { return gone(pid) })
	}
	interrupt()
}

// After Ctrl-C nothing is left, of any of those that ran at the same time.
func TestZlintInterrupted(t *testing.T) {
	dir := t.TempDir()
	m := newMaker()
	for i := range 4 {
		name := filepath.Join(dir, "certs", fmt.Sprintf("%d.pem", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := m.writeCert([]string{"nbtls", "DE", name}, func(s string) string { return s }); err != nil {
			t.Fatal(err)
		}
	}
	pids, tmp := filepath.Join(dir, "pids"), filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o755); err != nil {
		t.Fatal(err)
	}
	c := command(t, "check", "--jobs", "4", "--country", "DE", "--zlint", fakeZlint(t, "/bin/sleep 300 & echo $$ $! >>"+pids+"; wait"), filepath.Join(dir, "certs"))
	c.Env = append(c.Env, "TMPDIR="+tmp)
	var out bytes.Buffer
	c.Stdout = &out
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var started []string
	eventually(t, "four that run", func() bool {
		text, err := os.ReadFile(pids)
		started = strings.Fields(string(text))
		return err == nil && len(started) == 8
	})
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if code := exitOf(t, c.Wait()); code != exitAborted || strings.Contains(out.String(), "ACCEPTED") {
		t.Errorf("exit %d\n%s", code, out.String())
	}
	for _, text := range started {
		pid, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the end of "+text, func() bool { return gone(pid) })
	}
	left, err := os.ReadDir(tmp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// gone: there is no such process, or only what is left of it until its parent looks.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return true
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// What is not zlint is refused before anything is judged by it.
func TestFindZlint(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct{ what, path, says string }{
		{"nothing there", filepath.Join(dir, "missing"), "no such file"},
		{"a directory", dir, "directory"},
		{"no program", write("text", "text", 0o644), "permission denied"},
		{"another program", "/bin/echo", "is not zlint"},
		{"a failing program", "/bin/false", "exit status 1"},
		{"its name only", write("named", "#!/bin/sh\necho ZLint version 1\n", 0o755), "list of lints"},
		{"two lines", write("lines", "#!/bin/sh\necho ZLint version 1\necho 2\n", 0o755), "is not zlint"},
	} {
		_, err := findZlint(test.path, program(t, t.Context(), ""))
		if err == nil || !strings.Contains(err.Error(), test.says) || exitCode(err) != exitUsage || !strings.Contains(hintOf(err), "go install") {
			t.Errorf("%s: %v (hint %q), want %q", test.what, err, hintOf(err), test.says)
		}
	}
	z, err := findZlint(fakeZlint(t, "exit 1"), program(t, t.Context(), ""))
	if err != nil || z.Name != "zlint v9.9.9" {
		t.Errorf("%+v, %v", z, err)
	}
}
