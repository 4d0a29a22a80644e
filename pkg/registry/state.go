package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/vet"
)

// State is what the journal's events add up to.
type State struct {
	ListID      string
	Environment Environment
	Anchor      *AnchorRecord // nil before anchor create
	Releases    []ReleasedData

	members      map[string]*Member
	certificates []*Certificate
	last         time.Time
}

// AnchorRecord is the workspace's EFGSTA.
type AnchorRecord struct {
	AnchorData
	Certificate *cert.Certificate
}

// Member is a member state.
type Member struct {
	MemberData
	Since time.Time
}

// Certificate is a submitted certificate.
type Certificate struct {
	SubmittedCertificate
	Country     string
	Received    time.Time
	ConfirmedBy string
	Certificate *cert.Certificate
}

// Members returns the members in order of country.
func (s *State) Members() []*Member {
	out := make([]*Member, 0, len(s.members))
	for _, c := range slices.Sorted(maps.Keys(s.members)) {
		out = append(out, s.members[c])
	}
	return out
}

// Member returns the member of that country, or nil.
func (s *State) Member(country string) *Member { return s.members[country] }

// Certificates returns every submitted certificate in the order received.
func (s *State) Certificates() []*Certificate { return s.certificates }

// CertificatesOf returns the certificates of one member, in the order received.
func (s *State) CertificatesOf(country string) []*Certificate {
	var out []*Certificate
	for _, c := range s.certificates {
		if c.Country == country {
			out = append(out, c)
		}
	}
	return out
}

// LastRelease returns the newest release, or nil.
func (s *State) LastRelease() *ReleasedData {
	if len(s.Releases) == 0 {
		return nil
	}
	return &s.Releases[len(s.Releases)-1]
}

// LastEvent is the time of the last event.
func (s *State) LastEvent() time.Time { return s.last }

// Known returns every certificate of the workspace for the rules that compare
// keys (Governance 2.3, 2.4). It is never nil: what a workspace knows is evidence.
func (w *Workspace) Known() []vet.Known {
	out := []vet.Known{}
	if w.Anchor != nil {
		out = append(out, vet.Known{Certificate: w.Anchor.Certificate, Role: vet.EFGSTA, Country: "BE", Source: "the EFGSTA"})
	}
	for _, c := range w.certificates {
		out = append(out, vet.Known{Certificate: c.Certificate, Role: c.Type, Country: c.Country,
			Source: fmt.Sprintf("%s %s %s", c.Country, c.Type, cert.ShortHex(c.SHA256))})
	}
	return out
}

// apply adds one event. An event that does not fit what came before is damage:
// this program would not have written it.
func (s *State) apply(e journal.Event) error {
	if (e.Seq == 1) != (e.Type == EventInit) {
		return fmt.Errorf("%w: journal event %d: %s out of place", ErrDamaged, e.Seq, e.Type)
	}
	s.last = e.Time
	var err error
	switch e.Type {
	case EventInit:
		var d InitData
		err = decode(e, &d)
		s.ListID, s.Environment, s.members = d.ListID, d.Environment, map[string]*Member{}
	case EventAnchor:
		var d AnchorData
		err = decode(e, &d)
		s.Anchor = &AnchorRecord{AnchorData: d}
	case EventMember:
		var d MemberData
		err = decode(e, &d)
		s.members[d.Country] = &Member{MemberData: d, Since: e.Time}
	case EventSubmission:
		var d SubmissionData
		err = decode(e, &d)
		if s.members[d.Country] == nil {
			return fmt.Errorf("%w: journal event %d: submission of %q, which is no member", ErrDamaged, e.Seq, d.Country)
		}
		for _, c := range d.Certificates {
			s.certificates = append(s.certificates, &Certificate{SubmittedCertificate: c, Country: d.Country, Received: e.Time, ConfirmedBy: d.ConfirmedBy})
		}
	case EventRefusal:
		var d RefusalData
		err = decode(e, &d)
	case EventReleased:
		var d ReleasedData
		err = decode(e, &d)
		if want := uint64(len(s.Releases)) + 1; err == nil && d.Sequence != want {
			return fmt.Errorf("%w: journal event %d: release %d, expected %d", ErrDamaged, e.Seq, d.Sequence, want)
		}
		s.Releases = append(s.Releases, d)
	default:
		return fmt.Errorf("%w: journal event %d: type %q is not known to this version", ErrDamaged, e.Seq, e.Type)
	}
	return err
}

func decode(e journal.Event, into any) error {
	dec := json.NewDecoder(bytes.NewReader(e.Data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("%w: journal event %d (%s): %w", ErrDamaged, e.Seq, e.Type, err)
	}
	return nil
}

// loadCertificates reads the objects that the events name.
func (w *Workspace) loadCertificates() error {
	if w.Anchor != nil && w.Anchor.Certificate == nil {
		c, err := w.loadCertificate(w.Anchor.SHA256)
		if err != nil {
			return err
		}
		w.Anchor.Certificate = c
	}
	for _, c := range w.certificates {
		if c.Certificate != nil {
			continue
		}
		var err error
		if c.Certificate, err = w.loadCertificate(c.SHA256); err != nil {
			return err
		}
	}
	return nil
}

func (w *Workspace) loadCertificate(sha string) (*cert.Certificate, error) {
	der, err := w.Object(sha)
	if err != nil {
		return nil, err
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w: object %s: %w", ErrDamaged, cert.ShortHex(sha), err)
	}
	return c, nil
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
