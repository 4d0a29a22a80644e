package hsm

import (
	"errors"
	"fmt"
	"strings"
)

func (t token) String() string {
	return fmt.Sprintf("token %s (serial %s)", quote(t.label), quote(t.serial))
}

func (t token) has(flag uint) bool { return t.flags&flag != 0 }

func (u URI) matches(t token) bool {
	return (u.Token == "" || u.Token == t.label) &&
		(u.Serial == "" || u.Serial == t.serial) &&
		(u.Manufacturer == "" || u.Manufacturer == t.manufacturer) &&
		(u.Model == "" || u.Model == t.model)
}

// findToken takes the one token that matches. Slot numbers mean nothing: SoftHSM
// draws them anew, readers renumber them.
func findToken(m module, u URI, path string) (slot uint, found token, err error) {
	what := "for " + u.tokenOnly().String()
	// Some modules answer no question about a token before the slots were listed.
	slots, err := m.slots()
	if err != nil {
		return 0, token{}, failure("list the tokens of", quote(path), err)
	}
	var seen, matching []token
	for _, s := range slots {
		t, err := m.token(s)
		if err != nil {
			continue // a token that cannot say its name is not the one asked for
		}
		if t.label == "" && !t.has(ckfTokenInitialized) {
			continue // an empty slot of SoftHSM
		}
		seen = append(seen, t)
		if u.matches(t) {
			matching = append(matching, t)
			slot, found = s, t
		}
	}
	switch {
	case len(matching) == 1:
		return slot, found, nil
	case len(matching) > 1:
		return 0, token{}, &Error{Op: "look", What: what, Err: fmt.Errorf("%d tokens match", len(matching)), Next: "add serial=… to the URI; matching: " + list(matching)}
	case len(seen) == 0:
		return 0, token{}, &Error{Op: "look", What: what, Err: errors.New("the module shows no initialised token"), Next: "is the token inserted? for SoftHSM: does SOFTHSM2_CONF name the right token directory, and may this user read it?"}
	}
	return 0, token{}, &Error{Op: "look", What: what, Err: errors.New("no token matches"), Next: "tokens seen: " + list(seen)}
}

func (u URI) tokenOnly() URI {
	return URI{Token: u.Token, Serial: u.Serial, Manufacturer: u.Manufacturer, Model: u.Model}
}

// maxListed keeps a hint readable.
const maxListed = 10

func list[T fmt.Stringer](all []T) string {
	var names []string
	for i, t := range all {
		if i == maxListed {
			names = append(names, fmt.Sprintf("and %d more", len(all)-i))
			break
		}
		names = append(names, t.String())
	}
	return strings.Join(names, ", ")
}
