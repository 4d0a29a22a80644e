package anchor

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/cms"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// VerifyCertificate verifies an operator signature over a certificate's PEM text,
// exactly as the text stands.
func (a *Anchor) VerifyCertificate(pem, signature []byte) error {
	return a.verify(pem, signature)
}

// VerifyDocument verifies the raw signature over a document's text.
func (a *Anchor) VerifyDocument(text, signature []byte) error {
	return a.verify(text, signature)
}

func (a *Anchor) verify(message, signature []byte) error {
	key, err := sigalg.ParsePublicKey(a.Certificate.SPKI)
	if err != nil {
		return fmt.Errorf("EFGSTA key: %w", err)
	}
	return a.Algorithm.Verify(key, message, signature)
}

// VerifyCMS verifies a detached CMS SignedData by the anchor over content.
func (a *Anchor) VerifyCMS(p7, content []byte) (*cms.Info, error) {
	info, err := cms.Verify(p7, content, a.Certificate)
	if err != nil {
		return nil, err
	}
	if info.Algorithm.Scheme != a.Algorithm.Scheme || info.Algorithm.Hash != a.Algorithm.Hash {
		return nil, fmt.Errorf("%w: made with %s, this EFGSTA signs with %s", cms.ErrInvalid, info.Algorithm, a.Algorithm)
	}
	return info, nil
}

// ByThumbprint picks the anchor of that thumbprint from those that are pinned.
func ByThumbprint(pinned []*Anchor, thumbprint string) (*Anchor, error) {
	for _, a := range pinned {
		if a.Thumbprint().String() == thumbprint {
			return a, nil
		}
	}
	return nil, fmt.Errorf("made by EFGSTA %s, which is not pinned", cert.ShortHex(thumbprint))
}
