package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
)

func newStatusCmd(a *app) *cobra.Command {
	var ws wsFlags
	var format formatFlag
	var within string
	c := &cobra.Command{
		Use:   "status",
		Short: "Members and certificates: verdict, days left, what is due",
		Long: `Shows every certificate with today's verdict, how long it lasts and what is due:
renewal one calendar month before expiry (Governance 3.4), the EFGSTA and the
trust list too. Exit code 1 when something is due.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			if err := format.check(); err != nil {
				return err
			}
			s, err := ws.open(a, looking)
			if err != nil {
				return err
			}
			defer s.Close()
			days, err := parseDays(within)
			if err != nil {
				return err
			}
			st, err := s.status(days)
			if err != nil {
				return err
			}
			if !format.json() {
				a.showStatus(st)
			} else if err := a.json(st); err != nil {
				return err
			}
			if len(st.Due) > 0 {
				return no()
			}
			return nil
		},
	}
	ws.add(c, a)
	format.add(c)
	c.Flags().StringVar(&within, "within", "0d", "also call due what ends within `DAYS`, e.g. 45d")
	return c
}

// parseDays reads a number of days, "45d" or "45".
func parseDays(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "d"))
	if err != nil || n < 0 || n > 36500 {
		return 0, usagef("example: --within 45d", "--within %q is not a number of days", s)
	}
	return n, nil
}

// statusReport is the state of a workspace on one day.
type statusReport struct {
	Schema       string               `json:"schema"`
	ListID       string               `json:"listId"`
	Environment  registry.Environment `json:"environment"`
	At           time.Time            `json:"at"`
	Anchor       string               `json:"anchor"` // "" if there is none
	Release      uint64               `json:"release"`
	Certificates []statusLine         `json:"certificates"`
	Missing      []string             `json:"missing"`
	Due          []string             `json:"due"`
	Next         []string             `json:"next"`
}

type statusLine struct {
	Country  string      `json:"country"`
	Type     vet.Role    `json:"type"`
	SHA256   string      `json:"sha256"`
	Subject  string      `json:"subject"`
	Verdict  vet.Verdict `json:"verdict"`
	NotAfter time.Time   `json:"notAfter"`
	DaysLeft int         `json:"daysLeft"`
	Listed   bool        `json:"listed"`  // in the last trust list
	Revoked  string      `json:"revoked"` // the reason, "" if it is not

	Waived []trustlist.Waived `json:"waived"` // rules that a waiver excuses on that day
}

func (s *session) status(within int) (*statusReport, error) {
	st := &statusReport{Schema: "efgsta.status/v1", ListID: s.ListID, Environment: s.Environment, At: s.now,
		Certificates: []statusLine{}, Missing: []string{}, Due: []string{}, Next: []string{}}
	engine, err := vet.New(s.policy)
	if err != nil {
		return nil, err
	}
	list, err := s.lastList()
	if err != nil {
		return nil, err
	}
	due := func(what string, end time.Time) {
		switch {
		case !s.now.Before(end):
			st.Due = append(st.Due, what+" expired on "+day(end))
		case s.now.After(monthBefore(end)) || (within > 0 && s.now.AddDate(0, 0, within).After(end)):
			st.Due = append(st.Due, fmt.Sprintf("%s ends on %s, in %s: renew it (Governance 3.4)", what, day(end), plural(daysLeft(s.now, end), "day")))
		}
	}
	if s.Anchor == nil {
		st.Next = append(st.Next, "efgsta anchor create")
	} else {
		st.Anchor = s.Anchor.SHA256
		due("EFGSTA "+cert.ShortHex(s.Anchor.SHA256), s.Anchor.Certificate.NotAfter)
	}
	if list != nil {
		st.Release = list.Sequence
		switch name := fmt.Sprintf("trust list %d", list.Sequence); {
		case !s.now.Before(list.NextUpdate):
			st.Due = append(st.Due, name+" is stale since "+day(list.NextUpdate)+": sign a new one")
		case within > 0 && s.now.AddDate(0, 0, within).After(list.NextUpdate):
			st.Due = append(st.Due, name+" goes stale on "+day(list.NextUpdate)+": sign a new one")
		}
	}
	changed := list == nil
	var undecided []string
	known := s.Known()
	waivers, err := s.Waivers()
	if err != nil {
		return nil, err
	}
	for _, c := range s.Certificates() {
		evidence, err := s.Evidence(c.SHA256)
		if err != nil {
			return nil, err
		}
		r := engine.Vet(vet.Request{Certificate: c.Certificate, Role: c.Type, Country: c.Country, At: s.now, Workspace: true, Others: known, Evidence: evidence, Waivers: waivers})
		s.Barred(c.Certificate).Judge(r)
		line := statusLine{c.Country, c.Type, c.SHA256, c.Subject, r.Verdict, c.Certificate.NotAfter, daysLeft(s.now, c.Certificate.NotAfter), false, "", append([]trustlist.Waived{}, trustlist.WaivedOf(r)...)}
		if c.Revoked != nil {
			line.Revoked = string(c.Revoked.Reason)
		}
		if list != nil {
			_, line.Listed = list.Find(c.Certificate.Thumbprint())
		}
		st.Certificates = append(st.Certificates, line)
		if ids := lacks(r); len(ids) > 0 {
			undecided = append(undecided, fmt.Sprintf("%s %s %s: %s not evaluated: efgsta plan says what is missing", c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256), strings.Join(ids, ", ")))
		}
		changed = changed || line.Listed != (r.Verdict == vet.VerdictAccepted)
		st.Due = append(st.Due, s.decisionsDue(c, r, line.Listed, within)...)
		if (line.Listed || r.Verdict == vet.VerdictAccepted) && c.Revoked == nil {
			due(fmt.Sprintf("%s %s %s", c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256)), c.Certificate.NotAfter)
		}
	}
	st.Missing = append(s.missing(st.Certificates), undecided...)
	for _, c := range s.Certificates() {
		if c.ConfirmedBy == "" {
			st.Missing = append(st.Missing, fmt.Sprintf("%s %s %s: its fingerprint was not read back (submit it again with --confirmed-by)", c.Country, strings.ToUpper(string(c.Type)), cert.ShortHex(c.SHA256)))
		}
	}
	if s.Anchor != nil && changed && len(st.Certificates) > 0 {
		st.Next = append(st.Next, "efgsta plan, then efgsta sign")
	}
	return st, nil
}

// lacks names the rules whose missing evidence alone keeps a certificate out of the plan.
func lacks(r *vet.Result) []string {
	var ids []string
	for _, f := range r.Findings {
		if r.Verdict == vet.VerdictUndecided && f.Blocks {
			ids = append(ids, f.ID)
		}
	}
	return ids
}

// missing names the members that have no acceptable certificate of a kind (Governance 3.2: two are needed).
func (s *session) missing(lines []statusLine) []string {
	out := []string{}
	for _, m := range s.Members() {
		for _, role := range []vet.Role{vet.NBTLS, vet.NBBS} {
			found := false
			for _, l := range lines {
				found = found || (l.Country == m.Country && l.Type == role && l.Verdict == vet.VerdictAccepted)
			}
			if !found {
				out = append(out, fmt.Sprintf("%s has no acceptable %s", m.Country, strings.ToUpper(string(role))))
			}
		}
	}
	return out
}

// lastList is the newest trust list, or nil.
func (s *session) lastList() (*trustlist.List, error) {
	last := s.LastRelease()
	if last == nil {
		return nil, nil
	}
	text, err := readFile(s.ReleaseDir(last.Sequence) + "/" + release.ListPath)
	if err != nil {
		return nil, damaged(err)
	}
	if release.Digest(text) != last.TrustList {
		return nil, damaged(fmt.Errorf("the trust list of release %d is not the one in the journal", last.Sequence))
	}
	return trustlist.Parse(text)
}

// monthBefore is one calendar month earlier, clamped to that month's end.
func monthBefore(t time.Time) time.Time {
	m := t.AddDate(0, -1, 0)
	if m.Day() != t.Day() {
		m = m.AddDate(0, 0, -m.Day())
	}
	return m
}

func (a *app) showStatus(st *statusReport) {
	a.printf("List %s (%s), release %d, on %s\n\n", st.ListID, st.Environment, st.Release, day(st.At))
	var rows [][]string
	for _, l := range st.Certificates {
		listed := "no"
		if l.Listed {
			listed = "yes"
		}
		rows = append(rows, []string{l.Country, strings.ToUpper(string(l.Type)), cert.ShortHex(l.SHA256), l.verdict(), listed, day(l.NotAfter), fmt.Sprint(l.DaysLeft), report.Escape(l.Subject)})
	}
	a.table([]string{"state", "type", "sha256", "verdict", "listed", "ends", "days", "subject"}, rows)
	for _, section := range []struct {
		title string
		lines []string
	}{{"Due", st.Due}, {"Missing", st.Missing}, {"Next", st.Next}} {
		if len(section.lines) > 0 {
			a.printf("\n%s:\n", section.title)
			for _, l := range section.lines {
				a.printf("  %s\n", l)
			}
		}
	}
}
