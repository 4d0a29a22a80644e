package registry

import (
	"io"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/vet"
)

// Trail is everything that a journal says, for whoever holds the files of a
// workspace against it.
type Trail struct {
	State
	Head     journal.Head
	Torn     int // bytes of a last line that was never finished
	Objects  []Named
	hashes   []string // of the events, from the first
	enrolled []*Approver
}

// ObjectKind is what an object must be readable as.
type ObjectKind string

// The kinds of objects.
const (
	ObjectCertificate ObjectKind = "certificate"
	ObjectRoots       ObjectKind = "roots"
	ObjectCRL         ObjectKind = "revocation list"
	ObjectOCSP        ObjectKind = "OCSP response"
	ObjectFile        ObjectKind = "file"
)

// Named is an object with the event that names it.
type Named struct {
	SHA256 string
	Event  uint64
	Kind   ObjectKind
	File   string // name that the file came with, "" if it has none
}

// ReadTrail replays a journal, event by event, and writes nothing. On an error the
// trail holds what came before; the line after Head is the one that is damaged.
func ReadTrail(r io.Reader) (*Trail, error) {
	t := &Trail{}
	var err error
	t.Head, t.Torn, err = journal.Replay(r, func(e journal.Event) error {
		if err := t.apply(e); err != nil {
			return err
		}
		named, err := objectsOf(e)
		if err != nil {
			return err
		}
		t.Objects = append(t.Objects, named...)
		t.hashes = append(t.hashes, e.Hash)
		return t.enrol(e)
	})
	return t, err
}

// enrol keeps every key that was ever proposed for an approver.
func (t *Trail) enrol(e journal.Event) error {
	var d ApproverData
	if e.Type != EventApprover {
		return nil
	}
	err := decode(e, &d)
	if err == nil && d.Change == ApproverAdd {
		t.enrolled = append(t.enrolled, &Approver{d.Name, d.Key, d.KeySHA256, e.Seq, e.Time})
	}
	return err
}

// Enrolled returns the person of that name and key, who may have been removed since, or nil.
func (t *Trail) Enrolled(name, keySHA256 string) *Approver {
	for _, a := range t.enrolled {
		if a.Name == name && a.KeySHA256 == keySHA256 {
			return a
		}
	}
	return nil
}

// Has reports whether the journal holds that event.
func (t *Trail) Has(seq uint64, hash string) bool {
	return seq >= 1 && seq <= uint64(len(t.hashes)) && t.hashes[seq-1] == hash
}

// objectsOf lists the objects that an event names. Types that name none are not there.
func objectsOf(e journal.Event) ([]Named, error) {
	var out []Named
	add := func(sha string, kind ObjectKind, file string) {
		out = append(out, Named{sha, e.Seq, kind, file})
	}
	switch e.Type {
	case EventAnchor:
		var d AnchorData
		if err := decode(e, &d); err != nil {
			return nil, err
		}
		add(d.SHA256, ObjectCertificate, "")
	case EventImported:
		var d ImportData
		if err := decode(e, &d); err != nil {
			return nil, err
		}
		add(d.SHA256, ObjectCertificate, d.File)
	case EventAnnounced:
		var d AnnouncementData
		if err := decode(e, &d); err != nil {
			return nil, err
		}
		add(d.Next.SHA256, ObjectCertificate, "")
		for _, sha := range []string{d.Statement, d.Signature, d.CMS} {
			add(sha, ObjectFile, "")
		}
	case EventSubmission:
		var d SubmissionData
		if err := decode(e, &d); err != nil {
			return nil, err
		}
		for _, c := range d.Certificates {
			add(c.SHA256, ObjectCertificate, c.File)
			if c.Kept {
				add(c.Object, ObjectFile, c.File)
			}
		}
	case EventEvidence:
		var d EvidenceData
		if err := decode(e, &d); err != nil {
			return nil, err
		}
		if r := d.Roots; r != nil && !r.embedded() {
			add(r.SHA256, ObjectRoots, r.File)
		}
		for _, sha := range d.Intermediates {
			add(sha, ObjectCertificate, "")
		}
		for _, f := range d.CRLs {
			add(f.SHA256, ObjectCRL, f.File)
		}
		for _, f := range d.OCSP {
			add(f.SHA256, ObjectOCSP, f.File)
		}
	}
	return out, nil
}

// Read reports whether the object's bytes are what the event says.
func (n Named) Read(data []byte) error {
	var err error
	switch n.Kind {
	case ObjectCertificate:
		_, err = cert.Parse(data)
	case ObjectRoots:
		_, err = vet.ReadRoots(n.File, data)
	case ObjectCRL:
		_, err = vet.ReadCRLs(n.File, data)
	case ObjectOCSP:
		_, err = vet.ReadOCSP(n.File, data)
	}
	return err
}

// Part reports whether a name in a workspace's own directory is one of its parts.
func Part(name string) bool {
	switch name {
	case ConfigFile, WiringFile, JournalFile, objectsDir, plansDir, releasesDir, keysDir, lockFile:
		return true
	}
	return false
}

// WiringFile says where the key is; nothing of it is decided or signed.
const WiringFile = "hsm.yaml"
