package ceremony

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/strictjson"
)

const (
	auditObjects  = "objects"
	auditPlans    = "plans"
	auditReleases = "releases"
)

// objects: each is what its name says, and all that the journal names are there.
func (a *auditor) objects() {
	before := len(a.Damage)
	named := map[string][]registry.Named{}
	for _, n := range a.trail.Objects {
		named[n.SHA256] = append(named[n.SHA256], n)
	}
	there := map[string]bool{}
	for _, e := range a.entries(auditObjects) {
		name := path.Join(auditObjects, e.Name())
		if !isDigest(e.Name()) {
			a.leftover(name, "no object: its name is no SHA-256")
			continue
		}
		there[e.Name()] = true
		data, ok := a.read(name)
		if !ok {
			continue
		}
		if got := release.Digest(data); got != e.Name() {
			a.damaged(name, hintCopy, "was changed: its SHA-256 is %s", got)
			continue
		}
		for _, n := range named[e.Name()] {
			if err := n.Read(data); err != nil {
				a.damaged(name, hintCopy, "event %d names it as a %s: %v", n.Event, n.Kind, err)
				break
			}
		}
		if a.whole && named[e.Name()] == nil {
			a.leftover(name, "the journal does not name it: a command was interrupted before its event, or after one that was refused")
		}
	}
	for _, n := range a.trail.Objects {
		if !there[n.SHA256] {
			there[n.SHA256] = true
			a.damaged(path.Join(auditObjects, n.SHA256), hintCopy, "is missing: event %d names it as a %s", n.Event, n.Kind)
		}
	}
	a.proven(before, "objects: all %d that the journal names, each with its hash and readable", len(named))
}

// plans: each is what its name says and was made on an event of this journal.
func (a *auditor) plans() {
	before, n := len(a.Damage), 0
	for _, e := range a.entries(auditPlans) {
		dir := path.Join(auditPlans, e.Name())
		if !e.IsDir() || !isDigest(e.Name()) {
			a.leftover(dir, "no plan: its name is no SHA-256")
			continue
		}
		n++
		a.plan(dir, e.Name())
	}
	a.proven(before, "plans: %d, each what its name says, made on events of this journal", n)
}

func (a *auditor) plan(dir, digest string) {
	name := path.Join(dir, planFile)
	text, ok := a.read(name)
	if !ok {
		return
	}
	const hint = "remove the directory and make a new plan, or restore it from a copy of the workspace"
	if got := release.Digest(text); got != digest {
		a.damaged(name, hint, "was changed: its SHA-256 is %s", got)
		return
	}
	var p Plan
	if err := strictjson.Unmarshal(text, maxPlan, &p); err != nil {
		a.damaged(name, hint, "%v", err)
		return
	}
	a.knows(name, p.Journal)
	for _, e := range a.entries(dir) {
		file := path.Join(dir, e.Name())
		switch {
		case e.Name() == planFile:
		case strings.HasSuffix(e.Name(), approvalSuffix):
			text, ok := a.read(file)
			if !ok {
				continue
			}
			err := a.statement(text, ApprovalSchema, strings.TrimSuffix(e.Name(), approvalSuffix), &p, digest)
			if err != nil {
				a.damaged(file, "remove it and have the plan approved again, or restore it from a copy of the workspace", "%v", err)
			}
		default:
			a.leftover(file, "no part of a plan")
		}
	}
}

// statement verifies what a person said of a plan. Without the whole journal nobody
// knows every person.
func (a *auditor) statement(text []byte, what StatementSchema, name string, p *Plan, digest string) error {
	s, err := ReadStatement(text)
	if err != nil {
		return err
	}
	who := a.trail.Enrolled(s.Name, s.KeySHA256)
	switch {
	case name != "" && s.Name != name:
		return fmt.Errorf("it is of %q", s.Name)
	case who == nil && !a.whole:
		return nil
	}
	return s.check(what, p, digest, who)
}

// record verifies what people said in a release of its plan.
func (a *auditor) record(name string, files release.Files, digest string) {
	p, err := ParsePlan(files[release.PlanPath])
	if err != nil {
		a.damaged(path.Join(name, release.PlanPath), hintCopy, "%v", err)
		return
	}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if !release.IsStatement(file) {
			continue
		}
		what, who := SignerSchema, ""
		if file != release.SignerPath {
			what, who = ApprovalSchema, strings.TrimSuffix(path.Base(file), ".json")
		}
		if err := a.statement(files[file], what, who, p, digest); err != nil {
			a.damaged(path.Join(name, file), hintCopy, "%v", err)
		}
	}
}

// knows holds a head that was fixed elsewhere against the journal. A journal that was
// cut back or written anew is found this way.
func (a *auditor) knows(name string, h release.JournalHead) {
	switch {
	case a.trail.Has(h.Seq, h.Hash):
	case !a.whole && h.Seq > a.Head.Seq: // nobody can tell before the damage is mended
	case h.Seq > a.Head.Seq:
		a.Damage = append(a.Damage, Damage{registry.JournalFile, a.Head.Seq + 1,
			fmt.Sprintf("it ends with event %d, but %s was made when there was event %d: the journal was cut back", a.Head.Seq, name, h.Seq), hintJournal})
	default:
		a.Damage = append(a.Damage, Damage{registry.JournalFile, h.Seq,
			fmt.Sprintf("event %d is not the one that %s was made on: the journal was written anew", h.Seq, name), hintJournal})
	}
}

// releases: each verifies as when it was made, is the one that the journal records,
// and knows of this journal.
func (a *auditor) releases() {
	before := len(a.Damage)
	pinned := a.anchors()
	recorded := uint64(len(a.trail.Releases))
	there := map[uint64]bool{}
	for _, e := range a.entries(auditReleases) {
		name := path.Join(auditReleases, e.Name())
		n, err := strconv.ParseUint(e.Name(), 10, 64)
		if err != nil || !e.IsDir() || fmt.Sprintf("%06d", n) != e.Name() || n == 0 {
			a.leftover(name, "no release: its name is no number")
			continue
		}
		there[n] = true
		v := a.release(name, pinned)
		if v == nil {
			continue
		}
		m := v.Manifest
		a.knows(path.Join(name, release.ManifestPath), m.Journal)
		switch {
		case m.Sequence != n:
			a.damaged(name, hintCopy, "it is release %d", m.Sequence)
		case n <= recorded:
			if err := sameRelease(a.trail, n, v); err != nil {
				a.damaged(name, hintCopy, "%v", err)
			}
		case !a.whole:
		case n == recorded+1 && a.trail.Has(m.Journal.Seq, m.Journal.Hash) && m.Journal.Seq == a.Head.Seq:
			a.leftover(name, "whole, but its event is missing: a command was interrupted, or the journal was cut back to what this release signed; the next command records it")
		default:
			a.damaged(name, hintJournal, "the journal records %d releases only, and goes on otherwise", recorded)
		}
	}
	for n := uint64(1); n <= recorded; n++ {
		if !there[n] {
			a.damaged(fmt.Sprintf("%s/%06d", auditReleases, n), hintCopy, "is missing")
		}
	}
	a.proven(before, "releases: %d, signed, with every file, as recorded, made on events of this journal", recorded)
}

// anchors are every EFGSTA that the journal knows.
func (a *auditor) anchors() []*anchor.Anchor {
	var shas []string
	if a.trail.Anchor != nil {
		shas = append(shas, a.trail.Anchor.SHA256)
	}
	if a.trail.Next != nil {
		shas = append(shas, a.trail.Next.Next.SHA256)
	}
	var out []*anchor.Anchor
	for _, sha := range shas {
		der, err := os.ReadFile(a.path(auditObjects, sha))
		if err != nil || release.Digest(der) != sha {
			continue // said with the objects
		}
		c, err := cert.Parse(der)
		if err != nil {
			continue
		}
		known, err := anchor.New(c)
		if err != nil {
			a.damaged(path.Join(auditObjects, sha), hintCopy, "it cannot be an EFGSTA: %v", err)
			continue
		}
		out = append(out, known)
	}
	return out
}

func (a *auditor) release(name string, pinned []*anchor.Anchor) *release.Verified {
	files, err := release.ReadDir(os.DirFS(a.path(name)))
	var v *release.Verified
	if err == nil {
		v, err = release.VerifyAtIssue(files, pinned)
	}
	if err != nil {
		a.damaged(name, hintCopy, "%v", err)
		return nil
	}
	a.record(name, files, v.Manifest.Plan)
	return v
}

// sameRelease holds a verified release against what the journal records of it.
func sameRelease(t *registry.Trail, n uint64, v *release.Verified) error {
	event, previous := t.Releases[n-1], ""
	if n > 1 {
		previous = t.Releases[n-2].Manifest
	}
	is := releasedData(v, event.Signed)
	switch {
	case v.ManifestHash != event.Manifest:
		return errors.New("its manifest is not the one in the journal")
	case is.TrustList != event.TrustList || is.Plan != event.Plan || is.Anchor != event.Anchor || is.Files != event.Files:
		return errors.New("it is not what the journal records of it")
	case v.Manifest.Previous != previous:
		return errors.New("it does not follow the release before")
	case v.Manifest.ListID != t.ListID || v.Manifest.Environment != string(t.Environment):
		return fmt.Errorf("it is of list %s (%s)", v.Manifest.ListID, v.Manifest.Environment)
	}
	return nil
}

// isDigest reports 64 lower-case hex digits.
func isDigest(s string) bool {
	if len(s) != 64 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
