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
	bits      uint
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
			return keySpec{ckmECKeyPairGen, uint(k.curve.Params().BitSize), []attribute{{ckaECParams, params}}}, err
		}
	}
	return keySpec{}, &Error{Op: "generate", What: "key", Err: fmt.Errorf("unknown key algorithm %s", quote(algorithm)), Next: "use rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384 or ecdsa-p521"}
}

func rsaSpec(bits uint) keySpec {
	return keySpec{ckmRSAKeyPairGen, bits, []attribute{{ckaModulusBits, bits}, {ckaPublicExponent, []byte{1, 0, 1}}}}
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
	conn, err := connectAfter(c, m, file, true, func(conn *conn) error { return conn.mayGenerate(c, spec) })
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

func openOrGenerate(c Config, m module, file moduleFile, spec keySpec, tell func(cannot error)) (Signer, bool, error) {
	var cannot error
	check := func(conn *conn) error { cannot = conn.mayGenerate(c, spec); return nil }
	before := c.BeforeLogin
	c.BeforeLogin = func(t TokenID) error {
		tell(cannot)
		if before == nil {
			return nil
		}
		return before(t)
	}
	conn, err := connectAfter(c, m, file, false, check)
	if err != nil {
		return nil, false, err
	}
	s, err := conn.openKey(c.URI, nil)
	missing := errors.Is(err, ErrNoKey)
	switch {
	case missing && cannot != nil:
		err = cannot
	case missing:
		s, err = conn.generateHere(c.URI.Object, spec)
	}
	if err != nil {
		_ = conn.close() // the first error is the one to tell
		return nil, false, err
	}
	return s, missing, nil
}

// generateHere is generate after a login in a read-only session. The login is the
// token's, so it carries over.
func (c *conn) generateHere(label string, spec keySpec) (*signer, error) {
	readWrite, err := c.m.openSession(c.slot, true)
	if err != nil {
		return nil, failure("open", c.token.String(), err)
	}
	readOnly := c.s
	c.s = readWrite
	if err := c.m.closeSession(readOnly); err != nil {
		return nil, failure("close", c.token.String(), err)
	}
	return c.generate(label, spec)
}

// mayGenerate finds, without a login, what would keep generate from making the key.
// Whether the label is free only shows after a login.
func (c *conn) mayGenerate(config Config, spec keySpec) error {
	if c.token.has(ckfWriteProtected) {
		return failure("generate", "key in "+c.token.String(), ckrTokenWriteProtected)
	}
	if err := mayLogIn(config, c.token); err != nil {
		return err
	}
	return c.checkMechanisms(spec)
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
	if err := c.checkAlone(label); err != nil {
		return nil, c.destroyPair(name, pub, priv, err)
	}
	s, err := c.adopt(name, priv)
	if err != nil {
		return nil, c.destroyPair(name, pub, priv, err)
	}
	s.info.NotStated = notStated
	return s, nil
}

// checkMechanisms refuses to make a key that the token could not make, or not sign with.
func (c *conn) checkMechanisms(spec keySpec) error {
	info, err := c.m.mechanismInfo(c.slot, spec.mechanism)
	if err == nil && info.flags&ckfGenerateKeyPair != 0 && info.fits(spec.bits, spec.mechanism == ckmRSAKeyPairGen) {
		return nil
	}
	if err != nil && !errors.Is(err, ckrMechanismInvalid) {
		return failure("ask for "+mechanismName(spec.mechanism)+" of", c.token.String(), err)
	}
	return &Error{Op: "generate", What: "key in " + c.token.String(), Err: fmt.Errorf("the token does not offer %s for %d bits", mechanismName(spec.mechanism), spec.bits),
		Next: "choose an algorithm that it has: efgsta hsm list shows them"}
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

// checkAlone looks again after the pair was made: nothing in PKCS#11 keeps another
// process from making one of the same label at the same time. Whoever looks last sees both.
func (c *conn) checkAlone(label string) error {
	for _, class := range []uint{ckoPrivateKey, ckoPublicKey} {
		found, err := c.find([]attribute{{ckaClass, class}, {ckaLabel, label}})
		if err != nil {
			return err
		}
		if len(found) > 1 {
			return &Error{Op: "generate", What: keyName{label: label}.String() + " in " + c.token.String(), Err: fmt.Errorf("another one was made at the same time: %w", ErrExists), Next: "the new key was destroyed again; see what the token holds with: efgsta hsm inspect"}
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

// templateRefused: NSS says no more than GENERAL_ERROR of an attribute that it does not know.
func templateRefused(err error) bool {
	return errors.Is(err, ckrAttributeTypeInvalid) || errors.Is(err, ckrAttributeValueInvalid) || errors.Is(err, ckrTemplateInconsistent) || errors.Is(err, ckrGeneralError)
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
	told, err := c.keyAttributes(priv)
	if err != nil {
		return err
	}
	wrong := Weaknesses(told)
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
