package hsm

import (
	"crypto/rand"
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"
)

// keySpec is what to generate.
type keySpec struct {
	mechanism uint
	public    []attribute // size or curve
}

func keySpecFor(algorithm string) (keySpec, error) {
	switch algorithm {
	case "rsa-3072":
		return rsaSpec(3072), nil
	case "rsa-4096":
		return rsaSpec(4096), nil
	}
	for _, k := range keyCurves() {
		if algorithm == "ecdsa-"+k.name {
			params, err := asn1.Marshal(k.oid)
			return keySpec{ckmECKeyPairGen, []attribute{{ckaECParams, params}}}, err
		}
	}
	return keySpec{}, &Error{Op: "generate", What: "key", Err: fmt.Errorf("unknown key algorithm %s", quote(algorithm)), Next: "use rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384 or ecdsa-p521"}
}

func rsaSpec(bits uint) keySpec {
	return keySpec{ckmRSAKeyPairGen, []attribute{{ckaModulusBits, bits}, {ckaPublicExponent, []byte{1, 0, 1}}}}
}

// keyRule is one boolean attribute of the private key: what is asked for, and
// whether a token may stay silent about it.
type keyRule struct {
	typ      uint
	name     string
	want     bool
	state    bool // in the template; else the token sets it
	must     bool // must be told afterwards
	optional bool // may be left out of the template for a token that does not take it
}

// keyRules are the strict template. Defaults are not safe: SoftHSM makes keys
// that are not sensitive and may decrypt and unwrap unless told otherwise.
func keyRules() []keyRule {
	return []keyRule{
		{typ: ckaToken, name: "CKA_TOKEN", want: true, state: true, must: true},
		{typ: ckaPrivate, name: "CKA_PRIVATE", want: true, state: true, must: true},
		{typ: ckaSensitive, name: "CKA_SENSITIVE", want: true, state: true, must: true},
		{typ: ckaExtractable, name: "CKA_EXTRACTABLE", want: false, state: true, must: true},
		{typ: ckaSign, name: "CKA_SIGN", want: true, state: true, must: true},
		{typ: ckaAlwaysSensitive, name: "CKA_ALWAYS_SENSITIVE", want: true, must: true},
		{typ: ckaNeverExtractable, name: "CKA_NEVER_EXTRACTABLE", want: true, must: true},
		{typ: ckaLocal, name: "CKA_LOCAL", want: true, must: true},
		{typ: ckaDecrypt, name: "CKA_DECRYPT", want: false, state: true, optional: true},
		{typ: ckaUnwrap, name: "CKA_UNWRAP", want: false, state: true, optional: true},
		{typ: ckaDerive, name: "CKA_DERIVE", want: false, state: true, optional: true},
		{typ: ckaSignRecover, name: "CKA_SIGN_RECOVER", want: false, state: true, optional: true},
		{typ: ckaModifiable, name: "CKA_MODIFIABLE", want: false, state: true, optional: true},
		{typ: ckaCopyable, name: "CKA_COPYABLE", want: false, state: true, optional: true},
	}
}

func generate(c Config, m module, file moduleFile, spec keySpec) (Signer, error) {
	conn, err := connect(c, m, file, true)
	if err != nil {
		return nil, err
	}
	s, err := conn.generate(c.URI.Object, spec)
	if err != nil {
		_ = conn.close() // the first error is the one to tell
		return nil, err
	}
	return s, nil
}

// generate makes the pair, judges it, and opens it in a read-only session.
func (c *conn) generate(label string, spec keySpec) (*signer, error) {
	if err := c.checkFree(label); err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		return nil, fmt.Errorf("random key ID: %w", err)
	}
	name := keyName{label, id}
	pub, priv, notStated, err := c.makePair(name, spec)
	if err != nil {
		return nil, failure("generate", name.String()+" in "+c.token.String(), err)
	}
	s, err := c.adopt(name, priv)
	if err != nil {
		return nil, c.destroyPair(name, pub, priv, err)
	}
	s.info.NotStated = notStated
	return s, nil
}

// checkFree refuses a label that either half of another pair has.
func (c *conn) checkFree(label string) error {
	for _, class := range []uint{ckoPrivateKey, ckoPublicKey} {
		found, err := c.find([]attribute{{ckaClass, class}, {ckaLabel, label}})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return &Error{Op: "generate", What: keyName{label: label}.String() + " in " + c.token.String(), Err: ErrExists, Next: "choose another label, or use the key that is there: " + c.names(found)}
		}
	}
	return nil
}

// makePair generates with the strict template. A token that refuses an attribute
// does not say which: the optional ones are left out one after the other, and
// what the key then is, not what was asked for, is judged.
func (c *conn) makePair(name keyName, spec keySpec) (pub, priv object, notStated []string, err error) {
	public := append([]attribute{
		{ckaToken, true}, {ckaPrivate, false}, {ckaVerify, true}, {ckaEncrypt, false}, {ckaWrap, false},
		{ckaLabel, name.label}, {ckaID, name.id},
	}, spec.public...)
	rules := keyRules()
	for {
		private := []attribute{{ckaLabel, name.label}, {ckaID, name.id}}
		for _, r := range rules {
			if r.state {
				private = append(private, attribute{r.typ, r.want})
			}
		}
		pub, priv, err = c.m.generateKeyPair(c.s, spec.mechanism, public, private)
		last := len(rules) - 1
		if !templateRefused(err) || !rules[last].optional {
			return pub, priv, notStated, err
		}
		notStated = append(notStated, rules[last].name)
		rules = rules[:last]
	}
}

func templateRefused(err error) bool {
	return errors.Is(err, ckrAttributeTypeInvalid) || errors.Is(err, ckrAttributeValueInvalid) || errors.Is(err, ckrTemplateInconsistent)
}

// adopt judges the new key, then moves to a read-only session: the login is the
// token's, so it carries over, and signing needs no more.
func (c *conn) adopt(name keyName, priv object) (*signer, error) {
	if err := c.judge(name, priv); err != nil {
		return nil, err
	}
	readOnly, err := c.m.openSession(c.slot, false)
	if err != nil {
		return nil, failure("open", c.token.String(), err)
	}
	readWrite := c.s
	c.s = readOnly
	s, err := c.openKey(URI{Object: name.label, ID: name.id}, nil)
	if err != nil {
		c.s = readWrite
		_ = c.m.closeSession(readOnly) // the first error is the one to tell
		return nil, err
	}
	if err := c.m.closeSession(readWrite); err != nil {
		c.s = readWrite
		_ = c.m.closeSession(readOnly) // the first error is the one to tell
		return nil, failure("close", c.token.String(), err)
	}
	return s, nil
}

// judge reads the attributes back.
func (c *conn) judge(name keyName, priv object) error {
	var wrong []string
	for _, r := range keyRules() {
		told, err := c.getBool(priv, r.typ)
		if err != nil {
			return err
		}
		switch {
		case told == nil && r.must:
			wrong = append(wrong, r.name+" is not told")
		case told != nil && *told != r.want:
			wrong = append(wrong, fmt.Sprintf("%s is %v", r.name, *told))
		}
	}
	if wrong == nil {
		return nil
	}
	return &Error{Op: "generate", What: name.String() + " in " + c.token.String(), Err: errors.New("the token made a weaker key than asked for: " + strings.Join(wrong, ", ")), Next: "the key was destroyed again; ask the vendor how to make a sensitive, non-extractable signing key"}
}

// destroyPair takes a failed pair out of the token again. What the operator must
// know is why it failed and whether something is left behind.
func (c *conn) destroyPair(name keyName, pub, priv object, why error) error {
	if err := errors.Join(c.m.destroy(c.s, priv), c.m.destroy(c.s, pub)); err != nil {
		return &Error{Op: "destroy", What: name.String() + " in " + c.token.String(), Err: fmt.Errorf("%w; the new key could not be removed from the token: %w", why, err), Next: "remove it by hand, by its id"}
	}
	return why
}
