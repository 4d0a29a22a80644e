package registry

import (
	"fmt"
	"slices"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// AddMember records a member state (Governance 3.2). Repeating it with the same data changes nothing.
func (w *Workspace) AddMember(at time.Time, actor string, d MemberData) (added bool, err error) {
	if !cert.IsCountryCode(d.Country) {
		return false, &Error{Msg: fmt.Sprintf("%q is not a country code", d.Country), Next: "use the two upper-case letters of ISO 3166-1, as they stand in the certificates' C"}
	}
	if m := w.Member(d.Country); m != nil {
		if m.Name == d.Name && slices.Equal(m.Contacts, d.Contacts) {
			return false, nil
		}
		return false, &Error{Msg: fmt.Sprintf("%s is a member already, as %q", d.Country, m.Name), Next: "a member's data cannot be changed in this version"}
	}
	return true, w.record(at, actor, EventMember, d)
}

// Submitted is one file of a submission with the certificate chosen from it.
type Submitted struct {
	Data        SubmittedCertificate // SHA256, Object and Subject are filled in
	File        []byte               // as received; never one that holds a private key
	Certificate *cert.Certificate
}

// Submit records a submission: files and certificates become objects first, then
// one event names them all.
func (w *Workspace) Submit(at time.Time, actor, country, confirmedBy string, files []Submitted) error {
	if w.Member(country) == nil {
		return &Error{Msg: fmt.Sprintf("%q is not a member", country), Next: "add it with: efgsta member add"}
	}
	d := SubmissionData{Country: country, ConfirmedBy: confirmedBy}
	for _, f := range files {
		in := cert.Read(f.Data.File, f.File)
		if in.PrivateKey || cert.HoldsKey(f.File) || cert.HoldsKey(f.Certificate.Raw) {
			return &Error{Msg: f.Data.File + " holds a private key", Next: "treat the key as compromised; nothing of it was kept"}
		}
		// A file with anything beside certificates is known by its hash only: what
		// else is in it could be a key in a coding that nobody recognises.
		f.Data.Object, f.Data.Kept = digest(f.File), in.OnlyCertificates(f.File)
		if f.Data.Kept {
			if _, err := w.PutObject(f.File); err != nil {
				return err
			}
		}
		var err error
		if f.Data.SHA256, err = w.PutObject(f.Certificate.Raw); err != nil {
			return err
		}
		f.Data.Subject = f.Certificate.Subject.String()
		f.Data.Failed, f.Data.NotEvaluated = append([]string{}, f.Data.Failed...), append([]string{}, f.Data.NotEvaluated...)
		d.Certificates = append(d.Certificates, f.Data)
	}
	if err := w.record(at, actor, EventSubmission, d); err != nil {
		return err
	}
	return w.loadCertificates()
}

// Confirm records that the fingerprints of certificates were read back.
func (w *Workspace) Confirm(at time.Time, actor string, d ConfirmationData) error {
	return w.record(at, actor, EventConfirmed, d)
}

// Refuse records that a file was not taken in. Its bytes are kept nowhere.
func (w *Workspace) Refuse(at time.Time, actor string, d RefusalData) error {
	return w.record(at, actor, EventRefusal, d)
}

// Released records a published release.
func (w *Workspace) Released(at time.Time, actor string, d ReleasedData) error {
	return w.record(at, actor, EventReleased, d)
}

// Find returns the submitted certificate of that thumbprint, or nil.
func (s *State) Find(t cert.Thumbprint) *Certificate { return s.byHash[t.String()] }
