package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
)

// TestBug: a defect of ours is exit 70 and no stack trace at the operator, who can ask for it.
func TestBug(t *testing.T) {
	for _, debug := range []string{"", "1"} {
		var out, err bytes.Buffer
		a := &app{in: strings.NewReader(""), out: &out, err: &err,
			env: func(name string) string { return map[string]string{"EFGSTA_DEBUG": debug}[name] },
			now: func() time.Time { panic("clock\x1b[2J") },
		}
		if code := run(a, []string{"check", "-"}); code != exitBug {
			t.Errorf("exit %d, want %d", code, exitBug)
		}
		if !strings.HasPrefix(err.String(), "efgsta: internal error: clock\\x1b[2J\n") {
			t.Errorf("stderr: %s", err.String())
		}
		if got := strings.Contains(err.String(), "goroutine"); got != (debug != "") {
			t.Errorf("EFGSTA_DEBUG=%q: stack trace is %v", debug, got)
		}
		if out.Len() > 0 {
			t.Errorf("stdout: %s", out.String())
		}
	}
}

func TestExitCode(t *testing.T) {
	wrap := func(err error) error { return fmt.Errorf("while at it: %w", err) }
	for _, tc := range []struct {
		err  error
		want int
	}{
		{errors.New("unknown command"), exitUsage},
		{wrap(no()), exitNo},
		{wrap(usagef("", "x")), exitUsage},
		{wrap(&hsm.Error{Err: hsm.ErrPIN}), exitHSM},
		{wrap(hsm.ErrNotBuilt), exitHSM},
		{refused(wrap(&hsm.Error{Err: hsm.ErrDead})), exitHSM},
		{refused(errors.New("a finding")), exitNo},
		{wrap(journal.ErrDamaged), exitDamaged},
		{wrap(&registry.Error{Err: registry.ErrDamaged}), exitDamaged},
		{wrap(&registry.Error{Msg: "in use"}), exitUsage},
		{context.Canceled, exitUsage},
	} {
		if got := exitCode(tc.err); got != tc.want {
			t.Errorf("%v: %d, want %d", tc.err, got, tc.want)
		}
	}
}

// The first hint in the chain is the one to show, and an empty one is none.
func TestHintOf(t *testing.T) {
	inner := &registry.Error{Msg: "inner", Next: "inner hint"}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), ""},
		{inner, "inner hint"},
		{fmt.Errorf("outer: %w", inner), "inner hint"},
		{usagef("", "outer: %w", inner), "inner hint"},
		{usagef("outer hint", "outer: %w", inner), "outer hint"},
	} {
		if got := hintOf(tc.err); got != tc.want {
			t.Errorf("%v: hint %q, want %q", tc.err, got, tc.want)
		}
	}
}

// Renewal is due one calendar month before the end (Governance 3.4), whatever month that is.
func TestMonthBefore(t *testing.T) {
	for end, want := range map[string]string{
		"2027-05-15": "2027-04-15",
		"2027-03-31": "2027-02-28",
		"2028-03-30": "2028-02-29",
		"2027-07-31": "2027-06-30",
		"2027-01-31": "2026-12-31",
		"2027-01-01": "2026-12-01",
	} {
		e, err := time.Parse(time.DateOnly, end)
		if err != nil {
			t.Fatal(err)
		}
		if got := day(monthBefore(e)); got != want {
			t.Errorf("%s: %s, want %s", end, got, want)
		}
	}
}

func TestReadLine(t *testing.T) {
	for _, tc := range []struct {
		in, want, rest string
		fails          bool
	}{
		{in: "words\nmore", want: "words", rest: "more"},
		{in: "words\r\n", want: "words"},
		{in: "words", want: "words"},
		{in: "\n", want: ""},
		{in: "", fails: true},
		{in: strings.Repeat("x", 5000), fails: true},
	} {
		r := strings.NewReader(tc.in)
		got, err := readLine(r)
		if (err != nil) != tc.fails || got != tc.want {
			t.Errorf("%.10q: %q, %v", tc.in, got, err)
		}
		if !tc.fails && r.Len() != len(tc.rest) {
			t.Errorf("%.10q: %d bytes left, want %d", tc.in, r.Len(), len(tc.rest))
		}
	}
}

func TestFirstLine(t *testing.T) {
	for _, tc := range []struct {
		in, want string
		fails    bool
	}{
		{in: "secret\n", want: "secret"},
		{in: "secret\r\nand a remark\n", want: "secret"},
		{in: "secret", want: "secret"},
		{in: " spaces stay ", want: " spaces stay "},
		{in: strings.Repeat("x", maxSecret) + "\n", want: strings.Repeat("x", maxSecret)},
		{in: strings.Repeat("x", maxSecret+1) + "\n", fails: true},
		{in: "\nsecret", fails: true},
		{in: "", fails: true},
	} {
		got, err := firstLine(strings.NewReader(tc.in), "--pin-fd 3")
		if (err != nil) != tc.fails || string(got) != tc.want {
			t.Errorf("%.10q: %.20q, %v", tc.in, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "xxx") {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}
