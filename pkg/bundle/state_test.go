package bundle_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/bundle"
	"github.com/efgsta/efgsta/pkg/release"
)

func TestState(t *testing.T) {
	w := newWorld(t)
	tarballs := [][]byte{pack(t, w.files, w.manifest, release.TargetGateway)}
	for day := 1; day <= 3; day++ {
		files, v := w.Release(at.AddDate(0, 0, day))
		tarballs = append(tarballs, pack(t, files, v.Manifest, release.TargetGateway))
	}
	w.options.At = at.AddDate(0, 0, 10)
	verify := func(n int, last *bundle.State) (*release.Verified, *bundle.State, error) {
		return bundle.Verify(tarballs[n-1], w.options, last)
	}
	_, second, err := verify(2, nil)
	if err != nil {
		t.Fatal(err)
	}
	change := func(f func(*bundle.State)) *bundle.State {
		s := *second
		f(&s)
		return &s
	}
	for name, c := range map[string]struct {
		bundle int
		last   *bundle.State
		proven bool
		says   string // last step, or error if it is not accepted
		fails  bool
	}{
		"first use":                   {2, nil, false, "first use", false},
		"same":                        {2, second, true, "the same release 2", false},
		"newer":                       {3, second, true, "follows release 2", false},
		"gap":                         {4, second, true, "releases 3 to 3 were not seen", false},
		"older":                       {1, second, false, "sequence 1 is older than 2", true},
		"fork":                        {2, change(func(s *bundle.State) { s.Manifest = strings.Repeat("0", 64) }), false, "another release with sequence 2", true},
		"other list":                  {3, change(func(s *bundle.State) { s.ListID = "efgs-other" }), false, "efgs-other", true},
		"other environment":           {3, change(func(s *bundle.State) { s.Environment = "production" }), false, "production", true},
		"other anchor":                {3, change(func(s *bundle.State) { s.Anchor = strings.Repeat("0", 64) }), false, "EFGSTA 0000", true},
		"other anchor, same sequence": {2, change(func(s *bundle.State) { s.Anchor = strings.Repeat("0", 64) }), false, "EFGSTA 0000", true},
		"largest sequence":            {4, change(func(s *bundle.State) { s.Sequence = 1<<64 - 1 }), false, "older", true},
		"empty state":                 {1, &bundle.State{}, false, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			v, next, err := verify(c.bundle, c.last)
			if c.fails {
				if !errors.Is(err, bundle.ErrRollback) || v != nil || next != nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v, %v, want ErrRollback and %q", next, err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			last := v.Steps[len(v.Steps)-1]
			if last.Proven != c.proven || !strings.Contains(last.Text, c.says) {
				t.Errorf("last step %+v, want %q", last, c.says)
			}
			if next.Sequence != uint64(c.bundle) || next.Manifest != v.ManifestHash {
				t.Errorf("next state %+v", next)
			}
		})
	}
	// What does not verify is not held against the state at all.
	broken := append([]byte(nil), tarballs[2]...)
	broken[600] ^= 1
	if _, next, err := bundle.Verify(broken, w.options, second); err == nil || errors.Is(err, bundle.ErrRollback) || next != nil {
		t.Errorf("a broken bundle: %v", err)
	}
}

func TestStateRoundTrip(t *testing.T) {
	s := &bundle.State{Schema: bundle.StateSchema, ListID: "efgs-rehearsal", Environment: "rehearsal", Anchor: strings.Repeat("ab", 32), Sequence: 7, Manifest: strings.Repeat("cd", 32)}
	text, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	back, err := bundle.ParseState(text)
	if err != nil || *back != *s {
		t.Errorf("ParseState = %+v, %v", back, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "other schema": strings.Replace(string(text), "state/v1", "state/v2", 1), "no schema": "{}\n",
		"unknown member": strings.Replace(string(text), `"sequence": 7`, `"sequence": 7, "x": 1`, 1),
		"negative":       strings.Replace(string(text), `"sequence": 7`, `"sequence": -7`, 1),
		"twice":          strings.Replace(string(text), `"sequence": 7`, "\"sequence\": 9,\n  \"sequence\": 7", 1),
		"trailing":       string(text) + "x", "too large": string(text) + strings.Repeat(" ", 1<<17),
	} {
		if s, err := bundle.ParseState([]byte(bad)); err == nil || s != nil {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func FuzzParseState(f *testing.F) {
	text, err := (&bundle.State{Schema: bundle.StateSchema, Sequence: 1}).Encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := bundle.ParseState(data)
		if err != nil {
			return
		}
		if again, err := s.Encode(); err != nil || string(again) != string(data) {
			t.Fatalf("read %q, writes %q", data, again)
		}
	})
}
