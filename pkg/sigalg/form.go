package sigalg

import "fmt"

// CheckForm reports, without a key, what no signature of the algorithm can be: empty, for ECDSA and DSA anything
// but DER of two positive integers, for RSA the numbers 0 and 1, which are their own powers. The error is ErrSignature.
func (a Algorithm) CheckForm(signature []byte) error {
	if len(signature) == 0 {
		return fmt.Errorf("%w: it is empty", ErrSignature)
	}
	switch a.Scheme {
	case ECDSA, DSA:
		if _, _, err := dsaSignature(signature); err != nil {
			return fmt.Errorf("%w: it is not the DER of two positive integers: %w", ErrSignature, err)
		}
	case RSAPKCS1v15, RSAPSS:
		rest := signature
		for len(rest) > 1 && rest[0] == 0 {
			rest = rest[1:]
		}
		if len(rest) == 1 && rest[0] <= 1 {
			return fmt.Errorf("%w: it is the number %d", ErrSignature, rest[0])
		}
	}
	return nil
}
