package cert

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// with reads data with a password.
func with(password string, data []byte) *Input {
	return Open("f", data, Options{Password: func() ([]byte, error) { return []byte(password), nil }})
}

// opened reads data without one.
func opened(data []byte) *Input { return Open("f", data, Options{}) }

// holds fails unless the input is these certificates, in this order, and nothing else.
func holds(t *testing.T, what string, in *Input, want ...[]byte) {
	t.Helper()
	if len(in.Problems) > 0 || in.PrivateKey || len(in.Items) != len(want) {
		t.Errorf("%s: %d items, want %d; %+v", what, len(in.Items), len(want), in.Problems)
		return
	}
	for i, it := range in.Items {
		if it.Index != i || it.Cert == nil || !bytes.Equal(it.Cert.Raw, want[i]) {
			t.Errorf("%s: item %d is another certificate", what, i)
		}
	}
}

// files are what openssl reads and writes in a test.
type files struct {
	t   testing.TB
	dir string
}

func (f files) path(name string) string { return filepath.Join(f.dir, name) }

func (f files) write(name string, data []byte) string {
	f.t.Helper()
	if err := os.WriteFile(f.path(name), data, 0o600); err != nil {
		f.t.Fatal(err)
	}
	return f.path(name)
}

func (f files) read(name string) []byte {
	f.t.Helper()
	data, err := os.ReadFile(f.path(name))
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

func TestPKCS7(t *testing.T) {
	f := files{t, t.TempDir()}
	a, b := selfSigned(t, "a"), selfSigned(t, "b")
	pa, pb := f.write("a", []byte(pemOf("CERTIFICATE", a))), f.write("b", []byte(pemOf("CERTIFICATE", b)))
	openssl(t, nil, "crl2pkcs7", "-nocrl", "-certfile", pa, "-certfile", pb, "-out", f.path("p7b"))
	openssl(t, nil, "crl2pkcs7", "-nocrl", "-certfile", pa, "-certfile", pb, "-outform", "DER", "-out", f.path("der"))
	openssl(t, nil, "crl2pkcs7", "-nocrl", "-out", f.path("empty"))
	text, raw := f.read("p7b"), f.read("der")

	// DER sorts the set, so the order is that of openssl.
	var want [][]byte
	for rest := openssl(t, nil, "pkcs7", "-print_certs", "-in", f.path("p7b")); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		want = append(want, block.Bytes)
	}
	if len(want) != 2 {
		t.Fatalf("openssl prints %d certificates", len(want))
	}
	in := opened(text)
	holds(t, "PEM", in, want...)
	if in.Kind != "PEM" || in.Items[1].Line != 1 {
		t.Errorf("PEM: %s, line %d", in.Kind, in.Items[1].Line)
	}
	in = opened(raw)
	holds(t, "DER", in, want...)
	if in.Kind != "PKCS#7" || in.Items[0].Line != 0 {
		t.Errorf("DER: %s, line %d", in.Kind, in.Items[0].Line)
	}
	holds(t, "base64", opened([]byte(base64.StdEncoding.EncodeToString(raw))), want...)
	holds(t, "CMS label", opened([]byte(pemOf("CMS", raw))), want...)
	holds(t, "BER", opened(berOf(want...)), want...)
	holds(t, "certificate and PKCS#7", opened(append([]byte(pemOf("CERTIFICATE", a)), text...)), append([][]byte{a}, want...)...)

	for _, c := range []struct {
		name, problems string
		in             []byte
	}{
		{"no certificates", "wrong-type@-1:1", f.read("empty")},
		{"cut off", "unreadable@-1:0 no-certificate@-1:0", raw[:len(raw)-9]},
		{"enveloped", "wrong-type@-1:0", seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 07 03"), unhex(t, "a0 02 30 00"))},
		{"no SignedData", "unreadable@-1:0 no-certificate@-1:0", seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 07 02"))},
		{"NULL for SignedData", "unreadable@-1:0 no-certificate@-1:0", seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 07 02"), unhex(t, "a0 02 05 00"))},
		{"not a certificate in it", "unreadable@0:0", berOf(unhex(t, "05 00"))},
	} {
		if in := opened(c.in); kinds(in) != c.problems || in.PrivateKey {
			t.Errorf("%s: %s", c.name, kinds(in))
		}
	}
	// What a message carries is not looked into, and so not taken in.
	k := ecKey(t)
	key, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	signer := issue(t, template("signer"), nil, k.Public(), k)
	f.write("key", []byte(pemOf("PRIVATE KEY", key)))
	f.write("signer", []byte(pemOf("CERTIFICATE", signer)))
	openssl(t, []byte("text"), "cms", "-sign", "-binary", "-nodetach", "-signer", f.path("signer"), "-inkey", f.path("key"), "-outform", "DER", "-out", f.path("p7m"))
	openssl(t, []byte("text"), "cms", "-sign", "-binary", "-signer", f.path("signer"), "-inkey", f.path("key"), "-outform", "DER", "-out", f.path("p7s"))
	if in := opened(f.read("p7m")); kinds(in) != "wrong-type@-1:0" || !strings.Contains(in.Problems[0].Msg, "with content") {
		t.Errorf("with content: %+v", in.Problems)
	}
	holds(t, "detached signature", opened(f.read("p7s")), signer)
	if in := opened(berOf(signer, key)); !in.PrivateKey || len(in.Items) != 1 {
		t.Errorf("private key among the certificates: %+v", in.Problems)
	}
}

// berOf is a PKCS#7 of certificates in indefinite lengths.
func berOf(certs ...[]byte) []byte {
	out := []byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80\x02\x01\x01\x31\x00\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\x00\x00\xa0\x80")
	out = append(out, bytes.Join(certs, nil)...)
	return append(out, "\x00\x00\x31\x00\x00\x00\x00\x00\x00\x00"...)
}

func TestPKCS12(t *testing.T) {
	f := files{t, t.TempDir()}
	a, b := selfSigned(t, "a"), selfSigned(t, "b")
	f.write("certs", []byte(pemOf("CERTIFICATE", a)+pemOf("CERTIFICATE", b)))
	export := func(name string, args ...string) []byte {
		t.Helper()
		openssl(t, nil, append([]string{"pkcs12", "-export", "-nokeys", "-in", f.path("certs"), "-out", f.path(name)}, args...)...)
		return f.read(name)
	}
	const password = "pässword €" // beyond ASCII the two families of schemes encode it differently
	pass := func(args ...string) []string { return append(args, "-passout", "pass:"+password) }
	for _, c := range []struct {
		name string
		args []string
	}{
		{"modern", nil},
		{"legacy", []string{"-legacy"}},
		{"RC2, 128 bits", []string{"-legacy", "-certpbe", "PBE-SHA1-RC2-128"}},
		{"Triple DES", []string{"-certpbe", "PBE-SHA1-3DES"}},
		{"two-key Triple DES", []string{"-legacy", "-certpbe", "PBE-SHA1-2DES"}},
		{"PBES2 with AES-128", []string{"-certpbe", "AES-128-CBC"}},
		{"PBES2 with AES-192", []string{"-certpbe", "AES-192-CBC"}},
		{"PBES2 with Triple DES", []string{"-certpbe", "DES-EDE3-CBC"}},
		{"MAC of SHA-1", []string{"-macalg", "sha1"}},
		{"MAC of SHA-384", []string{"-macalg", "sha384"}},
		{"MAC of SHA-512", []string{"-macalg", "sha512"}},
		{"many iterations", []string{"-iter", "100000"}},
	} {
		data := export("p12", pass(c.args...)...)
		in := with(password, data)
		holds(t, c.name, in, a, b)
		if in.Kind != "PKCS#12" {
			t.Errorf("%s: kind %q", c.name, in.Kind)
		}
		if in := opened(data); kinds(in) != "password@-1:0 no-certificate@-1:0" || !strings.Contains(in.Problems[0].Msg, "--password-file") {
			t.Errorf("%s without password: %+v", c.name, in.Problems)
		}
		if in := with("wrong", data); kinds(in) != "password@-1:0 no-certificate@-1:0" || !strings.Contains(in.Problems[0].Msg, "wrong") {
			t.Errorf("%s with a wrong password: %+v", c.name, in.Problems)
		}
	}
	never := Options{Password: func() ([]byte, error) { t.Error("password asked"); return nil, errors.New("no") }}
	holds(t, "not encrypted", Open("f", export("p12", pass("-certpbe", "NONE")...), never), a, b)
	holds(t, "neither encrypted nor MAC", Open("f", export("p12", pass("-certpbe", "NONE", "-nomac")...), never), a, b)
	holds(t, "empty password", Open("f", export("p12", "-passout", "pass:"), never), a, b)
	holds(t, "PEM", with(password, []byte(pemOf("PKCS12", export("p12", pass()...)))), a, b)
	if in := with(password, export("p12", pass("-iter", "1500000")...)); kinds(in) != "unreadable@-1:0 no-certificate@-1:0" {
		t.Errorf("too many iterations: %+v", in.Problems)
	}
	if in := Open("f", export("p12", pass()...), Options{Password: func() ([]byte, error) { return nil, errors.New("no terminal") }}); !strings.Contains(in.Problems[0].Msg, "no terminal") || in.Problems[0].Kind != ProblemPassword {
		t.Errorf("no answer: %+v", in.Problems)
	}
}

// A trust store of another maker.
func TestPKCS12TrustStore(t *testing.T) {
	raw := selfSigned(t, "a")
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []struct {
		name string
		*pkcs12.Encoder
	}{{"legacy", pkcs12.LegacyRC2}, {"Triple DES", pkcs12.LegacyDES}, {"modern", pkcs12.Modern2023}, {"not encrypted", pkcs12.Passwordless}} {
		password := "secret"
		if e.Encoder == pkcs12.Passwordless {
			password = ""
		}
		data, err := e.WithRand(rand.Reader).EncodeTrustStore([]*x509.Certificate{c}, password)
		if err != nil {
			t.Fatal(err)
		}
		holds(t, e.name, with(password, data), raw)
	}
}

// A private key is seen behind any encryption that hides it, and none of it is kept.
func TestPKCS12PrivateKey(t *testing.T) {
	f := files{t, t.TempDir()}
	k := ecKey(t)
	key, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	raw := issue(t, template("a"), nil, k.Public(), k)
	f.write("key", []byte(pemOf("PRIVATE KEY", key)))
	f.write("cert", []byte(pemOf("CERTIFICATE", raw)))
	for _, args := range [][]string{nil, {"-legacy"}, {"-keypbe", "NONE"}, {"-keypbe", "NONE", "-certpbe", "NONE"}} {
		openssl(t, nil, append([]string{"pkcs12", "-export", "-in", f.path("cert"), "-inkey", f.path("key"), "-passout", "pass:x", "-out", f.path("p12")}, args...)...)
		for what, in := range map[string]*Input{"no password": opened(f.read("p12")), "password": with("x", f.read("p12")), "wrong password": with("y", f.read("p12"))} {
			if !in.PrivateKey || !in.has(ProblemPrivateKey) || in.has(ProblemPassword) {
				t.Errorf("%v, %s: %+v", args, what, in.Problems)
			}
		}
	}
	// A key in the encrypted part beside the certificate.
	secret := newPassphrase([]byte("x"))
	bag := func(n byte, value []byte) []byte {
		return seq(t, asn1.SEQUENCE, append(unhex(t, "06 0b 2a 86 48 86 f7 0d 01 0c 0a 01"), n), seq(t, asn1.Tag(0).ContextSpecific().Constructed(), value))
	}
	certBag := seq(t, asn1.SEQUENCE, unhex(t, "06 0a 2a 86 48 86 f7 0d 01 09 16 01"), seq(t, asn1.Tag(0).ContextSpecific().Constructed(), seq(t, asn1.OCTET_STRING, raw)))
	nested := seq(t, asn1.SEQUENCE, bag(1, key))
	for _, contents := range [][]byte{seq(t, asn1.SEQUENCE, bag(3, certBag), bag(1, key)), seq(t, asn1.SEQUENCE, bag(3, certBag), bag(6, nested)), seq(t, asn1.SEQUENCE, bag(3, certBag), bag(5, seq(t, asn1.SEQUENCE)))} {
		in := with("x", sealed(t, contents, secret))
		if !in.PrivateKey || len(in.Items) != 1 || !bytes.Equal(in.Items[0].Cert.Raw, raw) {
			t.Errorf("inside: %+v", in.Problems)
		}
	}
	for _, c := range []struct {
		name, problems string
		contents       []byte
	}{
		{"only a list", "wrong-type@-1:0", seq(t, asn1.SEQUENCE, bag(4, seq(t, asn1.SEQUENCE)))},
		{"nothing", "wrong-type@-1:0", seq(t, asn1.SEQUENCE)},
		{"unknown bag", "password@-1:0 no-certificate@-1:0", seq(t, asn1.SEQUENCE, bag(9, seq(t, asn1.SEQUENCE)))},
		{"not contents", "password@-1:0 no-certificate@-1:0", unhex(t, "05 00")},
	} {
		if in := with("x", sealed(t, c.contents, secret)); kinds(in) != c.problems {
			t.Errorf("%s: %+v", c.name, in.Problems)
		}
	}
}

// sealed is a PKCS#12 without MAC of contents encrypted with AES-128 as openssl enc does.
func sealed(t testing.TB, contents []byte, p passphrase) []byte {
	t.Helper()
	explicit := asn1.Tag(0).ContextSpecific().Constructed()
	salt, iv := bytes.Repeat([]byte{7}, 8), bytes.Repeat([]byte{9}, 16)
	parameters := seq(t, asn1.SEQUENCE, seq(t, asn1.OCTET_STRING, salt), unhex(t, "02 01 05"))
	key, err := (&reading{work: maxWork}).pbkdf2(shapeOfRaw(t, parameters), p.utf8, 16)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := openssl(t, contents, "enc", "-aes-128-cbc", "-K", hex.EncodeToString(key), "-iv", hex.EncodeToString(iv))
	pbes2 := seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 05 0d"), seq(t, asn1.SEQUENCE,
		seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 05 0c"), parameters),
		seq(t, asn1.SEQUENCE, unhex(t, "06 09 60 86 48 01 65 03 04 01 02"), seq(t, asn1.OCTET_STRING, iv))))
	data := seq(t, asn1.SEQUENCE, unhex(t, "02 01 00"), seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 07 01"), pbes2, seq(t, asn1.Tag(0).ContextSpecific(), encrypted)))
	part := seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 07 06"), seq(t, explicit, data))
	return seq(t, asn1.SEQUENCE, unhex(t, "02 01 03"), seq(t, asn1.SEQUENCE, unhex(t, "06 09 2a 86 48 86 f7 0d 01 07 01"), seq(t, explicit, seq(t, asn1.OCTET_STRING, seq(t, asn1.SEQUENCE, part)))))
}

func shapeOfRaw(t testing.TB, raw []byte) shape {
	t.Helper()
	r, e, err := berRoot(raw)
	if err != nil {
		t.Fatal(err)
	}
	return shapeOf(r, e, 4)
}
