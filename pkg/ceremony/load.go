package ceremony

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

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
	if err := old.inWindow(now); err != nil {
		return nil, err
	}
	again, err := makePlan(w, pol, tool, old.Created, recorded(&old))
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again.Text, text) {
		return nil, &Error{Msg: fmt.Sprintf("plan %s is not what this workspace gives: its file was changed", digest[:16]), Next: "make a new one with: efgsta plan", Err: ErrPlan}
	}
	// Certificates can expire, and evidence go stale, between plan and signature.
	today, err := makePlan(w, pol, tool, now, recorded(&old))
	if err != nil {
		return nil, err
	}
	if !slices.EqualFunc(again.draft.List.Entries, today.draft.List.Entries, func(a, b trustlist.Entry) bool { return a.SHA256 == b.SHA256 }) {
		return nil, &Error{Msg: fmt.Sprintf("plan %s no longer fits: a certificate in it is not acceptable any more", digest[:16]), Next: "make a new one with: efgsta plan", Err: ErrPlan}
	}
	return again, nil
}

func (p *Plan) inWindow(now time.Time) error {
	if now.Before(p.Created) || !now.Before(p.SignBefore) {
		return &Error{Msg: fmt.Sprintf("the plan may be signed from %s to %s, now it is %s", p.Created.Format(time.RFC3339), p.SignBefore.Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			Next: "check the clock, or make a new plan with: efgsta plan", Err: ErrPlan}
	}
	return nil
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
		if digest == "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
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
		if err := strictjson.Unmarshal(data, maxPlan, &p); err != nil && digest == "" {
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

// ParsePlan reads a plan's text strictly. It says nothing about where it comes from.
func ParsePlan(text []byte) (*Plan, error) {
	var p Plan
	if err := strictjson.Unmarshal(text, maxPlan, &p); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPlan, err)
	}
	return &p, nil
}
