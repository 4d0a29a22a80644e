package vet

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
)

func TestBounded(t *testing.T) {
	var many []problem
	for i := range 3 * maxProblems {
		many = append(many, problem{msg: fmt.Sprint(i), kase: "mild"})
	}
	many = append(many, problem{msg: "the hard one", kase: "hard"})
	got := bounded(many)
	if len(got) != maxProblems+2 {
		t.Fatalf("%d of %d", len(got), len(many))
	}
	if hard := got[maxProblems]; hard.msg != "the hard one" {
		t.Errorf("a case of its own is cut off: %v", hard)
	}
	if last, want := got[len(got)-1], (problem{msg: fmt.Sprintf("and %d more of this kind", 2*maxProblems), kase: "mild"}); last != want {
		t.Errorf("the last is %v, want %v", last, want)
	}
	if got := bounded(many[:maxProblems]); len(got) != maxProblems {
		t.Errorf("%d of %d", len(got), maxProblems)
	}
	if got := bounded(nil); len(got) != 0 {
		t.Errorf("%v of nothing", got)
	}

	for _, unit := range []string{"x", "é", "漢", "\x80"} {
		long := strings.Repeat(unit, maxMessage+1)
		got := shorten(long)
		if len(got) > maxMessage+len("…") || !strings.HasSuffix(got, "…") || utf8.ValidString(long) && !utf8.ValidString(got) {
			t.Errorf("%q: %d bytes, ends in %q", unit, len(got), got[len(got)-6:])
		}
		if short := strings.Repeat("x", maxMessage); shorten(short) != short {
			t.Error("what is short enough is cut")
		}
	}
}

// A file may hold more than a report can show. What is left out is counted, and nothing of it is accepted.
func TestMaxVerdicts(t *testing.T) {
	file := func(n int) *cert.Input {
		return cert.Open("many.der", []byte(strings.Repeat("\x30\x03\x02\x01\x05", n)), cert.Options{})
	}
	engine := defaultEngine(t)
	req := Request{Role: NBBS, At: t0}
	if got := engine.Input(file(MaxVerdicts), req); len(got) != MaxVerdicts || got[MaxVerdicts-1].Certificate == nil {
		t.Fatalf("%d verdicts on as many as are vetted", len(got))
	}
	got := engine.Input(file(MaxVerdicts+7), req)
	if len(got) != MaxVerdicts+1 {
		t.Fatalf("%d verdicts", len(got))
	}
	last := got[MaxVerdicts]
	if last.Certificate != nil || last.Verdict != VerdictRefused || last.Passed != 0 || len(last.Findings) != 1 {
		t.Fatalf("%+v", last)
	}
	if f := last.Findings[0]; f.ID != "EFGS-001" || !strings.HasPrefix(f.Message, "7 more certificates") {
		t.Errorf("%+v", f)
	}
}
