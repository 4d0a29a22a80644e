package cms

import (
	"bytes"
	"encoding/pem"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// TestForeignBombs are inputs on which readers of BER recurse or go over everything again at each level.
func TestForeignBombs(t *testing.T) {
	head := tlv(6, []byte("\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"))
	open := []byte{0x30, 0x80}
	deepContent := func(tail []byte) []byte {
		b := slices.Concat(open, head, []byte{0xa0, 0x80}, open, one, tlv(0x31, sha256ID), open, dataOID, []byte{0xa0, 0x80})
		b = append(b, bytes.Repeat([]byte{0x24, 0x80}, foreignDepth-6)...)
		return append(b, bytes.Repeat(tail, (MaxForeign-len(b))/len(tail))...)
	}
	certificate := func(inside []byte) []byte {
		f := genuine(selfSigned(t, rsaKey(), nil))
		f.certificates = [][]byte{slices.Concat(open, inside, []byte{0, 0})}
		return f.build()
	}
	for name, p7 := range map[string][]byte{
		"a certificate of much":    certificate(bytes.Repeat([]byte{0x30, 0x80, 0, 0}, MaxForeign/4-1000)),
		"a certificate of nesting": certificate(slices.Concat(bytes.Repeat(open, 9), bytes.Repeat([]byte{5, 0}, MaxForeign/2-1000), make([]byte, 18))),
		"attributes of much": slices.Concat(open, head, []byte{0xa0, 0x80}, open, one, tlv(0x31, sha256ID), tlv(0x30, dataOID), tlv(0x31, tlv(0x30, one,
			tlv(0x80, one), sha256ID, slices.Concat([]byte{0xa0, 0x80}, bytes.Repeat([]byte{0x30, 0}, MaxForeign/2-1000), []byte{0, 0}))), make([]byte, 6)),
		"nested, 10 MB":            bytes.Repeat(open, 5<<20),
		"nested, the largest":      bytes.Repeat(open, MaxForeign/2),
		"nested, closed":           append(bytes.Repeat(open, MaxForeign/4), make([]byte, MaxForeign/2)...),
		"nested, 160 KB, closed":   append(bytes.Repeat(open, 40<<10), make([]byte, 80<<10)...),
		"nested definite":          bytes.Repeat([]byte{0x30, 0x84, 0, 0x3f, 0xff, 0xf0}, MaxForeign/6),
		"many chunks":              deepContent([]byte{4, 0}),
		"many chunks of no length": deepContent([]byte{0x24, 0x80, 0, 0}),
	} {
		start := time.Now()
		if _, err := VerifyForeign(p7, nil, nil); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		took := time.Since(start)
		t.Logf("%s: %v", name, took)
		if took > 5*time.Second { // a second, on a machine that has little else to do
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// FuzzVerifyForeign: no panic, and what is accepted has a signature that is the signer's.
func FuzzVerifyForeign(f *testing.F) {
	block, _ := pem.Decode(vector(f, "ecdsa.pem"))
	ec := must(cert.Parse(block.Bytes))
	content := vector(f, "content")
	for _, name := range []string{"rsa-detached.p7s", "rsa-attached-keyid.p7s", "pss-detached.p7s", "ecdsa-noattr-nocerts.p7s"} {
		f.Add(vector(f, name), content)
	}
	f.Add(bytes.Repeat([]byte{0x30, 0x80}, 1000), content)
	f.Fuzz(func(t *testing.T, p7, content []byte) {
		for _, signer := range []*cert.Certificate{nil, ec} {
			got, err := VerifyForeign(p7, content, signer)
			if err != nil {
				if !errors.Is(err, ErrInvalid) || got != nil {
					t.Fatal(err)
				}
				continue
			}
			m, err := readForeign(p7)
			if err != nil {
				t.Fatal(err)
			}
			signed := content
			if got.Attributes != nil {
				signed = got.Attributes
				if !bytes.Contains(signed, digest(got.Algorithm.Hash, content)) {
					t.Fatal("accepted, but the content is not what was signed")
				}
			}
			if err := got.Algorithm.Verify(got.Signer.PublicKey, signed, m.signature); err != nil || got.Algorithm.Scheme == sigalg.DSA {
				t.Fatal(err)
			}
		}
	})
}
