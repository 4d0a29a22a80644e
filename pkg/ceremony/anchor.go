package ceremony

import (
	"errors"
	"fmt"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/trustlist"
)

// CheckAnchor holds what the journal says of the EFGSTA, and of the one that was announced,
// against what was signed: the certificates themselves, the proof of an import, the old
// EFGSTA's statement. Whoever can write to the workspace can chain a journal anew; nobody
// can make these signatures without the key. Every command passes here before anything
// of the workspace is shown or used. An error wraps registry.ErrDamaged.
func CheckAnchor(w *registry.Workspace) error {
	if w.Anchor == nil {
		return nil
	}
	an, err := checkRecord(w.Anchor)
	if err != nil {
		return forged(w.Anchor.Event, "the EFGSTA", err)
	}
	if w.Next == nil {
		return nil
	}
	if err := checkNext(w, an); err != nil {
		return forged(w.Next.Event, "the next EFGSTA", err)
	}
	return nil
}

func forged(event uint64, what string, err error) error {
	if errors.Is(err, registry.ErrDamaged) {
		return fmt.Errorf("journal event %d: %w", event, err) // an object that is gone says how to get it back
	}
	return &Error{
		Msg:  fmt.Sprintf("journal event %d is not what was signed: %s: %v", event, what, err),
		Next: "hand nothing out from this workspace; find out who wrote to it, and go on with a copy from before",
		Err:  errors.Join(registry.ErrDamaged, err),
	}
}

// checkRecord checks the event that made the workspace's EFGSTA.
func checkRecord(r *registry.AnchorRecord) (*anchor.Anchor, error) {
	an, err := describes(r.AnchorData, r.Certificate)
	if err != nil || r.Import == nil {
		return an, err
	}
	return an, an.CheckProof(anchor.Proof{Nonce: r.Import.Nonce, Signature: r.Import.Signature})
}

// describes holds the words of a record against the certificate that it names.
func describes(d registry.AnchorData, c *cert.Certificate) (*anchor.Anchor, error) {
	an, err := anchor.New(c)
	if err != nil {
		return nil, err
	}
	switch {
	case d.Subject != c.Subject.String():
		err = fmt.Errorf("the subject is %q, that of the certificate %q", d.Subject, c.Subject)
	case d.Algorithm != an.Algorithm.String():
		err = fmt.Errorf("the algorithm is %q, that of the certificate %q", d.Algorithm, an.Algorithm)
	case !d.NotBefore.Equal(c.NotBefore) || !d.NotAfter.Equal(c.NotAfter):
		err = errors.New("the validity is not that of the certificate")
	}
	return an, err
}

// checkNext verifies the statement as a receiver would who pins the old EFGSTA, and that
// the event says what the statement says.
func checkNext(w *registry.Workspace, old *anchor.Anchor) error {
	d := w.Next
	if _, err := describes(d.Next, d.Certificate); err != nil {
		return err
	}
	var text, sig, p7s []byte
	for _, o := range []struct {
		name string
		into *[]byte
	}{{d.Statement, &text}, {d.Signature, &sig}, {d.CMS, &p7s}} {
		var err error
		if *o.into, err = w.Object(o.name); err != nil {
			return err
		}
	}
	s, next, err := trustlist.VerifySuccession(text, p7s, []*anchor.Anchor{old})
	if err != nil {
		return err
	}
	raw, err := release.DecodeSignature(sig)
	if err != nil {
		return err
	}
	if err := old.VerifyDocument(text, raw); err != nil {
		return fmt.Errorf("signature of the statement: %w", err)
	}
	switch {
	case next.Thumbprint().String() != d.Next.SHA256:
		return fmt.Errorf("the statement names %s, the event %s", cert.ShortHex(next.Thumbprint().String()), cert.ShortHex(d.Next.SHA256))
	case !s.From.Equal(d.From):
		return errors.New("the day from which it counts is not the statement's")
	case s.ListID != w.ListID || s.Environment != string(w.Environment):
		return fmt.Errorf("the statement is for list %q (%s)", s.ListID, s.Environment)
	}
	return nil
}
