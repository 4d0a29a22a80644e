package registry

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/vet"
)

// The events of a waiver's life. A grant takes the place of the one before for the same
// certificate and rule.
const (
	EventWaived    = "waiver.granted"
	EventWithdrawn = "waiver.withdrawn"
)

// WaiverData records that a certificate is excused from one rule, for a while.
type WaiverData struct {
	Country string    `json:"country"`
	SHA256  string    `json:"sha256"`
	Rule    string    `json:"rule"` // id, "EFGS-308"
	Why     string    `json:"why"`
	Owner   string    `json:"owner"` // who answers for it
	Until   time.Time `json:"until"` // the last moment at which it holds
}

// WithdrawalData records the end of a waiver before its time.
type WithdrawalData struct {
	Country string `json:"country"`
	SHA256  string `json:"sha256"`
	Rule    string `json:"rule"`
	Why     string `json:"why"`
}

// Waiver is a recorded one that was not withdrawn; it may have ended.
type Waiver struct {
	WaiverData
	Type  vet.Role
	Since time.Time
}

// waiverKey is what there is one waiver for at a time.
type waiverKey struct{ sha, rule string }

// Holds reports whether it excuses at that time.
func (w *Waiver) Holds(at time.Time) bool { return !at.After(w.Until) }

func (s *State) waived(e journal.Event) (func(), error) {
	var d WaiverData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	c, err := s.certificateOf(d.Country, d.SHA256)
	switch {
	case err != nil:
		return nil, err
	case d.Rule == "" || d.Why == "" || d.Owner == "":
		return nil, errors.New("a waiver without rule, reason or owner")
	case d.Until.Nanosecond() != 0 || d.Until.Location() != time.UTC:
		return nil, errors.New("the end is not in whole seconds of UTC")
	}
	return func() {
		if s.waivers == nil {
			s.waivers = map[waiverKey]*Waiver{}
		}
		s.waivers[waiverKey{d.SHA256, d.Rule}] = &Waiver{d, c.Type, e.Time}
	}, nil
}

func (s *State) withdrawn(e journal.Event) (func(), error) {
	var d WithdrawalData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if w := s.Waiver(d.SHA256, d.Rule); w == nil || w.Country != d.Country {
		return nil, fmt.Errorf("%s is not waived for %q", d.Rule, d.SHA256)
	}
	return func() {
		if s.withdrawals == nil {
			s.withdrawals = map[waiverKey]bool{}
		}
		delete(s.waivers, waiverKey{d.SHA256, d.Rule})
		s.withdrawals[waiverKey{d.SHA256, d.Rule}] = true
	}, nil
}

// WasWaived reports whether a waiver of a rule for a certificate was ever withdrawn.
func (s *State) WasWaived(sha, rule string) bool {
	return s.withdrawals[waiverKey{sha, rule}]
}

// Waiver returns the waiver of a rule for a certificate, which may have ended, or nil.
func (s *State) Waiver(sha, rule string) *Waiver { return s.waivers[waiverKey{sha, rule}] }

// GrantedWaivers returns every waiver that was not withdrawn, in order of country, type,
// certificate and rule.
func (s *State) GrantedWaivers() []*Waiver {
	return slices.SortedFunc(maps.Values(s.waivers), func(a, b *Waiver) int {
		return slices.Compare([]string{a.Country, string(a.Type), a.SHA256, a.Rule}, []string{b.Country, string(b.Type), b.SHA256, b.Rule})
	})
}

// Waivers returns the waivers in the form in which a certificate is vetted with them.
func (s *State) Waivers() (*vet.Waivers, error) {
	var list []vet.Waiver
	for _, w := range s.GrantedWaivers() {
		c, err := s.certificateOf(w.Country, w.SHA256)
		if err != nil {
			return nil, err
		}
		list = append(list, vet.Waiver{Rule: w.Rule, Thumbprint: c.Certificate.Thumbprint(), Reason: w.Why, Owner: w.Owner, Expires: w.Until})
	}
	return vet.NewWaivers(JournalFile, list)
}

// Waive records a waiver. Repeating it changes nothing; another end, owner or reason
// takes the place of what was said before.
func (w *Workspace) Waive(at time.Time, actor string, c *Certificate, d WaiverData) (added bool, err error) {
	d.Country, d.SHA256, d.Until = c.Country, c.SHA256, d.Until.UTC().Truncate(time.Second)
	old := w.Waiver(d.SHA256, d.Rule)
	switch {
	case strings.TrimSpace(d.Why) == "" || len(d.Why) > maxWords:
		return false, &Error{Msg: "a waiver needs a reason", Next: fmt.Sprintf("say with --why, in at most %d bytes, why the rule may fail here", maxWords)}
	case strings.TrimSpace(d.Owner) == "" || len(d.Owner) > maxWords:
		return false, &Error{Msg: "a waiver needs somebody who answers for it", Next: "name them with --owner"}
	case old != nil && old.WaiverData == d:
		return false, nil
	case !d.Until.After(at):
		return false, &Error{Msg: fmt.Sprintf("a waiver until %s would have ended already", d.Until.Format(time.RFC3339)), Next: "--until is the last day on which it holds, such as 2027-01-31"}
	}
	return true, w.record(at, actor, EventWaived, d)
}

// WithdrawWaiver ends a waiver. Repeating it changes nothing.
func (w *Workspace) WithdrawWaiver(at time.Time, actor string, c *Certificate, rule, why string) (ended bool, err error) {
	if strings.TrimSpace(why) == "" || len(why) > maxWords {
		return false, &Error{Msg: "the end of a waiver needs a reason", Next: fmt.Sprintf("say with --why, in at most %d bytes, why it is withdrawn", maxWords)}
	}
	if w.Waiver(c.SHA256, rule) == nil {
		return false, nil
	}
	return true, w.record(at, actor, EventWithdrawn, WithdrawalData{c.Country, c.SHA256, rule, why})
}
