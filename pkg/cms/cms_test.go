package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

func TestSignVerify(t *testing.T) {
	for _, c := range algorithms {
		t.Run(c.name, func(t *testing.T) {
			tmpl := c.template(t)
			p7 := c.sign(t, tmpl)
			info, err := Verify(p7, content, tmpl.Signer)
			if err != nil {
				t.Fatal(err)
			}
			attributes, err := tmpl.Attributes(digest(c.hash, content))
			if err != nil {
				t.Fatal(err)
			}
			if info.Algorithm.Scheme != c.scheme || info.Algorithm.Hash != c.hash || !info.SigningTime.Equal(signedAt) || !bytes.Equal(info.Attributes, attributes) {
				t.Errorf("info %+v", info)
			}
			if covered, err := Veto(p7, content, tmpl.Signer); err != nil || covered != (c.scheme != sigalg.RSAPSS) {
				t.Errorf("veto: covered %v, %v", covered, err)
			}
			if _, err := Verify(p7, append(content, '\n'), tmpl.Signer); !errors.Is(err, ErrInvalid) {
				t.Errorf("other content: %v", err)
			}
			if _, err := Verify(p7, nil, tmpl.Signer); !errors.Is(err, ErrInvalid) {
				t.Errorf("no content: %v", err)
			}
			other := selfSigned(t, c.key(), func(c *x509.Certificate) { c.Subject.CommonName = "another" })
			if _, err := Verify(p7, content, other); !errors.Is(err, ErrInvalid) {
				t.Errorf("another certificate of the same key: %v", err)
			}
		})
	}
}

func TestEmptyContent(t *testing.T) {
	tmpl := algorithms[0].template(t)
	p7, err := tmpl.Sign(rand.Reader, rsaKey(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Verify(p7, nil, tmpl.Signer); err != nil {
		t.Error(err)
	}
}

// TestSameInputSameBytes: what is signed never varies, nor does a PKCS#1 v1.5 message.
func TestSameInputSameBytes(t *testing.T) {
	tmpl := algorithms[0].template(t)
	here := tmpl
	here.SigningTime = signedAt.In(time.FixedZone("x", 3600))
	if !bytes.Equal(algorithms[0].sign(t, tmpl), algorithms[0].sign(t, here)) {
		t.Error("two messages differ")
	}
}

func TestTimes(t *testing.T) {
	long := selfSigned(t, p256(), func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	})
	alg, err := sigalg.New(sigalg.ECDSA, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"1960-01-01T00:00:00Z": "\x17\x0d600101000000Z",
		"2049-12-31T23:59:59Z": "\x17\x0d491231235959Z",
		"2050-01-01T00:00:00Z": "\x18\x0f20500101000000Z",
		"9999-12-31T23:59:59Z": "\x18\x0f99991231235959Z",
	} {
		tmpl := Template{Signer: long, Algorithm: alg, SigningTime: must(time.Parse(time.RFC3339, at))}
		p7, err := tmpl.Sign(rand.Reader, p256(), content)
		if err != nil {
			t.Errorf("%s: %v", at, err)
			continue
		}
		info, err := Verify(p7, content, long)
		if err != nil || !info.SigningTime.Equal(tmpl.SigningTime) || !bytes.Contains(info.Attributes, []byte(want)) {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, at := range []string{"1949-12-31T23:59:59Z", "2026-01-01T00:00:00.5Z"} {
		tmpl := Template{Signer: long, Algorithm: alg, SigningTime: must(time.Parse(time.RFC3339, at))}
		if _, err := tmpl.Attributes(make([]byte, 32)); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", at, err)
		}
	}

	tmpl := algorithms[0].template(t)
	for _, at := range []time.Time{tmpl.Signer.NotBefore.Add(-time.Second), tmpl.Signer.NotAfter.Add(time.Second)} {
		tmpl.SigningTime = at
		if _, err := tmpl.Sign(rand.Reader, rsaKey(), content); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "validity") {
			t.Errorf("%s: %v", at, err)
		}
	}
	for _, at := range []time.Time{tmpl.Signer.NotBefore, tmpl.Signer.NotAfter} {
		tmpl.SigningTime = at
		if _, err := tmpl.Sign(rand.Reader, rsaKey(), content); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// TestAttributes reads what is signed with encoding/asn1, which knows nothing of how it was made.
func TestAttributes(t *testing.T) {
	for _, c := range algorithms {
		tmpl := c.template(t)
		md := digest(c.hash, content)
		set, err := tmpl.Attributes(md)
		if err != nil {
			t.Fatal(err)
		}
		var list []asn1.RawValue
		if rest, err := asn1.UnmarshalWithParams(set, &list, "set"); err != nil || len(rest) > 0 || len(list) != 4 {
			t.Fatalf("%v: %x", err, set)
		}
		if !slices.IsSortedFunc(list, func(a, b asn1.RawValue) int { return bytes.Compare(a.FullBytes, b.FullBytes) }) {
			t.Error("not in DER order")
		}
		got := map[string][]byte{}
		for _, a := range list {
			var one struct {
				OID    asn1.ObjectIdentifier
				Values []asn1.RawValue `asn1:"set"`
			}
			if rest, err := asn1.Unmarshal(a.FullBytes, &one); err != nil || len(rest) > 0 || len(one.Values) != 1 {
				t.Fatalf("%v: %x", err, a.FullBytes)
			}
			got[one.OID.String()] = one.Values[0].FullBytes
		}
		var sc struct {
			Certs []struct {
				Alg  struct{ OID asn1.ObjectIdentifier } `asn1:"optional"`
				Hash []byte
			}
		}
		if _, err := asn1.Unmarshal(got["1.2.840.113549.1.9.16.2.47"], &sc); err != nil {
			t.Fatal(err)
		}
		oid := map[crypto.Hash]string{crypto.SHA256: "", crypto.SHA384: "2.16.840.1.101.3.4.2.2", crypto.SHA512: "2.16.840.1.101.3.4.2.3"}[c.hash]
		if len(sc.Certs) != 1 || sc.Certs[0].Alg.OID.String() != oid || !bytes.Equal(sc.Certs[0].Hash, digest(c.hash, tmpl.Signer.Raw)) {
			t.Errorf("%s: signingCertificateV2 %+v", c.name, sc)
		}
		if want := must(asn1.Marshal(md)); !bytes.Equal(got["1.2.840.113549.1.9.4"], want) {
			t.Errorf("messageDigest %x", got["1.2.840.113549.1.9.4"])
		}
		if want := must(asn1.Marshal(oidData)); !bytes.Equal(got["1.2.840.113549.1.9.3"], want) {
			t.Errorf("contentType %x", got["1.2.840.113549.1.9.3"])
		}
	}
}

func TestTemplateRefused(t *testing.T) {
	good := algorithms[2].template(t) // RSASSA-PSS
	md := digest(crypto.SHA256, content)
	for name, change := range map[string]func(*Template){
		"no signer":   func(tm *Template) { tm.Signer = nil },
		"no serial":   func(tm *Template) { c := *tm.Signer; c.SerialRaw = nil; tm.Signer = &c },
		"no issuer":   func(tm *Template) { c := *tm.Signer; c.Issuer = cert.Name{}; tm.Signer = &c },
		"SHA-1":       func(tm *Template) { tm.Algorithm.Hash = crypto.SHA1 },
		"SHA-224":     func(tm *Template) { tm.Algorithm.Hash = crypto.SHA224 },
		"Ed25519":     func(tm *Template) { tm.Algorithm.Scheme = sigalg.Ed25519 },
		"DSA":         func(tm *Template) { tm.Algorithm.Scheme = sigalg.DSA },
		"other salt":  func(tm *Template) { p := *tm.Algorithm.PSS; p.SaltLength = 20; tm.Algorithm.PSS = &p },
		"other MGF":   func(tm *Template) { p := *tm.Algorithm.PSS; p.MGFHash = crypto.SHA1; tm.Algorithm.PSS = &p },
		"digest size": func(tm *Template) { tm.Algorithm.Hash = crypto.SHA384; tm.Algorithm.PSS = nil },
	} {
		tmpl := good
		change(&tmpl)
		if _, err := tmpl.Attributes(md); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAssembleRefused(t *testing.T) {
	tmpl := algorithms[0].template(t)
	md := digest(crypto.SHA256, content)
	good, err := tmpl.Attributes(md)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tmpl.Assemble(good, []byte("signature")); err != nil {
		t.Fatal(err)
	}
	for i := range good {
		if at := bytes.Index(good, md); i >= at && i < at+len(md) {
			continue // another digest is another content's attributes, which is well
		}
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			if _, err := tmpl.Assemble(bad, []byte("signature")); !errors.Is(err, ErrTemplate) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
	}
	for name, bad := range map[string][]byte{"none": nil, "cut": good[:len(good)-1], "trailing": append(bytes.Clone(good), 0)} {
		if _, err := tmpl.Assemble(bad, []byte("signature")); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	later, others := tmpl, tmpl
	later.SigningTime = signedAt.Add(time.Second)
	others.Signer = selfSigned(t, p256(), nil)
	for name, other := range map[string]Template{"later": later, "other signer": others} {
		if _, err := other.Assemble(good, []byte("signature")); !errors.Is(err, ErrTemplate) {
			t.Errorf("%s: %v", name, err)
		}
	}
	huge := tmpl
	c := *tmpl.Signer
	c.Raw = must(asn1.Marshal([][]byte{make([]byte, MaxSize)}))
	huge.Signer = &c
	attributes, err := huge.Attributes(md)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := huge.Assemble(attributes, []byte("signature")); !errors.Is(err, ErrTemplate) {
		t.Errorf("larger than MaxSize: %v", err)
	}
}

func TestSignWithAnotherKey(t *testing.T) {
	tmpl := algorithms[4].template(t)
	other := algorithms[6].key()
	if p7, err := tmpl.Sign(rand.Reader, other, content); err == nil || p7 != nil {
		t.Error("signed with a key that is not the certificate's")
	}
	if _, err := tmpl.Sign(rand.Reader, rsaKey(), content); err == nil {
		t.Error("signed with a key of another kind")
	}
}

// TestMutations changes every byte of a good message, cuts it at every place and inserts bytes everywhere.
func TestMutations(t *testing.T) {
	for _, c := range []algorithmCase{algorithms[0], algorithms[2], algorithms[4]} {
		t.Run(c.name, func(t *testing.T) {
			tmpl := c.template(t)
			good := c.sign(t, tmpl)
			bad := bytes.Clone(good)
			for i, was := range good {
				for _, x := range []byte{1, 2, 4, 8, 16, 32, 64, 128, 255, was} {
					if x == 0 {
						continue
					}
					bad[i] = was ^ x
					if _, err := Verify(bad, content, tmpl.Signer); !errors.Is(err, ErrInvalid) {
						t.Fatalf("byte %d from %#x to %#x: %v", i, was, bad[i], err)
					}
				}
				bad[i] = was
				if _, err := Verify(good[:i], content, tmpl.Signer); !errors.Is(err, ErrInvalid) {
					t.Fatalf("cut at %d: %v", i, err)
				}
				for _, more := range []byte{0, was} {
					if _, err := Verify(slices.Insert(bytes.Clone(good), i+1, more), content, tmpl.Signer); !errors.Is(err, ErrInvalid) {
						t.Fatalf("%#x inserted after %d: %v", more, i, err)
					}
				}
			}
		})
	}
}

// FuzzVerify: whatever is accepted is, byte for byte, what Template makes of it.
func FuzzVerify(f *testing.F) {
	// Every fuzzing process runs this, and all must come to the same signer.
	key := must(ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32)))
	signer := selfSigned(f, deterministic{key}, nil)
	alg, err := sigalg.New(sigalg.ECDSA, crypto.SHA256)
	if err != nil {
		f.Fatal(err)
	}
	good, err := Template{Signer: signer, Algorithm: alg, SigningTime: signedAt}.Sign(rand.Reader, key, content)
	if err != nil {
		f.Fatal(err)
	}
	attached, err := Template{Signer: signer, Algorithm: alg, SigningTime: signedAt}.SignAttached(rand.Reader, key, content)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good, content)
	f.Add(attached, content)
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 1000), content)
	f.Fuzz(func(t *testing.T, p7, content []byte) {
		if carried, info, err := VerifyAttached(p7, signer); err == nil {
			m, err := parse(p7)
			if err != nil {
				t.Fatal(err)
			}
			again, err := Template{Signer: signer, Algorithm: info.Algorithm, SigningTime: info.SigningTime}.AssembleAttached(info.Attributes, m.signature, carried)
			if err != nil || !bytes.Equal(again, p7) {
				t.Fatalf("accepted, but made differently: %v", err)
			}
		} else if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
		info, err := Verify(p7, content, signer)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		m, err := parse(p7)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Template{Signer: signer, Algorithm: info.Algorithm, SigningTime: info.SigningTime}.Assemble(info.Attributes, m.signature)
		if err != nil || !bytes.Equal(again, p7) {
			t.Fatalf("accepted, but made differently: %v", err)
		}
	})
}

// deterministic signs as RFC 6979 says.
type deterministic struct{ *ecdsa.PrivateKey }

func (d deterministic) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return d.PrivateKey.Sign(nil, digest, opts)
}
