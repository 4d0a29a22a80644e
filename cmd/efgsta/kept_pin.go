package main

import (
	"bytes"

	"github.com/efgsta/efgsta/pkg/hsm"
	"github.com/efgsta/efgsta/pkg/report"
)

// keptPIN is the PIN of one token, for a command that logs in to it more than once. It
// is held against the token that was found, not against what the URI says of it.
type keptPIN struct {
	now  hsm.TokenID // the token that is about to be logged in to
	of   hsm.TokenID // the token that pin was given for
	pin  []byte
	only bool // there is one PIN, and so one token
}

// at notes which token was found, and refuses another one where there is one PIN only.
func (k *keptPIN) at(t hsm.TokenID) error {
	if k.only && k.pin != nil && k.of != t {
		return usagef("give --next-pin-file FILE; it may be the same file", "token %q (serial %q) is another one than %q (serial %q), which the PIN was given for; it was not sent",
			report.Escape(t.Label), report.Escape(t.Serial), report.Escape(k.of.Label), report.Escape(k.of.Serial))
	}
	k.now = t
	return nil
}

// get returns a copy of the PIN of the token that was found, and asks if it has none.
func (k *keptPIN) get(ask func() ([]byte, error)) ([]byte, error) {
	if k.pin == nil || k.of != k.now {
		given, err := ask()
		if err != nil {
			return nil, err
		}
		k.forget()
		k.pin, k.of = given, k.now
	}
	return bytes.Clone(k.pin), nil
}

func (k *keptPIN) forget() {
	clear(k.pin)
	k.pin = nil
}
