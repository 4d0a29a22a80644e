//go:build linux

package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// terminal is efgsta on a terminal of its own. The terminal outlives it, so that its
// state can be looked at afterwards.
type terminal struct {
	t            *testing.T
	control, tty *os.File
	cmd          *exec.Cmd
	out, err     strings.Builder // stdout and stderr are no terminal here

	mu     sync.Mutex
	screen strings.Builder
	read   int // of the screen, up to the last match
}

func startOnTerminal(t *testing.T, args ...string) *terminal {
	t.Helper()
	return startThere(t, false, args...)
}

// startThere is startOnTerminal with stderr on the terminal too, if errors is true.
func startThere(t *testing.T, errors bool, args ...string) *terminal {
	t.Helper()
	control, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	term := &terminal{t: t, control: control, tty: tty, cmd: command(t, args...)}
	t.Cleanup(func() { tty.Close(); control.Close() })
	term.cmd.Stdin, term.cmd.Stdout, term.cmd.Stderr = tty, &term.out, &term.err
	if errors {
		term.cmd.Stderr = tty
	}
	term.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := term.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		buf := make([]byte, 4096)
		for {
			n, err := control.Read(buf)
			term.mu.Lock()
			term.screen.Write(buf[:n])
			term.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return term
}

// expect waits for new text on the screen.
func (s *terminal) expect(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
		s.mu.Lock()
		m := re.FindStringIndex(s.screen.String()[s.read:])
		if m != nil {
			s.read += m[1]
		}
		s.mu.Unlock()
		if m != nil {
			return
		}
	}
	s.t.Fatalf("no %q on the screen:\n%s\nstderr:\n%s", pattern, s.shown(), s.err.String())
}

// shown is everything that was on the screen.
func (s *terminal) shown() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.screen.String()
}

func (s *terminal) send(text string) {
	s.t.Helper()
	if _, err := io.WriteString(s.control, text); err != nil {
		s.t.Fatal(err)
	}
}

// untilSilent waits until the echo is off: typed before, a secret would be shown.
func (s *terminal) untilSilent() {
	s.t.Helper()
	waitFor(patience, func() bool { return !s.echoes() })
	if s.echoes() {
		s.t.Fatal("the echo stays on")
	}
}

func (s *terminal) echoes() bool {
	s.t.Helper()
	state, err := unix.IoctlGetTermios(int(s.tty.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// ends waits for the exit code; the terminal must be as it was found.
func (s *terminal) ends(code int) {
	s.t.Helper()
	if got := exitOf(s.t, s.cmd.Wait()); got != code {
		s.t.Errorf("exit %d, want %d\nscreen:\n%s\nstderr:\n%s", got, code, s.shown(), s.err.String())
	}
	if !s.echoes() {
		s.t.Error("the echo is off afterwards")
	}
}

// TestPrompts signs with passphrase and words typed at the terminal, with output and
// errors redirected: the prompts still reach the person, and the passphrase is never shown.
func TestPrompts(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	pass := strings.TrimSpace(readText(t, p.pass))

	s := startOnTerminal(t, "sign", "--workspace", p.ws)
	s.expect(`read the plan, then type its 8 words: `)
	s.send(words + "\n")
	s.expect(`passphrase of .*efgsta\.p8: `)
	s.untilSilent()
	s.send(pass + "\n")
	s.ends(exitYes)
	wantMatch(t, "stdout", s.out.String(), "signed release 1")
	if strings.Contains(s.shown()+s.out.String()+s.err.String(), pass) {
		t.Error("the passphrase is shown")
	}
	if strings.Contains(s.shown(), "signed release") {
		t.Error("the result went to the terminal, not to stdout")
	}
}

// TestWrongAnswers: wrong words, no words, a wrong passphrase.
func TestWrongAnswers(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	before := p.journal(t)

	s := startOnTerminal(t, "sign", "--workspace", p.ws)
	s.expect(`words: `)
	s.send("solo direction eyetooth\n")
	s.ends(exitAborted)
	wantMatch(t, "stderr", s.err.String(), "the words are not those of plan [0-9a-f]{64}; nothing was signed")

	s = startOnTerminal(t, "sign", "--workspace", p.ws)
	s.expect(`words: `)
	s.send("\x04") // the end of input
	s.ends(exitAborted)

	s = startOnTerminal(t, "sign", "--workspace", p.ws, "--confirm", words)
	s.expect(`passphrase of .*: `)
	s.untilSilent()
	s.send("not the passphrase\n")
	s.ends(exitHSM)
	wantMatch(t, "stderr", s.err.String(), "wrong passphrase")
	p.nothingSigned(t, before)
}

// TestInterrupt: Ctrl-C at each prompt aborts, exit 4, echo restored, nothing written.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	before := p.journal(t)

	s := startOnTerminal(t, "sign", "--workspace", p.ws)
	s.expect(`words: `)
	s.send("\x03")
	s.ends(exitAborted)
	wantMatch(t, "stderr", s.err.String(), `(?m)^efgsta: aborted$`)

	s = startOnTerminal(t, "sign", "--workspace", p.ws, "--confirm", words)
	s.expect(`passphrase of .*: `)
	s.untilSilent()
	s.send("half a passph\x03")
	s.ends(exitAborted)
	wantMatch(t, "stderr", s.err.String(), `(?m)^efgsta: aborted$`)

	// The same from outside.
	s = startOnTerminal(t, "sign", "--workspace", p.ws, "--confirm", words)
	s.expect(`passphrase of .*: `)
	s.untilSilent()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.ends(exitAborted)
	p.nothingSigned(t, before)
	must(t, p.signArgs(words)...)
}

// TestNewPassphrase: a new key's passphrase is typed twice and the same, and is not empty.
func TestNewPassphrase(t *testing.T) {
	t.Parallel()
	ws := filepath.Join(t.TempDir(), "ws")
	must(t, "init", ws, "--environment", "rehearsal")
	create := []string{"anchor", "create", "--workspace", ws, "--algorithm", "ecdsa-p256", "--organization", "X", "--key", "file:keys/efgsta.p8"}
	key := filepath.Join(ws, "keys", "efgsta.p8")
	for _, tc := range []struct {
		first, second string
		code          int
		says          string
	}{
		{"correct horse\n", "correct house\n", exitUsage, "the two passphrases differ"},
		{"\n", "\n", exitUsage, "an empty passphrase protects nothing"},
		{"correct horse\n", "corr\x03", exitAborted, "aborted"},
		{"correct horse\n", "correct horse\n", exitYes, "made a new ecdsa-p256 key"},
	} {
		s := startOnTerminal(t, create...)
		s.expect(`new passphrase for .*: `)
		s.untilSilent()
		s.send(tc.first)
		s.expect(`the same passphrase again: `)
		s.untilSilent()
		s.send(tc.second)
		s.ends(tc.code)
		wantMatch(t, "stderr", s.err.String(), tc.says)
		if strings.Contains(s.shown(), "horse") {
			t.Error("the passphrase is shown")
		}
		if _, err := os.Stat(key); (err == nil) != (tc.code == exitYes) {
			t.Errorf("%q, %q: key file: %v", tc.first, tc.second, err)
		}
	}
}

// TestNoTerminal: without one, what would be asked is an error that says what to give instead.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	before := p.journal(t)
	for _, tc := range []struct {
		args []string
		hint string
	}{
		{[]string{"sign", "--workspace", p.ws}, "--confirm"},
		{[]string{"sign", "--workspace", p.ws, "--confirm", words}, "--pin-file"},
	} {
		c := command(t, tc.args...)
		c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		o := finish(t, c)
		if o.code != exitUsage {
			t.Errorf("%v: exit %d, want %d", tc.args, o.code, exitUsage)
		}
		wantMatch(t, "stderr", o.stderr, `there is no terminal to ask on\nhint: .*`+regexp.QuoteMeta(tc.hint))
	}
	p.nothingSigned(t, before)
}

// TestColour: a verdict has colours on a terminal only, and never with NO_COLOR.
func TestColour(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "nbbs.pem")
	if err := newMaker().writeCert([]string{"nbbs", "DE", file}, func(s string) string { return s }); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		env  string
		want bool
	}{{"TERM=xterm", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		control, tty, err := pty.Open()
		if err != nil {
			t.Fatal(err)
		}
		c := command(t, "check", "--type", "nbbs", "--country", "DE", file)
		c.Env = append(c.Env, "NO_COLOR=", "TERM=xterm", tc.env)
		c.Stdout = tty
		if err := c.Run(); err != nil {
			t.Fatal(err)
		}
		tty.Close()
		shown, _ := io.ReadAll(control) // ends in an error once nobody holds the other side
		control.Close()
		wantMatch(t, fmt.Sprintf("with %s, the terminal", tc.env), string(shown), "ACCEPTED")
		if got := strings.Contains(string(shown), "\x1b["); got != tc.want {
			t.Errorf("%s: colour is %v", tc.env, got)
		}
	}
}
