package hsm

import (
	"crypto"
	"errors"
	"strings"
	"testing"
)

func (f *fake) generate(c Config) (Signer, error) {
	spec, err := c.checkGenerate("ecdsa-p256")
	if err != nil {
		return nil, err
	}
	return generate(c, f, moduleFile{path: "/fake.so"}, spec)
}

func TestGenerateSignsInAReadOnlySession(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0)
	s, err := f.generate(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	if len(f.sessions) != 1 {
		t.Errorf("sessions: %v", f.sessions)
	}
	for _, readWrite := range f.sessions {
		if readWrite {
			t.Error("the read-write session is still open")
		}
	}
	if _, err := s.Sign(nil, digest32, crypto.SHA256); err != nil {
		t.Error(err)
	}
	if logins, signatures := s.Counts(); logins != 1 || signatures != 1 {
		t.Errorf("%d logins, %d signatures", logins, signatures)
	}
	s.Close()
	f.closed()
}

func TestGenerateRefusesATakenLabelBeforeMakingAnything(t *testing.T) {
	for _, half := range []object{1, 101} {
		f := newFake(t)
		token := f.withToken(1, "EFGSTA", 0)
		token.withKey(t, 1, "anchor")
		delete(token.objects, half)
		_, err := f.generate(fakeConfig())
		refusedWith(t, err, ErrExists.Error(), "another label")
		if !errors.Is(err, ErrExists) || f.count("generate") != 0 {
			t.Errorf("%v; calls: %s", err, f.log())
		}
		f.closed()
	}
}

// Nothing in PKCS#11 keeps two processes from making a key of one label: whoever looks last
// takes its own away again.
func TestGenerateBesideAnotherProcess(t *testing.T) {
	f := newFake(t)
	token := f.withToken(1, "EFGSTA", 0)
	f.meanwhile = func() { token.withKey(t, 2, "anchor") }
	_, err := f.generate(fakeConfig())
	refusedWith(t, err, "made at the same time", "destroyed again")
	if !errors.Is(err, ErrExists) {
		t.Errorf("not ErrExists: %v", err)
	}
	for h, want := range map[object]bool{2: true, 102: true, 7: false, 107: false} {
		if got := token.objects[h] != nil; got != want {
			t.Errorf("object %d is there: %v, want %v", h, got, want)
		}
	}
	f.closed()
}

func TestWeakKeysAreDestroyed(t *testing.T) {
	for name, weak := range map[string]attribute{
		"CKA_SENSITIVE is false":         {ckaSensitive, false},
		"CKA_EXTRACTABLE is true":        {ckaExtractable, true},
		"CKA_NEVER_EXTRACTABLE is false": {ckaNeverExtractable, false},
		"CKA_ALWAYS_SENSITIVE is false":  {ckaAlwaysSensitive, false},
		"CKA_LOCAL is false":             {ckaLocal, false},
		"CKA_PRIVATE is false":           {ckaPrivate, false},
		"CKA_DECRYPT is true":            {ckaDecrypt, true},
		"CKA_LOCAL is not told":          {ckaLocal, []byte{}},
	} {
		f := newFake(t)
		token := f.withToken(1, "EFGSTA", 0)
		token.objects[weakObject] = &fakeObject{attributes: encodeAll([]attribute{weak})}
		_, err := f.generate(fakeConfig())
		refusedWith(t, err, name, "destroyed again")
		if len(token.objects) != 0 {
			t.Errorf("%s: left in the token: %v", name, token.objects)
		}
		f.closed()
	}
}

func TestAPairThatCannotBeDestroyedIsTold(t *testing.T) {
	f := newFake(t)
	token := f.withToken(1, "EFGSTA", 0)
	token.objects[weakObject] = &fakeObject{attributes: encodeAll([]attribute{{ckaExtractable, true}})}
	f.fails["destroy"] = ckrFunctionRejected
	_, err := f.generate(fakeConfig())
	refusedWith(t, err, "could not be removed", "by hand")
	refusedWith(t, err, "CKA_EXTRACTABLE is true", "")
	f.closed()
}

func TestOptionalAttributesAreLeftOutOneByOne(t *testing.T) {
	f := newFake(t)
	token := f.withToken(1, "EFGSTA", 0)
	token.objects[rejectObject] = &fakeObject{attributes: encodeAll([]attribute{{ckaModifiable, false}})}
	s, err := f.generate(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Token().NotStated; len(got) != 2 || got[0] != "CKA_COPYABLE" || got[1] != "CKA_MODIFIABLE" {
		t.Errorf("not stated: %v", got)
	}
	s.Close()

	// An error that is not about the template is final.
	f = newFake(t)
	f.withToken(1, "EFGSTA", 0)
	f.fails["generate"] = ckrDeviceError
	_, err = f.generate(fakeConfig())
	refusedWith(t, err, "CKR_DEVICE_ERROR", "vendor")
	if n := f.count("generate"); n != 1 {
		t.Errorf("%d tries", n)
	}
	f.closed()

	// What matters is never left out.
	f = newFake(t)
	token = f.withToken(1, "EFGSTA", 0)
	token.objects[rejectObject] = &fakeObject{attributes: encodeAll([]attribute{{ckaSensitive, false}})}
	_, err = f.generate(fakeConfig())
	refusedWith(t, err, "CKR_ATTRIBUTE_TYPE_INVALID", "")
	f.closed()
}

func TestGenerateWantsALabelAndNoID(t *testing.T) {
	for _, c := range []struct {
		uri  URI
		text string
	}{
		{URI{Object: "anchor"}, "names no token"},
		{URI{Token: "EFGSTA"}, "no label"},
		{URI{Token: "EFGSTA", Object: "anchor", ID: []byte{1}}, "random"},
	} {
		_, err := Config{URI: c.uri}.checkGenerate("rsa-3072")
		refusedURI(t, err, c.text, "")
	}
	_, err := Config{URI: URI{Token: "EFGSTA", Object: "anchor"}}.checkGenerate("rsa-1024")
	refusedWith(t, err, "rsa-1024", "rsa-3072")
	refusedURI(t, Config{URI: URI{Token: "EFGSTA"}}.checkKey(), "names no key", "object=")
	refusedURI(t, Config{URI: URI{Object: "anchor"}}.checkKey(), "names no token", "token=")
}

// refusedURI checks that a URI is what is at fault, not a token: those are two exit codes.
func refusedURI(t *testing.T, err error, text, hint string) {
	t.Helper()
	var e *URIError
	if !errors.As(err, &e) || !strings.Contains(e.Error(), text) || !strings.Contains(e.Hint(), hint) {
		t.Errorf("got %v\nwant *URIError with %q (hint %q)", err, text, hint)
	}
}

func (f *fake) openOrGenerate(c Config, tell func(error)) (Signer, bool, error) {
	spec, err := c.checkGenerate("ecdsa-p256")
	if err != nil {
		return nil, false, err
	}
	return openOrGenerate(c, f, moduleFile{path: "/fake.so"}, spec, tell)
}

// TestOneInitialisationMakesOrFinds: a module that does not survive its end can be used
// once per process, and each login is a try.
func TestOneInitialisationMakesOrFinds(t *testing.T) {
	for _, there := range []bool{false, true} {
		f := newFake(t)
		token := f.withToken(1, "EFGSTA", 0)
		if there {
			token.withKey(t, 1, "anchor")
		}
		told := 0
		s, made, err := f.openOrGenerate(fakeConfig(), func(cannot error) {
			told++
			if cannot != nil || f.count("login user") != 0 {
				t.Errorf("told %v after: %s", cannot, f.log())
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		if made == there || told != 1 || f.count("initialize") != 1 || f.count("finalize") != 0 || f.count("login user") != 1 {
			t.Errorf("there before: %v, made: %v, told %d times; calls: %s", there, made, told, f.log())
		}
		if _, err := s.Sign(nil, digest32, crypto.SHA256); err != nil {
			t.Error(err)
		}
		for _, readWrite := range f.sessions {
			if readWrite {
				t.Error("the read-write session is still open")
			}
		}
		s.Close()
		f.closed()
	}

	// What cannot be made is told before the login, and is the error where nothing is there.
	f := newFake(t)
	f.withToken(1, "EFGSTA", ckfWriteProtected)
	var why error
	_, made, err := f.openOrGenerate(fakeConfig(), func(cannot error) { why = cannot })
	refusedWith(t, err, "CKR_TOKEN_WRITE_PROTECTED", "")
	if made || why == nil || f.count("generate") != 0 {
		t.Errorf("made %v, told %v; calls: %s", made, why, f.log())
	}
	f.closed()
}

// TestBeforeLogin: it is told the token that was found, after all checks that need no
// login, and its error is the end.
func TestBeforeLogin(t *testing.T) {
	no := errors.New("no")
	for flags, want := range map[uint]bool{0: true, ckfUserPINLocked: false} {
		f := newFake(t)
		f.withToken(1, "EFGSTA", flags)
		asked := false
		c := fakeConfig()
		c.BeforeLogin = func(id TokenID) error {
			asked = true
			if id.Module != "/fake.so" || id.Label != "EFGSTA" || id.Serial != "S1" {
				t.Errorf("%+v", id)
			}
			return no
		}
		c.PIN = func(string) ([]byte, error) { t.Error("the PIN is asked for"); return nil, no }
		_, err := f.generate(c)
		if asked != want || errors.Is(err, no) != want || f.count("login user") != 0 {
			t.Errorf("asked: %v, %v; calls: %s", asked, err, f.log())
		}
		f.closed()
	}
}
