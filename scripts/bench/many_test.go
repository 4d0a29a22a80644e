package bench

import (
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// files writes n good certificates, each with a key of its own, one per file.
func files(b *testing.B, n int) string {
	b.Helper()
	dir := b.TempDir()
	for i := range n {
		var der []byte
		for der == nil || sha256.Sum256(der)[0] == 0 { // EFGS-701
			var err error
			if der, err = (state{"DE", int64(i), "ecdsa-p256"}).make(nbbs); err != nil {
				b.Fatal(err)
			}
		}
		text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%05d.pem", i)), text, 0o644); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

var checkMany = []string{"check", "--type", "nbbs", "--country", "DE"}

// counted fails if not all n certificates are accepted.
func counted(b *testing.B, out string, n int) {
	b.Helper()
	if want := fmt.Sprintf("%d accepted, 0 refused, 0 undecided", n); !strings.Contains(out, want) {
		b.Fatalf("check does not say %q:\n%s", want, out)
	}
}

// BenchmarkCheckFiles holds two cores against one, and check against one openssl
// process per file. The bars are 1.7 and 100; the first says nothing on a machine
// that has other work, or one core.
func BenchmarkCheckFiles(b *testing.B) {
	const n, processes, turns = 2000, 50, 5
	program, dir := build(b, "0", "../../cmd/efgsta"), files(b, n)
	// Not --jobs 1, which still writes verdicts and collects garbage on the other core.
	checks := func(cores int) time.Duration {
		b.Setenv("GOMAXPROCS", strconv.Itoa(cores))
		start := time.Now()
		counted(b, run(b, dir, program, slices.Concat(checkMany, []string{dir})...), n)
		return time.Since(start)
	}
	texts := func() time.Duration {
		start := time.Now()
		for i := range processes {
			run(b, dir, "openssl", "x509", "-text", "-noout", "-in", fmt.Sprintf("%05d.pem", i))
		}
		return time.Since(start)
	}
	for b.Loop() {
		var one, two, openssl []time.Duration
		for range turns {
			one, two, openssl = append(one, checks(1)), append(two, checks(2)), append(openssl, texts())
		}
		for _, d := range [][]time.Duration{one, two, openssl} {
			slices.Sort(d)
		}
		of := func(d []time.Duration, n int) float64 { return d[turns/2].Seconds() / float64(n) }
		b.ReportMetric(1e6*of(two, n), "µs/file")
		b.ReportMetric(1e6*of(openssl, processes), "µs/openssl")
		b.ReportMetric(of(one, n)/of(two, n), "1-core/2-cores")
		b.ReportMetric(of(openssl, processes)/of(two, n), "openssl/check")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkCheckMemory holds the memory of a run over 10,000 files against that of
// one over 1,000: verdicts are written as they come, and the bar is that memory stays
// the same but for what the comparison of keys across files needs.
func BenchmarkCheckMemory(b *testing.B) {
	const few, many = 1000, 10000
	program, peak := build(b, "0", "../../cmd/efgsta"), build(b, "0", "./peak")
	dirs := map[int]string{few: files(b, few), many: files(b, many)}
	for b.Loop() {
		used := map[int]float64{}
		for n, dir := range dirs {
			out, err := exec.Command(peak, slices.Concat([]string{program}, checkMany, []string{dir})...).Output()
			if err != nil {
				b.Fatalf("%v: %s", err, out)
			}
			bytes, err := strconv.Atoi(strings.TrimSpace(string(out)))
			if err != nil {
				b.Fatal(err)
			}
			used[n] = float64(bytes) / (1 << 20)
			b.ReportMetric(used[n], fmt.Sprintf("MiB/%d-files", n))
		}
		b.ReportMetric(used[many]/used[few], "10000/1000-files")
	}
	b.ReportMetric(0, "ns/op")
}
