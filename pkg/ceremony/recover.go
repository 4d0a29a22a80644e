package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
)

// Recover finishes what an interrupted command left: a whole release without its
// event is verified and recorded, temporary files go. It returns what it did.
func Recover(w *registry.Workspace, now time.Time, actor string) ([]string, error) {
	if w.ReadOnly {
		return nil, nil
	}
	var notes []string
	for _, dir := range []string{w.ReleasesDir(), w.PlansDir(), w.ObjectsDir()} {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return nil, &Error{Msg: fmt.Sprintf("the workspace is not whole: %v", err), Next: "restore " + filepath.Base(dir) + "/ from a copy of the workspace", Err: errors.Join(registry.ErrDamaged, err)}
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), atomicfile.TempPrefix) {
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
	var data registry.ReleasedData
	if err == nil {
		data, err = adopt(w, files, next)
	}
	if err != nil {
		return nil, &Error{Msg: fmt.Sprintf("%s is not in the journal and cannot be adopted: %v", w.ReleaseDir(next), err), Next: "move that directory out of the workspace and run the command again", Err: errors.Join(registry.ErrDamaged, err)}
	}
	if err := w.Released(now, actor, data); err != nil {
		return nil, err
	}
	return append(notes, fmt.Sprintf("release %d was complete when a command was interrupted; it is now recorded in the journal", next)), nil
}

// adopt verifies a release that has no event yet and makes the event: it must continue
// this journal, with the approvals that its plan needed.
func adopt(w *registry.Workspace, files release.Files, next uint64) (registry.ReleasedData, error) {
	v, err := continues(w, files, next)
	if err != nil {
		return registry.ReleasedData{}, err
	}
	plan, err := ParsePlan(files[release.PlanPath])
	if err != nil {
		return registry.ReleasedData{}, err
	}
	people, err := recordedPeople(files).stand(w, plan, v.Manifest.Plan)
	if err != nil {
		return registry.ReleasedData{}, err
	}
	data := releasedData(v, 0)
	data.Approvals, data.Signer, data.Proposals = people.recorded(plan)
	return data, nil
}

func continues(w *registry.Workspace, files release.Files, next uint64) (*release.Verified, error) {
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
