package sigalg

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"io"
)

// Sign has signer sign message (its hash, unless signer is a crypto.MessageSigner) and verifies the result in software
// with signer.Public() before returning it. A signature that does not verify is
// ErrSignature and is not returned. Only what New returns is signed with.
func (a Algorithm) Sign(rand io.Reader, signer crypto.Signer, message []byte) ([]byte, error) {
	form, err := New(a.Scheme, a.Hash)
	if err != nil {
		return nil, err
	}
	if form.Scheme == RSAPSS && (a.PSS == nil || *a.PSS != *form.PSS) {
		return nil, fmt.Errorf("%w: RSASSA-PSS is only signed with one hash and a salt of its length", ErrUnsupported)
	}
	if signer == nil {
		return nil, fmt.Errorf("%w: no signer", ErrUnsupported)
	}
	key, err := FromStd(signer.Public())
	if err != nil {
		return nil, err
	}
	if err := form.fits(key); err != nil {
		return nil, err
	}
	var opts crypto.SignerOpts = form.Hash
	if form.Scheme == RSAPSS {
		opts = &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: form.Hash}
	}
	signature, err := crypto.SignMessage(signer, rand, message, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", form, err)
	}
	if err := form.Verify(key, message, signature); err != nil {
		return nil, fmt.Errorf("signature just made with %s: %w", form, err)
	}
	return signature, nil
}
