package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

var (
	notBefore = time.Date(2020, 8, 1, 0, 0, 0, 0, time.UTC)
	notAfter  = time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC)
)

// openssl runs the real thing; the tests need it.
func openssl(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl not found: run make test-deps")
	}
	cmd := exec.Command(path, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func rsaKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func edKey(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func template(cn string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(0x1234567890),
		Subject:      pkix.Name{Country: []string{"DE"}, Organization: []string{"Provider"}, CommonName: cn},
		NotBefore:    notBefore,
		NotAfter:     notAfter,
		KeyUsage:     x509.KeyUsageDigitalSignature,
	}
}

// issue makes a certificate; with a nil issuer it signs itself.
func issue(t testing.TB, tmpl, issuer *x509.Certificate, pub crypto.PublicKey, signer crypto.Signer) []byte {
	t.Helper()
	if issuer == nil {
		issuer = tmpl
	}
	raw, err := x509.CreateCertificate(rand.Reader, tmpl, issuer, pub, signer)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// selfSigned is an ordinary certificate.
func selfSigned(t testing.TB, cn string) []byte {
	t.Helper()
	k := ecKey(t)
	return issue(t, template(cn), nil, k.Public(), k)
}

// chain is a CA, an intermediate, and a leaf.
func chain(t testing.TB) (ca, sub, leaf []byte) {
	t.Helper()
	caKey, subKey, leafKey := ecKey(t), ecKey(t), ecKey(t)
	caTmpl, subTmpl := template("CA"), template("Sub CA")
	for _, c := range []*x509.Certificate{caTmpl, subTmpl} {
		c.BasicConstraintsValid, c.IsCA, c.KeyUsage = true, true, x509.KeyUsageCertSign
	}
	ca = issue(t, caTmpl, nil, caKey.Public(), caKey)
	sub = issue(t, subTmpl, caTmpl, subKey.Public(), caKey)
	leaf = issue(t, template("leaf"), subTmpl, leafKey.Public(), subKey)
	return ca, sub, leaf
}

func pemOf(label string, raw []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: raw}))
}

func parse(t testing.TB, raw []byte) *Certificate {
	t.Helper()
	c, err := Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// parts are the fields of a hand-made certificate, each a whole element.
type parts struct {
	version, serial, tbsAlg, issuer, validity, subject, spki, tail []byte
	alg, sig                                                       []byte
}

// goodParts takes an ordinary certificate apart.
func goodParts(t testing.TB) parts {
	t.Helper()
	c := cryptobyte.String(selfSigned(t, "parts"))
	var cert, tbs, version, serial, tbsAlg, issuer, validity, subject, spki, alg, sig cryptobyte.String
	var tag asn1.Tag
	ok := c.ReadASN1(&cert, asn1.SEQUENCE) &&
		cert.ReadASN1(&tbs, asn1.SEQUENCE) &&
		tbs.ReadASN1Element(&version, asn1.Tag(0).ContextSpecific().Constructed()) &&
		tbs.ReadASN1Element(&serial, asn1.INTEGER)
	for _, to := range []*cryptobyte.String{&tbsAlg, &issuer, &validity, &subject, &spki} {
		ok = ok && tbs.ReadASN1Element(to, asn1.SEQUENCE)
	}
	ok = ok && cert.ReadASN1Element(&alg, asn1.SEQUENCE) && cert.ReadAnyASN1Element(&sig, &tag)
	if !ok {
		t.Fatal("cannot take a certificate apart")
	}
	return parts{version, serial, tbsAlg, issuer, validity, subject, spki, tbs, alg, sig}
}

func seq(t testing.TB, tag asn1.Tag, elements ...[]byte) []byte {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, e := range elements {
			b.AddBytes(e)
		}
	})
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func (p parts) build(t testing.TB) []byte {
	t.Helper()
	tbs := seq(t, asn1.SEQUENCE, p.version, p.serial, p.tbsAlg, p.issuer, p.validity, p.subject, p.spki, p.tail)
	return seq(t, asn1.SEQUENCE, tbs, p.alg, p.sig)
}
