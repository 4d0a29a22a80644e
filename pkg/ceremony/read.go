package ceremony

import (
	"errors"
	"fmt"
	"slices"

	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/trustlist"
)

// Read reads a plan away from its workspace, for whoever approves it there: what it
// tells people of itself must be what would be signed. That it is what the workspace
// gives, and what the list before said, only the workspace can tell. Errors wrap ErrPlan.
func Read(text []byte) (*Pending, error) {
	p, err := ParsePlan(text)
	if err != nil {
		return nil, err
	}
	if p.Schema != PlanSchema {
		return nil, fmt.Errorf("%w: its schema is %q", ErrPlan, p.Schema)
	}
	if err := p.consistent(); err != nil {
		return nil, &Error{Msg: fmt.Sprintf("the plan does not show what it would sign: %v", err), Next: "do not approve it; find out who made it", Err: errors.Join(ErrPlan, err)}
	}
	return &Pending{Plan: p, Text: text, Digest: release.Digest(text)}, nil
}

// consistent holds what a plan shows against the list and the PEM texts in it.
func (p *Plan) consistent() error {
	l, err := trustlist.Parse([]byte(p.TrustList.Text))
	if err != nil {
		return err
	}
	m := p.Manifest
	switch {
	case l.ListID != p.ListID || l.Environment != string(p.Environment) || l.Sequence != p.Sequence || l.Policy != p.Policy:
		return errors.New("the list is another one")
	case l.Anchor.SHA256 != p.Anchor.SHA256 || l.Anchor.Subject != p.Anchor.Subject || !l.ThisUpdate.Equal(p.Created):
		return errors.New("the list has another EFGSTA or time")
	case m.ListID != p.ListID || m.Environment != string(p.Environment) || m.Sequence != p.Sequence || m.Anchor != p.Anchor.SHA256 || m.Journal != p.Journal || m.Plan != "":
		return errors.New("the manifest is another one")
	case !p.SignBefore.After(p.Created):
		return errors.New("its window is empty")
	case len(p.Certificates) != len(l.Entries):
		return fmt.Errorf("%d certificates for %d entries", len(p.Certificates), len(l.Entries))
	}
	entries := map[string]*trustlist.Entry{}
	for i := range l.Entries {
		entries[l.Entries[i].SHA256] = &l.Entries[i]
	}
	shown := map[string]bool{}
	for _, c := range p.Changes {
		if c.Kind == "remove" {
			if !slices.ContainsFunc(l.Removed, func(r trustlist.Removal) bool {
				return r.SHA256 == c.SHA256 && r.Country == c.Country && r.Type == c.Type
			}) {
				return fmt.Errorf("%s %s is shown as removed and is not", c.Country, short(c.SHA256))
			}
			continue
		}
		e := entries[c.SHA256]
		if e == nil || shown[c.SHA256] || e.Country != c.Country || e.Type != c.Type || e.Subject != c.Subject {
			return fmt.Errorf("%s %s is shown and is not in the list as shown", c.Country, short(c.SHA256))
		}
		shown[c.SHA256] = true
	}
	if len(shown) != len(l.Entries) {
		return fmt.Errorf("%d of %d entries are shown", len(shown), len(l.Entries))
	}
	signed := map[string]bool{}
	for _, c := range p.Certificates {
		e := entries[c.SHA256]
		if e == nil || signed[c.SHA256] || e.Country != c.Country || e.Type != c.Type || e.Certificate != c.PEM {
			return fmt.Errorf("%s %s would be signed and is not in the list", c.Country, short(c.SHA256))
		}
		signed[c.SHA256] = true
	}
	return nil
}
