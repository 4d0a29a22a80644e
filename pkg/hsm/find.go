package hsm

import (
	"encoding/hex"
	"fmt"
)

// keyName is how a key is shown: label, and ID in hex, because "01" and "0001" differ.
type keyName struct {
	label string
	id    []byte
}

func (n keyName) String() string {
	switch {
	case len(n.id) == 0:
		return "key " + quote(n.label)
	case n.label == "":
		return "key with id 0x" + hex.EncodeToString(n.id)
	}
	return "key " + quote(n.label) + " (id 0x" + hex.EncodeToString(n.id) + ")"
}

// findKey takes the one private key that matches label and ID. Neither is unique
// by the standard, so two are refused: one of them would sign for the other.
func (c *conn) findKey(u URI) (object, error) {
	found, err := c.find(u.keyTemplate())
	if err != nil {
		return 0, err
	}
	if len(found) == 1 {
		return found[0], nil
	}
	what := "private " + keyName{u.Object, u.ID}.String() + " in " + c.token.String()
	if len(found) > 1 {
		return 0, &Error{Op: "find", What: what, Err: fmt.Errorf("%d keys match", len(found)), Next: "add id=%… to the URI, or remove the duplicate; matching: " + c.names(found)}
	}
	all, err := c.find([]attribute{{ckaClass, ckoPrivateKey}})
	if err != nil {
		return 0, err
	}
	next := "the token shows no private key at all"
	if len(all) > 0 {
		next = "private keys in the token: " + c.names(all)
	}
	return 0, &Error{Op: "find", What: what, Err: ErrNoKey, Next: next}
}

// keyTemplate is the search for a private key. An attribute without a value upsets some tokens.
func (u URI) keyTemplate() []attribute {
	template := []attribute{{ckaClass, ckoPrivateKey}}
	if u.Object != "" {
		template = append(template, attribute{ckaLabel, u.Object})
	}
	if len(u.ID) > 0 {
		template = append(template, attribute{ckaID, u.ID})
	}
	return template
}

func (c *conn) find(template []attribute) ([]object, error) {
	found, err := c.m.find(c.s, template)
	if err != nil {
		return nil, failure("search in", c.token.String(), err)
	}
	return found, nil
}

// names lists keys for a hint; what cannot be read is left out of it.
func (c *conn) names(keys []object) string {
	names := make([]keyName, len(keys))
	for i, k := range keys {
		names[i], _ = c.name(k)
	}
	return list(names)
}

func (c *conn) name(key object) (keyName, error) {
	label, err := c.get(key, ckaLabel)
	if err != nil {
		return keyName{}, err
	}
	id, err := c.get(key, ckaID)
	return keyName{string(label), id}, err
}
