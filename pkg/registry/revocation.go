package registry

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/vet"
)

// EventRevoked records that the operator revoked a certificate (Governance 3.3).
const EventRevoked = "certificate.revoked"

// Reason is why a certificate was revoked: a reason code of RFC 5280 5.3.1, as words.
type Reason string

// The reasons that a certificate of a member state can have.
const (
	KeyCompromise        Reason = "key-compromise"
	CACompromise         Reason = "ca-compromise"
	AffiliationChanged   Reason = "affiliation-changed"
	Superseded           Reason = "superseded"
	CessationOfOperation Reason = "cessation-of-operation"
	PrivilegeWithdrawn   Reason = "privilege-withdrawn"
	Unspecified          Reason = "unspecified"
)

// Reasons lists them in the order of RFC 5280, the one that says nothing last.
func Reasons() []Reason {
	return []Reason{KeyCompromise, CACompromise, AffiliationChanged, Superseded, CessationOfOperation, PrivilegeWithdrawn, Unspecified}
}

// barsKey reports whether the key may serve in no other certificate either. A reason
// that is not told may be a compromise.
func (r Reason) barsKey() bool { return r == KeyCompromise || r == Unspecified }

// notHere says why a reason code of RFC 5280 is none here; "" if it is not one.
func (r Reason) notHere() string {
	switch r {
	case "certificate-hold", "hold":
		return "what leaves the list never comes back, so there is no hold"
	case "remove-from-crl":
		return "a revocation is for good"
	case "aa-compromise":
		return "it is about attribute certificates, and there are none"
	}
	return ""
}

// RevocationData records the revocation of a certificate, whether it was listed or not.
type RevocationData struct {
	Country    string `json:"country"`
	SHA256     string `json:"sha256"`
	Reason     Reason `json:"reason"`
	Why        string `json:"why"`        // more words, for the journal and nobody else
	ReportedBy string `json:"reportedBy"` // who told the operator
}

// Revocation is a recorded one.
type Revocation struct {
	RevocationData
	Since time.Time
}

// Text is what the list says of it: no names, which go to all member states otherwise.
func (r *Revocation) Text() string {
	return fmt.Sprintf("revoked on %s: %s", r.Since.UTC().Format(time.DateOnly), r.Reason)
}

func (s *State) revoked(e journal.Event) (func(), error) {
	var d RevocationData
	if err := decode(e, &d); err != nil {
		return nil, err
	}
	c, err := s.certificateOf(d.Country, d.SHA256)
	switch {
	case err != nil:
		return nil, err
	case !slices.Contains(Reasons(), d.Reason):
		return nil, fmt.Errorf("the unknown reason %q", d.Reason)
	case c.Revoked != nil:
		return nil, fmt.Errorf("certificate %s was revoked before", d.SHA256)
	}
	return func() {
		c.Revoked = &Revocation{RevocationData: d, Since: e.Time}
		s.revocations = append(s.revocations, c)
	}, nil
}

// certificateOf finds what an event names.
func (s *State) certificateOf(country, sha string) (*Certificate, error) {
	c := s.byHash[sha]
	if c == nil || c.Country != country {
		return nil, fmt.Errorf("%q has no certificate %q", country, sha)
	}
	return c, nil
}

// maxWords caps what people write beside a decision, in bytes.
const maxWords = 1000

// Revoke records that a certificate is revoked (Governance 3.3). Repeating it changes
// nothing; a revocation stays as it was recorded, so that another reason is refused.
func (w *Workspace) Revoke(at time.Time, actor string, c *Certificate, d RevocationData) (added bool, err error) {
	d.Country, d.SHA256 = c.Country, c.SHA256
	if err := d.check(c); err != nil {
		return false, err
	}
	if r := c.Revoked; r != nil {
		same := r.Reason == d.Reason && (d.Why == "" || d.Why == r.Why) && (d.ReportedBy == "" || d.ReportedBy == r.ReportedBy)
		if same {
			return false, nil
		}
		return false, &Error{Msg: fmt.Sprintf("%s was %s already", cert.ShortHex(c.SHA256), r.Text()),
			Next: "a revocation stays as it was recorded; say more of it where you keep your own notes"}
	}
	return true, w.record(at, actor, EventRevoked, d)
}

func (d *RevocationData) check(c *Certificate) error {
	if why := d.Reason.notHere(); why != "" {
		return &Error{Msg: fmt.Sprintf("%s is no reason to revoke here: %s", d.Reason, why), Next: "one of: " + reasonNames()}
	}
	switch {
	case !slices.Contains(Reasons(), d.Reason):
		return &Error{Msg: fmt.Sprintf("%q is no reason to revoke", d.Reason), Next: "one of: " + reasonNames()}
	case d.Reason == CACompromise && c.Certificate.SelfIssued():
		return &Error{Msg: "ca-compromise is about the CA of a certificate, and this one has none: it is self-signed", Next: "if its own key is compromised: --reason " + string(KeyCompromise)}
	case len(d.Why) > maxWords || len(d.ReportedBy) > maxWords:
		return &Error{Msg: fmt.Sprintf("more than %d bytes are too much", maxWords), Next: "say it shorter"}
	}
	return nil
}

func reasonNames() string {
	var names []string
	for _, r := range Reasons() {
		names = append(names, string(r))
	}
	return strings.Join(names, ", ")
}

// Barred is why no list may hold a certificate, by a decision of the operator and not by
// a rule: itself was revoked, or another one with its key.
type Barred struct {
	Of      *Certificate // what was revoked
	Finding vet.Finding  // without id: no rule found it
	Reason  string       // what the list says
}

// Barred returns why this certificate may not be listed, or nil.
func (s *State) Barred(c *cert.Certificate) *Barred {
	if len(s.revocations) == 0 {
		return nil
	}
	if o := s.Find(c.Thumbprint()); o != nil && o.Revoked != nil {
		r := o.Revoked
		return barred(o, "revoked", fmt.Sprintf("on %s, %s: a revoked certificate never comes back", r.Since.UTC().Format(time.DateOnly), r.Reason), r.Text())
	}
	key := c.SPKISHA256()
	for _, o := range s.revocations {
		if o.Revoked.Reason.barsKey() && o.Certificate.SPKISHA256() == key {
			why := fmt.Sprintf("key of %s %s %s, %s", o.Country, o.Type, cert.ShortHex(o.SHA256), o.Revoked.Text())
			return barred(o, "revoked-key", why+": a key that may be compromised serves in no certificate", why)
		}
	}
	return nil
}

func barred(of *Certificate, name, message, reason string) *Barred {
	return &Barred{of, vet.Finding{
		Name: name, Severity: vet.SeverityError, Status: vet.StatusFail, Clause: "Governance 3.3", Message: message, Fix: "bring a new certificate with a new key",
	}, reason}
}

// Judge adds to a result what the operator decided of its certificate.
func (b *Barred) Judge(r *vet.Result) {
	if b != nil {
		r.Findings = append(r.Findings, b.Finding)
		r.Verdict = vet.VerdictRefused
	}
}

// SameKey returns the other certificates that a revocation of c keeps out of every list.
func (s *State) SameKey(c *Certificate) []*Certificate {
	var out []*Certificate
	for _, o := range s.certificates {
		if o != c && o.Revoked == nil && c.Revoked != nil && c.Revoked.Reason.barsKey() && o.Certificate.SPKISHA256() == c.Certificate.SPKISHA256() {
			out = append(out, o)
		}
	}
	return out
}

// minName is the least part of a thumbprint that names a certificate, in hex digits.
const minName = 16

// Pick returns the certificate of a member that a person names: by its SHA-256, or at
// least 16 digits of it, with colons or spaces as programs print it.
func (s *State) Pick(country, name string) (*Certificate, error) {
	if s.members[country] == nil {
		return nil, &Error{Msg: fmt.Sprintf("%q is not a member", country), Next: "efgsta status shows members and certificates"}
	}
	prefix := strings.ToLower(strings.NewReplacer(":", "", " ", "").Replace(name))
	if len(prefix) < minName || len(prefix) > 64 || strings.Trim(prefix, "0123456789abcdef") != "" {
		return nil, &Error{Msg: fmt.Sprintf("%q is not a thumbprint", name), Next: fmt.Sprintf("%d to 64 hex digits of the certificate's SHA-256\n%s", minName, s.listing(country))}
	}
	return s.pick(country, prefix)
}

func (s *State) pick(country, prefix string) (*Certificate, error) {
	var of []*Certificate
	for _, c := range s.certificates {
		if strings.HasPrefix(c.SHA256, prefix) {
			of = append(of, c)
		}
	}
	own := slices.DeleteFunc(slices.Clone(of), func(c *Certificate) bool { return c.Country != country })
	switch {
	case len(own) == 1:
		return own[0], nil
	case len(own) > 1:
		return nil, &Error{Msg: fmt.Sprintf("%d certificates begin with %s", len(own), prefix), Next: "give all 64 hex digits\n" + s.listing(country)}
	case len(of) > 0:
		return nil, &Error{Msg: fmt.Sprintf("%s is a certificate of %s, not of %s", prefix, of[0].Country, country), Next: s.listing(country)}
	}
	return nil, &Error{Msg: fmt.Sprintf("%s has no certificate %s", country, prefix), Next: s.listing(country)}
}

// listing names the certificates of a member for a hint.
func (s *State) listing(country string) string {
	var lines []string
	for _, c := range s.CertificatesOf(country) {
		line := fmt.Sprintf("%s has %s %s", country, strings.ToUpper(string(c.Type)), c.SHA256)
		if c.Revoked != nil {
			line += ", " + c.Revoked.Text()
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return country + " has no certificates here"
	}
	return strings.Join(lines, "\n")
}
