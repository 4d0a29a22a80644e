package trustlist

import (
	"errors"
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
)

// Succession is the old EFGSTA's word on who comes after it (Governance 3.4): one
// certificate, from a date on. It is not a list: nothing is trusted because of it
// but lists of the new EFGSTA.
type Succession struct {
	Schema      anchor.Schema `json:"schema"`
	ListID      string        `json:"listId"`
	Environment string        `json:"environment"`
	Announced   time.Time     `json:"announced"` // the signing time
	From        time.Time     `json:"from"`      // lists of the new EFGSTA count from here on
	Old         Anchor        `json:"old"`       // who signs this
	New         Anchor        `json:"new"`
	Certificate string        `json:"certificate"` // of the new EFGSTA, canonical PEM
}

// NewSuccession says that next follows old.
func NewSuccession(listID, environment string, old, next *anchor.Anchor, announced, from time.Time) *Succession {
	return &Succession{
		Schema: anchor.Succession, ListID: listID, Environment: environment, Announced: announced.UTC().Truncate(time.Second), From: from.UTC().Truncate(time.Second),
		Old: nameOf(old), New: nameOf(next), Certificate: string(next.Certificate.PEM()),
	}
}

func nameOf(a *anchor.Anchor) Anchor {
	return Anchor{Subject: a.Certificate.Subject.String(), SHA256: a.Thumbprint().String()}
}

// Encode checks the statement and returns the document that the old EFGSTA signs.
func (s *Succession) Encode() (anchor.Document, error) {
	if _, err := s.next(); err != nil {
		return anchor.Document{}, err
	}
	return anchor.Encode(anchor.Succession, s)
}

// VerifySuccession checks a statement's text and its detached CMS signature by a pinned
// EFGSTA, and returns the statement and the next EFGSTA. Whether From has come is the caller's.
func VerifySuccession(text, p7s []byte, pinned []*anchor.Anchor) (*Succession, *anchor.Anchor, error) {
	var s Succession
	if err := anchor.Decode(anchor.Succession, text, &s); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	next, err := s.next()
	if err != nil {
		return nil, nil, err
	}
	old, err := anchor.ByThumbprint(pinned, s.Old.SHA256)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	info, err := old.VerifyCMS(p7s, text)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	switch {
	case !info.SigningTime.Equal(s.Announced):
		err = fmt.Errorf("signed at %s, announced at %s", info.SigningTime.Format(time.RFC3339), s.Announced.Format(time.RFC3339))
	case s.Old != nameOf(old):
		err = errors.New("the old EFGSTA's subject is not that of the one that is pinned")
	case old.Rehearsal() != next.Rehearsal() || old.Rehearsal() != (s.Environment == "rehearsal"):
		err = errors.New("one EFGSTA is for rehearsals and the other is not")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return &s, next, nil
}

// next reads the new EFGSTA and holds the statement against it.
func (s *Succession) next() (*anchor.Anchor, error) {
	invalid := func(err error) (*anchor.Anchor, error) { return nil, fmt.Errorf("%w: succession: %w", ErrInvalid, err) }
	next, err := anchor.Parse("the new EFGSTA", []byte(s.Certificate))
	if err != nil {
		return invalid(err)
	}
	c := next.Certificate
	switch {
	case string(c.PEM()) != s.Certificate:
		return invalid(errors.New("the certificate is not canonical PEM"))
	case s.New != nameOf(next):
		return invalid(errors.New("name or thumbprint is not that of the certificate"))
	case s.New.SHA256 == s.Old.SHA256:
		return invalid(fmt.Errorf("EFGSTA %s follows itself", cert.ShortHex(s.New.SHA256)))
	case s.From.Before(s.Announced):
		return invalid(errors.New("it begins before it is announced"))
	case s.From.Before(c.NotBefore) || !s.From.Before(c.NotAfter):
		return invalid(fmt.Errorf("the new EFGSTA is valid from %s to %s, not at %s", c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339), s.From.Format(time.RFC3339)))
	}
	return next, nil
}
