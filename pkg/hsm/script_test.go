package hsm

import (
	"bytes"
	"crypto"
	"errors"
	"strings"
	"testing"
)

var digest32 = bytes.Repeat([]byte{7}, 32)

func refusedWith(t *testing.T, err error, text, hint string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), text) || !strings.Contains(e.Next, hint) {
		t.Errorf("got %v\nwant *Error with %q (hint %q)", err, text, hint)
	}
}

// closed checks that nothing stays open behind an error.
func (f *fake) closed() {
	f.t.Helper()
	if !f.finalized || len(f.sessions) != 0 {
		f.t.Errorf("left open: finalized %v, sessions %v (%s)", f.finalized, f.sessions, f.log())
	}
}

func TestFlagsDecideBeforeThePIN(t *testing.T) {
	for name, c := range map[string]struct {
		flags      uint
		lastTry    bool
		text, hint string // of the refusal; empty: a login
		prompt     string
	}{
		"fine":               {0, false, "", "", `PIN for token "EFGSTA" (serial "S1")`},
		"locked":             {ckfUserPINLocked, false, "locked", "security officer", ""},
		"locked, insisted":   {ckfUserPINLocked | ckfUserPINFinalTry, true, "locked", "security officer", ""},
		"final try":          {ckfUserPINFinalTry | ckfUserPINCountLow, false, "only one PIN try is left", "explicitly", ""},
		"final try, allowed": {ckfUserPINFinalTry | ckfUserPINCountLow, true, "", "", "LAST TRY"},
		"low":                {ckfUserPINCountLow, false, "", "", "few tries may be left"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.withToken(1, "EFGSTA", c.flags).withKey(t, 1, "anchor")
			config := fakeConfig()
			config.LastTry = c.lastTry
			var asked []string
			config.PIN = func(prompt string) ([]byte, error) {
				asked = append(asked, prompt)
				return []byte("123456"), nil
			}
			s, err := f.open(config)
			if c.text != "" {
				refusedWith(t, err, c.text, c.hint)
				if len(asked) != 0 || f.count("login user") != 0 {
					t.Errorf("asked %v, calls: %s", asked, f.log())
				}
				f.closed()
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if len(asked) != 1 || !strings.Contains(asked[0], c.prompt) {
				t.Errorf("prompts: %q", asked)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			if f.count("logout") != 1 {
				t.Errorf("not logged out: %s", f.log())
			}
			f.closed()
		})
	}
}

func TestLoginFailuresTakeOneTry(t *testing.T) {
	for name, c := range map[string]struct {
		after      uint
		fail       error
		text, hint string
		isPIN      bool
	}{
		"wrong, no counter":  {0, nil, "tries left: unknown", "keyboard layout", true},
		"wrong, low":         {ckfUserPINCountLow, nil, "few tries may be left", "keyboard layout", true},
		"wrong, last":        {ckfUserPINFinalTry, nil, "one try is left", "keyboard layout", true},
		"wrong, locked now":  {ckfUserPINLocked, nil, "it is locked now", "keyboard layout", true},
		"locked":             {0, ckrPINLocked, "the user PIN is locked (CKR_PIN_LOCKED)", "security officer", false},
		"expired":            {0, ckrPINExpired, "expired", "change the PIN", false},
		"length":             {0, ckrPINLenRange, "cannot have a PIN like this", "check the PIN", false},
		"no PIN yet":         {0, ckrUserPINNotInitialized, "no user PIN", "security officer", false},
		"logged in already":  {0, ckrUserAlreadyLoggedIn, "logged in to the token already", "close the other", false},
		"token pulled":       {0, ckrDeviceRemoved, "the token is gone", "reinsert", false},
		"module broken":      {0, ckrGeneralError, "the module failed", "vendor", false},
		"vendor code":        {0, rv(0x80000042), "the module failed (vendor error 0x80000042)", "vendor", false},
		"newer than binding": {0, ckrActionProhibited, "CKR_ACTION_PROHIBITED", "", false},
		"never heard of":     {0, rv(0x1234), "CK_RV 0x1234", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			token := f.withToken(1, "EFGSTA", 0)
			token.withKey(t, 1, "anchor")
			token.after = c.after
			if c.fail != nil {
				f.fails["login user"] = c.fail
			}
			pin := []byte("wrong pin\n")
			config := fakeConfig()
			config.PIN = func(string) ([]byte, error) { return pin, nil }
			_, err := f.open(config)
			refusedWith(t, err, c.text, c.hint)
			if errors.Is(err, ErrPIN) != c.isPIN {
				t.Errorf("ErrPIN: %v", err)
			}
			if f.count("login user") != 1 {
				t.Errorf("calls: %s", f.log())
			}
			if strings.Contains(err.Error(), "wrong pin") {
				t.Errorf("the PIN is in: %v", err)
			}
			if bytes.Contains(pin, []byte("wrong pin")) {
				t.Error("the PIN was not zeroed")
			}
			f.closed()
		})
	}
}

func TestPINsThatWouldCostATry(t *testing.T) {
	for given, want := range map[string]string{ // what is sent, or "!" and the refusal
		"123456":             "123456",
		"123456\n":           "123456",
		"123456\r\n":         "123456",
		" 123456 ":           " 123456 ",
		"":                   "!empty",
		"\n":                 "!empty",
		"123456\n\n":         "!control character",
		"123456\r":           "!control character",
		"\ufeff123456":       "!byte order mark",
		"12\x003456":         "!control character",
		"123":                "!shorter than the token's 4",
		"12345678901234567":  "!longer than the token's 16",
		"1234567890123456\n": "1234567890123456",
	} {
		f := newFake(t)
		token := f.withToken(1, "EFGSTA", 0)
		token.withKey(t, 1, "anchor")
		token.pin = want
		pin := []byte(given)
		config := fakeConfig()
		config.PIN = func(string) ([]byte, error) { return pin, nil }
		s, err := f.open(config)
		if text, refused := strings.CutPrefix(want, "!"); refused {
			refusedWith(t, err, text, "not sent")
			if len(f.pins) != 0 {
				t.Errorf("%q: sent %q", given, f.pins)
			}
		} else if err != nil || len(f.pins) != 1 || f.pins[0] != want {
			t.Errorf("%q: sent %q, %v", given, f.pins, err)
		}
		if strings.ContainsAny(string(pin), "123456") {
			t.Errorf("%q was not zeroed: %q", given, pin)
		}
		if s != nil {
			s.Close()
		}
		f.closed()
	}
}

func TestTheLimitsAreOptional(t *testing.T) {
	for _, max := range []uint{0, ckUnavailableInformation} {
		if err := checkPIN([]byte("123456"), token{maxPIN: max}); err != nil {
			t.Error(err)
		}
	}
}

func TestPINPromptFails(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
	aborted := errors.New("aborted")
	config := fakeConfig()
	config.PIN = func(string) ([]byte, error) { return nil, aborted }
	_, err := f.open(config)
	var e *Error
	if !errors.Is(err, aborted) || errors.As(err, &e) {
		t.Errorf("an abort is the operator's, not the token's: %v", err)
	}
	f.closed()

	f = newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
	config.PIN = nil
	_, err = f.open(config)
	refusedWith(t, err, "no way to ask", "--pin-file")
	f.closed()
}

func TestProtectedPathAsksItself(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", ckfProtectedAuthenticationPath).withKey(t, 1, "anchor", attribute{ckaAlwaysAuthenticate, true})
	config := fakeConfig()
	config.PIN = func(string) ([]byte, error) {
		t.Error("the PIN was asked for")
		return nil, nil
	}
	s, err := f.open(config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Sign(nil, digest32, crypto.SHA256); err != nil {
		t.Error(err)
	}
	if len(f.pins) != 2 || f.pins[0] != "" || f.pins[1] != "" {
		t.Errorf("sent %q", f.pins)
	}
	s.Close()
	f.closed()
}

func TestPINIsForgottenOnceTheKeyNeedsItNoMore(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor", attribute{ckaAlwaysAuthenticate, false})
	pin := []byte("123456")
	config := fakeConfig()
	config.PIN = func(string) ([]byte, error) { return pin, nil }
	s, err := f.open(config)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pin, make([]byte, 6)) {
		t.Errorf("the PIN is kept: %q", pin)
	}
	s.Close()
}

func TestFailuresOnTheWayLeaveNothingOpen(t *testing.T) {
	for _, at := range []string{"slots", "open session", "login user", "find", "attribute"} {
		f := newFake(t)
		f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
		f.fails[at] = ckrDeviceError
		_, err := f.open(fakeConfig())
		refusedWith(t, err, "CKR_DEVICE_ERROR", "vendor")
		f.closed()
	}
	// Whoever initialised the module before us is still using it.
	f := newFake(t)
	f.fails["initialize"] = ckrCryptokiAlreadyInitialized
	_, err := f.open(fakeConfig())
	refusedWith(t, err, "in use in this process already", "close the other")
	if f.finalized {
		t.Error("finalized under another's feet")
	}
}

func TestTokensThatDoNotAnswerAreSkipped(t *testing.T) {
	f := newFake(t)
	f.tokens[0] = &fakeToken{err: ckrTokenNotRecognized}
	f.tokens[2] = &fakeToken{token: token{}} // an empty slot of SoftHSM
	f.withToken(5, "EFGSTA", 0).withKey(t, 1, "anchor")
	s, err := f.open(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	if s.Token().Serial != "S5" {
		t.Errorf("token: %+v", s.Token())
	}
	s.Close()
}

func TestLabelsOfATokenAreEscaped(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "\x1b[2JEFGSTA", 0).withKey(t, 1, "anchor")
	_, err := f.open(fakeConfig())
	refusedWith(t, err, "no token matches", `\x1b[2J`)
}
