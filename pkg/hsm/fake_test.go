package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// fake is a module that behaves as scripted, for what no software token shows.
// It keeps the rules of PKCS#11 that matter here: no session, no answer; not
// logged in, no private objects; every call is noted.
type fake struct {
	t         *testing.T
	tokens    map[uint]*fakeToken
	calls     []string
	fails     map[string]error // by call name; "login user" and "login context" apart
	sessions  map[session]bool // open: read-write?
	next      session
	loggedIn  bool
	finalized bool
	pins      []string // as sent to login
	signing   *mechanism
	confirmed bool
	made      int
	can       map[uint]mechanismInfo // nil: the usual ones
	meanwhile func()                 // what another process does while a key is made
}

type fakeToken struct {
	token
	err     error
	pin     string
	after   uint // flags that a wrong PIN adds
	objects map[object]*fakeObject
}

type fakeObject struct {
	attributes map[uint][]byte
	key        crypto.Signer
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, tokens: map[uint]*fakeToken{}, fails: map[string]error{}, sessions: map[session]bool{}}
}

// withToken adds a token with one P-256 pair "anchor".
func (f *fake) withToken(slot uint, label string, flags uint) *fakeToken {
	t := &fakeToken{
		token: token{label: label, serial: "S" + string(rune('0'+slot)), flags: flags | ckfTokenInitialized, minPIN: 4, maxPIN: 16},
		pin:   "123456", objects: map[object]*fakeObject{},
	}
	f.tokens[slot] = t
	return t
}

func (t *fakeToken) withKey(tb testing.TB, h object, label string, extra ...attribute) *ecdsa.PrivateKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	t.addEC(tb, h, label, key, extra...)
	return key
}

func (t *fakeToken) addEC(tb testing.TB, h object, label string, key *ecdsa.PrivateKey, extra ...attribute) {
	params, err := asn1.Marshal(keyCurves()[0].oid)
	if err != nil {
		tb.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		tb.Fatal(err)
	}
	private := []attribute{{ckaClass, ckoPrivateKey}, {ckaKeyType, ckkEC}, {ckaLabel, label}, {ckaID, []byte{byte(h)}}, {ckaECParams, params}, {ckaSign, true}}
	t.objects[h] = &fakeObject{encodeAll(append(private, extra...)), key}
	t.objects[h+100] = &fakeObject{encodeAll([]attribute{{ckaClass, ckoPublicKey}, {ckaKeyType, ckkEC}, {ckaLabel, label}, {ckaID, []byte{byte(h)}}, {ckaECParams, params}, {ckaECPoint, point}}), nil}
}

func encodeAll(in []attribute) map[uint][]byte {
	out := map[uint][]byte{}
	for _, a := range in {
		switch v := a.value.(type) {
		case bool:
			out[a.typ] = []byte{0}
			if v {
				out[a.typ] = []byte{1}
			}
		case uint:
			out[a.typ] = binary.NativeEndian.AppendUint64(nil, uint64(v))
		case string:
			out[a.typ] = []byte(v)
		case []byte:
			out[a.typ] = v
		}
	}
	return out
}

func (f *fake) call(name string) error {
	if f.finalized {
		f.t.Errorf("%s after finalize: a real module crashes", name)
	}
	f.calls = append(f.calls, name)
	return f.fails[name]
}

func (f *fake) count(name string) int {
	n := 0
	for _, c := range f.calls {
		if c == name {
			n++
		}
	}
	return n
}

func (f *fake) inSession(s session) error {
	if _, open := f.sessions[s]; !open {
		f.t.Errorf("a call in session %d, which is not open", s)
		return ckrSessionHandleInvalid
	}
	return nil
}

func (f *fake) only() *fakeToken {
	for _, t := range f.tokens {
		if t.objects != nil {
			return t
		}
	}
	return nil
}

func (f *fake) initialize(string) error { return f.call("initialize") }

func (f *fake) finalize() error {
	err := f.call("finalize")
	f.finalized = true
	return err
}

func (f *fake) slots() ([]uint, error) {
	var slots []uint
	for s := range f.tokens {
		slots = append(slots, s)
	}
	slices.Sort(slots)
	return slots, f.call("slots")
}

func (f *fake) token(slot uint) (token, error) {
	if f.count("slots") == 0 {
		f.t.Error("a token was asked for before the slots were listed")
	}
	if err := f.call("token"); err != nil {
		return token{}, err
	}
	return f.tokens[slot].token, f.tokens[slot].err
}

// mechanisms are the usual ones unless a test says otherwise.
func (f *fake) mechanisms(slot uint) ([]uint, error) {
	var all []uint
	for typ := range f.offered() {
		all = append(all, typ)
	}
	slices.Sort(all)
	return all, f.call("mechanisms")
}

func (f *fake) mechanismInfo(slot, typ uint) (mechanismInfo, error) {
	if err := f.call("mechanism info"); err != nil {
		return mechanismInfo{}, err
	}
	info, ok := f.offered()[typ]
	if !ok {
		return mechanismInfo{}, ckrMechanismInvalid
	}
	return info, nil
}

func (f *fake) offered() map[uint]mechanismInfo {
	if f.can != nil {
		return f.can
	}
	return map[uint]mechanismInfo{
		ckmRSAPKCS:    {minSize: 1024, maxSize: 8192, flags: ckfSign},
		ckmRSAPKCSPSS: {minSize: 1024, maxSize: 8192, flags: ckfSign},
		ckmECDSA:      {minSize: 112, maxSize: 521, flags: ckfSign},

		ckmRSAKeyPairGen: {minSize: 1024, maxSize: 8192, flags: ckfGenerateKeyPair},
		ckmECKeyPairGen:  {minSize: 112, maxSize: 521, flags: ckfGenerateKeyPair},
	}
}

func (f *fake) openSession(slot uint, readWrite bool) (session, error) {
	if err := f.call("open session"); err != nil {
		return 0, err
	}
	f.next++
	f.sessions[f.next] = readWrite
	return f.next, nil
}

func (f *fake) closeSession(s session) error {
	err := f.call("close session")
	delete(f.sessions, s)
	if len(f.sessions) == 0 {
		f.loggedIn = false
	}
	return err
}

func (f *fake) login(s session, user uint, pin []byte) error {
	name := "login user"
	if user == ckuContextSpecific {
		name = "login context"
		if f.signing == nil {
			f.t.Error("a context-specific login outside of an operation")
		}
	}
	f.pins = append(f.pins, string(pin))
	if err := f.call(name); err != nil {
		return err
	}
	if err := f.inSession(s); err != nil {
		return err
	}
	t := f.only()
	if t.has(ckfProtectedAuthenticationPath) != (len(pin) == 0) {
		return ckrArgumentsBad
	}
	if len(pin) > 0 && string(pin) != t.pin {
		t.flags |= t.after
		return ckrPINIncorrect
	}
	f.loggedIn, f.confirmed = true, user == ckuContextSpecific
	return nil
}

func (f *fake) logout(s session) error {
	f.loggedIn = false
	return f.call("logout")
}

func (f *fake) find(s session, template []attribute) ([]object, error) {
	if err := f.call("find"); err != nil {
		return nil, err
	}
	if err := f.inSession(s); err != nil {
		return nil, err
	}
	var found []object
	for h, o := range f.only().objects {
		private := slices.Equal(o.attributes[ckaClass], encodeAll([]attribute{{ckaClass, ckoPrivateKey}})[ckaClass])
		match := f.loggedIn || !private
		for typ, value := range encodeAll(template) {
			match = match && slices.Equal(o.attributes[typ], value)
		}
		if match {
			found = append(found, h)
		}
	}
	slices.Sort(found)
	return found, nil
}

func (f *fake) attribute(s session, o object, typ uint) ([]byte, error) {
	if err := f.call("attribute"); err != nil {
		return nil, err
	}
	if err := f.inSession(s); err != nil {
		return nil, err
	}
	object := f.only().objects[o]
	if object == nil {
		return nil, ckrObjectHandleInvalid
	}
	value, ok := object.attributes[typ]
	if !ok {
		return nil, ckrAttributeTypeInvalid
	}
	return value, nil
}

func (f *fake) signInit(s session, m mechanism, key object) error {
	if err := f.call("sign init"); err != nil {
		return err
	}
	if err := f.inSession(s); err != nil {
		return err
	}
	if f.signing != nil {
		return ckrOperationActive
	}
	f.signing, f.confirmed = &m, false
	return nil
}

func (f *fake) sign(s session, data []byte) ([]byte, error) {
	if err := f.call("sign"); err != nil {
		return nil, err
	}
	if err := f.inSession(s); err != nil {
		return nil, err
	}
	m := f.signing
	f.signing = nil
	for _, o := range f.only().objects {
		if o.key == nil {
			continue
		}
		if always := o.attributes[ckaAlwaysAuthenticate]; len(always) == 1 && always[0] == 1 && !f.confirmed {
			return nil, ckrUserNotLoggedIn
		}
		f.made++
		if hash, hashes := tokenHashes()[m.typ]; hashes { // over the message
			h := hash.New()
			h.Write(data)
			data = h.Sum(nil)
			if _, ok := o.key.(*rsa.PrivateKey); ok && m.pss == nil {
				return rsa.SignPKCS1v15(rand.Reader, o.key.(*rsa.PrivateKey), hash, data)
			}
		}
		switch key := o.key.(type) {
		case *ecdsa.PrivateKey:
			size := (key.Params().BitSize + 7) / 8
			if len(data) > size && m.typ == ckmECDSA {
				return nil, ckrDataLenRange
			}
			r, ss, err := ecdsa.Sign(rand.Reader, key, data)
			if err != nil {
				return nil, err
			}
			return append(r.FillBytes(make([]byte, size)), ss.FillBytes(make([]byte, size))...), nil
		case *rsa.PrivateKey:
			if m.typ == ckmRSAPKCS {
				return rsa.SignPKCS1v15(rand.Reader, key, 0, data)
			}
			hash := map[uint]crypto.Hash{ckmSHA256: crypto.SHA256, ckmSHA384: crypto.SHA384, ckmSHA512: crypto.SHA512}[m.pss.hash]
			return rsa.SignPSS(rand.Reader, key, hash, data, &rsa.PSSOptions{SaltLength: int(m.pss.salt)})
		}
	}
	return nil, ckrKeyHandleInvalid
}

// generateKeyPair makes a P-256 pair that is as strict as asked; f.fails
// "generate" with a template attribute is set by a test.
func (f *fake) generateKeyPair(s session, mechanism uint, public, private []attribute) (pub, priv object, err error) {
	if err := f.call("generate"); err != nil {
		return 0, 0, err
	}
	if !f.sessions[s] {
		return 0, 0, ckrSessionReadOnly
	}
	t := f.only()
	attributes := encodeAll(private)
	for typ, reject := range t.rejects() {
		if _, stated := attributes[typ]; stated && reject {
			return 0, 0, ckrAttributeTypeInvalid
		}
	}
	if f.meanwhile != nil {
		f.meanwhile()
	}
	key := t.withKey(f.t, 7, string(attributes[ckaLabel]))
	both := map[object]map[uint][]byte{7: attributes, 107: encodeAll(public)}
	for h, stated := range both {
		for typ, value := range stated {
			t.objects[h].attributes[typ] = value
		}
	}
	for typ, value := range encodeAll([]attribute{{ckaAlwaysSensitive, true}, {ckaNeverExtractable, true}, {ckaLocal, true}}) {
		t.objects[7].attributes[typ] = value
	}
	if weak, ok := t.objects[weakObject]; ok {
		for typ, value := range weak.attributes {
			t.objects[7].attributes[typ] = value
		}
		delete(t.objects, weakObject)
	}
	t.objects[7].key = key
	return 107, 7, nil
}

// Two marks in the object table script the generator: attributes that the token
// overrides, and attributes that it does not take.
const (
	weakObject   object = 1000
	rejectObject object = 1001
)

func (t *fakeToken) rejects() map[uint]bool {
	out := map[uint]bool{}
	if o, ok := t.objects[rejectObject]; ok {
		for typ := range o.attributes {
			out[typ] = true
		}
	}
	return out
}

func (f *fake) destroy(s session, o object) error {
	if err := f.call("destroy"); err != nil {
		return err
	}
	if !f.sessions[s] {
		return ckrSessionReadOnly
	}
	delete(f.only().objects, o)
	return nil
}

func tokenHashes() map[uint]crypto.Hash {
	return map[uint]crypto.Hash{
		ckmSHA256RSAPKCS: crypto.SHA256, ckmSHA384RSAPKCS: crypto.SHA384, ckmSHA512RSAPKCS: crypto.SHA512,
		ckmSHA256RSAPKCSPSS: crypto.SHA256, ckmSHA384RSAPKCSPSS: crypto.SHA384, ckmSHA512RSAPKCSPSS: crypto.SHA512,
		ckmECDSASHA256: crypto.SHA256, ckmECDSASHA384: crypto.SHA384, ckmECDSASHA512: crypto.SHA512,
	}
}

// fakeConfig asks for the key "anchor" in the token "EFGSTA".
func fakeConfig() Config {
	return Config{URI: URI{Token: "EFGSTA", Object: "anchor"}, PIN: func(string) ([]byte, error) { return []byte("123456"), nil }}
}

func bigBytes(n int64) []byte { return big.NewInt(n).Bytes() }

func (f *fake) open(c Config) (Signer, error) {
	return open(c, f, moduleFile{path: "/fake.so"}, nil)
}

func (f *fake) log() string { return strings.Join(f.calls, ", ") }
