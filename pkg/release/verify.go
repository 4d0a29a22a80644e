package release

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/release/gateway"
	"github.com/efgsta/efgsta/pkg/trustlist"
)

// Options say what a release must prove.
type Options struct {
	Anchors []*anchor.Anchor // pinned
	At      time.Time
	// Target is the bundle's target: exactly the manifest, the trust files and its
	// files must be there. Empty: the whole release.
	Target Target
}

// Step is one thing proven, or one thing that could not be evaluated.
type Step struct {
	Proven bool
	Text   string
}

// Verified is a release that passed.
type Verified struct {
	Manifest     Manifest
	ManifestHash string // SHA-256 of the manifest's text
	List         *trustlist.List
	ListText     []byte
	Anchor       *anchor.Anchor
	Steps        []Step
}

// Verify checks a whole release, or one target's part of it: the manifest's two
// signatures by a pinned EFGSTA, every file's hash and no other file, the list,
// every certificate's signatures, and every derived file by making it again.
// Rollback is the caller's, who has the state. An error names the first step that failed.
func Verify(files Files, o Options) (*Verified, error) {
	v := &Verified{}
	for _, step := range []func(Files, Options) error{
		v.manifest, v.contents, v.list, v.certificates, v.others, v.gateway, v.freshness,
	} {
		if err := step(files, o); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
	}
	return v, nil
}

// VerifyAtIssue verifies a whole release as it stood when it was made, for whoever
// continues it: an old release may well be stale by now.
func VerifyAtIssue(files Files, pinned []*anchor.Anchor) (*Verified, error) {
	var m Manifest
	if err := anchor.Decode(anchor.Manifest, files[ManifestPath], &m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, ManifestPath, err)
	}
	return Verify(files, Options{Anchors: pinned, At: m.Issued})
}

func (v *Verified) proven(format string, args ...any) {
	v.Steps = append(v.Steps, Step{true, fmt.Sprintf(format, args...)})
}

// manifest: authenticity comes first; nothing else is read before it.
func (v *Verified) manifest(files Files, o Options) error {
	text := files[ManifestPath]
	if text == nil {
		return fmt.Errorf("%s is missing", ManifestPath)
	}
	if err := anchor.Decode(anchor.Manifest, text, &v.Manifest); err != nil {
		return fmt.Errorf("%s: %w", ManifestPath, err)
	}
	a, err := anchor.ByThumbprint(o.Anchors, v.Manifest.Anchor)
	if err != nil {
		return fmt.Errorf("%s: %w", ManifestPath, err)
	}
	raw, err := signatureFile(files, ManifestSig)
	if err != nil {
		return err
	}
	if err := a.VerifyDocument(text, raw); err != nil {
		return fmt.Errorf("%s: %w", ManifestSig, err)
	}
	p7s, ok := files[ManifestCMS]
	if !ok {
		return fmt.Errorf("%s is missing", ManifestCMS)
	}
	info, err := a.VerifyCMS(p7s, text)
	if err != nil {
		return fmt.Errorf("%s: %w", ManifestCMS, err)
	}
	m := &v.Manifest
	if !info.SigningTime.Equal(m.Issued) {
		return fmt.Errorf("%s: signing time differs from issued", ManifestCMS)
	}
	v.Anchor, v.ManifestHash = a, Digest(text)
	v.proven("manifest signed by EFGSTA %s (%s), raw and CMS", m.Anchor, a.Algorithm)
	return checkManifest(m)
}

// signatureFile reads a .sig file of a release, which has one form only.
func signatureFile(files Files, name string) ([]byte, error) {
	text, ok := files[name]
	if !ok {
		return nil, fmt.Errorf("%s is missing", name)
	}
	raw, err := decodeSignature(text)
	if err == nil && !bytes.Equal(EncodeSignature(raw), text) {
		err = errors.New("line end is missing")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return raw, nil
}

func checkManifest(m *Manifest) error {
	if m.Files == nil || len(m.Files) > MaxFiles {
		return fmt.Errorf("%s lists %d files, at most %d are read", ManifestPath, len(m.Files), MaxFiles)
	}
	for i, f := range m.Files {
		if path.Clean(f.Path) != f.Path || path.IsAbs(f.Path) || strings.HasPrefix(f.Path, "..") || strings.ContainsAny(f.Path, "\\:\x00") || f.Path == "." {
			return fmt.Errorf("%s: path %q is not allowed", ManifestPath, f.Path)
		}
		if i > 0 && m.Files[i-1].Path >= f.Path {
			return fmt.Errorf("%s: %s is out of order", ManifestPath, f.Path)
		}
		dir, _, below := strings.Cut(f.Path, "/")
		if !below || dir != string(f.Target) || !slices.Contains([]Target{TargetTrust, TargetGateway, TargetRecord}, f.Target) {
			return fmt.Errorf("%s: %s cannot be of target %q", ManifestPath, f.Path, f.Target)
		}
		if !f.Renderer.of(f.Target) {
			return fmt.Errorf("%s: %s cannot be made by renderer %q", ManifestPath, f.Path, f.Renderer)
		}
		if b, err := hex.DecodeString(f.SHA256); err != nil || len(b) != 32 {
			return fmt.Errorf("%s: %s has no SHA-256", ManifestPath, f.Path)
		}
	}
	return nil
}

// contents: all listed files of the target and no others, byte for byte.
func (v *Verified) contents(files Files, o Options) error {
	expected := map[string]bool{ManifestPath: true, ManifestSig: true, ManifestCMS: true}
	n := 0
	for _, f := range v.Manifest.Files {
		if o.Target != "" && f.Target != o.Target && f.Target != TargetTrust {
			continue
		}
		expected[f.Path] = true
		data, ok := files[f.Path]
		switch {
		case !ok:
			return fmt.Errorf("%s is missing", f.Path)
		case len(data) != f.Size:
			return fmt.Errorf("%s has %d bytes, the manifest says %d", f.Path, len(data), f.Size)
		case Digest(data) != f.SHA256:
			return fmt.Errorf("%s differs from its hash in the manifest", f.Path)
		}
		n++
	}
	for name := range files {
		if !expected[name] {
			return fmt.Errorf("%s is not in the manifest", name)
		}
	}
	v.proven("%d files as the manifest lists them, no others", n)
	return nil
}

// list: the list's own signature, and that manifest and list speak of the same thing.
func (v *Verified) list(files Files, o Options) error {
	m := &v.Manifest
	// Freshness is judged once, in its own step, so the list is judged at its own time here.
	l, err := trustlist.Verify(files[ListPath], files[ListCMSPath], []*anchor.Anchor{v.Anchor}, m.Issued)
	if err != nil {
		return fmt.Errorf("%s: %w", ListPath, err)
	}
	if l.ListID != m.ListID || l.Environment != m.Environment || l.Sequence != m.Sequence ||
		!l.ThisUpdate.Equal(m.NotBefore) || !l.ThisUpdate.Equal(m.Issued) || !l.NextUpdate.Equal(m.Expires) {
		return fmt.Errorf("%s and %s do not agree", ManifestPath, ListPath)
	}
	if (m.Sequence == 1) != (m.Previous == "") {
		return fmt.Errorf("%s: sequence %d with previous %q", ManifestPath, m.Sequence, m.Previous)
	}
	if !bytes.Equal(files[AnchorPath], v.Anchor.Certificate.PEM()) {
		return fmt.Errorf("%s is not the EFGSTA that signed", AnchorPath)
	}
	v.List, v.ListText = l, files[ListPath]
	v.proven("trust list %s %s number %d signed: %d NBBS, %d NBTLS, %d removed", l.ListID, l.Environment, l.Sequence, l.Count("nbbs"), l.Count("nbtls"), len(l.Removed))
	return nil
}

// certificates: each entry has its PEM and both signatures, and no certificate is there without an entry.
func (v *Verified) certificates(files Files, o Options) error {
	certs := v.List.Certificates()
	for i, e := range v.List.Entries {
		base := certificatePath(e.Country, e.Type, e.SHA256)
		if string(files[base+".pem"]) != e.Certificate {
			return fmt.Errorf("%s.pem is not the certificate of the list", base)
		}
		raw, err := signatureFile(files, base+".sig")
		if err != nil {
			return err
		}
		if err := v.Anchor.VerifyCertificate([]byte(e.Certificate), raw); err != nil {
			return fmt.Errorf("%s.sig: %w", base, err)
		}
		info, err := v.Anchor.VerifyCMS(files[base+".p7s"], certs[i].Raw)
		if err != nil {
			return fmt.Errorf("%s.p7s: %w", base, err)
		}
		if !info.SigningTime.Equal(v.Manifest.Issued) {
			return fmt.Errorf("%s.p7s: signing time differs from issued: it was made for another release", base)
		}
	}
	n := 0
	for name := range files {
		if strings.HasPrefix(name, certificatesDir) {
			n++
		}
	}
	if n != 3*len(v.List.Entries) {
		return fmt.Errorf("%d files under trust/certificates for %d entries", n, len(v.List.Entries))
	}
	v.proven("%d certificates with operator and CMS signature", len(v.List.Entries))
	return nil
}

// others: in a whole release the plan is the one that was signed for. Files that
// only a later version knows are said, not passed over.
func (v *Verified) others(files Files, o Options) error {
	if o.Target == "" {
		if Digest(files[PlanPath]) != v.Manifest.Plan {
			return fmt.Errorf("%s is not the plan that the manifest names", PlanPath)
		}
		v.proven("plan %s is the one that was signed", v.Manifest.Plan)
	}
	for _, f := range v.Manifest.Files {
		known := slices.Contains([]string{ListPath, ListCMSPath, AnchorPath, PlanPath}, f.Path) ||
			strings.HasPrefix(f.Path, certificatesDir) || f.Target == TargetGateway || IsStatement(f.Path)
		if _, here := files[f.Path]; here && !known {
			v.Steps = append(v.Steps, Step{false, f.Path + " beyond its hash: not known to this version"})
		}
	}
	return nil
}

// gateway: derived files are made again from list and signatures, so that nothing
// can be smuggled in, and each row is verified as the gateway would.
func (v *Verified) gateway(files Files, o Options) error {
	listed := v.filesOf(TargetGateway)
	if len(listed) == 0 {
		if o.Target == TargetGateway {
			return errors.New("release has no gateway files: this EFGSTA's algorithm cannot be verified by the gateway")
		}
		return nil
	}
	if o.Target != "" && o.Target != TargetGateway {
		return nil
	}
	for _, f := range listed {
		if f.Renderer != listed[0].Renderer {
			return fmt.Errorf("%s is made by renderer %s, %s by %s", f.Path, f.Renderer, listed[0].Path, listed[0].Renderer)
		}
		if f.Renderer != RenderGateway {
			v.Steps = append(v.Steps, Step{false, fmt.Sprintf("gateway files beyond their hashes: made by renderer %s, this is %s", f.Renderer, RenderGateway)})
			return nil
		}
	}
	operator := map[string][]byte{}
	for _, e := range v.List.Entries {
		raw, err := signatureFile(files, certificatePath(e.Country, e.Type, e.SHA256)+".sig")
		if err != nil {
			return err
		}
		operator[e.SHA256] = raw
	}
	again, err := renderGateway(v.List, operator)
	if err != nil {
		return err
	}
	if len(again) != len(listed) {
		return fmt.Errorf("%d gateway files, expected %d", len(listed), len(again))
	}
	for _, f := range again {
		if !bytes.Equal(files[f.Path], f.Content) {
			return fmt.Errorf("%s differs from what list and signatures give", f.Path)
		}
	}
	im, err := gateway.ParseMySQL(files["gateway/mysql.sql"])
	if err != nil {
		return fmt.Errorf("gateway/mysql.sql: %w", err)
	}
	for _, r := range im.Rows {
		if err := gateway.VerifyRow(r, v.Anchor.Certificate); err != nil {
			return fmt.Errorf("gateway/mysql.sql: row %s: %w", r.Thumbprint, err)
		}
	}
	v.proven("%d gateway rows read back from the SQL and verified as the gateway does", len(im.Rows))
	return nil
}

func (v *Verified) filesOf(t Target) []File {
	var out []File
	for _, f := range v.Manifest.Files {
		if f.Target == t {
			out = append(out, f)
		}
	}
	return out
}

func (v *Verified) freshness(_ Files, o Options) error {
	m := &v.Manifest
	if o.At.Before(m.NotBefore) {
		return fmt.Errorf("not valid before %s (time of check: %s)", m.NotBefore.Format(time.RFC3339), o.At.UTC().Format(time.RFC3339))
	}
	if o.At.After(m.Expires) {
		return fmt.Errorf("expired on %s (time of check: %s)", m.Expires.Format(time.RFC3339), o.At.UTC().Format(time.RFC3339))
	}
	v.proven("valid from %s to %s", m.NotBefore.Format(time.RFC3339), m.Expires.Format(time.RFC3339))
	return nil
}
