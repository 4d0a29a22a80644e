package registry

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/vet"
)

// apply adds one event. An event that does not fit what came before is damage:
// this program would not have written it.
func (s *State) apply(e journal.Event) error {
	do, err := s.change(e)
	if err != nil {
		return fmt.Errorf("%w: journal event %d: %s: %w", ErrDamaged, e.Seq, e.Type, err)
	}
	do()
	s.last = e.Time
	return nil
}

// change says what an event does to the state, and does nothing itself, so that an
// event can be tried before it is written.
func (s *State) change(e journal.Event) (do func(), err error) {
	if (e.Seq == 1) != (e.Type == EventInit) {
		return nil, errors.New("out of place")
	}
	switch e.Type {
	case EventInit:
		return s.initialised(e)
	case EventAnchor:
		return s.anchorCreated(e)
	case EventImported:
		return s.anchorImported(e)
	case EventAnnounced:
		return s.announced(e)
	case EventProposal:
		return s.proposed(e)
	case EventApprover:
		return s.approverProposed(e)
	case EventMember:
		return s.memberAdded(e)
	case EventSubmission:
		return s.submitted(e)
	case EventConfirmed:
		return s.confirmed(e)
	case EventRefusal:
		var d RefusalData
		return func() {}, decode(e, &d)
	case EventEvidence:
		return s.evidenceGiven(e)
	case EventReleased:
		return s.released(e)
	case EventRevoked:
		return s.revoked(e)
	case EventWaived:
		return s.waived(e)
	case EventWithdrawn:
		return s.withdrawn(e)
	}
	return nil, errors.New("this type is not known to this version")
}

func (s *State) initialised(e journal.Event) (func(), error) {
	var d InitData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	return func() { s.ListID, s.Environment, s.members = d.ListID, d.Environment, map[string]*Member{} }, nil
}

func (s *State) anchorCreated(e journal.Event) (func(), error) {
	var d AnchorData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	return s.setAnchor(AnchorRecord{AnchorData: d, Event: e.Seq})
}

func (s *State) anchorImported(e journal.Event) (func(), error) {
	var d ImportData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if len(d.Nonce) == 0 || len(d.Signature) == 0 {
		return nil, errors.New("no proof of possession")
	}
	return s.setAnchor(AnchorRecord{AnchorData: d.AnchorData, Event: e.Seq, Import: &d})
}

// setAnchor takes what can be judged here. What the certificate says of itself, and the
// proof, are held against the record where there is cryptography for it: pkg/ceremony.
func (s *State) setAnchor(r AnchorRecord) (func(), error) {
	if s.Anchor != nil {
		return nil, errors.New("there is an EFGSTA already")
	}
	if err := r.check(); err != nil {
		return nil, err
	}
	return func() { s.Anchor = &r }, nil
}

func (d *AnchorData) check() error {
	switch {
	case !isSHA256(d.SHA256):
		return fmt.Errorf("%q is no SHA-256", d.SHA256)
	case !isHex(d.KeyID):
		return fmt.Errorf("%q is no key ID", d.KeyID)
	}
	return nil
}

func (s *State) announced(e journal.Event) (func(), error) {
	var d AnnouncementData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	switch {
	case s.Anchor == nil || d.Old != s.Anchor.SHA256:
		return nil, fmt.Errorf("%q is not the EFGSTA", d.Old)
	case s.Next != nil:
		return nil, errors.New("a next EFGSTA is announced already")
	}
	if err := d.Next.check(); err != nil {
		return nil, err
	}
	for _, sha := range []string{d.Statement, d.Signature, d.CMS} {
		if !isSHA256(sha) {
			return nil, fmt.Errorf("%q is no SHA-256", sha)
		}
	}
	return func() { s.Next = &Announcement{AnnouncementData: d, Event: e.Seq, Since: e.Time} }, nil
}

func (s *State) memberAdded(e journal.Event) (func(), error) {
	var d MemberData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if !cert.IsCountryCode(d.Country) || s.members[d.Country] != nil {
		return nil, fmt.Errorf("%q is no country code, or a member already", d.Country)
	}
	return func() { s.members[d.Country] = &Member{MemberData: d, Since: e.Time} }, nil
}

func (s *State) submitted(e journal.Event) (func(), error) {
	var d SubmissionData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if s.members[d.Country] == nil {
		return nil, fmt.Errorf("%q is no member", d.Country)
	}
	var added []*Certificate
	for _, c := range d.Certificates {
		if c.Type != vet.NBBS && c.Type != vet.NBTLS {
			return nil, fmt.Errorf("a member state submits no %q", c.Type)
		}
		if !isSHA256(c.SHA256) || !isSHA256(c.Object) {
			return nil, errors.New("a certificate without SHA-256")
		}
		if s.byHash[c.SHA256] != nil || slices.ContainsFunc(added, func(o *Certificate) bool { return o.SHA256 == c.SHA256 }) {
			return nil, fmt.Errorf("certificate %s was submitted before", c.SHA256)
		}
		added = append(added, &Certificate{SubmittedCertificate: c, Country: d.Country, Received: e.Time, ConfirmedBy: d.ConfirmedBy})
	}
	return func() {
		s.certificates = append(s.certificates, added...)
		if s.byHash == nil {
			s.byHash = map[string]*Certificate{}
		}
		for _, c := range added {
			s.byHash[c.SHA256] = c
		}
	}, nil
}

func (s *State) confirmed(e journal.Event) (func(), error) {
	var d ConfirmationData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	var which []*Certificate
	for _, sha := range d.Certificates {
		c := s.byHash[sha]
		if c == nil || c.Country != d.Country {
			return nil, fmt.Errorf("%q has no certificate %q", d.Country, sha)
		}
		which = append(which, c)
	}
	return func() {
		for _, c := range which {
			c.ConfirmedBy = d.ConfirmedBy
		}
	}, nil
}

func (s *State) released(e journal.Event) (func(), error) {
	var d ReleasedData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if want := uint64(len(s.Releases)) + 1; d.Sequence != want {
		return nil, fmt.Errorf("release %d, expected %d", d.Sequence, want)
	}
	effect, err := s.approved(&d)
	if err != nil {
		return nil, err
	}
	return func() { s.Releases = append(s.Releases, d); effect() }, nil
}

func decode(e journal.Event, into any) error {
	dec := json.NewDecoder(bytes.NewReader(e.Data))
	dec.DisallowUnknownFields()
	return dec.Decode(into)
}

// isHex reports lower-case hex digits, two for each byte, or none.
func isHex(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && hex.EncodeToString(b) == s
}

// isSHA256 reports 64 lower-case hex digits: also what an object's name may be.
func isSHA256(s string) bool { return len(s) == 64 && isHex(s) }
