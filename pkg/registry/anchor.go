package registry

import (
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// SetAnchor records the EFGSTA certificate, whose DER becomes an object. d needs
// Algorithm and Key; the rest is the certificate's.
func (w *Workspace) SetAnchor(at time.Time, actor string, c *cert.Certificate, d AnchorData) error {
	return w.recordAnchor(c, &d, func() error { return w.record(at, actor, EventAnchor, d) })
}

// ImportAnchor is SetAnchor for a certificate that was made elsewhere, with the proof
// that its private key was at hand, which the caller has checked.
func (w *Workspace) ImportAnchor(at time.Time, actor string, c *cert.Certificate, d ImportData) error {
	return w.recordAnchor(c, &d.AnchorData, func() error { return w.record(at, actor, EventImported, d) })
}

func (w *Workspace) recordAnchor(c *cert.Certificate, d *AnchorData, record func() error) error {
	if w.Anchor != nil {
		return &Error{Msg: "this workspace has an EFGSTA already: " + cert.ShortHex(w.Anchor.SHA256), Next: "show it with: efgsta anchor show"}
	}
	if err := w.keepAnchor(c, d); err != nil {
		return err
	}
	if err := record(); err != nil {
		return err
	}
	w.Anchor.Certificate = c
	return nil
}

func (w *Workspace) keepAnchor(c *cert.Certificate, d *AnchorData) error {
	sha, err := w.PutObject(c.Raw)
	d.SHA256, d.Subject, d.NotBefore, d.NotAfter = sha, c.Subject.String(), c.NotBefore, c.NotAfter
	return err
}

// Announced is what an announcement records: the statement's text with both signatures.
type Announced struct {
	Next           AnchorData // needs Algorithm and Key
	Certificate    *cert.Certificate
	From           time.Time
	Text, Raw, CMS []byte // Raw as its .sig file has it
}

// Announce records the next EFGSTA.
func (w *Workspace) Announce(at time.Time, actor string, a Announced) error {
	switch {
	case w.Anchor == nil:
		return &Error{Msg: "this workspace has no EFGSTA", Next: "make one with: efgsta anchor create"}
	case w.Next != nil:
		return &Error{Msg: "a next EFGSTA is announced already: " + cert.ShortHex(w.Next.Next.SHA256), Next: "show it with: efgsta anchor show"}
	}
	d := AnnouncementData{Old: w.Anchor.SHA256, Next: a.Next, From: a.From}
	if err := w.keepAnchor(a.Certificate, &d.Next); err != nil {
		return err
	}
	for _, o := range []struct {
		data []byte
		into *string
	}{{a.Text, &d.Statement}, {a.Raw, &d.Signature}, {a.CMS, &d.CMS}} {
		var err error
		if *o.into, err = w.PutObject(o.data); err != nil {
			return err
		}
	}
	if err := w.record(at, actor, EventAnnounced, d); err != nil {
		return err
	}
	w.Next.Certificate = a.Certificate
	return nil
}
