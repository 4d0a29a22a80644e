package hsm

import (
	"bytes"
	"errors"
	"fmt"
)

// readPIN asks for the PIN if the token's flags allow a try, and checks what it
// can without spending one. It returns nil for a token that asks for the PIN
// itself. The caller zeroes the slice.
func readPIN(c Config, module string, t token) ([]byte, error) {
	if err := mayLogIn(c, t); err != nil {
		return nil, err
	}
	if c.BeforeLogin != nil {
		if err := c.BeforeLogin(TokenID{module, t.label, t.serial, t.manufacturer, t.model}); err != nil {
			return nil, err
		}
	}
	if t.has(ckfProtectedAuthenticationPath) {
		return nil, nil
	}
	if c.PIN == nil {
		return nil, refuseLogin(t, "give a terminal, --pin-file or --pin-fd", "there is no way to ask for the PIN")
	}
	given, err := c.PIN(prompt(t))
	if err != nil {
		clear(given)
		return nil, err
	}
	pin := chomp(given)
	if err := checkPIN(pin, t); err != nil {
		clear(given)
		return nil, refuseLogin(t, "the PIN was not sent to the token", "%w", err)
	}
	return pin, nil
}

// mayLogIn reads the token's flags: they say what one more wrong PIN would do.
func mayLogIn(c Config, t token) error {
	if t.has(ckfUserPINLocked) {
		return refuseLogin(t, "the security officer must reset it, outside the ceremony", "the user PIN is locked (%w)", ckrPINLocked)
	}
	if t.has(ckfUserPINFinalTry) && !c.LastTry {
		return refuseLogin(t, "the next wrong PIN locks the token: make sure of the PIN, then allow the last try explicitly: --last-try", "only one PIN try is left, it was not made")
	}
	return nil
}

func refuseLogin(t token, next, format string, args ...any) error {
	return &Error{Op: "log in to", What: t.String(), Err: fmt.Errorf(format, args...), Next: next}
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
	if bytes.HasPrefix(pin, []byte("\ufeff")) {
		return errors.New("the PIN begins with a byte order mark, which an editor put there")
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
