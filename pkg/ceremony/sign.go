package ceremony

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/strictjson"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/policy"
)

// Load finds the plan to sign and proves that it is still what the workspace says:
// it makes the plan again at the plan's own time and compares every byte. digest may
// be empty: then the newest plan made on the current head of the journal is meant.
func Load(w *registry.Workspace, pol *policy.Policy, tool, digest string, now time.Time) (*Pending, error) {
	text, digest, err := pick(w, digest)
	if err != nil {
		return nil, err
	}
	var old Plan
	if err := strictjson.Unmarshal(text, maxPlan, &old); err != nil {
		return nil, &Error{Msg: fmt.Sprintf("plan %s: %v", digest, err), Next: "make a new one with: efgsta plan", Err: errors.Join(ErrPlan, err)}
	}
	if why := outdated(&old, w, pol, tool); why != "" {
		return nil, &Error{Msg: fmt.Sprintf("plan %s no longer fits: %s", digest[:16], why), Next: "make a new one with: efgsta plan", Err: ErrPlan}
	}
	if now.Before(old.Created) || !now.Before(old.SignBefore) {
		return nil, &Error{Msg: fmt.Sprintf("plan %s may be signed from %s to %s, now it is %s", digest[:16], old.Created.Format(time.RFC3339), old.SignBefore.Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			Next: "check the clock, or make a new plan with: efgsta plan", Err: ErrPlan}
	}
	again, err := Make(w, pol, tool, old.Created)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again.Text, text) {
		return nil, &Error{Msg: fmt.Sprintf("plan %s is not what this workspace gives: its file was changed", digest[:16]), Next: "make a new one with: efgsta plan", Err: ErrPlan}
	}
	// Certificates can expire between plan and signature.
	today, err := Make(w, pol, tool, now)
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(again.draft.List.Entries, today.draft.List.Entries, func(a, b trustlist.Entry) bool { return a.SHA256 == b.SHA256 }) {
		return nil, &Error{Msg: fmt.Sprintf("plan %s no longer fits: a certificate in it is not acceptable any more", digest[:16]), Next: "make a new one with: efgsta plan", Err: ErrPlan}
	}
	return again, nil
}

func outdated(p *Plan, w *registry.Workspace, pol *policy.Policy, tool string) string {
	switch {
	case p.Schema != PlanSchema:
		return fmt.Sprintf("its schema is %q", p.Schema)
	case p.Journal != release.JournalHead(w.Head()):
		return fmt.Sprintf("the journal has gone on since (event %d, the plan was made at %d)", w.Head().Seq, p.Journal.Seq)
	case p.Config != w.ConfigSHA256:
		return registry.ConfigFile + " was changed"
	case p.Policy.SHA256 != pol.SHA256:
		return "the policy was changed"
	case p.Tool != tool:
		return fmt.Sprintf("it was made by %s, this is %s", p.Tool, tool)
	}
	return ""
}

// pick reads the plan of that digest, or the newest on the journal's head.
func pick(w *registry.Workspace, digest string) (text []byte, name string, err error) {
	entries, err := os.ReadDir(w.PlansDir())
	if err != nil {
		return nil, "", err
	}
	var newest time.Time
	for _, e := range entries {
		if !e.IsDir() || len(e.Name()) != 64 || (digest != "" && e.Name() != digest) {
			continue
		}
		data, err := os.ReadFile(filepath.Join(w.PlanDir(e.Name()), planFile))
		if err != nil {
			return nil, "", err
		}
		if release.Digest(data) != e.Name() {
			if digest == "" {
				continue
			}
			return nil, "", &Error{Msg: "plan " + digest + " was changed: its digest is " + release.Digest(data), Next: "make a new one with: efgsta plan", Err: ErrPlan}
		}
		var p Plan
		if err := strictjson.Unmarshal(data, maxPlan, &p); err != nil {
			continue
		}
		if digest == "" && (p.Journal != release.JournalHead(w.Head()) || p.Created.Before(newest)) {
			continue
		}
		text, name, newest = data, e.Name(), p.Created
	}
	if text == nil {
		what := "there is no plan for the current state of the workspace"
		if digest != "" {
			what = "there is no plan " + digest
		}
		return nil, "", &Error{Msg: what, Next: "make one with: efgsta plan", Err: ErrPlan}
	}
	return text, name, nil
}

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
// no release; after it, the next command adopts it.
func Sign(w *registry.Workspace, p *Pending, key crypto.Signer, rnd io.Reader, now time.Time, actor string) (*Result, error) {
	if p.Plan.Environment == registry.Production {
		return nil, &Error{Msg: "production signs only what other people approved, and this version has no approvals yet", Next: "rehearse in a workspace made with --environment rehearsal", Err: ErrPlan}
	}
	signer, err := p.draft.Anchor.NewSigner(key, rnd)
	if err != nil {
		return nil, err
	}
	files, manifest, err := p.signAll(signer)
	if err != nil {
		return nil, err
	}
	if want := p.expected(); signer.Signatures() != want {
		return nil, fmt.Errorf("made %d signatures for a release that needs %d", signer.Signatures(), want)
	}
	dir := w.ReleaseDir(manifest.Sequence)
	tmp := filepath.Join(w.ReleasesDir(), atomicfile.TempPrefix+rand.Text())
	v, err := writeVerified(tmp, files, p.draft.Anchor, now)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	if err := atomicfile.Publish(tmp, dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(tmp))
	}
	if err := w.Released(now, actor, releasedData(v, signer.Signatures())); err != nil {
		return nil, err
	}
	return &Result{Sequence: manifest.Sequence, Dir: dir, Verified: v, Signatures: signer.Signatures()}, nil
}

// expected is the number of signatures of a release: operator and CMS for each
// certificate, CMS for the list, raw and CMS for the manifest.
func (p *Pending) expected() int { return 2*len(p.draft.Certificates) + 3 }

// signAll makes every signature of the release. The manifest comes last, over files
// made of plan bytes and signatures that were just verified.
func (p *Pending) signAll(s *anchor.Signer) (release.Files, release.Manifest, error) {
	d, at := p.draft, p.draft.SigningTime()
	var sigs release.Signatures
	var none release.Manifest
	for _, a := range d.Certificates {
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
	rendered, err := d.Render(sigs, p.Text)
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
// digest and hashes that the plan left open may be new.
func (p *Pending) sameAsPlanned(m release.Manifest) error {
	planned := p.Plan.Manifest
	if len(m.Files) != len(planned.Files) {
		return fmt.Errorf("%d files rendered, %d planned", len(m.Files), len(planned.Files))
	}
	for i, f := range m.Files {
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

// Recover finishes what an interrupted command left: a whole release without its
// event is verified and recorded, temporary files go. It returns what it did.
func Recover(w *registry.Workspace, now time.Time, actor string) ([]string, error) {
	var notes []string
	for _, dir := range []string{w.ReleasesDir(), w.PlansDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			if len(e.Name()) > len(atomicfile.TempPrefix) && e.Name()[:len(atomicfile.TempPrefix)] == atomicfile.TempPrefix {
				if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
					return nil, err
				}
				notes = append(notes, "removed an unfinished "+filepath.Base(dir)+" entry of an interrupted command; nothing of it was in use")
			}
		}
	}
	next := uint64(len(w.Releases)) + 1
	files, err := release.ReadDir(os.DirFS(w.ReleaseDir(next)))
	if errors.Is(err, fs.ErrNotExist) {
		return notes, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := adopt(w, files, next)
	if err != nil {
		return nil, &Error{Msg: fmt.Sprintf("%s is not in the journal and cannot be adopted: %v", w.ReleaseDir(next), err), Next: "move that directory out of the workspace and run the command again", Err: errors.Join(registry.ErrDamaged, err)}
	}
	if err := w.Released(now, actor, releasedData(v, 0)); err != nil {
		return nil, err
	}
	return append(notes, fmt.Sprintf("release %d was complete when a command was interrupted; it is now recorded in the journal", next)), nil
}

// adopt verifies a release that has no event yet: it must continue this journal.
func adopt(w *registry.Workspace, files release.Files, next uint64) (*release.Verified, error) {
	if w.Anchor == nil {
		return nil, errors.New("the workspace has no EFGSTA")
	}
	a, err := anchor.New(w.Anchor.Certificate)
	if err != nil {
		return nil, err
	}
	v, err := release.VerifyAtIssue(files, []*anchor.Anchor{a})
	if err != nil {
		return nil, err
	}
	previous := ""
	if last := w.LastRelease(); last != nil {
		previous = last.Manifest
	}
	m := v.Manifest
	switch {
	case m.ListID != w.ListID || m.Environment != string(w.Environment):
		return nil, fmt.Errorf("it is of list %s (%s)", m.ListID, m.Environment)
	case m.Sequence != next || m.Previous != previous:
		return nil, errors.New("it does not follow the last release")
	case m.Journal != release.JournalHead(w.Head()):
		return nil, errors.New("it was signed for another state of the journal")
	}
	return v, nil
}
