package hsm

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	for in, want := range map[string]URI{
		"pkcs11:token=EFGSTA;object=efgsta-2026":                                            {Token: "EFGSTA", Object: "efgsta-2026"},
		"pkcs11:object=a%20b%3B%25;token=T":                                                 {Token: "T", Object: "a b;%"},
		"pkcs11:token=a+b;object=c&d=e":                                                     {Token: "a+b", Object: "c&d=e"},
		"pkcs11:serial=0001;id=%00%01%fF":                                                   {Serial: "0001", ID: []byte{0, 1, 0xff}},
		"pkcs11:token=T;object=K;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so":  {Token: "T", Object: "K", ModulePath: "/usr/lib/softhsm/libsofthsm2.so"},
		"pkcs11:?module-path=%2Fopt%2Fm.so":                                                 {ModulePath: "/opt/m.so"},
		"pkcs11:token=%C3%89FGSTA;object=K":                                                 {Token: "ÉFGSTA", Object: "K"},
		"pkcs11:model=SoftHSM%20v2;manufacturer=SoftHSM%20project;serial=8c;token=T;id=%01": {Model: "SoftHSM v2", Manufacturer: "SoftHSM project", Serial: "8c", Token: "T", ID: []byte{1}},
	} {
		got, err := ParseURI(in)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", in, got, err, want)
			continue
		}
		again, err := ParseURI(got.String())
		if err != nil || !reflect.DeepEqual(again, want) {
			t.Errorf("%s became %s: %+v, %v", in, got.String(), again, err)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                        "does not begin",
		"token=T":                                 "does not begin",
		"PKCS11:token=T":                          "does not begin",
		"file:key.p8":                             "does not begin",
		"pkcs11:":                                 "names nothing",
		"pkcs11:type=private":                     "names nothing",
		"pkcs11:?":                                "not name=value",
		"pkcs11:token":                            "not name=value",
		"pkcs11:token=T;":                         "not name=value",
		"pkcs11:;token=T":                         "not name=value",
		"pkcs11:=T":                               "not name=value",
		"pkcs11:token=T&object=K;":                "not name=value",
		"pkcs11:token=":                           "token is empty",
		"pkcs11:token=T;token=T":                  "given twice",
		"pkcs11:token=T;colour=red":               `unknown attribute "colour"`,
		"pkcs11:Token=T":                          "unknown attribute",
		"pkcs11:token=T;pin-value=1234":           "pin-value is not accepted",
		"pkcs11:token=T?pin-value=1234":           "pin-value is not accepted",
		"pkcs11:token=T?pin-source=file:p":        "pin-source is not accepted",
		"pkcs11:token=T?module-name=p11":          "module-name is not accepted",
		"pkcs11:slot-id=3":                        "slot-id is not accepted",
		"pkcs11:module-path=/m.so":                "before the '?'",
		"pkcs11:object=K?token=T":                 "behind the '?'",
		"pkcs11:object=K;type=public":             "type is not private",
		"pkcs11:object=K;type=cert":               "type is not private",
		"pkcs11:token=a b":                        "must be percent-encoded",
		"pkcs11:token=a/b":                        "must be percent-encoded",
		"pkcs11:token=a\"b":                       "must be percent-encoded",
		"pkcs11:token=É":                          "must be percent-encoded",
		"pkcs11:token=%4":                         "without two hex digits",
		"pkcs11:token=%":                          "without two hex digits",
		"pkcs11:token=%zz":                        "without two hex digits",
		"pkcs11:token=%ff":                        "not UTF-8",
		"pkcs11:token=a%00b":                      "not UTF-8",
		"pkcs11:id=7370":                          "a byte of id is not percent-encoded",
		"pkcs11:id=%6deb45":                       "a byte of id is not percent-encoded",
		"pkcs11:id=0x01":                          "a byte of id is not percent-encoded",
		"pkcs11:token=" + strings.Repeat("x", 33): "at most 32",
		"pkcs11:id=" + strings.Repeat("%01", maxID+1):  "at most 255",
		"pkcs11:object=" + strings.Repeat("x", maxURI): "longer than 4096",
	} {
		u, err := ParseURI(in)
		var e *URIError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
		if !reflect.DeepEqual(u, URI{}) {
			t.Errorf("%s: %+v beside an error", in, u)
		}
		if err != nil && strings.Contains(err.Error()+hint(err), "1234") {
			t.Errorf("a PIN is in: %v", err)
		}
	}
}

func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func FuzzParseURI(f *testing.F) {
	for _, seed := range []string{
		"pkcs11:token=EFGSTA;object=efgsta-2026",
		"pkcs11:serial=0001;id=%00%01%ff;type=private?module-path=/usr/lib/m.so",
		"pkcs11:token=a+b;object=c&d=e%3B",
		"pkcs11:manufacturer=SoftHSM%20project;model=v2?module-path=%2Fm",
		"pkcs11:token=T?pin-value=1234",
		"pkcs11:?",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseURI(s)
		if err != nil {
			return
		}
		canonical := u.String()
		again, err := ParseURI(canonical)
		if err != nil || !reflect.DeepEqual(u, again) || again.String() != canonical {
			t.Errorf("%q became %q: %+v, %v", s, canonical, again, err)
		}
	})
}
