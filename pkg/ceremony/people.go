package ceremony

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/atomicfile"
	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
)

// approvalSuffix ends the name of an approval beside its plan.
const approvalSuffix = ".approval.json"

// People are those who stand behind a plan: who approved it, and who signs it.
type People struct {
	Approvals []Statement // in order of name
	Signer    *Statement  // nil: nobody said so
	files     release.Files
}

// PlannedApproval is who must approve the plan: the set of the journal's head.
type PlannedApproval struct {
	Threshold int               `json:"threshold"`
	Approvers []PlannedApprover `json:"approvers"`
}

// PlannedApprover is a person with the hash of their key.
type PlannedApprover struct {
	Name      string `json:"name"`
	KeySHA256 string `json:"keySha256"`
}

func (p *PlannedApproval) find(name string) *PlannedApprover {
	for i, a := range p.Approvers {
		if a.Name == name {
			return &p.Approvers[i]
		}
	}
	return nil
}

// PlannedProposal is a recorded proposal that this plan's release brings into force.
type PlannedProposal struct {
	Event     uint64    `json:"event"`
	Kind      string    `json:"kind"`      // "approver-add", "approver-remove", "approver-threshold", "key-exception", "spare-token"
	Subject   string    `json:"subject"`   // the approver's name, or the token's label and serial number
	KeySHA256 string    `json:"keySha256"` // of the approver's key, "" otherwise
	Threshold int       `json:"threshold"` // of approver-threshold, 0 otherwise
	Details   []string  `json:"details"`   // what the key is weaker in
	Why       string    `json:"why"`
	By        string    `json:"by"`
	Since     time.Time `json:"since"`
}

// approval says who must approve, and what comes into force, as the journal has it.
func (p *Plan) approval(w *registry.Workspace) {
	p.Approval = PlannedApproval{Threshold: w.Threshold(), Approvers: []PlannedApprover{}}
	for _, a := range w.Approvers() {
		p.Approval.Approvers = append(p.Approval.Approvers, PlannedApprover{a.Name, a.KeySHA256})
	}
	p.Proposals = []PlannedProposal{}
	for _, c := range w.PendingApprovers() {
		p.Proposals = append(p.Proposals, PlannedProposal{c.Event, "approver-" + string(c.Change), c.Name, c.KeySHA256, c.Threshold, []string{}, c.Why, c.By, c.Since})
	}
	for _, c := range w.Proposals() {
		if !w.InForce(c) {
			p.Proposals = append(p.Proposals, PlannedProposal{c.Event, string(c.Kind), fmt.Sprintf("token %q, serial %s, key id %s", c.Token, c.Serial, c.KeyID), "", 0, c.Weaknesses, c.Why, c.By, c.Since})
		}
	}
	slices.SortFunc(p.Proposals, func(a, b PlannedProposal) int { return int(a.Event) - int(b.Event) })
}

// Waiting are the events that the plan's release brings into force.
func (p *Plan) Waiting() []uint64 {
	var events []uint64
	for _, c := range p.Proposals {
		events = append(events, c.Event)
	}
	return events
}

// Gather reads the approvals that lie beside the plan and those given, which it keeps
// there once they are good, and decides whether the plan may be signed. signedBy is the
// name of who signs, "" if nobody said so; the proof follows with SignedBy. Errors wrap
// ErrApproval and ErrPlan, but for those of the disk.
func Gather(w *registry.Workspace, p *Pending, given map[string][]byte, signedBy string) (*People, error) {
	found, err := stored(w, p.Digest)
	if err != nil {
		return nil, err
	}
	people := &People{files: release.Files{}}
	keep := map[string][]byte{}
	for _, files := range []map[string][]byte{found, given} {
		for _, path := range slices.Sorted(maps.Keys(files)) {
			s, err := people.add(w, p, files[path], signedBy)
			if err != nil {
				return nil, &Error{Msg: fmt.Sprintf("%s does not count: %v", path, err), Next: "leave it out or take it away; approve this plan with: efgsta approve", Err: errors.Join(ErrApproval, ErrPlan, err)}
			}
			if s != nil {
				keep[s.Name] = files[path]
			}
		}
	}
	slices.SortFunc(people.Approvals, func(a, b Statement) int { return strings.Compare(a.Name, b.Name) })
	for name, text := range keep {
		if err := atomicfile.Create(filepath.Join(w.PlanDir(p.Digest), name+approvalSuffix), text, 0o644); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
	}
	return people, enough(w, people, signedBy)
}

// add takes an approval in, or returns nil if its maker's is there already.
func (people *People) add(w *registry.Workspace, p *Pending, text []byte, signedBy string) (*Statement, error) {
	s, err := ReadStatement(text)
	if err != nil {
		return nil, err
	}
	if err := s.check(ApprovalSchema, p.Plan, p.Digest, w.Approver(s.Name)); err != nil {
		return nil, err
	}
	if s.Name == signedBy {
		return nil, fmt.Errorf("%s signs, and who signs does not approve", s.Name)
	}
	path := release.ApprovalsDir + s.Name + ".json"
	if people.files[path] != nil {
		return nil, nil
	}
	people.files[path] = text
	people.Approvals = append(people.Approvals, *s)
	return s, nil
}

// enough holds the approvals against the threshold.
func enough(w *registry.Workspace, people *People, signedBy string) error {
	production := w.Environment == registry.Production
	switch {
	case production && len(w.Approvers()) == 0:
		return &Error{Msg: "production signs only what other people approved, and there is no approver", Next: "enrol those who approve and those who sign with: efgsta approver add", Err: errors.Join(ErrApproval, ErrPlan)}
	case production && signedBy == "":
		return &Error{Msg: "production keeps who signed: nobody said so", Next: "give --as NAME --as-key KEY", Err: errors.Join(ErrApproval, ErrPlan)}
	case signedBy != "" && w.Approver(signedBy) == nil:
		return &Error{Msg: fmt.Sprintf("%q is not enrolled, so nobody knows their key", signedBy), Next: "enrol them with: efgsta approver add", Err: errors.Join(ErrApproval, ErrPlan)}
	case len(people.Approvals) < w.Threshold():
		return &Error{Msg: fmt.Sprintf("the plan has %d of the %d approvals that it needs", len(people.Approvals), w.Threshold()),
			Next: "have it approved with: efgsta approve plan.json --as NAME --key KEY -o FILE, and give each FILE with --approval", Err: errors.Join(ErrApproval, ErrPlan)}
	}
	return nil
}

// SignedBy adds the statement of who signs, made with Pending.State.
func (people *People) SignedBy(w *registry.Workspace, p *Pending, text []byte) error {
	s, err := ReadStatement(text)
	if err == nil {
		err = s.check(SignerSchema, p.Plan, p.Digest, w.Approver(s.Name))
	}
	if err == nil && slices.ContainsFunc(people.Approvals, func(a Statement) bool { return a.Name == s.Name || a.KeySHA256 == s.KeySHA256 }) {
		err = fmt.Errorf("%s approved it too, and who signs does not approve", s.Name)
	}
	if err != nil {
		return &Error{Msg: fmt.Sprintf("who signs: %v", err), Err: errors.Join(ErrApproval, ErrPlan, err)}
	}
	people.Signer, people.files[release.SignerPath] = s, text
	return nil
}

// stand proves again that these people stand behind this plan, from the bytes that
// will be recorded.
func (people *People) stand(w *registry.Workspace, p *Plan, digest string) (*People, error) {
	again := &People{files: people.files}
	for path, text := range people.files {
		s, err := ReadStatement(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		what, want := ApprovalSchema, release.ApprovalsDir+s.Name+".json"
		if path == release.SignerPath {
			what, want = SignerSchema, path
		}
		if err := s.check(what, p, digest, w.Approver(s.Name)); err != nil || path != want {
			return nil, fmt.Errorf("%w: %s: %w", ErrApproval, path, errors.Join(err, ErrPlan))
		}
		if what == SignerSchema {
			again.Signer = s
		} else {
			again.Approvals = append(again.Approvals, *s)
		}
	}
	slices.SortFunc(again.Approvals, func(a, b Statement) int { return strings.Compare(a.Name, b.Name) })
	signedBy := ""
	if again.Signer != nil {
		signedBy = again.Signer.Name
	}
	if again.approvedBy(signedBy) {
		return nil, fmt.Errorf("%w: %s signs and approved", errors.Join(ErrApproval, ErrPlan), signedBy)
	}
	return again, enough(w, again, signedBy)
}

func (people *People) approvedBy(name string) bool {
	return slices.ContainsFunc(people.Approvals, func(a Statement) bool { return a.Name == name })
}

// recordedPeople are those in the record of a release.
func recordedPeople(files release.Files) *People {
	people := &People{files: release.Files{}}
	for path, text := range files {
		if release.IsStatement(path) {
			people.files[path] = text
		}
	}
	return people
}

// recorded is what the journal gets of the people, and of what the plan brings into force.
func (people *People) recorded(p *Plan) (approvals []registry.ReleaseApproval, signer *registry.ReleaseApproval, proposals []uint64) {
	for _, a := range people.Approvals {
		approvals = append(approvals, registry.ReleaseApproval{Name: a.Name, KeySHA256: a.KeySHA256, SHA256: release.Digest(people.files[release.ApprovalsDir+a.Name+".json"])})
	}
	if s := people.Signer; s != nil {
		signer = &registry.ReleaseApproval{Name: s.Name, KeySHA256: s.KeySHA256, SHA256: release.Digest(people.files[release.SignerPath])}
	}
	return approvals, signer, p.Waiting()
}

// stored reads the approvals beside a plan, by path.
func stored(w *registry.Workspace, digest string) (map[string][]byte, error) {
	entries, err := os.ReadDir(w.PlanDir(digest))
	if err != nil {
		return nil, err
	}
	found := map[string][]byte{}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), approvalSuffix) {
			continue
		}
		path := filepath.Join(w.PlanDir(digest), e.Name())
		if found[path], err = os.ReadFile(path); err != nil {
			return nil, err
		}
	}
	return found, nil
}
