package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// session runs commands one after another and stops at the first surprise.
type session struct {
	binary string
	root   string
	dir    string // where the next command runs
	err    error
}

func (s *session) chapter(title string) {
	fmt.Printf("\n=== %s ===\n", title)
}

func (s *session) say(lines ...string) {
	if s.err != nil {
		return
	}
	fmt.Println()
	for _, l := range lines {
		fmt.Println("# " + l)
	}
}

// cd changes the directory for the commands that follow.
func (s *session) cd(to string) {
	if s.err == nil {
		s.dir = filepath.Join(s.dir, to)
		fmt.Printf("\n$ cd %s\n", to)
	}
}

// run shows a command, runs it, shows its output and demands this exit code. It
// returns the output.
func (s *session) run(want int, args ...string) string {
	var out bytes.Buffer
	if s.err != nil {
		return ""
	}
	fmt.Printf("\n$ %s\n", line(args))
	code, err := s.do(&out, &out, args)
	os.Stdout.Write(out.Bytes())
	if code != 0 {
		fmt.Printf("$ echo $?\n%d\n", code)
	}
	if err == nil && code != want {
		err = fmt.Errorf("%s: exit code %d, expected %d", line(args), code, want)
	}
	s.err = err
	return out.String()
}

// save runs a command with its stdout in a file.
func (s *session) save(name string, args ...string) {
	if s.err != nil {
		return
	}
	fmt.Printf("\n$ %s > %s\n", line(args), name)
	var out, errs bytes.Buffer
	code, err := s.do(&out, &errs, args)
	os.Stdout.Write(errs.Bytes())
	if err == nil && code != 0 {
		err = fmt.Errorf("%s: exit code %d, expected 0", line(args), code)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(s.dir, name), out.Bytes(), 0o644)
	}
	s.err = err
}

func (s *session) do(stdout, stderr *bytes.Buffer, args []string) (code int, err error) {
	cmd := exec.Command(s.binary, args...)
	cmd.Dir, cmd.Env = s.dir, environment()
	cmd.Stdout, cmd.Stderr = stdout, stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return -1, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// environment is ours without what would change the session.
func environment() []string {
	return append(slices.DeleteFunc(os.Environ(), func(kv string) bool {
		return strings.HasPrefix(kv, "EFGSTA_")
	}), "EFGSTA_OPERATOR=demo")
}

// line is a command as one would type it in a shell.
func line(args []string) string {
	words := []string{"efgsta"}
	for _, a := range args {
		if strings.ContainsAny(a, " <>") {
			a = `"` + a + `"`
		}
		words = append(words, a)
	}
	return strings.Join(words, " ")
}

// after returns the rest of the line that begins with a label.
func after(text, label string) (string, bool) {
	for l := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(l, label); ok {
			return strings.TrimSpace(rest), true
		}
	}
	return "", false
}

// marker names a directory that may be removed: only the demo makes it.
const marker = ".efgsta-demo"

// fresh makes an empty directory, in place of one of an earlier demo, and returns its absolute path.
func fresh(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, marker)); err != nil {
			return "", fmt.Errorf("%s is not empty and not from an earlier demo: name another directory with -dir", dir)
		}
		if err := os.RemoveAll(dir); err != nil {
			return "", err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, marker), []byte("made by examples/demo, which removes this directory when it runs again\n"), 0o644)
}
