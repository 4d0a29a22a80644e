package ceremonytest

import (
	"crypto"
	"errors"
	"io"
)

// ErrToken is what a Signer returns when it is told to fail.
var ErrToken = errors.New("token was removed")

// Signer counts signatures and can fail at one of them.
type Signer struct {
	crypto.Signer
	Count int
	// At the FailAt-th signature, from 1, the signer returns ErrToken, or with Lie a
	// signature over something else. 0: never.
	FailAt int
	Lie    bool
	// After is called after each signature with its number.
	After func(n int)
}

// Sign implements crypto.Signer.
func (s *Signer) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.Count++
	switch {
	case s.Count != s.FailAt:
	case s.Lie:
		digest = append([]byte{digest[0] ^ 1}, digest[1:]...)
	default:
		return nil, ErrToken
	}
	signature, err := s.Signer.Sign(rand, digest, opts)
	if s.After != nil {
		s.After(s.Count)
	}
	return signature, err
}
