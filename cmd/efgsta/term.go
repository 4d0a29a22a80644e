package main

// Everything a user sees goes through this file. Results go to stdout; all else
// to stderr. An error is one line of what, starting with the program's name and
// a lower-case word, without a full stop, then "hint:" lines of what to do.
// Prompts open the terminal device, so that piping works. Secrets are byte
// slices, erased after use. Text from certificates is escaped before it gets here.

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/efgsta/efgsta/pkg/report"
)

// app is the outside world of one run: streams, environment, clock.
type app struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
	now      func() time.Time

	lost error // the first result that stdout did not take
}

// printf writes a result to stdout. Whoever reads it must not take a part for the
// whole, so run turns a failed write into a failed command.
func (a *app) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(a.out, format, args...); err != nil && a.lost == nil {
		a.lost = err
	}
}

// notef writes a remark to stderr.
func (a *app) notef(format string, args ...any) { fmt.Fprintf(a.err, format+"\n", args...) }

// fail reports err and returns its exit code.
func (a *app) fail(err error) int {
	code := exitCode(err)
	if msg := err.Error(); msg != "" {
		fmt.Fprintf(a.err, "efgsta: %s\n", report.Escape(msg))
	}
	for line := range strings.Lines(hintOf(err)) {
		fmt.Fprintf(a.err, "hint: %s\n", report.Escape(strings.TrimRight(line, "\n")))
	}
	return code
}

// bug reports a defect of ours without throwing a stack trace at an operator.
func (a *app) bug(what string, stack []byte) {
	fmt.Fprintf(a.err, "efgsta: internal error: %s\n", report.Escape(what))
	if a.env("EFGSTA_DEBUG") != "" {
		fmt.Fprintf(a.err, "%s\n", stack)
		return
	}
	fmt.Fprintln(a.err, "hint: this is a bug; nothing further was written. Run again with EFGSTA_DEBUG=1 and report what it prints")
}

// isTerminal reports whether what is written there appears on a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// colour reports whether stdout may be coloured.
func (a *app) colour() bool {
	return a.env("NO_COLOR") == "" && a.env("TERM") != "dumb" && isTerminal(a.out)
}

// width is the width of the terminal on stdout in columns, or 0 if it is none.
func (a *app) width() int {
	if f, ok := a.out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil {
			return w
		}
	}
	return 0
}

var errNoTerminal = errors.New("there is no terminal to ask on")

// withTerminal runs fn on the terminal device and restores its state, also when
// the run is interrupted while the echo is off.
func (a *app) withTerminal(interrupted <-chan struct{}, fn func(tty *os.File) error) error {
	tty, err := os.OpenFile(ttyDevice, os.O_RDWR, 0)
	if err != nil {
		return errNoTerminal
	}
	defer tty.Close()
	saved, err := term.GetState(int(tty.Fd()))
	if err != nil {
		return errNoTerminal
	}
	done := make(chan error, 1)
	go func() { done <- fn(tty) }()
	select {
	case err := <-done:
		return err
	case <-interrupted:
		// The read cannot be cancelled; the process ends right after this.
		_ = term.Restore(int(tty.Fd()), saved)
		fmt.Fprintln(tty)
		return &exitError{code: exitAborted, err: errAborted}
	}
}

// askSecret asks for a PIN or passphrase without echo. The caller erases the answer.
func (a *app) askSecret(interrupted <-chan struct{}, prompt string) ([]byte, error) {
	return a.askSecretOr(interrupted, prompt, "give it with --pin-file FILE (mode 0600) or --pin-fd N")
}

// askSecretOr is askSecret with a hint of what to do where there is no terminal.
func (a *app) askSecretOr(interrupted <-chan struct{}, prompt, hint string) ([]byte, error) {
	var secret []byte
	err := a.withTerminal(interrupted, func(tty *os.File) error {
		s, err := readSilently(tty, func() { fmt.Fprintf(tty, "%s: ", report.Escape(prompt)) })
		fmt.Fprintln(tty)
		secret = s
		return err
	})
	return secret, unanswered(err, prompt, hint)
}

// askLine asks for a line with echo. hint says what to do where there is no terminal.
func (a *app) askLine(interrupted <-chan struct{}, prompt, hint string) (string, error) {
	var line string
	err := a.withTerminal(interrupted, func(tty *os.File) error {
		fmt.Fprintf(tty, "%s: ", report.Escape(prompt))
		s, err := readLine(tty)
		line = s
		return err
	})
	return line, unanswered(err, prompt, hint)
}

// unanswered says why a question was not answered: nobody to ask, or Ctrl-D, which is a no.
func unanswered(err error, prompt, hint string) error {
	switch {
	case errors.Is(err, errNoTerminal):
		return usagef(hint, "%s: %w", prompt, err)
	case errors.Is(err, io.EOF):
		return &exitError{code: exitAborted, err: errAborted}
	}
	return err
}

// readLine reads one line byte by byte, so that nothing after it is consumed.
func readLine(r io.Reader) (string, error) {
	const max = 4096
	var line []byte
	var b [1]byte
	for len(line) < max {
		n, err := r.Read(b[:])
		if n == 1 {
			if b[0] == '\n' {
				return strings.TrimRight(string(line), "\r"), nil
			}
			line = append(line, b[0])
			continue
		}
		if err == io.EOF && len(line) > 0 {
			return string(line), nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", errors.New("answer is too long")
}
