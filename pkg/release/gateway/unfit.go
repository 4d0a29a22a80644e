package gateway

import (
	"errors"
	"fmt"
)

// ErrUnfit marks an anchor, certificate or row that the deployed gateway cannot use.
var ErrUnfit = errors.New("not usable by the gateway")

// unfitError is an ErrUnfit that says why, and what to do about it.
type unfitError struct {
	why  string
	hint string
}

func unfit(hint, format string, args ...any) error {
	return &unfitError{why: fmt.Sprintf(format, args...), hint: hint}
}

func (e *unfitError) Error() string { return ErrUnfit.Error() + ": " + e.why }

func (e *unfitError) Unwrap() error { return ErrUnfit }

// Hint says what the user can do.
func (e *unfitError) Hint() string { return e.hint }

// Hints that several checks share.
const (
	hintRenderAgain = "import only files that efgsta made, unchanged; run `efgsta verify bundle` on the bundle they came in"
	hintReissue     = "ask the member state to have the certificate issued again with a subject that the gateway can read"
	hintNewAnchor   = "create the EFGSTA with `efgsta anchor create --algorithm rsa-3072` (or rsa-4096, ecdsa-p256, ecdsa-p384)"
)
