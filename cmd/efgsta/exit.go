package main

import (
	"errors"
	"fmt"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony"
	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/journal"
	"github.com/efgsta/efgsta/pkg/registry"
)

// The exit codes are a contract with scripts; docs/cli.md lists them.
const (
	exitYes     = 0
	exitNo      = 1  // findings, verification failed, something is due
	exitUsage   = 2  // usage, configuration, missing or unreadable path, no certificate found
	exitHSM     = 3  // module, token, key, PIN
	exitAborted = 4  // the operator said no, or Ctrl-C
	exitDamaged = 5  // the workspace is damaged
	exitBug     = 70 // ours
)

var errAborted = errors.New("aborted")

// exitError carries an exit code and, where there is one, what to do next.
type exitError struct {
	code   int
	err    error // nil: the output already says it all
	advice string
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }
func (e *exitError) Hint() string  { return e.advice }

// usagef is a mistake on the command line or in a configuration file.
func usagef(hint, format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...), advice: hint}
}

// refusef is a "no" with a reason: a refusal, a failed verification.
func refusef(hint, format string, args ...any) error {
	return &exitError{code: exitNo, err: fmt.Errorf(format, args...), advice: hint}
}

// no is exit 1 without a further line: the report on stdout said why.
func no() error { return &exitError{code: exitNo} }

// refused gives err exit code 1 and keeps its own hint. A failure of the token is none.
func refused(err error) error {
	var h *hsm.Error
	if errors.As(err, &h) {
		return err
	}
	return &exitError{code: exitNo, err: err, advice: hintOf(err)}
}

// exitCode maps any error to its code. What no rule claims is usage: flag and
// argument errors of the command library come untyped.
func exitCode(err error) int {
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	var h *hsm.Error
	switch {
	case errors.Is(err, registry.ErrKey):
		return exitNo
	case errors.As(err, &h), errors.Is(err, hsm.ErrNotBuilt):
		return exitHSM
	case errors.Is(err, journal.ErrDamaged), errors.Is(err, registry.ErrDamaged):
		return exitDamaged
	}
	return exitUsage
}

// hintOf finds the first hint in err's chain.
func hintOf(err error) string {
	var h interface{ Hint() string }
	for err != nil && errors.As(err, &h) {
		if s := h.Hint(); s != "" {
			return s
		}
		err = errors.Unwrap(h.(error))
	}
	return ""
}

// signError classifies what went wrong while signing: the token's own errors keep
// their code, a key that is not the anchor's is a matter of configuration.
func signError(err error) error {
	if errors.Is(err, anchor.ErrKey) {
		return usagef("name the right key with --key, or correct hsm.yaml", "%w", err)
	}
	if errors.Is(err, ceremony.ErrPlan) {
		return refused(err)
	}
	return err
}
