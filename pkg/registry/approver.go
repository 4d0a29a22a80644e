package registry

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// ApproverChange is what a change of the approvers does.
type ApproverChange string

// The changes.
const (
	ApproverAdd       ApproverChange = "add"
	ApproverRemove    ApproverChange = "remove"
	ApproverThreshold ApproverChange = "threshold"
)

// MaxApprovers caps the approvers of a workspace: people who know each other.
const MaxApprovers = 100

// minApproverRSA is the shortest RSA modulus of an approver's key, bits.
const minApproverRSA = 3000

// ApproverData records a change of the approvers. Key and KeySHA256 are those of who
// is added or removed; Threshold stands in a change of the threshold only.
type ApproverData struct {
	Change    ApproverChange `json:"change"`
	Name      string         `json:"name"`
	Key       []byte         `json:"key"`       // SubjectPublicKeyInfo, DER
	KeySHA256 string         `json:"keySha256"` // of Key
	Threshold int            `json:"threshold"`
	Why       string         `json:"why"`
}

// Approver is a person who may approve plans.
type Approver struct {
	Name      string
	Key       []byte // SubjectPublicKeyInfo, DER
	KeySHA256 string
	Event     uint64 // that added them
	Since     time.Time
}

// ApproverProposal is a recorded change of the approvers.
type ApproverProposal struct {
	ApproverData
	Event uint64
	Since time.Time
	By    string
}

// roster is a set of approvers with the number of approvals that a plan needs.
type roster struct {
	approvers []*Approver
	threshold int // 0: nothing was said of it
}

// Approvers returns who may approve now, in order of enrolment.
func (s *State) Approvers() []*Approver { return slices.Clone(s.roster.approvers) }

// Approver returns the approver of that name who may approve now, or nil.
func (s *State) Approver(name string) *Approver { return s.roster.find(name) }

// Threshold is the number of approvals that a plan needs: what was decided, or one in
// production and none in a rehearsal.
func (s *State) Threshold() int { return s.roster.needs(s.Environment) }

// PendingApprovers returns the changes of the approvers that wait for a release, in
// the order in which they were proposed.
func (s *State) PendingApprovers() []*ApproverProposal { return slices.Clone(s.pendingApprovers) }

func (r roster) find(name string) *Approver {
	for _, a := range r.approvers {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func (r roster) needs(env Environment) int {
	if r.threshold == 0 && env == Production {
		return 1
	}
	return r.threshold
}

// with is the roster after a change. It leaves the old one as it is. An error says
// why the change cannot be made.
func (r roster) with(p *ApproverProposal, env Environment) (roster, error) {
	next := roster{slices.Clone(r.approvers), r.threshold}
	switch p.Change {
	case ApproverAdd:
		if len(next.approvers) >= MaxApprovers {
			return r, fmt.Errorf("there are %d approvers, and more than %d are not taken", len(next.approvers), MaxApprovers)
		}
		for _, a := range next.approvers {
			switch {
			case a.Name == p.Name && a.KeySHA256 == p.KeySHA256:
				return r, fmt.Errorf("%q is an approver already, with this key", p.Name)
			case a.Name == p.Name:
				return r, fmt.Errorf("%q is an approver already, with the key %s", p.Name, cert.ShortHex(a.KeySHA256))
			case a.KeySHA256 == p.KeySHA256:
				return r, fmt.Errorf("the key is that of approver %q: one key is for one person", a.Name)
			}
		}
		next.approvers = append(next.approvers, &Approver{p.Name, p.Key, p.KeySHA256, p.Event, p.Since})
	case ApproverRemove:
		a := r.find(p.Name)
		if a == nil {
			return r, fmt.Errorf("there is no approver %q", p.Name)
		}
		next.approvers = slices.DeleteFunc(next.approvers, func(o *Approver) bool { return o == a })
		if len(next.approvers) < next.threshold {
			return r, fmt.Errorf("%d approvers would be left where a plan needs %d approvals", len(next.approvers), next.threshold)
		}
	case ApproverThreshold:
		least := 0
		if env == Production {
			least = 1
		}
		if p.Threshold < least || p.Threshold > len(next.approvers) {
			return r, fmt.Errorf("a threshold of %d where a %s workspace has %d approvers and needs at least %d", p.Threshold, env, len(next.approvers), least)
		}
		next.threshold = p.Threshold
	}
	return next, nil
}

// projected is the roster as it will be when all that waits has come into force.
func (s *State) projected() (roster, error) {
	r := s.roster
	for _, p := range s.pendingApprovers {
		var err error
		if r, err = r.with(p, s.Environment); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (s *State) approverProposed(e journal.Event) (func(), error) {
	var d ApproverData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, err
	}
	p := &ApproverProposal{ApproverData: d, Event: e.Seq, Since: e.Time, By: e.Actor}
	if len(s.Releases) > 0 {
		after, err := s.projected()
		if err != nil {
			return nil, err
		}
		if _, err := after.with(p, s.Environment); err != nil {
			return nil, err
		}
		return func() { s.pendingApprovers = append(s.pendingApprovers, p) }, nil
	}
	// Nothing was released yet: there is no old set that could approve.
	next, err := s.roster.with(p, s.Environment)
	if err != nil {
		return nil, err
	}
	return func() { s.roster = next }, nil
}

// check holds the data of a change against its own form.
func (d *ApproverData) check() error {
	switch d.Change {
	case ApproverThreshold:
		if d.Name != "" || len(d.Key) != 0 || d.KeySHA256 != "" {
			return errors.New("a threshold with a name or key")
		}
		return nil
	case ApproverAdd, ApproverRemove:
		if err := CheckApproverName(d.Name); err != nil {
			return err
		}
		if d.Threshold != 0 || digest(d.Key) != d.KeySHA256 {
			return errors.New("an approver with a threshold, or with another key than its hash says")
		}
		canonical, err := ApproverKey(d.Key)
		if err == nil && !bytes.Equal(canonical, d.Key) {
			err = errors.New("the key is not in its usual coding")
		}
		return err
	}
	return fmt.Errorf("a change of the unknown kind %q", d.Change)
}

// CheckApproverName holds a name against what files and people can tell apart: lower
// case letters, digits, and inside "-", "_" and ".", at most 64.
func CheckApproverName(name string) error {
	if ok, err := regexp.MatchString(`^[a-z0-9]([a-z0-9._-]{0,62}[a-z0-9])?$`, name); err != nil || !ok {
		return &Error{Msg: fmt.Sprintf("%q is not a name for an approver", name), Next: "use up to 64 lower case letters, digits, and inside dot, dash or underscore, such as anna.berg"}
	}
	return nil
}

// ApproverKey reads a SubjectPublicKeyInfo and returns it in its usual coding. The key
// must be of P-256, P-384 or P-521, or RSA of at least 3000 bits.
func ApproverKey(spki []byte) ([]byte, error) {
	key, err := sigalg.ParsePublicKey(spki)
	if err != nil {
		return nil, err
	}
	switch k := key.Std.(type) {
	case *ecdsa.PublicKey:
		if bits := k.Curve.Params().BitSize; bits == 256 || bits == 384 || bits == 521 {
			return x509.MarshalPKIXPublicKey(k)
		}
	case *rsa.PublicKey:
		if k.N.BitLen() >= minApproverRSA {
			return x509.MarshalPKIXPublicKey(k)
		}
	}
	return nil, fmt.Errorf("an approver's key is on P-256, P-384 or P-521, or RSA of at least %d bits; this is %s of %d bits", minApproverRSA, key.Algorithm, key.Bits())
}

// ChangeApprovers records a change of the approvers. d needs Change and, by its kind,
// Name, Key and Threshold. Before the first release it counts at once; afterwards it
// counts when a plan that shows it is released with the approvals of those who are
// approvers until then. Repeating it changes nothing.
func (w *Workspace) ChangeApprovers(at time.Time, actor string, d ApproverData) (added, inForce bool, err error) {
	after, err := w.projected()
	if err != nil {
		return false, false, err
	}
	switch d.Change {
	case ApproverAdd:
		if d.Key, err = ApproverKey(d.Key); err != nil {
			return false, false, &Error{Msg: "the key of " + d.Name, Err: err, Next: "make one with: efgsta hsm keygen, or openssl ecparam -name prime256v1 -genkey"}
		}
		if other := w.keyInUse(d.Key); other != "" {
			return false, false, &Error{Msg: fmt.Sprintf("the key of %s is that of %s", d.Name, other), Next: "an approver has a key of their own, for nothing else"}
		}
	case ApproverRemove:
		if a := after.find(d.Name); a != nil {
			d.Key = a.Key
		} else if a := w.roster.find(d.Name); a != nil {
			return false, false, nil // its removal waits already
		} else {
			return false, false, &Error{Msg: fmt.Sprintf("there is no approver %q", d.Name), Next: "list them with: efgsta approver list"}
		}
	}
	if d.Change != ApproverThreshold {
		d.KeySHA256 = digest(d.Key)
	}
	if after.says(d, w.Environment) {
		return false, w.roster.says(d, w.Environment), nil
	}
	p := &ApproverProposal{ApproverData: d}
	if err := d.check(); err != nil {
		return false, false, err
	}
	if _, err := after.with(p, w.Environment); err != nil {
		return false, false, &Error{Msg: err.Error(), Next: "list the approvers, and what waits, with: efgsta approver list"}
	}
	if err := w.record(at, actor, EventApprover, d); err != nil {
		return false, false, err
	}
	return true, len(w.Releases) == 0, nil
}

// says reports whether the roster is what the change asks for.
func (r roster) says(d ApproverData, env Environment) bool {
	switch d.Change {
	case ApproverAdd:
		a := r.find(d.Name)
		return a != nil && a.KeySHA256 == d.KeySHA256
	case ApproverThreshold:
		return r.needs(env) == d.Threshold
	}
	return false
}

// keyInUse names the certificate of the workspace that has this key, or is empty.
func (w *Workspace) keyInUse(spki []byte) string {
	same := func(c *cert.Certificate) bool {
		if c == nil || c.PublicKey == nil || c.PublicKey.Std == nil {
			return false
		}
		other, err := x509.MarshalPKIXPublicKey(c.PublicKey.Std)
		return err == nil && bytes.Equal(other, spki)
	}
	if w.Anchor != nil && same(w.Anchor.Certificate) {
		return "the EFGSTA"
	}
	if w.Next != nil && same(w.Next.Certificate) {
		return "the next EFGSTA"
	}
	for _, c := range w.certificates {
		if same(c.Certificate) {
			return fmt.Sprintf("%s %s %s", c.Country, c.Type, cert.ShortHex(c.SHA256))
		}
	}
	return ""
}
