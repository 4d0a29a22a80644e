package anchor

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

// CommonName is the EFGSTA's cn by Governance 4.5.
const CommonName = "EU Federation Gateway Service"

// Params describe a new EFGSTA certificate.
type Params struct {
	Organization string
	Rehearsal    bool
	NotBefore    time.Time
	Days         int // length of validity, days; the last second is inclusive
	Scheme       sigalg.Scheme
	Hash         crypto.Hash
}

// Lint checks the template that Create would sign, under the policy, before any
// key is used or made: a failed lint must leave no orphan key in a token.
func Lint(e *vet.Engine, p Params, rand io.Reader) error {
	// The name, validity and usages are what can go wrong, so a throw-away key
	// stands in for the real one.
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand)
	if err != nil {
		return err
	}
	p.Scheme, p.Hash = sigalg.ECDSA, crypto.SHA256
	_, err = create(e, p, key, rand)
	return err
}

// Create makes the self-signed EFGSTA certificate by template 4.5 and vets it.
func Create(e *vet.Engine, p Params, key crypto.Signer, rand io.Reader) (*Anchor, error) {
	return create(e, p, key, rand)
}

func create(e *vet.Engine, p Params, key crypto.Signer, rand io.Reader) (*Anchor, error) {
	alg, err := x509Algorithm(p.Scheme, p.Hash, key.Public())
	if err != nil {
		return nil, err
	}
	if p.Organization == "" {
		return nil, errors.New("the EFGSTA needs an organization (Governance 4.5)")
	}
	serial := make([]byte, 16)
	if _, err := io.ReadFull(rand, serial); err != nil {
		return nil, err
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and always 16 octets
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	keyID := sha256.Sum256(spki)
	name := pkix.Name{Country: []string{"BE"}, Organization: []string{p.Organization}, CommonName: CommonName}
	if p.Rehearsal {
		name.OrganizationalUnit = []string{RehearsalOU}
	}
	from := p.NotBefore.UTC().Truncate(time.Second)
	template := &x509.Certificate{
		SerialNumber:       new(big.Int).SetBytes(serial),
		Subject:            name,
		NotBefore:          from,
		NotAfter:           from.AddDate(0, 0, p.Days).Add(-time.Second),
		KeyUsage:           x509.KeyUsageDigitalSignature,
		SubjectKeyId:       keyID[:20],
		SignatureAlgorithm: alg,
	}
	der, err := x509.CreateCertificate(rand, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign EFGSTA certificate: %w", err)
	}
	c, err := cert.Parse(der)
	if err != nil {
		return nil, err
	}
	if _, result, err := e.Accept(vet.Request{Certificate: c, Role: vet.EFGSTA, Country: "BE", At: from, Rehearsal: p.Rehearsal}); err != nil {
		return nil, &LintError{Result: result, err: err}
	}
	return New(c)
}

// LintError is an EFGSTA certificate that the policy refuses.
type LintError struct {
	Result *vet.Result
	err    error
}

func (e *LintError) Error() string {
	if f := e.first(); f != nil {
		return fmt.Sprintf("EFGSTA certificate would be refused: %s %s: %s (%s)", f.ID, f.Name, f.Message, f.Clause)
	}
	return "EFGSTA certificate would be refused: " + e.err.Error()
}

func (e *LintError) Unwrap() error { return e.err }

// Hint gives the fix of the first rule that refuses.
func (e *LintError) Hint() string {
	if f := e.first(); f != nil {
		return f.Fix
	}
	return ""
}

// first is the finding that refuses: a rule that failed, or one that blocks
// because it could not be evaluated.
func (e *LintError) first() *vet.Finding {
	for i, f := range e.Result.Findings {
		if f.Blocks || (f.Severity == vet.SeverityError && f.Status == vet.StatusFail) {
			return &e.Result.Findings[i]
		}
	}
	return nil
}

func x509Algorithm(s sigalg.Scheme, h crypto.Hash, pub crypto.PublicKey) (x509.SignatureAlgorithm, error) {
	table := map[sigalg.Scheme]map[crypto.Hash]x509.SignatureAlgorithm{
		sigalg.RSAPKCS1v15: {crypto.SHA256: x509.SHA256WithRSA, crypto.SHA384: x509.SHA384WithRSA, crypto.SHA512: x509.SHA512WithRSA},
		sigalg.RSAPSS:      {crypto.SHA256: x509.SHA256WithRSAPSS, crypto.SHA384: x509.SHA384WithRSAPSS, crypto.SHA512: x509.SHA512WithRSAPSS},
		sigalg.ECDSA:       {crypto.SHA256: x509.ECDSAWithSHA256, crypto.SHA384: x509.ECDSAWithSHA384, crypto.SHA512: x509.ECDSAWithSHA512},
	}
	_, isRSA := pub.(*rsa.PublicKey)
	if alg, ok := table[s][h]; ok && isRSA == (s != sigalg.ECDSA) {
		return alg, nil
	}
	return 0, fmt.Errorf("%w: %s with %s for a key of type %T", sigalg.ErrUnsupported, s, h, pub)
}
