// Package trustlist is the signed list of Governance 2.3 and 3.2: which NBBS and
// NBTLS certificates are trusted, for which member state, chained to the list before.
package trustlist

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// ErrInvalid marks a list that must not be trusted.
var ErrInvalid = errors.New("trust list not valid")

// List is the trust list. It holds no signatures.
type List struct {
	Schema      anchor.Schema `json:"schema"`
	ListID      string        `json:"listId"`
	Environment string        `json:"environment"`
	Sequence    uint64        `json:"sequence"` // from 1, +1 each
	Previous    string        `json:"previous"` // SHA-256 of the list before, "" for the first
	ThisUpdate  time.Time     `json:"thisUpdate"`
	NextUpdate  time.Time     `json:"nextUpdate"`
	Anchor      Anchor        `json:"anchor"`
	Policy      Policy        `json:"policy"`
	Entries     []Entry       `json:"entries"`
	Removed     []Removal     `json:"removed"`
}

// Anchor names the EFGSTA that signs the list.
type Anchor struct {
	Subject string `json:"subject"`
	SHA256  string `json:"sha256"`
}

// Policy names the rules that the entries were vetted under.
type Policy struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Entry is one trusted certificate in its role.
type Entry struct {
	Country     string    `json:"country"`
	Type        vet.Role  `json:"type"` // nbbs or nbtls
	SHA256      string    `json:"sha256"`
	SPKISHA256  string    `json:"spkiSha256"`
	Subject     string    `json:"subject"`
	NotBefore   time.Time `json:"notBefore"`
	NotAfter    time.Time `json:"notAfter"`
	Certificate string    `json:"certificate"`      // canonical PEM
	Waived      []Waived  `json:"waived,omitempty"` // in order of rule; a list has no empty ones
}

// Waived is a rule that the certificate is excused from. Who decided that, and why, is
// in the plan: no names go to all member states.
type Waived struct {
	Rule  string    `json:"rule"`  // "EFGS-308"
	Until time.Time `json:"until"` // the last moment at which it holds
}

// Removal is a certificate that an earlier list held. It stays on record, so that
// it is never trusted again by mistake.
type Removal struct {
	Country string    `json:"country"`
	Type    vet.Role  `json:"type"`
	SHA256  string    `json:"sha256"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
}

// NewEntry makes the entry of a vetted certificate.
func NewEntry(a vet.Accepted) Entry {
	e := entryOf(a.Certificate(), a.Role(), a.Country())
	e.Waived = WaivedOf(a.Result())
	return e
}

// WaivedOf names each rule once that a waiver excuses, with the waiver's end, in order of
// rule; nil if there is none.
func WaivedOf(r *vet.Result) []Waived {
	var out []Waived
	for _, f := range r.Findings {
		if f.Status == vet.StatusWaived && !slices.ContainsFunc(out, func(w Waived) bool { return w.Rule == f.ID }) {
			out = append(out, Waived{f.ID, f.Waiver.Expires})
		}
	}
	slices.SortFunc(out, func(a, b Waived) int { return strings.Compare(a.Rule, b.Rule) })
	return out
}

func entryOf(c *cert.Certificate, role vet.Role, country string) Entry {
	return Entry{
		Country:     country,
		Type:        role,
		SHA256:      c.Thumbprint().String(),
		SPKISHA256:  c.SPKISHA256().String(),
		Subject:     c.Subject.String(),
		NotBefore:   c.NotBefore.UTC(),
		NotAfter:    c.NotAfter.UTC(),
		Certificate: string(c.PEM()),
	}
}

// Sort puts entries and removals in the order of the list: country, type, thumbprint.
func (l *List) Sort() {
	slices.SortFunc(l.Entries, func(a, b Entry) int {
		return compare(a.Country, b.Country, a.Type, b.Type, a.SHA256, b.SHA256)
	})
	slices.SortFunc(l.Removed, func(a, b Removal) int {
		return compare(a.Country, b.Country, a.Type, b.Type, a.SHA256, b.SHA256)
	})
}

func compare(c1, c2 string, t1, t2 vet.Role, h1, h2 string) int {
	if c := strings.Compare(c1, c2); c != 0 {
		return c
	}
	if c := strings.Compare(string(t1), string(t2)); c != 0 {
		return c
	}
	return strings.Compare(h1, h2)
}

// Encode checks the list and returns the document that the anchor signs.
func (l *List) Encode() (anchor.Document, error) {
	if _, err := l.certificates(); err != nil {
		return anchor.Document{}, err
	}
	return anchor.Encode(anchor.TrustList, l)
}

// Parse reads a list's text strictly and checks that every entry is what its
// certificate says. It verifies no signature.
func Parse(text []byte) (*List, error) {
	var l List
	if err := anchor.Decode(anchor.TrustList, text, &l); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if _, err := l.certificates(); err != nil {
		return nil, err
	}
	return &l, nil
}

// Certificates returns the certificates in the order of the entries.
func (l *List) Certificates() []*cert.Certificate {
	certs, err := l.certificates()
	if err != nil {
		// A List is made by Parse or checked by Encode; one built by hand gives nothing.
		return nil
	}
	return certs
}
