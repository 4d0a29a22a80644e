package registry

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/vet"
)

// EvidenceData records what was brought to judge chain and revocation of TLS
// certificates by (Governance 3.1). Roots in it take the place of those given for
// these certificates before; intermediates, lists and responses add up, so that what
// once said "revoked" is never forgotten.
type EvidenceData struct {
	Country       string         `json:"country"`
	Certificates  []string       `json:"certificates"` // SHA-256 of the certificates it was given for
	Roots         *EvidenceFile  `json:"roots"`        // null: none; without a SHA-256: those of the program, "mozilla" and their date
	Intermediates []string       `json:"intermediates"`
	CRLs          []EvidenceFile `json:"crls"`
	OCSP          []EvidenceFile `json:"ocsp"`
}

// EvidenceFile is an object with the name of the file it came in.
type EvidenceFile struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
}

// SetEvidence records evidence given for certificates of a member state. What says
// nothing new is not recorded again.
func (w *Workspace) SetEvidence(at time.Time, actor, country string, certificates []string, ev *vet.Evidence) error {
	d := EvidenceData{Country: country, Certificates: certificates, Intermediates: []string{}, CRLs: []EvidenceFile{}, OCSP: []EvidenceFile{}}
	put := func(name string, data []byte) (EvidenceFile, error) {
		sum, err := w.PutObject(data)
		return EvidenceFile{name, sum}, err
	}
	if r := ev.Roots; r != nil {
		d.Roots = &EvidenceFile{File: r.Name}
		if !r.Embedded() {
			f, err := put(r.Name, r.PEM())
			if err != nil {
				return err
			}
			d.Roots = &f
		}
	}
	for _, der := range ev.Intermediates() {
		f, err := put("", der)
		if err != nil {
			return err
		}
		if !slices.Contains(d.Intermediates, f.SHA256) {
			d.Intermediates = append(d.Intermediates, f.SHA256)
		}
	}
	for _, c := range ev.CRLs {
		f, err := put(c.File, c.DER())
		if err != nil {
			return err
		}
		d.CRLs = append(d.CRLs, f)
	}
	for _, o := range ev.OCSP {
		f, err := put(o.File, o.DER())
		if err != nil {
			return err
		}
		d.OCSP = append(d.OCSP, f)
	}
	if !slices.ContainsFunc(certificates, func(sha string) bool {
		old := w.evidence[sha]
		return !reflect.DeepEqual(old, d.over(old))
	}) {
		return nil
	}
	return w.record(at, actor, EventEvidence, d)
}

// embedded: Mozilla's roots are part of the program. Which ones count is a matter of its
// version, so that a newer one no longer trusts what Mozilla no longer trusts.
func (f *EvidenceFile) embedded() bool { return f.SHA256 == "" }

// over is d after old, for one certificate.
func (d *EvidenceData) over(old *EvidenceData) *EvidenceData {
	n := &EvidenceData{Roots: d.Roots}
	if old == nil {
		old = &EvidenceData{}
	}
	if n.Roots == nil {
		n.Roots = old.Roots
	}
	// Lists add up: an older one must not make a revocation forgotten.
	n.CRLs, n.OCSP = addFiles(old.CRLs, d.CRLs), addFiles(old.OCSP, d.OCSP)
	n.Intermediates = slices.Clone(old.Intermediates)
	for _, sha := range d.Intermediates {
		if !slices.Contains(n.Intermediates, sha) {
			n.Intermediates = append(n.Intermediates, sha)
		}
	}
	return n
}

// addFiles appends the files that are not there yet.
func addFiles(old, more []EvidenceFile) []EvidenceFile {
	out := slices.Clone(old)
	for _, f := range more {
		if !slices.ContainsFunc(out, func(o EvidenceFile) bool { return o.SHA256 == f.SHA256 }) {
			out = append(out, f)
		}
	}
	return out
}

// evidenceGiven may come before the certificates that it is for: they are recorded
// together, and if only the evidence was, the same submission is repeated.
func (s *State) evidenceGiven(e journal.Event) (func(), error) {
	var d EvidenceData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if s.members[d.Country] == nil {
		return nil, fmt.Errorf("%q is no member", d.Country)
	}
	shas := slices.Concat(d.Certificates, d.Intermediates)
	for _, f := range slices.Concat(d.CRLs, d.OCSP) {
		shas = append(shas, f.SHA256)
	}
	if r := d.Roots; r != nil && (!r.embedded() || !strings.HasPrefix(r.File, vet.MozillaName)) {
		shas = append(shas, r.SHA256)
	}
	if len(d.Certificates) == 0 || slices.ContainsFunc(shas, func(sha string) bool { return !isSHA256(sha) }) {
		return nil, errors.New("evidence without SHA-256")
	}
	return func() {
		if s.evidence == nil {
			s.evidence = map[string]*EvidenceData{}
		}
		for _, sha := range d.Certificates {
			s.evidence[sha] = d.over(s.evidence[sha])
		}
	}, nil
}

// Evidence returns what was recorded to judge that certificate by, or nil if nothing was.
func (w *Workspace) Evidence(sha string) (*vet.Evidence, error) {
	d := w.evidence[sha]
	if d == nil {
		return nil, nil
	}
	ev := &vet.Evidence{}
	if err := w.loadRoots(ev, d.Roots); err != nil {
		return nil, err
	}
	for _, sha := range d.Intermediates {
		c, err := w.loadCertificate(sha)
		if err != nil {
			return nil, err
		}
		ev.Add(c)
	}
	for _, f := range d.CRLs {
		data, err := w.Object(f.SHA256)
		if err != nil {
			return nil, err
		}
		lists, err := vet.ReadCRLs(f.File, data)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		ev.CRLs = append(ev.CRLs, lists...)
	}
	for _, f := range d.OCSP {
		data, err := w.Object(f.SHA256)
		if err != nil {
			return nil, err
		}
		o, err := vet.ReadOCSP(f.File, data)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		ev.OCSP = append(ev.OCSP, o)
	}
	return ev, nil
}

func (w *Workspace) loadRoots(ev *vet.Evidence, f *EvidenceFile) (err error) {
	switch {
	case f == nil:
	case f.embedded():
		ev.Roots, err = vet.MozillaRoots()
	default:
		var data []byte
		if data, err = w.Object(f.SHA256); err != nil {
			return err
		}
		if ev.Roots, err = vet.ReadRoots(f.File, data); err != nil {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return err
}
