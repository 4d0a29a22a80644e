package trustlist

import (
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
)

// Verify checks a list's text and its detached CMS signature with a pinned EFGSTA
// at the given time: form, signature, signer, freshness. Sequence against what was
// seen before is the caller's, who has the state.
func Verify(text, p7s []byte, pinned []*anchor.Anchor, at time.Time) (*List, error) {
	l, err := Parse(text)
	if err != nil {
		return nil, err
	}
	a, err := anchor.ByThumbprint(pinned, l.Anchor.SHA256)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	info, err := a.VerifyCMS(p7s, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if !info.SigningTime.Equal(l.ThisUpdate) {
		return nil, fmt.Errorf("%w: signed at %s, this update is %s", ErrInvalid, info.SigningTime.Format(time.RFC3339), l.ThisUpdate.Format(time.RFC3339))
	}
	if a.Rehearsal() != (l.Environment == "rehearsal") {
		return nil, fmt.Errorf("%w: %s list signed by an EFGSTA of the other environment", ErrInvalid, l.Environment)
	}
	c := a.Certificate
	if l.Anchor.Subject != c.Subject.String() {
		return nil, fmt.Errorf("%w: the anchor's subject is not that of EFGSTA %s", ErrInvalid, l.Anchor.SHA256)
	}
	if l.ThisUpdate.Before(c.NotBefore) || l.NextUpdate.After(c.NotAfter) {
		return nil, fmt.Errorf("%w: list outlives its EFGSTA (%s to %s)", ErrInvalid, c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339))
	}
	if at.Before(l.ThisUpdate) {
		return nil, fmt.Errorf("%w: not valid before %s", ErrInvalid, l.ThisUpdate.Format(time.RFC3339))
	}
	if at.After(l.NextUpdate) {
		return nil, fmt.Errorf("%w: stale since %s", ErrInvalid, l.NextUpdate.Format(time.RFC3339))
	}
	return l, nil
}

// Find returns the entry of a certificate in any role.
func (l *List) Find(t cert.Thumbprint) (Entry, bool) {
	sha := t.String()
	for _, e := range l.Entries {
		if e.SHA256 == sha {
			return e, true
		}
	}
	return Entry{}, false
}

// Count returns the number of entries of a role.
func (l *List) Count(role vet.Role) int {
	n := 0
	for _, e := range l.Entries {
		if e.Type == role {
			n++
		}
	}
	return n
}
