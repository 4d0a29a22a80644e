package ceremony

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
)

// Result is a published release.
type Result struct {
	Sequence   uint64
	Dir        string
	Verified   *release.Verified
	Signatures int
}

// Sign signs the plan with the anchor's key, verifies every signature, writes the
// release under a temporary name, reads it back and verifies it as a receiver
// would, gives it its name and records it. Killed before the name is given there is
// no release; after it, the next command adopts it. people, who may be nil where a
// plan needs no approval, come from Gather; their statements become part of the
// release and are checked again.
func Sign(ctx context.Context, w *registry.Workspace, p *Pending, people *People, key crypto.Signer, rnd io.Reader, now time.Time, actor string) (*Result, error) {
	if p.Plan.Journal != release.JournalHead(w.Head()) {
		return nil, &Error{Msg: "the journal has gone on since the plan was made", Next: "make a new one with: efgsta plan", Err: ErrPlan}
	}
	if err := p.Plan.inWindow(now); err != nil {
		return nil, err
	}
	if people == nil {
		people = &People{}
	}
	people, err := people.stand(w, p.Plan, p.Digest)
	if err != nil {
		return nil, err
	}
	dir := w.ReleaseDir(p.Plan.Sequence)
	// Before the key is used: its signatures would be for nothing.
	if _, err := os.Lstat(dir); err == nil {
		return nil, &Error{Msg: dir + " is in the way", Next: "run efgsta status: it records a release that is complete", Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	signer, err := p.draft.Anchor.NewSigner(key, rnd)
	if err != nil {
		return nil, err
	}
	files, manifest, err := p.signAll(ctx, signer, people)
	if err != nil {
		return nil, err
	}
	if want := p.expected(); signer.Signatures() != want {
		return nil, fmt.Errorf("made %d signatures for a release that needs %d", signer.Signatures(), want)
	}
	tmp := filepath.Join(w.ReleasesDir(), atomicfile.TempPrefix+rand.Text())
	v, err := writeVerified(tmp, files, p.draft.Anchor, now)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	// The last moment to turn back: what has its name is published.
	if err := ctx.Err(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	if err := atomicfile.Publish(tmp, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	data := releasedData(v, signer.Signatures())
	data.Approvals, data.Signer, data.Proposals = people.recorded(p.Plan)
	if err := w.Released(now, actor, data); err != nil {
		return nil, &Error{Msg: fmt.Sprintf("release %d is complete in %s, but the journal did not take it: %v", manifest.Sequence, dir, err),
			Next: "solve that and run efgsta status: it records the release", Err: err}
	}
	return &Result{Sequence: manifest.Sequence, Dir: dir, Verified: v, Signatures: signer.Signatures()}, nil
}

// expected is the number of signatures of a release: operator and CMS for each
// certificate, CMS for the list, raw and CMS for the manifest.
func (p *Pending) expected() int { return 2*len(p.draft.Certificates) + 3 }

// signAll makes every signature of the release. The manifest comes last, over files
// made of plan bytes and signatures that were just verified.
func (p *Pending) signAll(ctx context.Context, s *anchor.Signer, people *People) (release.Files, release.Manifest, error) {
	d, at := p.draft, p.draft.SigningTime()
	var sigs release.Signatures
	var none release.Manifest
	for _, a := range d.Certificates {
		if err := ctx.Err(); err != nil {
			return nil, none, err
		}
		raw, err := s.Certificate(a)
		if err != nil {
			return nil, none, fmt.Errorf("sign %s %s %s: %w", a.Country(), a.Role(), a.Certificate().Thumbprint(), err)
		}
		p7s, err := s.CertificateCMS(a, at)
		if err != nil {
			return nil, none, fmt.Errorf("sign %s %s %s (CMS): %w", a.Country(), a.Role(), a.Certificate().Thumbprint(), err)
		}
		sigs.Certificates = append(sigs.Certificates, release.CertificateSignatures{Operator: raw, CMS: p7s})
	}
	var err error
	if sigs.ListCMS, err = s.DocumentCMS(d.Document, at); err != nil {
		return nil, none, fmt.Errorf("sign trust list: %w", err)
	}
	rendered, err := d.Render(sigs, p.Text, people.files)
	if err != nil {
		return nil, none, err
	}
	m := d.Manifest(rendered, p.Digest)
	if err := p.sameAsPlanned(m); err != nil {
		return nil, none, err
	}
	doc, err := anchor.Encode(anchor.Manifest, m)
	if err != nil {
		return nil, none, err
	}
	raw, err := s.Document(doc)
	if err != nil {
		return nil, none, fmt.Errorf("sign manifest: %w", err)
	}
	p7s, err := s.DocumentCMS(doc, at)
	if err != nil {
		return nil, none, fmt.Errorf("sign manifest (CMS): %w", err)
	}
	files := release.Files{release.ManifestPath: doc.Bytes(), release.ManifestSig: release.EncodeSignature(raw), release.ManifestCMS: p7s}
	for _, f := range rendered {
		files[f.Path] = f.Content
	}
	return files, m, nil
}

// sameAsPlanned holds the manifest against the plan's template: only the plan's
// digest, hashes that the plan left open and what people said of it may be new.
func (p *Pending) sameAsPlanned(m release.Manifest) error {
	planned := p.Plan.Manifest
	head, want := m, planned
	head.Plan, head.Files, want.Files = "", nil, nil
	if !reflect.DeepEqual(head, want) || m.Plan != p.Digest {
		return errors.New("the manifest differs from the plan")
	}
	files := slices.DeleteFunc(slices.Clone(m.Files), func(f release.File) bool { return release.IsStatement(f.Path) })
	if len(files) != len(planned.Files) {
		return fmt.Errorf("%d files rendered, %d planned", len(files), len(planned.Files))
	}
	for i, f := range files {
		want := planned.Files[i]
		if want.SHA256 == "" {
			want.Size, want.SHA256 = f.Size, f.SHA256
		}
		if f != want {
			return fmt.Errorf("%s differs from the plan", f.Path)
		}
	}
	return nil
}

// writeVerified writes the files, reads them back from disk and verifies what it read.
func writeVerified(dir string, files release.Files, a *anchor.Anchor, now time.Time) (*release.Verified, error) {
	if err := atomicfile.WriteTree(dir, files, 0o644); err != nil {
		return nil, err
	}
	again, err := release.ReadDir(os.DirFS(dir))
	if err != nil {
		return nil, err
	}
	v, err := release.Verify(again, release.Options{Anchors: []*anchor.Anchor{a}, At: now})
	if err != nil {
		return nil, fmt.Errorf("the release does not verify as written: %w", err)
	}
	return v, nil
}

func releasedData(v *release.Verified, signatures int) registry.ReleasedData {
	return registry.ReleasedData{
		Sequence: v.Manifest.Sequence, Manifest: v.ManifestHash, TrustList: release.Digest(v.ListText), Plan: v.Manifest.Plan,
		Anchor: v.Manifest.Anchor, Files: len(v.Manifest.Files) + 3, Signed: signatures,
	}
}
