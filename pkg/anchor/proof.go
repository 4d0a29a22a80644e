package anchor

import (
	"crypto"
	"errors"
	"fmt"
	"io"
)

// proofPrefix begins what an import proof signs. Nothing else that an anchor signs
// begins so: PEM begins with dashes, documents with a brace, CMS attributes with 0x31.
const proofPrefix = "efgsta import proof v1\n"

// proofNonce is the length of the nonce, bytes.
const proofNonce = 32

// ErrProof marks a proof of possession that does not hold.
var ErrProof = errors.New("no proof of possession")

// Proof shows that whoever had the private key at that moment had the anchor's. It is
// made when an existing certificate is imported, and by nothing else: a signature of
// the production key that nobody planned must have its own, recorded reason.
type Proof struct {
	Nonce     []byte `json:"nonce"`     // 32 random bytes
	Signature []byte `json:"signature"` // by the anchor's algorithm
}

// Prove signs a fresh nonce with key and verifies it. An error of another key than the
// anchor's wraps ErrKey.
func (a *Anchor) Prove(key crypto.Signer, rand io.Reader) (Proof, error) {
	s, err := a.NewSigner(key, rand)
	if err != nil {
		return Proof{}, err
	}
	nonce := make([]byte, proofNonce)
	if _, err := io.ReadFull(rand, nonce); err != nil {
		return Proof{}, fmt.Errorf("nonce: %w", err)
	}
	signature, err := s.sign(a.proofText(nonce))
	if err != nil {
		return Proof{}, err
	}
	return Proof{nonce, signature}, nil
}

// CheckProof verifies a recorded proof. Errors wrap ErrProof.
func (a *Anchor) CheckProof(p Proof) error {
	if len(p.Nonce) != proofNonce {
		return fmt.Errorf("%w: the nonce has %d bytes, not %d", ErrProof, len(p.Nonce), proofNonce)
	}
	if err := a.verify(a.proofText(p.Nonce), p.Signature); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return nil
}

// proofText is what is signed: prefix, thumbprint in hex, newline, nonce.
func (a *Anchor) proofText(nonce []byte) []byte {
	return append([]byte(proofPrefix+a.Thumbprint().String()+"\n"), nonce...)
}
