package ceremony

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/efgsta/efgsta/pkg/registry"
	"github.com/efgsta/efgsta/pkg/release"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/strictjson"
)

// StatementSchema is what a statement about a plan says. Each has a prefix of its own
// under the signature, so that one never stands for the other.
type StatementSchema string

// The statements.
const (
	ApprovalSchema StatementSchema = "efgsta.approval/v1" // "this plan may be signed"
	SignerSchema   StatementSchema = "efgsta.signer/v1"   // "it is I who signs this plan"
)

// prefix begins what is signed. No plan, list or certificate begins so.
func (s StatementSchema) prefix() string {
	switch s {
	case ApprovalSchema:
		return "efgsta approval v1\n"
	case SignerSchema:
		return "efgsta signer v1\n"
	}
	return ""
}

// MaxStatement is the size of a statement in bytes that is read at most.
const MaxStatement = 16 << 10

// ErrApproval marks a statement about a plan that does not count.
var ErrApproval = errors.New("approval")

// Statement is what one person says of one plan, signed with their own key.
type Statement struct {
	Schema      StatementSchema      `json:"schema"`
	ListID      string               `json:"listId"`
	Environment registry.Environment `json:"environment"`
	Sequence    uint64               `json:"sequence"`
	Plan        string               `json:"plan"`      // digest
	Name        string               `json:"name"`      // of the person, as enrolled
	KeySHA256   string               `json:"keySha256"` // of their SubjectPublicKeyInfo
	At          time.Time            `json:"at"`
	Algorithm   string               `json:"algorithm"` // "ecdsa-sha256", …, "rsa-pkcs1-sha256", "rsa-pss-sha256"
	Signature   []byte               `json:"signature"`
}

// algorithmOf is the way in which a key signs statements.
func algorithmOf(pub crypto.PublicKey, pss bool) (name string, alg sigalg.Algorithm, err error) {
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			name, alg, err = withHash("ecdsa-sha256", sigalg.ECDSA, crypto.SHA256)
		case 384:
			name, alg, err = withHash("ecdsa-sha384", sigalg.ECDSA, crypto.SHA384)
		case 521:
			name, alg, err = withHash("ecdsa-sha512", sigalg.ECDSA, crypto.SHA512)
		}
	case *rsa.PublicKey:
		if pss {
			return withHash("rsa-pss-sha256", sigalg.RSAPSS, crypto.SHA256)
		}
		return withHash("rsa-pkcs1-sha256", sigalg.RSAPKCS1v15, crypto.SHA256)
	}
	if name == "" && err == nil {
		err = fmt.Errorf("%w: no statement is signed with a key of type %T", ErrApproval, pub)
	}
	return name, alg, err
}

func withHash(name string, s sigalg.Scheme, h crypto.Hash) (string, sigalg.Algorithm, error) {
	alg, err := sigalg.New(s, h)
	return name, alg, err
}

// KeySHA256 is the hash by which a person's key is enrolled, lower-case hex, with the
// key's SubjectPublicKeyInfo.
func KeySHA256(pub crypto.PublicKey) (hash string, spki []byte, err error) {
	spki, err = x509.MarshalPKIXPublicKey(pub)
	if err == nil {
		spki, err = registry.ApproverKey(spki)
	}
	if err != nil {
		return "", nil, err
	}
	return release.Digest(spki), spki, nil
}

// State makes the statement of a person about a plan and signs it with their key. An
// RSA key signs PKCS#1 v1.5, or PSS if pss is set.
func (p *Pending) State(what StatementSchema, name string, key crypto.Signer, pss bool, rnd io.Reader, at time.Time) ([]byte, error) {
	if err := p.Plan.inWindow(at); err != nil {
		return nil, err
	}
	hash, _, err := KeySHA256(key.Public())
	if err != nil {
		return nil, err
	}
	enrolled := p.Plan.Approval.find(name)
	switch {
	case enrolled == nil:
		return nil, &Error{Msg: fmt.Sprintf("the plan does not know %q as an approver", name), Next: "enrol them with: efgsta approver add, and plan again", Err: errors.Join(ErrApproval, ErrPlan)}
	case enrolled.KeySHA256 != hash:
		return nil, &Error{Msg: fmt.Sprintf("this is not the key of %s: it is %s, enrolled is %s", name, hash, enrolled.KeySHA256), Next: "name the right key", Err: errors.Join(ErrApproval, ErrPlan)}
	}
	algorithm, alg, err := algorithmOf(key.Public(), pss)
	if err != nil {
		return nil, err
	}
	s := Statement{
		Schema: what, ListID: p.Plan.ListID, Environment: p.Plan.Environment, Sequence: p.Plan.Sequence, Plan: p.Digest,
		Name: name, KeySHA256: hash, At: at.UTC().Truncate(time.Second), Algorithm: algorithm,
	}
	text, err := s.signed()
	if err != nil {
		return nil, err
	}
	if s.Signature, err = alg.Sign(rnd, key, text); err != nil {
		return nil, err
	}
	return strictjson.Marshal(&s)
}

// signed is what the signature is over: the prefix and the statement with no signature.
func (s Statement) signed() ([]byte, error) {
	s.Signature = nil
	text, err := strictjson.Marshal(&s)
	return append([]byte(s.Schema.prefix()), text...), err
}

// ReadStatement reads a statement. It proves nothing. Errors wrap ErrApproval.
func ReadStatement(text []byte) (*Statement, error) {
	var s Statement
	if err := strictjson.Unmarshal(text, MaxStatement, &s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrApproval, err)
	}
	switch {
	case s.Schema.prefix() == "":
		return nil, fmt.Errorf("%w: its schema is %q", ErrApproval, s.Schema)
	case s.At.Nanosecond() != 0 || s.At.Location() != time.UTC:
		return nil, fmt.Errorf("%w: its time is not in whole seconds of UTC", ErrApproval)
	}
	if err := registry.CheckApproverName(s.Name); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrApproval, err)
	}
	return &s, nil
}

// check holds a statement against the plan and its maker's enrolled key.
func (s *Statement) check(what StatementSchema, p *Plan, digest string, who *registry.Approver) error {
	switch {
	case s.Schema != what:
		return fmt.Errorf("it is a %s, not a %s", s.Schema, what)
	case s.ListID != p.ListID:
		return fmt.Errorf("it is for the list %s, this is %s", s.ListID, p.ListID)
	case s.Environment != p.Environment:
		return fmt.Errorf("it is for the %s, this is the %s", s.Environment, p.Environment)
	case s.Sequence != p.Sequence:
		return fmt.Errorf("it is for release %d, this is release %d", s.Sequence, p.Sequence)
	case s.Plan != digest:
		return fmt.Errorf("it is for the plan %s, this is another one", short(s.Plan))
	case who == nil:
		return fmt.Errorf("%q is no approver", s.Name)
	case s.KeySHA256 != who.KeySHA256:
		return fmt.Errorf("%q is enrolled with another key", s.Name)
	case s.At.Before(p.Created) || !s.At.Before(p.SignBefore):
		return fmt.Errorf("it was made at %s, outside of the plan's window", s.At.Format(time.RFC3339))
	}
	key, err := sigalg.ParsePublicKey(who.Key)
	if err != nil {
		return err
	}
	algorithm, alg, err := algorithmOf(key.Std, s.Algorithm == "rsa-pss-sha256")
	if err != nil {
		return err
	}
	if s.Algorithm != algorithm {
		return fmt.Errorf("it is signed by %q, which is not how this key signs", s.Algorithm)
	}
	text, err := s.signed()
	if err != nil {
		return err
	}
	return alg.Verify(key, text, s.Signature)
}

func short(digest string) string { return digest[:min(16, len(digest))] }
