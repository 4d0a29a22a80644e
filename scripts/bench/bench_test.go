// Package bench measures what is promised of the built program: ratios and counts of
// one run. A count that is not as promised is a failure; a ratio is reported.
package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// build makes a binary and returns its path.
func build(b *testing.B, cgo, pkg string) string {
	b.Helper()
	out := filepath.Join(b.TempDir(), "program")
	cmd := exec.Command("go", "build", "-trimpath", "-o", out, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if text, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("go build %s: %v\n%s", pkg, err, text)
	}
	return out
}

func run(b *testing.B, dir, program string, args ...string) string {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		b.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// rounds is how often each program runs, alternately, so that both meet the same load.
const rounds = 200

// BenchmarkCheckOneFile holds the static build against a Go program that does
// nothing; the bar is a ratio of 3. Times are reported and never fail a run: what
// else the machine does is not the program's fault.
func BenchmarkCheckOneFile(b *testing.B) {
	dir := b.TempDir()
	check, nothing := build(b, "0", "../../cmd/efgsta"), build(b, "0", "./nothing")
	timed := func(program string, args ...string) time.Duration {
		start := time.Now()
		run(b, dir, program, args...)
		return time.Since(start)
	}
	for _, key := range []string{"rsa-3072", "ecdsa-p256"} {
		b.Run(key, func(b *testing.B) {
			file := state{"DE", 0, key}.write(b, dir, nbbs)
			for b.Loop() {
				var checks, nothings []time.Duration
				for range rounds {
					nothings = append(nothings, timed(nothing))
					checks = append(checks, timed(check, "check", "--type", "nbbs", "--country", "DE", file))
				}
				slices.Sort(checks)
				slices.Sort(nothings)
				b.ReportMetric(ms(nothings[rounds/2]), "ms/nothing")
				b.ReportMetric(ms(checks[rounds/2]), "ms/check")
				b.ReportMetric(float64(checks[rounds/2])/float64(nothings[rounds/2]), "check/nothing(median)")
				b.ReportMetric(float64(checks[0])/float64(nothings[0]), "check/nothing(best)")
			}
			b.ReportMetric(0, "ns/op") // the time of all those runs says nothing
		})
	}
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

var signedLine = regexp.MustCompile(`(?s)signed release 1: .*?, (\d+) signatures\nmade with .*?, (\d+) logins?\n`)

// A release of n certificates needs one login and 2n+3 signatures: two for each
// certificate, one over the list, two over the manifest.
func BenchmarkRelease(b *testing.B) {
	program := build(b, "1", "../../cmd/efgsta")
	for _, members := range []int{1, 25} {
		certificates := 2 * members
		b.Run(strconv.Itoa(certificates)+"-certificates", func(b *testing.B) {
			for b.Loop() {
				took, out := walk(b, program, newToken(b), members).signed(b)
				signatures, logins := released(b, out)
				if want := 2*certificates + 3; signatures != want || logins != 1 {
					b.Errorf("%d signatures and %d logins, promised are %d and 1", signatures, logins, want)
				}
				b.ReportMetric(float64(logins), "logins")
				b.ReportMetric(float64(signatures), "signatures")
				b.ReportMetric(float64(took.Milliseconds())/float64(signatures), "ms/signature")
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// released reads what sign says that it did.
func released(b *testing.B, out string) (signatures, logins int) {
	b.Helper()
	m := signedLine.FindStringSubmatch(out)
	if m == nil {
		b.Fatalf("sign does not say what it did:\n%s", out)
	}
	signatures, _ = strconv.Atoi(m[1])
	logins, _ = strconv.Atoi(m[2])
	return signatures, logins
}

// ready is a workspace in which everything is done but sign.
type ready struct {
	program, dir string
	sign         []string
}

// walk makes a workspace with two certificates for each member and an EFGSTA with an
// RSA-3072 key in a token, up to its plan.
func walk(b *testing.B, program string, k tokenKey, members int) ready {
	b.Helper()
	dir := b.TempDir()
	ws := filepath.Join(dir, "ws")
	run(b, dir, program, "init", ws, "--environment", "rehearsal")
	run(b, ws, program, append([]string{"anchor", "create", "--organization", "Bench"}, k.flags()...)...)
	proof := evidence(b, dir)
	for i, country := range strings.Fields("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE")[:members] {
		s := state{country, int64(i), "ecdsa-p256"}
		run(b, ws, program, "member", "add", country, "--name", country, "--contact", "Desk <desk@example.eu>")
		run(b, ws, program, append([]string{"submit", country, "--nbtls", s.write(b, dir, nbtls), "--nbbs", s.write(b, dir, nbbs), "--confirmed-by", "phone"}, proof...)...)
	}
	_, words, ok := strings.Cut(run(b, ws, program, "plan"), "Read aloud")
	if !ok {
		b.Fatal("plan shows no words")
	}
	words, _, _ = strings.Cut(words, "\n")
	return ready{program, ws, []string{"sign", "--pin-file", k.pin, "--confirm", words}}
}

// signed signs in a copy of the workspace, and returns how long that took and what was said.
func (r ready) signed(b *testing.B) (time.Duration, string) {
	b.Helper()
	ws := filepath.Join(b.TempDir(), "ws")
	if err := os.CopyFS(ws, os.DirFS(r.dir)); err != nil {
		b.Fatal(err)
	}
	start := time.Now()
	out := run(b, ws, r.program, r.sign...)
	return time.Since(start), out
}
