// Package ceremony turns the workspace's state into a release in the steps of the
// day: a plan of the exact bytes to be signed, the signing of those and nothing
// else, the verification of the result as it lies on disk, and its publication.
package ceremony

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/strictjson"
	"github.com/efgsta/efgsta/pkg/trustlist"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

// PlanSchema is the schema of a plan.
const PlanSchema = "efgsta.plan/v1"

const (
	planFile = "plan.json"
	maxPlan  = 64 << 20
)

// ErrPlan marks a plan that cannot be made or must not be signed.
var ErrPlan = errors.New("plan")

// Error is a refusal with what to do next.
type Error struct {
	Msg  string
	Next string
	Err  error
}

func (e *Error) Error() string { return e.Msg }
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do next.
func (e *Error) Hint() string { return e.Next }

// Plan is everything that a release will say, fixed before anyone approves it. It
// holds every string to be signed but the manifest, and the manifest's template.
type Plan struct {
	Schema       string               `json:"schema"`
	ListID       string               `json:"listId"`
	Environment  registry.Environment `json:"environment"`
	Sequence     uint64               `json:"sequence"`
	Created      time.Time            `json:"created"` // also the signing time of every signature
	SignBefore   time.Time            `json:"signBefore"`
	Tool         string               `json:"tool"`
	Config       string               `json:"configSha256"`
	Policy       trustlist.Policy     `json:"policy"`
	Journal      release.JournalHead  `json:"journal"`
	Anchor       PlannedAnchor        `json:"anchor"`
	Approval     PlannedApproval      `json:"approval"`
	Proposals    []PlannedProposal    `json:"proposals"` // in order of event
	Changes      []Change             `json:"changes"`
	KeptOut      []KeptOut            `json:"keptOut"`
	Dropped      []Dropped            `json:"dropped"`
	LeftOut      []LeftOut            `json:"targetsLeftOut"`
	WithoutRow   []WithoutRow         `json:"withoutGatewayRow"`
	Certificates []PlannedCertificate `json:"certificates"`
	TrustList    PlannedText          `json:"trustList"`
	Manifest     release.Manifest     `json:"manifest"` // template: "plan" and the hashes of signature files are filled in when signed
}

// PlannedAnchor is the EFGSTA that will sign.
type PlannedAnchor struct {
	SHA256    string `json:"sha256"`
	Subject   string `json:"subject"`
	Algorithm string `json:"algorithm"`
}

// Change is a difference to the last release.
type Change struct {
	Kind    string   `json:"kind"` // "add", "keep", "remove"
	Country string   `json:"country"`
	Type    vet.Role `json:"type"`
	SHA256  string   `json:"sha256"`
	Subject string   `json:"subject"`
	Reason  string   `json:"reason"`
}

// KeptOut is a certificate that will not be listed, with what did not pass.
type KeptOut struct {
	Country  string        `json:"country"`
	Type     vet.Role      `json:"type"`
	SHA256   string        `json:"sha256"`
	Subject  string        `json:"subject"`
	Verdict  vet.Verdict   `json:"verdict"`
	Findings []vet.Finding `json:"findings"`
	leaves   string        // what the list says if it was listed, and no rule but a decision takes it out
}

// LeftOut is a target that the release will not serve.
type LeftOut struct {
	Target release.Target `json:"target"`
	Reason string         `json:"reason"`
}

// WithoutRow is a certificate that is listed but gets no row for the gateway.
type WithoutRow struct {
	Country string   `json:"country"`
	Type    vet.Role `json:"type"`
	SHA256  string   `json:"sha256"`
	Reason  string   `json:"reason"`
}

// PlannedCertificate is a certificate with the exact bytes that will be signed for it.
type PlannedCertificate struct {
	Country       string        `json:"country"`
	Type          vet.Role      `json:"type"`
	SHA256        string        `json:"sha256"`
	Findings      []vet.Finding `json:"findings"` // warnings, what is waived, and what was not evaluated
	PEM           string        `json:"pem"`
	CMSAttributes []byte        `json:"cmsAttributes"` // DER, base64
}

// PlannedText is a document with the attributes that its CMS signature will sign.
type PlannedText struct {
	Text          string `json:"text"`
	CMSAttributes []byte `json:"cmsAttributes"`
}

// Pending is a plan with its text, digest and what it was made from.
type Pending struct {
	Plan   *Plan
	Text   []byte
	Digest string // lower-case hex SHA-256 of Text
	draft  *release.Draft
}

// Words are the words by which people compare the plan aloud.
func (p *Pending) Words() []string { return Words(p.Digest, ConfirmWords) }

// Make vets every certificate of the workspace at the given time and plans the next
// release. The same workspace, time and tool give the same bytes. It writes nothing.
//
// A certificate of the last list that now lacks evidence, and nothing else, must not
// leave it unsaid: the error then wraps ErrEvidence. drop names those that shall, each
// by its SHA-256 or at least 16 hex digits of it; errors about drop itself wrap ErrDrop.
func Make(w *registry.Workspace, pol *policy.Policy, tool string, at time.Time, drop ...string) (*Pending, error) {
	return makePlan(w, pol, tool, at, named(drop))
}

func makePlan(w *registry.Workspace, pol *policy.Policy, tool string, at time.Time, choose chooser) (*Pending, error) {
	at = at.UTC().Truncate(time.Second)
	a, err := currentAnchor(w, at)
	if err != nil {
		return nil, err
	}
	if last := w.LastEvent(); at.Before(last) {
		return nil, &Error{Msg: fmt.Sprintf("a plan of %s would be older than the last event of the journal, %s", at.Format(time.RFC3339), last.Format(time.RFC3339)),
			Next: "check the clock: what is signed carries its time", Err: ErrPlan}
	}
	engine, err := vet.New(pol)
	if err != nil {
		return nil, err
	}
	p := &Plan{
		Schema: PlanSchema, ListID: w.Config.ListID, Environment: w.Config.Environment,
		Sequence: uint64(len(w.Releases)) + 1, Created: at, SignBefore: at.AddDate(0, 0, int(w.Config.PlanWindow)),
		Tool: tool, Config: w.ConfigSHA256, Policy: trustlist.Policy{Name: pol.Name, SHA256: pol.SHA256},
		Journal: release.JournalHead(w.Head()),
		Anchor:  PlannedAnchor{a.Thumbprint().String(), a.Certificate.Subject.String(), a.Algorithm.String()},
		Changes: []Change{}, KeptOut: []KeptOut{}, Dropped: []Dropped{}, LeftOut: []LeftOut{}, WithoutRow: []WithoutRow{}, Certificates: []PlannedCertificate{},
	}
	p.approval(w)
	last, err := lastRelease(w, a)
	if err != nil {
		return nil, err
	}
	accepted, err := p.vet(w, engine, at, last)
	if err != nil {
		return nil, err
	}
	if err := p.drop(w, last, choose); err != nil {
		return nil, err
	}
	draft := &release.Draft{Anchor: a, List: p.list(w, a, accepted, last), Journal: p.Journal, Tool: tool}
	if last != nil {
		draft.Previous = last.ManifestHash
	}
	if draft.Document, err = draft.List.Encode(); err != nil {
		return nil, err
	}
	draft.Certificates = inListOrder(draft.List, accepted)
	p.chooseTargets(draft)
	if err := p.fix(draft); err != nil {
		return nil, err
	}
	text, err := strictjson.Marshal(p)
	if err != nil {
		return nil, err
	}
	return &Pending{Plan: p, Text: text, Digest: release.Digest(text), draft: draft}, nil
}

// currentAnchor is the workspace's EFGSTA, if it may sign at that time.
func currentAnchor(w *registry.Workspace, at time.Time) (*anchor.Anchor, error) {
	if w.Anchor == nil {
		return nil, &Error{Msg: "this workspace has no EFGSTA", Next: "make one with: efgsta anchor create", Err: ErrPlan}
	}
	a, err := anchor.New(w.Anchor.Certificate)
	if err != nil {
		return nil, err
	}
	if a.Rehearsal() != (w.Config.Environment == registry.Rehearsal) {
		return nil, &Error{Msg: fmt.Sprintf("the EFGSTA %q does not belong to a %s workspace", a.Certificate.Subject, w.Config.Environment),
			Next: "rehearsal anchors carry OU=" + anchor.RehearsalOU + ", production anchors never do", Err: ErrPlan}
	}
	if c := a.Certificate; at.Before(c.NotBefore) || !at.Before(c.NotAfter) {
		return nil, &Error{Msg: fmt.Sprintf("the EFGSTA is valid from %s to %s, not at %s", c.NotBefore.Format(time.RFC3339), c.NotAfter.Format(time.RFC3339), at.Format(time.RFC3339)),
			Next: "check the clock; an expired EFGSTA signs nothing", Err: ErrPlan}
	}
	return a, nil
}

// list makes the next trust list and notes what changes against the last.
func (p *Plan) list(w *registry.Workspace, a *anchor.Anchor, accepted []vet.Accepted, last *release.Verified) *trustlist.List {
	l := &trustlist.List{
		Schema: anchor.TrustList, ListID: p.ListID, Environment: string(p.Environment), Sequence: p.Sequence,
		ThisUpdate: p.Created, NextUpdate: p.Created.AddDate(0, 0, int(w.Config.ListLifetime)),
		Anchor: trustlist.Anchor{Subject: p.Anchor.Subject, SHA256: p.Anchor.SHA256}, Policy: p.Policy,
		Entries: []trustlist.Entry{}, Removed: []trustlist.Removal{},
	}
	if end := a.Certificate.NotAfter; l.NextUpdate.After(end) {
		l.NextUpdate = end
	}
	before := map[string]bool{}
	if last != nil {
		l.Previous = release.Digest(last.ListText)
		l.Removed = append(l.Removed, last.List.Removed...)
		for _, e := range last.List.Entries {
			before[e.SHA256] = true
		}
	}
	now := map[string]bool{}
	for _, acc := range accepted {
		e := trustlist.NewEntry(acc)
		now[e.SHA256] = true
		l.Entries = append(l.Entries, e)
		kind, reason := "add", "accepted under "+p.Policy.Name
		if before[e.SHA256] {
			kind, reason = "keep", "still accepted"
		}
		reason += excused(e)
		p.Changes = append(p.Changes, Change{kind, e.Country, e.Type, e.SHA256, e.Subject, reason})
	}
	if last != nil {
		for _, e := range last.List.Entries {
			if !now[e.SHA256] {
				reason := p.whyOut(e)
				l.Removed = append(l.Removed, trustlist.Removal{Country: e.Country, Type: e.Type, SHA256: e.SHA256, Reason: reason, Since: p.Created})
				p.Changes = append(p.Changes, Change{"remove", e.Country, e.Type, e.SHA256, e.Subject, reason})
			}
		}
	}
	l.Sort()
	return l
}

// keptOut is what keeps a certificate of the last list out of this one, or nil.
func (p *Plan) keptOut(e trustlist.Entry) *KeptOut {
	for i, k := range p.KeptOut {
		if k.SHA256 == e.SHA256 && k.Country == e.Country && k.Type == e.Type {
			return &p.KeptOut[i]
		}
	}
	return nil
}

// whyOut gives the rule that keeps a once listed certificate out: one that failed, or
// of one that the operator dropped the first that lacks its evidence.
func (p *Plan) whyOut(e trustlist.Entry) string {
	k := p.keptOut(e)
	if k == nil {
		return "no longer in the workspace"
	}
	if k.leaves != "" {
		return k.leaves
	}
	why := ""
	for _, f := range k.Findings {
		switch {
		case f.Severity == vet.SeverityError && f.Status == vet.StatusFail:
			return f.ID + " " + f.Name
		case f.Blocks && why == "":
			why = "dropped: " + f.ID + " " + f.Name + " not evaluated"
		}
	}
	return why
}

// inListOrder puts the vetted certificates in the order of the list's entries.
func inListOrder(l *trustlist.List, accepted []vet.Accepted) []vet.Accepted {
	by := map[string]vet.Accepted{}
	for _, a := range accepted {
		by[a.Certificate().Thumbprint().String()] = a
	}
	out := make([]vet.Accepted, 0, len(l.Entries))
	for _, e := range l.Entries {
		out = append(out, by[e.SHA256])
	}
	return out
}

// lastRelease reads and verifies the release before, which the new one continues.
func lastRelease(w *registry.Workspace, a *anchor.Anchor) (*release.Verified, error) {
	last := w.LastRelease()
	if last == nil {
		return nil, nil
	}
	files, err := release.ReadDir(os.DirFS(w.ReleaseDir(last.Sequence)))
	if err == nil {
		var v *release.Verified
		// Judged at the time it was made: an old list may well be stale by now.
		if v, err = release.VerifyAtIssue(files, []*anchor.Anchor{a}); err == nil {
			if v.ManifestHash == last.Manifest {
				return v, nil
			}
			err = errors.New("manifest differs from the one in the journal")
		}
	}
	return nil, &Error{Msg: fmt.Sprintf("release %d: %v", last.Sequence, err), Next: "restore releases/ from a copy of the workspace", Err: errors.Join(registry.ErrDamaged, err)}
}

// Save keeps a plan in the workspace and returns its path. Saving it again changes nothing.
func (p *Pending) Save(w *registry.Workspace) (string, error) {
	dir := w.PlanDir(p.Digest)
	path := filepath.Join(dir, planFile)
	if old, err := os.ReadFile(path); err == nil && release.Digest(old) == p.Digest {
		return path, nil
	}
	tmp := filepath.Join(w.PlansDir(), atomicfile.TempPrefix+rand.Text())
	if err := atomicfile.WriteTree(tmp, map[string][]byte{planFile: p.Text}, 0o644); err != nil {
		return "", errors.Join(err, os.RemoveAll(tmp))
	}
	if err := atomicfile.Publish(tmp, dir); err != nil {
		err = errors.Join(err, os.RemoveAll(tmp))
		if errors.Is(err, fs.ErrExist) {
			err = &Error{Msg: "plan " + p.Digest + " in the workspace was changed", Next: "remove " + dir + " and run the command again", Err: errors.Join(registry.ErrDamaged, err)}
		}
		return "", err
	}
	return path, nil
}
