package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// State is what the journal's events add up to.
type State struct {
	ListID      string
	Environment Environment
	Anchor      *AnchorRecord // nil before anchor create
	Next        *Announcement // nil unless a roll is announced
	Releases    []ReleasedData

	members          map[string]*Member
	certificates     []*Certificate
	byHash           map[string]*Certificate // the same, by SHA-256
	revocations      []*Certificate          // those that were revoked
	waivers          map[waiverKey]*Waiver
	withdrawals      map[waiverKey]bool
	proposals        []*Proposal
	inForce          map[uint64]bool // proposals that a release brought into force, by event
	roster           roster
	pendingApprovers []*ApproverProposal
	evidence         map[string]*EvidenceData // by certificate
	last             time.Time
}

// AnchorRecord is the workspace's EFGSTA.
type AnchorRecord struct {
	AnchorData
	Event       uint64      // its number in the journal
	Import      *ImportData // nil unless it was made elsewhere
	Certificate *cert.Certificate
}

// Announcement is the EFGSTA that will follow.
type Announcement struct {
	AnnouncementData
	Event       uint64 // its number in the journal
	Since       time.Time
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
	Revoked     *Revocation // nil if it is not
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
func (w *Workspace) Known() *vet.Index {
	known := vet.NewIndex()
	if w.Anchor != nil {
		known.Add(vet.Known{Certificate: w.Anchor.Certificate, Role: vet.EFGSTA, Country: "BE", Source: "the EFGSTA"})
	}
	if w.Next != nil {
		known.Add(vet.Known{Certificate: w.Next.Certificate, Role: vet.EFGSTA, Country: "BE", Source: "the next EFGSTA"})
	}
	for _, c := range w.certificates {
		known.Add(vet.Known{Certificate: c.Certificate, Role: c.Type, Country: c.Country,
			Source: fmt.Sprintf("%s %s %s", c.Country, c.Type, cert.ShortHex(c.SHA256))})
	}
	return known
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
	if w.Next != nil && w.Next.Certificate == nil {
		c, err := w.loadCertificate(w.Next.Next.SHA256)
		if err != nil {
			return err
		}
		w.Next.Certificate = c
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
