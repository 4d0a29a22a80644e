//go:build unix

// Package mutate changes certificates at random, byte by byte and element by
// element, and vets what comes out: nothing may panic, hang, or go without a verdict.
package mutate

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

var (
	count = flag.Int("mutations", 5_000, "how many; make mutate has 100,000")
	only  = flag.Int("mutation", -1, "the number of one mutation, which is also written to standard output")
)

const (
	seedNumber = 20200901 // whoever changes it, or a seed, or the mutator, gets other mutations
	watchdog   = 5 * time.Second
)

// seed is a certificate that mutations start from.
type seed struct {
	name string
	der  []byte
	tree *node
}

// seeds reads testdata: seeds.sh made it.
func seeds(t *testing.T) []seed {
	t.Helper()
	files, err := filepath.Glob("testdata/*.[pd]e[mr]")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d seeds, %v", len(files), err)
	}
	var all []seed
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := pem.Decode(data); b != nil {
			data = b.Bytes
		}
		trees, ok := parse(data, 0)
		if !ok || len(trees) != 1 || !bytes.Equal(trees[0].encode(), data) {
			t.Fatalf("%s is not taken apart and put together again", f)
		}
		all = append(all, seed{filepath.Base(f), data, trees[0]})
	}
	return all
}

// trial is what every mutation is vetted with.
type trial struct {
	engines []*vet.Engine // of every policy, in turn
	req     vet.Request
	seeds   []seed
}

func (tr *trial) engine(number int) *vet.Engine { return tr.engines[number/4%len(tr.engines)] }

func newTrial(t *testing.T) *trial {
	t.Helper()
	var engines []*vet.Engine
	for _, name := range policy.Names() {
		p, err := policy.Load(name)
		if err != nil {
			t.Fatal(err)
		}
		engine, err := vet.New(p)
		if err != nil {
			t.Fatal(err)
		}
		engines = append(engines, engine)
	}
	all := seeds(t)
	at := time.Date(2027, 1, 15, 0, 0, 0, 0, time.UTC)
	index := vet.NewIndex()
	for i, s := range all {
		if c, err := cert.Parse(s.der); err == nil {
			index.Add(vet.Known{Certificate: c, Role: vet.Roles()[i%4], Country: "DE", Source: s.name})
		}
	}
	return &trial{
		engines: engines, seeds: all,
		req: vet.Request{Country: "DE", At: at, Others: index, Evidence: evidence(t), AnyEnvironment: true},
	}
}

// evidence is the CA of some of the seeds as a root, and its list.
func evidence(t *testing.T) *vet.Evidence {
	t.Helper()
	ca, err := os.ReadFile("testdata/ca.pem")
	if err != nil {
		t.Fatal(err)
	}
	roots, err := vet.ReadRoots("ca.pem", ca)
	if err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadFile("testdata/list.crl")
	if err != nil {
		t.Fatal(err)
	}
	crls, err := vet.ReadCRLs("list.crl", list)
	if err != nil {
		t.Fatal(err)
	}
	return &vet.Evidence{Roots: roots, CRLs: crls}
}

// file is the mutation of a number.
func (tr *trial) file(number int) []byte {
	m := mutator{rand.New(rand.NewPCG(seedNumber, uint64(number))), tr.seeds}
	return m.mutation()
}

// TestMutations: no panic, no input without a verdict, none that takes 5 s.
func TestMutations(t *testing.T) {
	tr := newTrial(t)
	if *only >= 0 {
		data := tr.file(*only)
		fmt.Printf("%x\n", data)
		tr.try(t, *only, data)
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for {
				number := int(next.Add(1)) - 1
				if number >= *count || t.Failed() {
					return
				}
				tr.watched(t, number)
			}
		})
	}
	wg.Wait()
}

// watched ends the whole test, with what everybody was doing, if one mutation takes too long. On
// a machine that has more to do, seconds pass without any work: so long it waits, a minute at most.
func (tr *trial) watched(t *testing.T, number int) {
	data := tr.file(number)
	begun, done := worked(), make(chan struct{})
	dog := time.AfterFunc(watchdog, func() {
		for range 11 {
			if worked()-begun >= watchdog*time.Duration(runtime.GOMAXPROCS(0)) {
				break
			}
			select {
			case <-done:
				return
			case <-time.After(watchdog):
			}
		}
		fmt.Fprintf(os.Stderr, "mutation %d takes more than %s (go test -run TestMutations ./scripts/mutate -mutation %d)\n", number, watchdog, number)
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 2)
		os.Exit(1)
	})
	defer func() {
		close(done)
		dog.Stop()
		if p := recover(); p != nil {
			t.Errorf("mutation %d panics: %v\n%s", number, p, stack())
		}
	}()
	tr.try(t, number, data)
}

// worked is the time that all goroutines of this program have computed.
func worked() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 1 << 62
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func stack() []byte {
	b := make([]byte, 1<<16)
	return b[:runtime.Stack(b, false)]
}

// try vets one file as what it looks like and as one of the four types in turn, and writes every report of some.
func (tr *trial) try(t *testing.T, number int, data []byte) {
	in := cert.Open("file", data, cert.Options{})
	if isSequence(data) {
		if _, err := cert.Parse(data); err != nil {
			t.Errorf("mutation %d is a SEQUENCE, but no certificate is made of it: %v", number, err)
		}
	}
	if n := markers(data); len(in.Items) < n {
		t.Errorf("mutation %d has %d BEGIN markers and %d items", number, n, len(in.Items))
	}
	for _, role := range []vet.Role{"", vet.Roles()[number%4]} {
		req := tr.req
		req.Role = role
		results := tr.engine(number).Input(in, req)
		check(t, number, in, results)
		if number%100 == 0 && role == "" {
			tr.reports(t, number, data, results)
		}
	}
}

// isSequence: exactly one element of definite length, whatever is inside.
func isSequence(data []byte) bool {
	if len(data) < 2 || data[0] != 0x30 {
		return false
	}
	n, rest, ok := parseOne(data, 99)
	return ok && n != nil && len(rest) == 0
}

// markers counts the certificates of a text that was not changed itself.
func markers(data []byte) int {
	whole := 0
	for rest := data; ; whole++ {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return whole
		}
	}
}

// check demands a verdict for whatever is in the file, with a reason if it is a refusal.
func check(t *testing.T, number int, in *cert.Input, results []*vet.Result) {
	if len(results) == 0 {
		t.Errorf("mutation %d has no result", number)
	}
	judged := map[int]bool{}
	for _, r := range results {
		judged[r.Index] = true
		because := r.Verdict == vet.VerdictAccepted || r.Role == ""
		for _, f := range r.Findings {
			if strings.Contains(f.Message, "failed internally") {
				t.Errorf("mutation %d: %s panics: %s", number, f.ID, f.Message)
			}
			because = because || r.Verdict == vet.VerdictRefused && f.Severity == vet.SeverityError && f.Status == vet.StatusFail ||
				r.Verdict == vet.VerdictUndecided && f.Status == vet.StatusNotEvaluated
		}
		switch {
		case r.Verdict == "" || !because:
			t.Errorf("mutation %d: verdict %q without a reason: %+v", number, r.Verdict, r.Findings)
		case r.Verdict == vet.VerdictAccepted && r.Certificate == nil:
			t.Errorf("mutation %d: accepted nothing", number)
		case r.Certificate != nil && r.Evaluated == 0:
			t.Errorf("mutation %d: no rule looked at the certificate", number)
		}
	}
	named := false // a chain certificate has no verdict, but EFGS-004 names it beside the one that has
	for _, r := range results {
		for _, f := range r.Findings {
			named = named || f.ID == "EFGS-004"
		}
	}
	for _, item := range in.Items {
		if !judged[item.Index] && !named {
			t.Errorf("mutation %d: item %d of %d has no verdict", number, item.Index, len(in.Items))
		}
	}
}

// reports are written twice, the second time from the file on, must be the same both
// times, and hold no control characters.
func (tr *trial) reports(t *testing.T, number int, data []byte, results []*vet.Result) {
	again := tr.engine(number).Input(cert.Open("file", data, cert.Options{}), tr.req)
	for _, format := range report.CheckFormats() {
		first, second := tr.written(t, number, format, results), tr.written(t, number, format, again)
		if !bytes.Equal(first, second) {
			t.Errorf("mutation %d: %s is not the same twice", number, format)
		}
		if !utf8.Valid(first) {
			t.Errorf("mutation %d: %s is not UTF-8", number, format)
		}
		for _, r := range string(first) {
			if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
				t.Errorf("mutation %d: %s has the character %U", number, format, r)
				break
			}
		}
		if (format == "json" || format == "sarif") && !json.Valid(first) {
			t.Errorf("mutation %d: %s is not JSON", number, format)
		}
	}
}

func (tr *trial) written(t *testing.T, number int, format string, results []*vet.Result) []byte {
	var b bytes.Buffer
	c := &report.Check{Header: report.Header{Policy: tr.engine(number).Policy(), At: tr.req.At}, Results: results, Files: 1}
	if err := c.Write(&b, format, report.Options{}); err != nil {
		t.Errorf("mutation %d, %s: %v", number, format, err)
	}
	return b.Bytes()
}
