package hsm

import (
	"bytes"
	"errors"
	"fmt"
)

// readPIN asks for the PIN if the token's flags allow a try, and checks what it
// can without spending one. It returns nil for a token that asks for the PIN
// itself. The caller zeroes the slice.
func readPIN(c Config, t token) ([]byte, error) {
	refuse := func(next, format string, args ...any) error {
		return &Error{Op: "log in to", What: t.String(), Err: fmt.Errorf(format, args...), Next: next}
	}
	if t.has(ckfUserPINLocked) {
		return nil, refuse("the security officer must reset it, outside the ceremony", "the user PIN is locked (%w)", ckrPINLocked)
	}
	if t.has(ckfUserPINFinalTry) && !c.LastTry {
		return nil, refuse("the next wrong PIN locks the token: make sure of the PIN, then allow the last try explicitly", "only one PIN try is left, it was not made")
	}
	if t.has(ckfProtectedAuthenticationPath) {
		return nil, nil
	}
	if c.PIN == nil {
		return nil, refuse("give a terminal, --pin-file or --pin-fd", "there is no way to ask for the PIN")
	}
	given, err := c.PIN(prompt(t))
	if err != nil {
		clear(given)
		return nil, fmt.Errorf("PIN for %v: %w", t, err)
	}
	pin := chomp(given)
	if err := checkPIN(pin, t); err != nil {
		clear(given)
		return nil, refuse("the PIN was not sent to the token", "%w", err)
	}
	return pin, nil
}

// prompt names the token, and how careful to be.
func prompt(t token) string {
	s := "PIN for " + t.String()
	switch {
	case t.has(ckfUserPINFinalTry):
		s += ", LAST TRY before it locks"
	case t.has(ckfUserPINCountLow):
		s += ", a wrong PIN was entered before: few tries may be left"
	}
	return s
}

// chomp strips exactly one line end: a PIN with one costs a try.
func chomp(pin []byte) []byte {
	if s, ok := bytes.CutSuffix(pin, []byte("\r\n")); ok {
		return s
	}
	return bytes.TrimSuffix(pin, []byte("\n"))
}

// checkPIN refuses what the token would count as a wrong try.
func checkPIN(pin []byte, t token) error {
	if len(pin) == 0 {
		return errors.New("the PIN is empty")
	}
	for _, c := range pin {
		if c < 0x20 || c == 0x7f {
			return errors.New("the PIN has a control character in it, perhaps a second line end")
		}
	}
	if uint(len(pin)) < t.minPIN {
		return fmt.Errorf("the PIN is shorter than the token's %d bytes", t.minPIN)
	}
	if t.maxPIN != 0 && t.maxPIN != ckUnavailableInformation && uint(len(pin)) > t.maxPIN {
		return fmt.Errorf("the PIN is longer than the token's %d bytes", t.maxPIN)
	}
	return nil
}

// login makes the one attempt of this run.
func (c *conn) login(pin []byte) error {
	c.logins++
	err := c.m.login(c.s, ckuUser, pin)
	if err == nil {
		return nil
	}
	return c.loginFailure("log in to", err)
}

// loginFailure says what a refused PIN leaves, as far as the token tells.
func (c *conn) loginFailure(op string, err error) error {
	e := failure(op, c.token.String(), err)
	var code rv
	if !errors.As(err, &code) || code != ckrPINIncorrect {
		return e
	}
	e.Err = fmt.Errorf("%w (%w), %s", ErrPIN, code, c.triesLeft())
	return e
}

func (c *conn) triesLeft() string {
	t, err := c.m.token(c.slot)
	switch {
	case err != nil:
		return "tries left: unknown"
	case t.has(ckfUserPINLocked):
		return "it is locked now"
	case t.has(ckfUserPINFinalTry):
		return "one try is left"
	case t.has(ckfUserPINCountLow):
		return "few tries may be left"
	}
	return "tries left: unknown"
}
