package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/strictjson"
)

// ErrRollback marks a bundle that is older than, or another than, the one accepted last.
var ErrRollback = errors.New("rollback")

// StateSchema is the schema of a state file.
const StateSchema = "efgsta.bundle-state/v1"

const maxState = 64 << 10

// State is what a receiver remembers of the last bundle it accepted.
type State struct {
	Schema      string `json:"schema"`
	ListID      string `json:"listId"`
	Environment string `json:"environment"`
	Anchor      string `json:"anchor"`
	Sequence    uint64 `json:"sequence"`
	Manifest    string `json:"manifest"` // SHA-256 of the manifest
}

// ParseState reads a state file.
func ParseState(data []byte) (*State, error) {
	var s State
	if err := strictjson.Unmarshal(data, maxState, &s); err != nil {
		return nil, err
	}
	if s.Schema != StateSchema {
		return nil, fmt.Errorf("schema is %q, expected %q", s.Schema, StateSchema)
	}
	return &s, nil
}

// Encode returns the text of a state file.
func (s *State) Encode() ([]byte, error) { return strictjson.Marshal(s) }

// Verify unpacks and verifies a bundle of one target, then holds it against the
// state (nil: first use, which is said and not passed over). The new state is to be
// written only after this returned without error.
func Verify(tarball []byte, o release.Options, last *State) (*release.Verified, *State, error) {
	files, err := Unpack(bytes.NewReader(tarball))
	if err != nil {
		return nil, nil, err
	}
	if o.Target == "" {
		if o.Target, err = targetOf(files); err != nil {
			return nil, nil, err
		}
	}
	v, err := release.Verify(files, o)
	if err != nil {
		return nil, nil, err
	}
	// Unpack has no time to hold the headers against; the manifest has.
	again, err := Pack(files, v.Manifest, o.Target)
	if err != nil {
		return nil, nil, err
	}
	if !bytes.Equal(again, tarball) {
		return nil, nil, otherForm()
	}
	next := &State{
		Schema: StateSchema, ListID: v.Manifest.ListID, Environment: v.Manifest.Environment,
		Anchor: v.Manifest.Anchor, Sequence: v.Manifest.Sequence, Manifest: v.ManifestHash,
	}
	step, err := compare(last, next)
	if err != nil {
		return nil, nil, err
	}
	v.Steps = append(v.Steps, step)
	return v, next, nil
}

// targetOf tells a bundle's target from its directories; Verify then demands all
// files of that target and no others. A bundle stripped of its target's files is
// not a smaller bundle.
func targetOf(files release.Files) (release.Target, error) {
	for name := range files {
		if strings.HasPrefix(name, string(release.TargetGateway)+"/") {
			return release.TargetGateway, nil
		}
	}
	return "", fmt.Errorf("%w: it holds no target's files (%s/)", ErrArchive, release.TargetGateway)
}

// compare holds a bundle against the one accepted last: a greater sequence, or the
// same with the same manifest. Gaps are accepted and said.
func compare(last, next *State) (release.Step, error) {
	switch {
	case last == nil:
		return release.Step{Text: "rollback: first use, nothing to compare with (keep a --state file)"}, nil
	case last.ListID != next.ListID || last.Environment != next.Environment:
		return release.Step{}, fmt.Errorf("%w: the state is of list %s (%s), the bundle of %s (%s)", ErrRollback, last.ListID, last.Environment, next.ListID, next.Environment)
	case last.Anchor != next.Anchor:
		return release.Step{}, fmt.Errorf("%w: the last bundle was signed by EFGSTA %s, this one by %s", ErrRollback, last.Anchor, next.Anchor)
	case next.Sequence < last.Sequence:
		return release.Step{}, fmt.Errorf("%w: sequence %d is older than %d, which was accepted before", ErrRollback, next.Sequence, last.Sequence)
	case next.Sequence == last.Sequence && next.Manifest != last.Manifest:
		return release.Step{}, fmt.Errorf("%w: another release with sequence %d was accepted before", ErrRollback, next.Sequence)
	case next.Sequence == last.Sequence:
		return release.Step{Proven: true, Text: fmt.Sprintf("rollback: the same release %d as last time", next.Sequence)}, nil
	case next.Sequence > last.Sequence+1:
		return release.Step{Proven: true, Text: fmt.Sprintf("rollback: newer than release %d (releases %d to %d were not seen here)", last.Sequence, last.Sequence+1, next.Sequence-1)}, nil
	}
	return release.Step{Proven: true, Text: fmt.Sprintf("rollback: follows release %d", last.Sequence)}, nil
}
