package hsm

import (
	"crypto"
	"errors"
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
	f.fails["generate"] = ckrGeneralError
	_, err = f.generate(fakeConfig())
	refusedWith(t, err, "CKR_GENERAL_ERROR", "vendor")
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
		refusedWith(t, err, c.text, "")
	}
	_, err := Config{URI: URI{Token: "EFGSTA", Object: "anchor"}}.checkGenerate("rsa-1024")
	refusedWith(t, err, "rsa-1024", "rsa-3072")
	refusedWith(t, Config{URI: URI{Token: "EFGSTA"}}.checkKey(), "names no key", "object=")
	refusedWith(t, Config{URI: URI{Object: "anchor"}}.checkKey(), "names no token", "token=")
}
