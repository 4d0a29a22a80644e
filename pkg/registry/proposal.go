package registry

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/journal"
)

// ProposalKind is what a proposal asks for. Each kind needs the approval of other
// people before it counts in production.
type ProposalKind string

// The kinds.
const (
	// KeyException lets a key sign whose attributes are weaker than a key of the EFGSTA must have.
	KeyException ProposalKind = "key-exception"
	// SpareToken is a second token that holds the EFGSTA's key.
	SpareToken ProposalKind = "spare-token"
)

// ProposalData records what somebody asks the approvers for: that this key, in this
// token, may sign for this EFGSTA although the token tells what Weaknesses say.
type ProposalData struct {
	Kind       ProposalKind `json:"kind"`
	Anchor     string       `json:"anchor"` // SHA-256 of the certificate, which need not be the EFGSTA yet
	Token      string       `json:"token"`  // label
	Serial     string       `json:"serial"`
	Key        string       `json:"key"`        // URI, without PIN
	KeyID      string       `json:"keyId"`      // hex
	Weaknesses []string     `json:"weaknesses"` // "CKA_LOCAL is false"
	Why        string       `json:"why"`
}

// Proposal is a recorded one.
type Proposal struct {
	ProposalData
	Event uint64 // its number in the journal, by which people refer to it
	Since time.Time
	By    string
}

func (s *State) proposed(e journal.Event) (func(), error) {
	var d ProposalData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if err := s.checkProposal(d); err != nil {
		return nil, err
	}
	p := &Proposal{ProposalData: d, Event: e.Seq, Since: e.Time, By: e.Actor}
	return func() { s.proposals = append(s.proposals, p) }, nil
}

// checkProposal refuses what would stand for a key that nobody could tell from another,
// or for no reason.
func (s *State) checkProposal(d ProposalData) error {
	switch {
	case d.Kind != KeyException && d.Kind != SpareToken:
		return fmt.Errorf("a proposal of the unknown kind %q", d.Kind)
	case !isSHA256(d.Anchor):
		return fmt.Errorf("a proposal for %q, which is no SHA-256", d.Anchor)
	case s.Anchor != nil && s.Anchor.SHA256 != d.Anchor, s.Anchor == nil && d.Kind == SpareToken:
		return fmt.Errorf("a proposal for %q, which is not the EFGSTA", d.Anchor)
	case d.Serial == "":
		return errors.New("a proposal without the token's serial number")
	case d.Key == "" || !isHex(d.KeyID):
		return fmt.Errorf("a proposal for key %q with ID %q", d.Key, d.KeyID)
	case strings.TrimSpace(d.Why) == "":
		return errors.New("a proposal without a reason")
	case d.Kind == KeyException && len(d.Weaknesses) == 0, slices.Contains(d.Weaknesses, ""):
		return errors.New("a proposal that names no weakness")
	}
	return nil
}

// Propose records a proposal and returns it. Repeating one changes nothing: the one that
// was made before is returned. An exception may come before the EFGSTA that it is for.
func (w *Workspace) Propose(at time.Time, actor string, d ProposalData) (p *Proposal, added bool, err error) {
	d.Weaknesses = append([]string{}, d.Weaknesses...)
	if i := slices.IndexFunc(w.proposals, func(p *Proposal) bool { return p.same(d) }); i >= 0 {
		return w.proposals[i], false, nil
	}
	if err := w.record(at, actor, EventProposal, d); err != nil {
		return nil, false, err
	}
	return w.proposals[len(w.proposals)-1], true, nil
}

func (p *Proposal) same(d ProposalData) bool {
	return p.Kind == d.Kind && p.Anchor == d.Anchor && p.Serial == d.Serial && p.KeyID == d.KeyID && slices.Equal(p.Weaknesses, d.Weaknesses) && p.Why == d.Why
}

// Proposals returns them in the order in which they were made.
func (s *State) Proposals() []*Proposal { return slices.Clone(s.proposals) }

// InForce reports whether a proposal counts: in a rehearsal at once, in production
// since a release whose approved plan showed it. One for a certificate that did not
// become the EFGSTA counts nowhere.
func (s *State) InForce(p *Proposal) bool {
	return s.inForce[p.Event] || s.Environment == Rehearsal && !s.passedOver(p)
}

// passedOver: another certificate became the EFGSTA.
func (s *State) passedOver(p *Proposal) bool { return s.Anchor != nil && s.Anchor.SHA256 != p.Anchor }

// Pending returns the numbers of all events that wait for the next release, ascending.
func (s *State) Pending() []uint64 {
	var waiting []uint64
	for _, p := range s.proposals {
		if !s.InForce(p) && !s.passedOver(p) {
			waiting = append(waiting, p.Event)
		}
	}
	for _, p := range s.pendingApprovers {
		waiting = append(waiting, p.Event)
	}
	slices.Sort(waiting)
	return waiting
}

// approved is what a release brings into force. Its approvals must be those that the
// approvers of that moment could give.
func (s *State) approved(d *ReleasedData) (effect func(), err error) {
	names := map[string]bool{}
	for _, a := range d.Approvals {
		who := s.Approver(a.Name)
		switch {
		case who == nil || who.KeySHA256 != a.KeySHA256 || !isSHA256(a.SHA256):
			return nil, fmt.Errorf("approved by %q, who is no approver with that key", a.Name)
		case names[a.Name] || d.Signer != nil && d.Signer.Name == a.Name:
			return nil, fmt.Errorf("%q approved twice, or signed too", a.Name)
		}
		names[a.Name] = true
	}
	if d.Signer != nil {
		if who := s.Approver(d.Signer.Name); who == nil || who.KeySHA256 != d.Signer.KeySHA256 || !isSHA256(d.Signer.SHA256) {
			return nil, fmt.Errorf("signed by %q, who is not enrolled with that key", d.Signer.Name)
		}
	}
	if len(names) < s.Threshold() {
		return nil, fmt.Errorf("released with %d approvals of %d", len(names), s.Threshold())
	}
	if s.Environment == Production && d.Signer == nil {
		return nil, errors.New("released without the name of who signed")
	}
	next := s.roster
	waiting := s.Pending()
	var left []*ApproverProposal
	for _, event := range d.Proposals {
		if !slices.Contains(waiting, event) {
			return nil, fmt.Errorf("event %d comes into force, but does not wait for it", event)
		}
	}
	for _, p := range s.pendingApprovers {
		if !slices.Contains(d.Proposals, p.Event) {
			left = append(left, p)
			continue
		}
		if next, err = next.with(p, s.Environment); err != nil {
			return nil, err
		}
	}
	return func() {
		s.roster, s.pendingApprovers = next, left
		if s.inForce == nil {
			s.inForce = map[uint64]bool{}
		}
		for _, event := range d.Proposals {
			s.inForce[event] = true
		}
	}, nil
}

// MayUse finds the proposal that covers the key of a certificate, the EFGSTA or the one
// that is to be, with these weaknesses in the token of that serial number, and whether it
// is in force, alone or because it is one of those that the plan being signed brings into
// force; nil if there is none.
func (s *State) MayUse(anchor, serial, keyID string, weaknesses []string, planned ...uint64) (p *Proposal, inForce bool) {
	for _, o := range slices.Backward(s.proposals) {
		covered := !slices.ContainsFunc(weaknesses, func(w string) bool { return !slices.Contains(o.Weaknesses, w) })
		if o.Anchor != anchor || o.Serial != serial || o.KeyID != keyID || !covered {
			continue
		}
		if s.InForce(o) || slices.Contains(planned, o.Event) && !s.passedOver(o) {
			return o, true
		}
		if p == nil {
			p = o
		}
	}
	return p, false
}
