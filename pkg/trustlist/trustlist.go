// Package trustlist is the signed list of Governance 2.3 and 3.2: which NBBS and
// NBTLS certificates are trusted, for which member state, chained to the list before.
package trustlist

import (
	"bytes"
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
	Certificate string    `json:"certificate"` // canonical PEM
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
	return entryOf(a.Certificate(), a.Role(), a.Country())
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

func (l *List) certificates() ([]*cert.Certificate, error) {
	switch {
	case l.Schema != anchor.TrustList:
		return nil, fmt.Errorf("%w: schema %q", ErrInvalid, l.Schema)
	case l.ListID == "":
		return nil, fmt.Errorf("%w: no list id", ErrInvalid)
	case l.Environment != "rehearsal" && l.Environment != "production":
		return nil, fmt.Errorf("%w: environment %q", ErrInvalid, l.Environment)
	case l.Sequence == 0:
		return nil, fmt.Errorf("%w: sequence 0", ErrInvalid)
	case (l.Sequence == 1) != (l.Previous == ""):
		return nil, fmt.Errorf("%w: sequence %d with previous %q", ErrInvalid, l.Sequence, l.Previous)
	case !l.ThisUpdate.Before(l.NextUpdate):
		return nil, fmt.Errorf("%w: next update is not after this update", ErrInvalid)
	case l.Entries == nil || l.Removed == nil:
		return nil, fmt.Errorf("%w: entries or removed missing", ErrInvalid)
	}
	seen := map[string]string{}  // thumbprint → where
	roles := map[string]string{} // key → country and type: one key serves one member in one role
	var certs []*cert.Certificate
	for i, e := range l.Entries {
		at := fmt.Sprintf("entry %d (%s %s %s)", i, e.Country, e.Type, cert.ShortHex(e.SHA256))
		if e.Type != vet.NBBS && e.Type != vet.NBTLS {
			return nil, fmt.Errorf("%w: %s: type is not nbbs or nbtls", ErrInvalid, at)
		}
		if i > 0 {
			p := l.Entries[i-1]
			if compare(p.Country, e.Country, p.Type, e.Type, p.SHA256, e.SHA256) >= 0 {
				return nil, fmt.Errorf("%w: %s: out of order", ErrInvalid, at)
			}
		}
		c, err := onlyCertificate(e.Certificate)
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, at, err)
		}
		if e != entryOf(c, e.Type, e.Country) {
			return nil, fmt.Errorf("%w: %s: fields differ from the certificate", ErrInvalid, at)
		}
		if cc := c.Countries(); len(cc) != 1 || cc[0] != e.Country {
			return nil, fmt.Errorf("%w: %s: the certificate's C is %q", ErrInvalid, at, cc)
		}
		if where, dup := seen[e.SHA256]; dup {
			return nil, fmt.Errorf("%w: %s: already listed as %s", ErrInvalid, at, where)
		}
		seen[e.SHA256] = at
		who := e.Country + " " + string(e.Type)
		if other, ok := roles[e.SPKISHA256]; ok && other != who {
			return nil, fmt.Errorf("%w: %s: key is also that of %s", ErrInvalid, at, other)
		}
		roles[e.SPKISHA256] = who
		certs = append(certs, c)
	}
	for i, r := range l.Removed {
		if where, ok := seen[r.SHA256]; ok {
			return nil, fmt.Errorf("%w: %s is both removed and %s", ErrInvalid, cert.ShortHex(r.SHA256), where)
		}
		if i > 0 {
			p := l.Removed[i-1]
			if compare(p.Country, r.Country, p.Type, r.Type, p.SHA256, r.SHA256) >= 0 {
				return nil, fmt.Errorf("%w: removal %d: out of order", ErrInvalid, i)
			}
		}
	}
	return certs, nil
}

// onlyCertificate parses text that must be exactly one canonical PEM block.
func onlyCertificate(text string) (*cert.Certificate, error) {
	in := cert.Read("entry", []byte(text))
	if len(in.Items) != 1 || in.Items[0].Cert == nil {
		return nil, errors.New("no single certificate")
	}
	c := in.Items[0].Cert
	if !bytes.Equal(c.PEM(), []byte(text)) {
		return nil, errors.New("certificate text is not canonical PEM")
	}
	return c, nil
}
