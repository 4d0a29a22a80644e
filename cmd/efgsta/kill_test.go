//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/journal"
)

// TestKilledSign kills sign -9 at many moments of its life. Whenever that is, there is
// no new release or a whole one, the journal verifies, and signing works afterwards.
func TestKilledSign(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	// One undisturbed run tells how long it takes.
	words := p.plan(t)
	start := time.Now()
	must(t, p.signArgs(words)...)
	whole := time.Since(start)

	sequence := 1
	ends := map[string]int{}
	for round := range 30 {
		// Something new to sign.
		must(t, "member", "add", fmt.Sprintf("%c%c", 'A'+round/26, 'A'+round%26), "--workspace", p.ws, "--name", "State", "--contact", "PKI desk <pki@example.org>")
		words := p.plan(t)
		c := command(t, p.signArgs(words)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		next := filepath.Join(p.ws, "releases", fmt.Sprintf("%06d", sequence+1))
		switch round % 3 {
		case 0: // anywhere in its life
			time.Sleep(whole * time.Duration(round) / 28)
		case 1: // as soon as it writes
			waitFor(whole*2, func() bool { return unfinished(p.ws) })
		case 2: // as soon as the release has its name, before or after the event
			waitFor(whole*2, func() bool { _, err := os.Lstat(next); return err == nil })
		}
		if err := c.Process.Kill(); err != nil && err != os.ErrProcessDone {
			t.Fatal(err)
		}
		_ = c.Wait() // killed, or just done

		_, err := os.Lstat(next)
		published := err == nil
		recorded := strings.Contains(p.journal(t), fmt.Sprintf(`"type":"released","data":{"sequence":%d,`, sequence+1))
		if recorded && !published {
			t.Fatalf("round %d: release %d is in the journal and not on disk", round, sequence+1)
		}
		ends[fmt.Sprintf("published %v, recorded %v, leftovers %v", published, recorded, unfinished(p.ws))]++
		p.verifyJournal(t)

		// The next command tidies up and says so.
		o := must(t, "status", "--workspace", p.ws, "--format", "json")
		if published && !recorded {
			wantMatch(t, "stderr", o.stderr, fmt.Sprintf("release %d was complete when a command was interrupted", sequence+1))
		}
		sequence++
		if published {
			p.verifyRelease(t, sequence)
		} else {
			must(t, p.signArgs(words)...) // the same plan is still good
		}
		if unfinished(p.ws) {
			t.Fatalf("round %d: leftovers in %v", round, p.releases(t))
		}
		if n := len(p.releases(t)); n != sequence {
			t.Fatalf("round %d: %d releases on disk, want %d", round, n, sequence)
		}
	}
	p.verifyRelease(t, sequence)
	for end, n := range ends {
		t.Logf("%2d times: %s", n, end)
	}
	if len(ends) < 2 {
		t.Error("every round ended in the same state: the kills do not hit what they are to hit")
	}
}

func (p *place) signArgs(words string) []string {
	return []string{"sign", "--workspace", p.ws, "--pin-file", p.pass, "--confirm", words}
}

// unfinished reports whether an interrupted command left anything under a temporary name.
func unfinished(ws string) bool {
	for _, dir := range []string{"releases", "plans"} {
		found, err := filepath.Glob(filepath.Join(ws, dir, ".tmp-*"))
		if err == nil && len(found) > 0 {
			return true
		}
	}
	return false
}

// waitFor polls without sleeping: the windows are shorter than a timer.
func waitFor(atMost time.Duration, done func() bool) {
	for end := time.Now().Add(atMost); time.Now().Before(end) && !done(); {
	}
}

// verifyJournal replays the chain as a reader would. A torn last line is no damage.
func (p *place) verifyJournal(t *testing.T) {
	t.Helper()
	if _, _, err := journal.Replay(strings.NewReader(p.journal(t)), nil); err != nil {
		t.Fatal(err)
	}
}

// verifyRelease exports a release and verifies it as a receiver.
func (p *place) verifyRelease(t *testing.T, sequence int) {
	t.Helper()
	tar := filepath.Join(t.TempDir(), "gateway.tar")
	must(t, "export", "gateway", "--workspace", p.ws, "-o", tar)
	o := must(t, "verify", "bundle", tar, "--anchor", p.anchor, "--state", filepath.Join(p.dir, "state.json"))
	wantMatch(t, "verify bundle", o.stdout, fmt.Sprintf("release %d ", sequence))
}

// TestInterruptedSign: Ctrl-C while it signs is a clean no (exit 4, nothing left) until
// the release has its name, and from then on a yes.
func TestInterruptedSign(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	before := p.journal(t)
	// Opening the key file takes most of the time: a wrong passphrase tells how long.
	wrong := filepath.Join(p.dir, "wrong")
	write(t, wrong, "wrong\n", 0o600)
	start := time.Now()
	if o := finish(t, command(t, "sign", "--workspace", p.ws, "--pin-file", wrong, "--confirm", words)); o.code != exitHSM {
		t.Fatalf("exit %d with a wrong passphrase", o.code)
	}
	opening := time.Since(start)
	for round := range 8 {
		c := command(t, p.signArgs(words)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(opening * time.Duration(round+2) / 8)
		if err := c.Process.Signal(os.Interrupt); err != nil && err != os.ErrProcessDone {
			t.Fatal(err)
		}
		code := exitOf(t, c.Wait())
		switch names := p.releases(t); {
		case code == exitYes && len(names) == 1:
			p.verifyRelease(t, 1)
			return
		case code == exitAborted:
			p.nothingSigned(t, before)
		case code == -1 && len(names) == 0:
			// It had not begun to listen for signals: the system ended it.
		default:
			t.Fatalf("round %d: exit %d with releases %v", round, code, names)
		}
	}
	must(t, p.signArgs(words)...)
}

// TestKilledInit: whatever init leaves, init again completes it or says that it is done.
func TestKilledInit(t *testing.T) {
	t.Parallel()
	start := time.Now()
	must(t, "init", filepath.Join(t.TempDir(), "ws"), "--environment", "rehearsal")
	whole := time.Since(start)
	for round := range 12 {
		ws := filepath.Join(t.TempDir(), "ws")
		c := command(t, "init", ws, "--environment", "rehearsal")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(round) / 11)
		_ = c.Process.Kill()
		_ = c.Wait()
		o := finish(t, command(t, "init", ws, "--environment", "rehearsal"))
		if o.code == 2 {
			wantMatch(t, "stderr", o.stderr, "is a workspace already")
		} else if o.code != 0 {
			t.Fatalf("round %d: exit %d: %s", round, o.code, o.stderr)
		}
		must(t, "status", "--workspace", ws)
	}
}

// TestKilledSubmit: a submission is recorded whole or not at all; the same one again settles it.
func TestKilledSubmit(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	args := func(file string) []string {
		return []string{"submit", "DE", "--workspace", p.ws, "--nbbs", file, "--confirmed-by", "phone"}
	}
	start := time.Now()
	must(t, args(p.nbbs(t, "first"))...)
	whole := time.Since(start)
	for round := range 12 {
		file := p.nbbs(t, fmt.Sprint(round))
		before := strings.Count(p.journal(t), "\n")
		c := command(t, args(file)...)
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(whole * time.Duration(round) / 11)
		_ = c.Process.Kill()
		_ = c.Wait()
		p.verifyJournal(t)
		must(t, args(file)...)
		must(t, args(file)...)
		if n := strings.Count(p.journal(t), "\n"); n != before+1 {
			t.Errorf("round %d: %d events more, want one", round, n-before)
		}
	}
}

// TestTwoAtOnce: one process holds the workspace, the other is told so.
func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	words := p.plan(t)
	// The passphrase comes through a pipe that stays silent: the first one waits, and holds the lock.
	silent, hold, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	first := command(t, "sign", "--workspace", p.ws, "--pin-fd", "3", "--confirm", words)
	first.ExtraFiles = []*os.File{silent}
	says, err := os.Create(filepath.Join(p.dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer says.Close()
	first.Stderr = says
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	silent.Close()
	waitFor(patience, func() bool { return strings.Contains(readText(t, says.Name()), "digest") })
	second := finish(t, command(t, "status", "--workspace", p.ws))
	if second.code != exitUsage {
		t.Errorf("exit %d, want %d", second.code, exitUsage)
	}
	wantMatch(t, "stderr", second.stderr, fmt.Sprintf(`is in use by process %d \(efgsta sign, since [0-9-]+T[0-9:]+Z\)\nhint: `, first.Process.Pid))
	if second.stdout != "" {
		t.Errorf("output beside the refusal: %s", second.stdout)
	}

	// The lock goes with its process, however that ends.
	if err := first.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.Wait()
	must(t, "status", "--workspace", p.ws)
	must(t, p.signArgs(words)...)
}
