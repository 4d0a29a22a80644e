package cert

import (
	"bytes"
	"crypto/x509"
	"errors"
	"strings"
	"testing"
)

func FuzzRead(f *testing.F) {
	raw := selfSigned(f, "seed")
	p := pemOf("CERTIFICATE", raw)
	for _, s := range []string{
		"", p, p + p, strings.TrimSpace(p) + p, "\ufeff" + p, strings.ReplaceAll(p, "\n", "\r"), string(raw), string(raw) + p,
		"-----BEGIN CERTIFICATE-----", "-----BEGIN CERTIFICATE-----\nA: b\n\nMAA=\n-----END CERTIFICATE-----", "MAA=", "\xff\xfe-\x00",
		"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "PK\x03\x04", "0\x80\x00\x00",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in := Read("f", data)
		for i, it := range in.Items {
			if it.Index != i || it.Line < 0 {
				t.Fatalf("item %d: %+v", i, it)
			}
			if it.Cert == nil && !hasProblem(in, i) {
				t.Fatalf("item %d has neither certificate nor problem", i)
			}
		}
		if len(in.Items) == 0 && len(in.Problems) == 0 {
			t.Fatal("neither item nor problem")
		}
		for _, p := range in.Problems {
			if p.Msg == "" || p.Index >= len(in.Items) || p.Line < 0 {
				t.Fatalf("%+v", p)
			}
		}
		if in.PrivateKey != in.has(ProblemPrivateKey) {
			t.Fatal("private key without its problem")
		}
		if n := bytes.Count(data, []byte("-----BEGIN CERTIFICATE-----")); len(in.Items) < n && textual(data) {
			t.Fatalf("%d markers, %d items", n, len(in.Items))
		}
		if in.Kind == "PEM" && textual(data) {
			againstStdlib(t, data)
		}
		item, reason, err := in.Submitted()
		if (err == nil) != (item != nil) || (err == nil) != (reason != "") {
			t.Fatalf("%v, %q, %v", item, reason, err)
		}
	})
}

// textual says that no other reading goes before that as PEM text.
func textual(data []byte) bool {
	_, hidden := plainText(data)
	return len(data) > 0 && !hidden.all && magic(data) == nil && (data[0] != 0x30 || isText(data))
}

func hasProblem(in *Input, index int) bool {
	for _, p := range in.Problems {
		if p.Index == index {
			return true
		}
	}
	return false
}

func FuzzParse(f *testing.F) {
	f.Add(selfSigned(f, "seed"))
	good := goodParts(f)
	good.version = nil
	f.Add(good.build(f))
	good.tail = unhex(f, "a3 0f 30 0d 30 0b 06 03 55 1d 0f 04 04 03 02 07 80")
	f.Add(good.build(f))
	f.Add(unhex(f, "3080"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c, err := Parse(raw)
		if err != nil {
			if c != nil || !errors.Is(err, ErrNotCertificate) {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		if !bytes.HasPrefix(raw, c.Raw) || len(c.Raw) == 0 {
			t.Fatal("Raw is not from the input")
		}
		for _, f := range c.Faults {
			if f.Path == "" || f.Msg == "" || f.Offset < 0 || f.Offset > len(raw) {
				t.Fatalf("%+v", f)
			}
		}
		_ = c.Subject.String() + c.Issuer.String()
		_, _, _, _ = c.PEM(), c.Thumbprint(), c.SPKISHA256(), c.Countries()
		if std, err := x509.ParseCertificate(raw); err == nil && len(c.Faults) == 0 {
			if !bytes.Equal(std.RawSubject, c.Subject.Raw) || !bytes.Equal(std.RawTBSCertificate, c.TBS) || std.SerialNumber.Cmp(c.Serial) != 0 ||
				!std.NotAfter.Equal(c.NotAfter) || std.IsCA != c.isCA() || c.SAN != nil && len(std.DNSNames) != len(c.SAN.DNS) {
				t.Fatal("crypto/x509 reads another certificate")
			}
		}
		// A key of tiny numbers verifies anything: only panics are looked for.
		if c.PublicKey != nil && c.PublicKey.Bits() < 4096 {
			_ = c.CheckSelfSignature()
		}
	})
}
