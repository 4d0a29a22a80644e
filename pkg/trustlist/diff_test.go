package trustlist_test

import (
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/trustlist"
)

func TestDiff(t *testing.T) {
	w := newWorld(t, func(*anchor.Params) {})
	for name, c := range map[string]struct {
		change func(*trustlist.List)
		want   []string // kind, part and words of each
	}{
		"nothing":     {func(l *trustlist.List) {}, nil},
		"next update": {func(l *trustlist.List) { l.NextUpdate = end.AddDate(0, 0, 1) }, []string{"changed list next update: 2026-05-31T10:00:00Z → 2026-06-01T10:00:00Z"}},
		"number":      {func(l *trustlist.List) { l.Sequence = 3 }, []string{"changed list number: 2 → 3"}},
		"list id":     {func(l *trustlist.List) { l.ListID = "other" }, []string{"changed list list id: efgs-rehearsal → other"}},
		"policy":      {func(l *trustlist.List) { l.Policy.Name = "efgs-2026" }, []string{"changed list policy: efgs-2020"}},
		"anchor":      {func(l *trustlist.List) { l.Anchor.SHA256 = strings.Repeat("99", 32) }, []string{"changed list EFGSTA: "}},
		"left with a reason": {func(l *trustlist.List) {
			e := l.Entries[0]
			l.Entries = l.Entries[1:]
			l.Removed = append(l.Removed, trustlist.Removal{Country: e.Country, Type: e.Type, SHA256: e.SHA256, Reason: "revoked: key compromise", Since: start})
		}, []string{"removed entry revoked: key compromise, since 2026-03-02"}},
		"left without":      {func(l *trustlist.List) { l.Entries = l.Entries[1:] }, []string{"removed entry no reason is recorded"}},
		"removal forgotten": {func(l *trustlist.List) { l.Removed = l.Removed[1:] }, []string{"removed removal its removal on 2026-03-01 (EFGS-204 expired) is no longer recorded"}},
		"removal rewritten": {func(l *trustlist.List) { l.Removed[0].Reason = "x" }, []string{"changed removal EFGS-204 expired, since 2026-03-01 → x, since 2026-03-01"}},
		"removal from nowhere": {func(l *trustlist.List) {
			l.Removed = append(l.Removed, trustlist.Removal{Country: "IT", Type: "nbbs", SHA256: strings.Repeat("33", 32), Reason: "x", Since: start})
		}, []string{"added removal x, since 2026-03-02; the old list never held it"}},
		"other role": {func(l *trustlist.List) { l.Entries[0].Type = "nbtls" }, []string{"changed entry it was listed as DE NBBS"}},
		"waived": {func(l *trustlist.List) {
			l.Entries[0].Waived = []trustlist.Waived{{Rule: "EFGS-308", Until: end}}
		}, []string{"changed entry waived rules: none → EFGS-308 until 2026-05-31"}},
	} {
		t.Run(name, func(t *testing.T) {
			old, new := w.list(), w.list()
			c.change(new)
			wantChanges(t, trustlist.Diff(old, new), c.want)
		})
	}
}

func TestDiffAdded(t *testing.T) {
	w := newWorld(t, func(*anchor.Params) {})
	old, new := w.list(), w.list()
	e := old.Entries[0]
	old.Entries = old.Entries[1:]
	wantChanges(t, trustlist.Diff(old, new), []string{"added entry valid from 2026-02-02 to 2027-03-09"})
	old.Removed = append(old.Removed, trustlist.Removal{Country: e.Country, Type: e.Type, SHA256: e.SHA256, Reason: "revoked", Since: start})
	wantChanges(t, trustlist.Diff(old, new), []string{
		"added entry it was removed on 2026-03-02 (revoked): what was removed must never come back",
		"removed removal its removal on 2026-03-02 (revoked) is no longer recorded",
	})
}

func wantChanges(t *testing.T, got []trustlist.Change, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %+v, want %q", got, want)
	}
	for i, c := range got {
		if line := string(c.Kind) + " " + c.Part + " " + c.Text; !strings.HasPrefix(line, want[i]) {
			t.Errorf("got %q, want %q", line, want[i])
		}
	}
}
