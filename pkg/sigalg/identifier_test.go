package sigalg

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func identifierOf(t testing.TB, oid string, params string) []byte {
	t.Helper()
	content, err := encodeOID(oid)
	if err != nil {
		t.Fatal(err)
	}
	body := append([]byte{6, byte(len(content))}, content...)
	body = append(body, unhex(t, params)...)
	return append([]byte{0x30, byte(len(body))}, body...)
}

func TestParseIdentifier(t *testing.T) {
	for _, c := range []struct {
		oid    string
		scheme Scheme
		hash   string
	}{
		{"1.2.840.113549.1.1.2", RSAPKCS1v15, "MD2"},
		{"1.2.840.113549.1.1.4", RSAPKCS1v15, "MD5"},
		{"1.2.840.113549.1.1.5", RSAPKCS1v15, "SHA-1"},
		{"1.3.14.3.2.29", RSAPKCS1v15, "SHA-1"},
		{"1.2.840.113549.1.1.11", RSAPKCS1v15, "SHA-256"},
		{"1.2.840.113549.1.1.12", RSAPKCS1v15, "SHA-384"},
		{"1.2.840.113549.1.1.13", RSAPKCS1v15, "SHA-512"},
		{"1.2.840.113549.1.1.14", RSAPKCS1v15, "SHA-224"},
		{"1.2.840.113549.1.1.15", RSAPKCS1v15, "SHA-512/224"},
		{"1.2.840.113549.1.1.16", RSAPKCS1v15, "SHA-512/256"},
		{"2.16.840.1.101.3.4.3.14", RSAPKCS1v15, "SHA3-256"},
		{"2.16.840.1.101.3.4.3.16", RSAPKCS1v15, "SHA3-512"},
		{"1.3.36.3.3.1.2", RSAPKCS1v15, "RIPEMD-160"},
		{"1.3.6.1.5.5.7.6.30", RSAPSS, "SHAKE128"},
		{"1.3.6.1.5.5.7.6.31", RSAPSS, "SHAKE256"},
		{"1.2.840.10045.4.1", ECDSA, "SHA-1"},
		{"1.2.840.10045.4.3.1", ECDSA, "SHA-224"},
		{"1.2.840.10045.4.3.2", ECDSA, "SHA-256"},
		{"1.2.840.10045.4.3.3", ECDSA, "SHA-384"},
		{"1.2.840.10045.4.3.4", ECDSA, "SHA-512"},
		{"2.16.840.1.101.3.4.3.10", ECDSA, "SHA3-256"},
		{"1.2.840.10040.4.3", DSA, "SHA-1"},
		{"2.16.840.1.101.3.4.3.2", DSA, "SHA-256"},
		{"2.16.840.1.101.3.4.3.6", DSA, "SHA3-256"},
		{"1.3.101.112", Ed25519, ""},
		{"1.3.101.113", Unknown, ""},
		{"1.2.3.4", Unknown, ""},
	} {
		for _, params := range []string{"", "05 00"} {
			raw := identifierOf(t, c.oid, params)
			a, err := ParseIdentifier(raw)
			if err != nil || a.Scheme != c.scheme || a.HashName != c.hash || a.OID != c.oid {
				t.Errorf("%s: %+v, %v", c.oid, a, err)
			}
			if a.Hash != 0 && hashOf(a.Hash).name != c.hash {
				t.Errorf("%s: hash %v", c.oid, a.Hash)
			}
		}
	}
}

func TestParseIdentifierBroken(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":       "",
		"not sequence":  "05 00",
		"empty":         "30 00",
		"no OID":        "30 02 05 00",
		"bad OID":       "30 03 06 01 80",
		"trailing":      "30 05 06 03 2b 65 70 00",
		"three fields":  "30 09 06 03 2b 65 70 05 00 05 00",
		"cut parameter": "30 07 06 03 2b 65 70 04 02",
		"cut":           "30 09 06 03 2b",
	} {
		a, err := ParseIdentifier(unhex(t, in))
		if err == nil {
			t.Errorf("%s: %+v", name, a)
		}
		if name == "three fields" && a.Scheme != Ed25519 {
			t.Errorf("%s: what could be read is lost: %+v", name, a)
		}
	}
}

func TestParsePSS(t *testing.T) {
	const (
		sha1, sha256 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
		hash256      = "a0 0f 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00"
		mgf256       = "a1 1c 30 1a 06 09 2a 86 48 86 f7 0d 01 01 08 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00"
	)
	for _, c := range []struct {
		name, params string
		want         PSSParams
		ok           bool
	}{
		{"absent", "", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 20, 1, true, false}, true},
		{"empty", "30 00", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 20, 1, true, false}, true},
		{"usual", "30 34" + hash256 + mgf256 + "a2 03 02 01 20", PSSParams{sha256, sha256, crypto.SHA256, crypto.SHA256, 32, 1, false, false}, true},
		{"mask default", "30 11" + hash256, PSSParams{sha256, sha1, crypto.SHA256, crypto.SHA1, 20, 1, false, false}, true},
		{"salt only", "30 05 a2 03 02 01 00", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 0, 1, false, false}, true},
		{"trailer 2", "30 05 a3 03 02 01 02", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 20, 2, false, false}, true},
		{"negative salt", "30 05 a2 03 02 01 ff", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, -1, 1, false, false}, true},
		{"unknown hash", "30 07 a0 05 30 03 06 01 2a", PSSParams{"1.2", sha1, 0, crypto.SHA1, 20, 1, false, false}, true},
		{"mask not MGF1", "30 07 a1 05 30 03 06 01 2a", PSSParams{sha1, "", crypto.SHA1, 0, 20, 1, false, false}, true},
		{"NULL", "05 00", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 20, 1, false, true}, false},
		{"out of order", "30 0a a3 03 02 01 01 a2 03 02 01 20", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 20, 1, false, true}, false},
		{"twice", "30 0a a2 03 02 01 20 a2 03 02 01 21", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 32, 1, false, true}, false},
		{"salt is no integer", "30 05 a2 03 04 01 20", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 0, 1, false, true}, false},
		{"salt of 2^70", "30 0d a2 0b 02 09 40 00 00 00 00 00 00 00 00", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 0, 1, false, true}, false},
		{"two in one", "30 08 a2 06 02 01 20 02 01 20", PSSParams{sha1, sha1, crypto.SHA1, crypto.SHA1, 20, 1, false, true}, false},
	} {
		a, err := ParseIdentifier(identifierOf(t, oidPSS, c.params))
		if a.Scheme != RSAPSS || a.PSS == nil || *a.PSS != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %+v, %v", c.name, a.PSS, err)
			continue
		}
		if a.Hash != c.want.Hash {
			t.Errorf("%s: hash %v", c.name, a.Hash)
		}
	}
}

func TestNewAndIdentifier(t *testing.T) {
	want := map[Scheme]map[crypto.Hash]string{
		RSAPKCS1v15: {
			crypto.SHA256: "30 0d 06 09 2a 86 48 86 f7 0d 01 01 0b 05 00",
			crypto.SHA384: "30 0d 06 09 2a 86 48 86 f7 0d 01 01 0c 05 00",
			crypto.SHA512: "30 0d 06 09 2a 86 48 86 f7 0d 01 01 0d 05 00",
		},
		ECDSA: {
			crypto.SHA256: "30 0a 06 08 2a 86 48 ce 3d 04 03 02",
			crypto.SHA384: "30 0a 06 08 2a 86 48 ce 3d 04 03 03",
			crypto.SHA512: "30 0a 06 08 2a 86 48 ce 3d 04 03 04",
		},
		RSAPSS: {
			crypto.SHA256: "30 41 06 09 2a 86 48 86 f7 0d 01 01 0a 30 34 a0 0f 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 a1 1c 30 1a 06 09 2a 86 48 86 f7 0d 01 01 08 30 0d 06 09 60 86 48 01 65 03 04 02 01 05 00 a2 03 02 01 20",
			crypto.SHA384: "30 41 06 09 2a 86 48 86 f7 0d 01 01 0a 30 34 a0 0f 30 0d 06 09 60 86 48 01 65 03 04 02 02 05 00 a1 1c 30 1a 06 09 2a 86 48 86 f7 0d 01 01 08 30 0d 06 09 60 86 48 01 65 03 04 02 02 05 00 a2 03 02 01 30",
			crypto.SHA512: "30 41 06 09 2a 86 48 86 f7 0d 01 01 0a 30 34 a0 0f 30 0d 06 09 60 86 48 01 65 03 04 02 03 05 00 a1 1c 30 1a 06 09 2a 86 48 86 f7 0d 01 01 08 30 0d 06 09 60 86 48 01 65 03 04 02 03 05 00 a2 03 02 01 40",
		},
	}
	for scheme, hashes := range want {
		for hash, id := range hashes {
			a, err := New(scheme, hash)
			if err != nil {
				t.Fatal(err)
			}
			raw, err := a.Identifier()
			if err != nil || !bytes.Equal(raw, unhex(t, id)) {
				t.Errorf("%s: %x, %v", a, raw, err)
			}
			back, err := ParseIdentifier(raw)
			if err != nil || back.String() != a.String() || back.OID != a.OID {
				t.Errorf("%s comes back as %s, %v", a, back, err)
			}
		}
	}
	for _, h := range []crypto.Hash{0, crypto.SHA1, crypto.SHA224, crypto.SHA3_256, crypto.SHA512_256, crypto.MD5} {
		if _, err := New(RSAPKCS1v15, h); !errors.Is(err, ErrUnsupported) {
			t.Errorf("hash %v: %v", h, err)
		}
	}
	for _, s := range []Scheme{DSA, Ed25519, Unknown, ""} {
		if _, err := New(s, crypto.SHA256); !errors.Is(err, ErrUnsupported) {
			t.Errorf("scheme %q: %v", s, err)
		}
	}
	for _, a := range []Algorithm{{}, {Scheme: Unknown, OID: "1.2.3"}, {Scheme: ECDSA}, {Scheme: ECDSA, OID: "9.9"}, {Scheme: ECDSA, OID: "1.40.1"}, {Scheme: ECDSA, OID: "1.2.-3"}} {
		if raw, err := a.Identifier(); err == nil {
			t.Errorf("%+v: %x", a, raw)
		}
	}
}

// The defaults of RFC 4055 are left out, and read back.
func TestIdentifierPSSDefaults(t *testing.T) {
	for _, p := range []PSSParams{
		{HashOID: oidSHA1, MGFHashOID: oidSHA1, SaltLength: 20, Trailer: 1, Absent: true, Hash: crypto.SHA1, MGFHash: crypto.SHA1},
		{HashOID: oidSHA1, MGFHashOID: HashOID(crypto.SHA256), SaltLength: 20, Trailer: 1, Hash: crypto.SHA1, MGFHash: crypto.SHA256},
		{HashOID: HashOID(crypto.SHA384), MGFHashOID: oidSHA1, SaltLength: 0, Trailer: 2, Hash: crypto.SHA384, MGFHash: crypto.SHA1},
	} {
		raw, err := Algorithm{Scheme: RSAPSS, OID: oidPSS, PSS: &p}.Identifier()
		if err != nil {
			t.Fatal(err)
		}
		a, err := ParseIdentifier(raw)
		if err != nil || *a.PSS != p {
			t.Errorf("%+v comes back as %+v, %v", p, a.PSS, err)
		}
	}
}

func TestString(t *testing.T) {
	for want, a := range map[string]Algorithm{
		"RSA PKCS#1 v1.5 with SHA-256":        {Scheme: RSAPKCS1v15, HashName: "SHA-256"},
		"RSASSA-PSS with SHA-384":             {Scheme: RSAPSS, HashName: "SHA-384"},
		"ECDSA with an unknown hash":          {Scheme: ECDSA},
		"Ed25519":                             {Scheme: Ed25519},
		"unknown signature algorithm 1.2.3.4": {Scheme: Unknown, OID: "1.2.3.4"},
		"unknown signature algorithm":         {},
	} {
		if a.String() != want {
			t.Errorf("%q, want %q", a, want)
		}
	}
}

// A table with two entries for one OID, or a hash that the digest table has not, would answer by chance.
func TestTables(t *testing.T) {
	seen := map[string]bool{}
	for _, id := range identifiers {
		if seen[id.oid] {
			t.Errorf("%s twice", id.oid)
		}
		seen[id.oid] = true
		if id.hash != "" && hashByName(id.hash).oid == "" {
			t.Errorf("%s: no digest %q", id.oid, id.hash)
		}
	}
	names := map[string]bool{}
	for _, c := range curves {
		if names[c.Name] || names[c.OID] {
			t.Errorf("%s twice", c.Name)
		}
		names[c.Name], names[c.OID] = true, true
	}
	for _, d := range domains {
		if c := curveByName(d.name); c == nil || c.Binary {
			t.Errorf("%s is no prime-field curve of the table", d.name)
		}
	}
}

func FuzzParseIdentifier(f *testing.F) {
	f.Add(identifierOf(f, "1.2.840.113549.1.1.11", "0500"))
	f.Add(identifierOf(f, oidPSS, "3000"))
	for _, s := range []Scheme{RSAPSS, ECDSA} {
		a, err := New(s, crypto.SHA256)
		if err != nil {
			f.Fatal(err)
		}
		raw, err := a.Identifier()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		a, err := ParseIdentifier(raw)
		if a.Scheme == "" || a.Scheme == RSAPSS && a.OID == oidPSS && a.PSS == nil {
			t.Fatalf("%+v", a)
		}
		if err != nil || a.Scheme == Unknown || a.PSS != nil && (a.PSS.MGFHashOID == "" || a.PSS.HashOID == "") {
			return
		}
		again, err := a.Identifier()
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseIdentifier(again)
		if err != nil || back.OID != a.OID || back.Hash != a.Hash || a.PSS != nil && (back.PSS.SaltLength != a.PSS.SaltLength || back.PSS.MGFHash != a.PSS.MGFHash) {
			t.Fatalf("%+v comes back as %+v, %v", a, back, err)
		}
	})
}
