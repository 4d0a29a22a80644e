package hsm

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"slices"
	"strings"
	"testing"
)

func (f *fake) survey(c Config) (Survey, error) {
	return survey(c, f, moduleFile{path: "/fake.so", sha256: "00"}, func(string) {})
}

func TestListNeedsNoLogin(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", ckfLoginRequired|ckfUserPINInitialized|ckfUserPINCountLow)
	f.withToken(2, "OTHER", ckfProtectedAuthenticationPath|ckfUserPINLocked|ckfWriteProtected)
	f.withToken(3, "DUMB", 0).err = ckrTokenNotRecognized
	s, err := f.survey(Config{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tokens) != 2 || s.Silent != 1 || f.count("open session") != 0 || len(f.pins) != 0 || !f.finalized {
		t.Fatalf("%+v; calls: %s", s, f.log())
	}
	first, second := s.Tokens[0], s.Tokens[1]
	if first.Label != "EFGSTA" || !first.LoginRequired || !first.PINSet || !first.PINLow || first.PINLocked || first.MinPIN != 4 || first.MaxPIN != 16 {
		t.Errorf("%+v", first)
	}
	if !second.ProtectedPath || !second.PINLocked || !second.WriteProtected {
		t.Errorf("%+v", second)
	}
	if got := strings.Join(first.Algorithms, " "); got != "rsa rsa-pss ecdsa" {
		t.Errorf("algorithms %s", got)
	}

	f = newFake(t)
	f.withToken(1, "EFGSTA", 0)
	f.withToken(2, "OTHER", 0)
	if s, err = f.survey(Config{URI: URI{Token: "OTHER"}}); err != nil || len(s.Tokens) != 1 || s.Tokens[0].Label != "OTHER" {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestListSaysWhatFailed(t *testing.T) {
	for _, at := range []string{"initialize", "slots", "mechanisms", "finalize"} {
		f := newFake(t)
		f.withToken(1, "EFGSTA", 0)
		f.fails[at] = ckrDeviceError
		_, err := f.survey(Config{})
		if !errors.Is(err, ckrDeviceError) {
			t.Errorf("%s: %v", at, err)
		}
		refusedWith(t, err, map[bool]string{true: "EFGSTA", false: "/fake.so"}[at == "mechanisms"], "")
		if at != "initialize" && !f.finalized {
			t.Errorf("%s: not finalized", at)
		}
	}
}

func TestInspectShowsWeakKeys(t *testing.T) {
	f := newFake(t)
	token := f.withToken(1, "EFGSTA", 0)
	token.withKey(t, 1, "strict", attribute{ckaSensitive, true}, attribute{ckaExtractable, false})
	token.withKey(t, 2, "weak", attribute{ckaSensitive, false}, attribute{ckaExtractable, true})
	token.objects[3] = &fakeObject{encodeAll([]attribute{{ckaClass, ckoPrivateKey}, {ckaKeyType, uint(1)}, {ckaLabel, "dsa"}, {ckaID, []byte{3}}}), nil}
	in, err := inspect(fakeConfigFor(""), f, moduleFile{path: "/fake.so"})
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Keys) != 3 || f.made != 0 || !f.finalized {
		t.Fatalf("%+v", in)
	}
	byLabel := map[string]Key{}
	for _, k := range in.Keys {
		byLabel[k.Label] = k
	}
	wrong := func(k Key, name string) bool {
		i := slices.IndexFunc(k.Attributes, func(a KeyAttribute) bool { return a.Name == name })
		return i >= 0 && k.Attributes[i].Wrong()
	}
	if k := byLabel["strict"]; wrong(k, "CKA_SENSITIVE") || wrong(k, "CKA_EXTRACTABLE") || !wrong(k, "CKA_LOCAL") || wrong(k, "CKA_DERIVE") || k.Algorithm != "ecdsa-p256" || k.ID != "01" {
		t.Errorf("%+v", k)
	}
	if k := byLabel["weak"]; !wrong(k, "CKA_SENSITIVE") || !wrong(k, "CKA_EXTRACTABLE") {
		t.Errorf("%+v", k)
	}
	if k := byLabel["dsa"]; k.Algorithm != "" || !strings.Contains(k.Why, "0x1") {
		t.Errorf("%+v", k)
	}

	f = newFake(t)
	token = f.withToken(1, "EFGSTA", 0)
	token.withKey(t, 1, "one")
	token.withKey(t, 2, "two")
	if in, err = inspect(fakeConfigFor("two"), f, moduleFile{}); err != nil || len(in.Keys) != 1 || in.Keys[0].Label != "two" {
		t.Errorf("%+v, %v", in, err)
	}
}

func fakeConfigFor(object string) Config {
	c := fakeConfig()
	c.URI.Object = object
	return c
}

// Which mechanism signs is what the token offers, and the digest goes to the token where it can.
func TestMechanismIsTheTokens(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	pss := &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256}
	sign := mechanismInfo{flags: ckfSign}
	for _, c := range []struct {
		name     string
		rsa      bool
		opts     crypto.SignerOpts
		can      map[uint]mechanismInfo
		want     string // the mechanism; "" is refused
		onDigest bool   // Sign over a digest works too
	}{
		{"ECDSA", false, crypto.SHA256, nil, "CKM_ECDSA", true},
		{"ECDSA that hashes", false, crypto.SHA256, map[uint]mechanismInfo{ckmECDSASHA256: sign}, "CKM_ECDSA_SHA256", false},
		{"both", false, crypto.SHA256, map[uint]mechanismInfo{ckmECDSA: sign, ckmECDSASHA256: sign}, "CKM_ECDSA", true},
		{"verifies only", false, crypto.SHA256, map[uint]mechanismInfo{ckmECDSA: {}}, "", false},
		{"hash of another size", false, crypto.SHA512, map[uint]mechanismInfo{ckmECDSASHA256: sign}, "", false},
		{"small keys only", false, crypto.SHA256, map[uint]mechanismInfo{ckmECDSA: {maxSize: 192, flags: ckfSign}, ckmECDSASHA256: {minSize: 384, flags: ckfSign}}, "", false},
		{"PKCS1", true, crypto.SHA256, nil, "CKM_RSA_PKCS", true},
		{"PKCS1, sizes in bytes", true, crypto.SHA256, map[uint]mechanismInfo{ckmRSAPKCS: {minSize: 128, maxSize: 512, flags: ckfSign}}, "CKM_RSA_PKCS", true},
		{"PKCS1 that hashes", true, crypto.SHA384, map[uint]mechanismInfo{ckmSHA384RSAPKCS: sign}, "CKM_SHA384_RSA_PKCS", false},
		{"PSS", true, pss, nil, "CKM_RSA_PKCS_PSS", true},
		{"PSS that hashes", true, pss, map[uint]mechanismInfo{ckmRSAPKCS: sign, ckmSHA256RSAPKCSPSS: sign}, "CKM_SHA256_RSA_PKCS_PSS", false},
		{"no PSS", true, pss, map[uint]mechanismInfo{ckmRSAPKCS: sign}, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFake(t)
			f.can = c.can
			token := f.withToken(1, "EFGSTA", 0)
			if c.rsa {
				token.objects[1] = &fakeObject{encodeAll([]attribute{{ckaClass, ckoPrivateKey}, {ckaKeyType, ckkRSA}, {ckaLabel, "anchor"}, {ckaID, []byte{1}}, {ckaModulus, rsaKey.N.Bytes()}, {ckaPublicExponent, bigBytes(65537)}}), rsaKey}
			} else {
				token.withKey(t, 1, "anchor")
			}
			s, err := f.open(fakeConfig())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			message := []byte("whatever is to be signed")
			h := c.opts.HashFunc().New()
			h.Write(message)
			_, onDigest := s.Sign(nil, h.Sum(nil), c.opts)
			_, onMessage := s.SignMessage(nil, message, c.opts)
			if (onDigest == nil) != c.onDigest || (onMessage == nil) != (c.want != "") {
				t.Errorf("over the digest: %v; over the message: %v", onDigest, onMessage)
			}
			if got := strings.Join(s.Token().Mechanisms, " "); got != c.want {
				t.Errorf("signed with %q, want %q", got, c.want)
			}
			for _, err := range []error{onDigest, onMessage} {
				if err != nil && !errors.Is(err, ErrDigest) {
					t.Errorf("%v is not ErrDigest", err)
				}
			}
		})
	}
}

// The token is asked once for a mechanism, not at each signature.
func TestMechanismIsAskedForOnce(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
	s, err := f.open(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 3 {
		if _, err := s.Sign(nil, digest32, crypto.SHA256); err != nil {
			t.Fatal(err)
		}
	}
	if n := f.count("mechanism info"); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

func TestTokenGoneWhenAskedForAMechanism(t *testing.T) {
	f := newFake(t)
	f.withToken(1, "EFGSTA", 0).withKey(t, 1, "anchor")
	s, err := f.open(fakeConfig())
	if err != nil {
		t.Fatal(err)
	}
	f.fails["mechanism info"] = ckrDeviceRemoved
	_, err = s.Sign(nil, digest32, crypto.SHA256)
	refusedWith(t, err, "the token is gone", "reinsert")
	delete(f.fails, "mechanism info")
	if _, err = s.Sign(nil, digest32, crypto.SHA256); !errors.Is(err, ErrDead) {
		t.Errorf("the signer lives on: %v", err)
	}
	s.Close()
	f.closed()
}
