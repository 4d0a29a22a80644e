package hsm

import (
	"cmp"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"math/big"
	"slices"
)

// Survey is what a module shows without a login.
type Survey struct {
	Module, ModuleSHA256 string
	Tokens               []TokenStatus
	Silent               int // slots with a token that does not say what it is
}

// TokenStatus is one token as it says itself. Its text comes from the token: escape it.
type TokenStatus struct {
	Label, Serial, Manufacturer, Model string
	Initialized, LoginRequired         bool
	ProtectedPath                      bool // it has a PIN pad of its own
	WriteProtected                     bool
	PINLow, PINFinalTry, PINLocked     bool
	PINSet                             bool
	MinPIN, MaxPIN                     uint // bytes; 0: not told
	Mechanisms                         []Mechanism
	Algorithms                         []string // of ours: "rsa", "rsa-pss", "ecdsa"
}

// Mechanism is one that the token offers.
type Mechanism struct {
	Name             string // "CKM_ECDSA", or its number
	MinSize, MaxSize uint   // of keys, bits; some tokens count bytes
	Sign, Generate   bool
}

// Key is a private key in the token with what the token tells of it.
type Key struct {
	Label, ID string // ID in hex
	Algorithm string // "rsa-3072", "ecdsa-p256"; "" with Why if it cannot be told
	Why       string
	// Attributes are those of the private key that matter, in a fixed order.
	Attributes []KeyAttribute
}

// KeyAttribute is one attribute of a private key beside what a key of the EFGSTA must have.
type KeyAttribute struct {
	Name string // "CKA_SENSITIVE"
	Told *bool  // nil: the token does not tell
	Want bool
	Must bool // production asks for it to be told, and to be as wanted
}

// Wrong reports whether the attribute is not what a key of the EFGSTA must have.
func (a KeyAttribute) Wrong() bool {
	return a.Told == nil && a.Must || a.Told != nil && *a.Told != a.Want
}

// Weaknesses names the attributes that are not what a key of the EFGSTA must have.
func Weaknesses(all []KeyAttribute) []string {
	var wrong []string
	for _, a := range all {
		switch {
		case !a.Wrong():
		case a.Told == nil:
			wrong = append(wrong, a.Name+" is not told")
		default:
			wrong = append(wrong, fmt.Sprintf("%s is %v", a.Name, *a.Told))
		}
	}
	return wrong
}

// Inspection is one token with its private keys, after a login.
type Inspection struct {
	Survey
	Keys []Key
}

// List initialises the module and describes every token, without a login and so
// without a PIN. c.URI, where it says anything of a token, narrows the list.
func List(c Config) (Survey, error) { return Probe(c, func(string) {}) }

// Probe is List that says before each step what it is about to do: "load",
// "initialise", "look", "finalise". A doubtful module can end the process in any of
// them, so whoever asks runs this in a process of its own.
func Probe(c Config, step func(string)) (Survey, error) {
	if !built {
		return Survey{}, notBuilt(c)
	}
	step("load")
	m, file, err := c.loadModule()
	if err != nil {
		return Survey{}, err
	}
	return survey(c, m, file, step)
}

func survey(c Config, m module, file moduleFile, step func(string)) (Survey, error) {
	step("initialise")
	if err := initialize(c, m, file); err != nil {
		return Survey{}, err
	}
	step("look")
	s, err := look(c, m, file)
	step("finalise")
	if finalErr := m.finalize(); err == nil && finalErr != nil {
		err = failure("close", quote(file.path), finalErr)
	}
	return s, err
}

func rank(t TokenStatus) int {
	if t.Initialized {
		return 0
	}
	return 1
}

func look(c Config, m module, file moduleFile) (Survey, error) {
	s := Survey{Module: file.path, ModuleSHA256: file.sha256}
	slots, err := m.slots()
	if err != nil {
		return s, failure("list the tokens of", quote(file.path), err)
	}
	for _, slot := range slots {
		t, err := m.token(slot)
		switch {
		case err != nil:
			s.Silent++
			continue
		case !c.URI.matches(t):
			continue
		}
		status := t.status()
		if t.has(ckfTokenInitialized) {
			if status.Mechanisms, err = readMechanisms(m, slot, t); err != nil {
				return s, err
			}
			status.Algorithms = usableAlgorithms(status.Mechanisms)
		}
		s.Tokens = append(s.Tokens, status)
	}
	// Slots come in an order of the day; empty ones tell least.
	slices.SortStableFunc(s.Tokens, func(a, b TokenStatus) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Serial, b.Serial))
	})
	return s, nil
}

func (t token) status() TokenStatus {
	told := func(n uint) uint {
		if n == ckUnavailableInformation {
			return 0
		}
		return n
	}
	return TokenStatus{
		Label: t.label, Serial: t.serial, Manufacturer: t.manufacturer, Model: t.model,
		Initialized: t.has(ckfTokenInitialized), LoginRequired: t.has(ckfLoginRequired), ProtectedPath: t.has(ckfProtectedAuthenticationPath),
		WriteProtected: t.has(ckfWriteProtected), PINLow: t.has(ckfUserPINCountLow), PINFinalTry: t.has(ckfUserPINFinalTry), PINLocked: t.has(ckfUserPINLocked),
		PINSet: t.has(ckfUserPINInitialized), MinPIN: told(t.minPIN), MaxPIN: told(t.maxPIN),
	}
}

// readMechanisms asks for each; one that the token lists and then denies is left out.
func readMechanisms(m module, slot uint, t token) ([]Mechanism, error) {
	types, err := m.mechanisms(slot)
	if err != nil {
		return nil, failure("list the mechanisms of", t.String(), err)
	}
	slices.Sort(types)
	var out []Mechanism
	for _, typ := range slices.Compact(types) {
		info, err := m.mechanismInfo(slot, typ)
		if err != nil {
			continue
		}
		out = append(out, Mechanism{mechanismName(typ), info.minSize, info.maxSize, info.flags&ckfSign != 0, info.flags&ckfGenerateKeyPair != 0})
	}
	return out, nil
}

// Inspect logs in to the one token that c.URI names and describes its private keys;
// a label or an ID in the URI narrows them. Nothing is signed and nothing written.
func Inspect(c Config) (Inspection, error) {
	if !built {
		return Inspection{}, notBuilt(c)
	}
	if err := c.checkToken(); err != nil {
		return Inspection{}, err
	}
	m, file, err := c.loadModule()
	if err != nil {
		return Inspection{}, err
	}
	return inspect(c, m, file)
}

func inspect(c Config, m module, file moduleFile) (Inspection, error) {
	conn, err := connect(c, m, file, false)
	if err != nil {
		return Inspection{}, err
	}
	in, err := conn.inspect(c.URI)
	if closeErr := conn.close(); err == nil {
		err = closeErr
	}
	return in, err
}

func (c *conn) inspect(u URI) (Inspection, error) {
	in := Inspection{Survey: Survey{Module: c.file.path, ModuleSHA256: c.file.sha256}}
	status := c.token.status()
	var err error
	if status.Mechanisms, err = readMechanisms(c.m, c.slot, c.token); err != nil {
		return in, err
	}
	status.Algorithms = usableAlgorithms(status.Mechanisms)
	in.Tokens = []TokenStatus{status}
	found, err := c.find(u.keyTemplate())
	if err != nil {
		return in, err
	}
	for _, o := range found {
		key, err := c.inspectKey(o)
		if err != nil {
			return in, err
		}
		in.Keys = append(in.Keys, key)
	}
	return in, nil
}

func (c *conn) inspectKey(o object) (Key, error) {
	name, err := c.name(o)
	if err != nil {
		return Key{}, err
	}
	key := Key{Label: name.label, ID: hex.EncodeToString(name.id)}
	if key.Algorithm, key.Why, err = c.algorithmOf(o); err != nil {
		return Key{}, err
	}
	key.Attributes, err = c.keyAttributes(o)
	return key, err
}

// keyAttributes reads what judges a key, see keyRules.
func (c *conn) keyAttributes(o object) ([]KeyAttribute, error) {
	var out []KeyAttribute
	for _, r := range keyRules() {
		told, err := c.getBool(o, r.typ)
		if err != nil {
			return nil, err
		}
		out = append(out, KeyAttribute{r.name, told, r.want, r.must})
	}
	return out, nil
}

// algorithmOf says what a key is, without the public half where the token tells less.
func (c *conn) algorithmOf(o object) (algorithm, why string, err error) {
	keyType, err := c.getUint(o, ckaKeyType)
	if err != nil {
		return "", "", err
	}
	switch keyType {
	case ckkRSA:
		n, err := c.get(o, ckaModulus)
		if err != nil || len(n) == 0 {
			return "", "RSA, but the token does not tell its modulus", err
		}
		return fmt.Sprintf("rsa-%d", new(big.Int).SetBytes(n).BitLen()), "", nil
	case ckkEC:
		params, err := c.get(o, ckaECParams)
		if err != nil {
			return "", "", err
		}
		var oid asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(params, &oid); err != nil {
			return "", "EC, but the token does not name the curve", nil
		}
		for _, k := range keyCurves() {
			if k.oid.Equal(oid) {
				return "ecdsa-" + k.name, "", nil
			}
		}
		return "", "EC on a curve that cannot be used: " + oid.String(), nil
	}
	return "", fmt.Sprintf("a key of type 0x%X, not RSA or EC", keyType), nil
}
