package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
)

// vector reads a file of testdata/bouncycastle: made by BouncyCastle 1.72 over the
// file content there, with scripts/conformance/java/BouncyCastle.java.
func vector(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "bouncycastle", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestForeignBouncyCastle(t *testing.T) {
	block, _ := pem.Decode(vector(t, "ecdsa.pem"))
	ec := must(cert.Parse(block.Bytes))
	content := vector(t, "content")
	for _, c := range []struct {
		file       string
		signer     *cert.Certificate
		algorithm  string
		attributes bool
		attached   bool
	}{
		{"rsa-detached.p7s", nil, "RSA PKCS#1 v1.5 with SHA-256", true, false},
		{"rsa-attached-keyid.p7s", nil, "RSA PKCS#1 v1.5 with SHA-512", true, true},
		{"pss-detached.p7s", nil, "RSASSA-PSS with SHA-256", true, false},
		{"ecdsa-noattr-nocerts.p7s", ec, "ECDSA with SHA-384", false, false},
	} {
		t.Run(c.file, func(t *testing.T) {
			p7 := vector(t, c.file)
			if !bytes.HasPrefix(p7, []byte{0x30, 0x80}) && c.signer == nil { // BouncyCastle writes one with nothing inside in definite lengths
				t.Fatal("not of indefinite length: it shows nothing")
			}
			f, err := VerifyForeign(p7, content, c.signer)
			if err != nil {
				t.Fatal(err)
			}
			if f.Algorithm.String() != c.algorithm || (f.Attributes != nil) != c.attributes || f.SigningTime.IsZero() == c.attributes || f.Attached != c.attached {
				t.Errorf("%+v", f)
			}
			if got := f.Signer.Countries(); !slices.Equal(got, []string{"DE"}) {
				t.Errorf("signer of %v", got)
			}
			if _, err := VerifyForeign(p7, append(content, '.'), c.signer); !errors.Is(err, ErrInvalid) {
				t.Errorf("other content: %v", err)
			}
			stranger := selfSigned(t, p256(), nil)
			if _, err := VerifyForeign(p7, content, stranger); !errors.Is(err, ErrInvalid) {
				t.Errorf("another certificate: %v", err)
			}
			if c.signer != nil {
				if _, err := VerifyForeign(p7, content, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "not in the message") {
					t.Errorf("no certificate: %v", err)
				}
			}
			// It is not of our form, and must not pass for it.
			if _, err := Verify(p7, content, f.Signer); !errors.Is(err, ErrInvalid) {
				t.Errorf("taken for ours: %v", err)
			}
		})
	}
}

// TestForeignOpenSSL reads what the flags of `openssl cms -sign` change, in all combinations that differ in kind.
func TestForeignOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing: run `make test-deps`")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(openssl, args...).CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	file := func(name string) string { return filepath.Join(dir, name) }
	content := bytes.Repeat([]byte("AAECAwQFBgcICQoLDA0ODw==."), 1000) // several chunks of -stream
	if err := os.WriteFile(file("content"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	newKey := map[string][]string{
		"rsa":  {"-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"},
		"p256": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"},
		"p521": {"-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"},
	}
	for key, how := range newKey {
		run(append([]string{"genpkey", "-out", file(key)}, how...)...)
		run("req", "-x509", "-new", "-key", file(key), "-subj", "/C=DE/CN="+key, "-days", "400", "-out", file(key+".pem"))
	}
	for _, c := range []struct {
		key, digest string
		flags       string
		given       bool // the certificate has to be given
		refused     string
	}{
		{"rsa", "sha256", "", false, ""},
		{"rsa", "sha512", "-nodetach", false, ""},
		{"rsa", "sha256", "-stream -indef -nodetach", false, ""},
		{"rsa", "sha384", "-stream -indef -keyid", false, ""},
		{"rsa", "sha256", "-noattr", false, ""},
		{"rsa", "sha256", "-noattr -nocerts -keyid -nodetach -stream -indef", true, ""},
		{"rsa", "sha256", "-cades", false, ""},
		{"rsa", "sha512", "-cades -nosmimecap", false, ""},
		{"rsa", "sha256", "-keyopt rsa_padding_mode:pss", false, ""},
		{"rsa", "sha384", "-keyopt rsa_padding_mode:pss -keyopt rsa_pss_saltlen:20 -noattr", false, ""},
		{"p256", "sha256", "-nocerts", true, ""},
		{"p256", "sha384", "-keyid -stream -indef -nodetach", false, ""},
		{"p521", "sha512", "-noattr", false, ""},
		{"rsa", "sha1", "", false, "digest algorithm SHA-1"},
		{"rsa", "sha256", "-keyopt rsa_padding_mode:pss -keyopt rsa_mgf1_md:sha1", false, "parameters are not accepted"},
		{"rsa", "sha256", "-econtent_type 1.2.3.4", false, "not id-data"},
		{"rsa", "sha256", "-signer " + file("p256.pem") + " -inkey " + file("p256"), false, "exactly one signer"},
	} {
		t.Run(strings.TrimSpace(c.key+" "+c.digest+" "+strings.ReplaceAll(c.flags, dir, "")), func(t *testing.T) {
			args := append([]string{"cms", "-sign", "-binary", "-in", file("content"), "-outform", "DER", "-out", file("p7s"),
				"-md", c.digest, "-signer", file(c.key + ".pem"), "-inkey", file(c.key)}, strings.Fields(c.flags)...)
			run(args...)
			p7 := must(os.ReadFile(file("p7s")))
			block, _ := pem.Decode(must(os.ReadFile(file(c.key + ".pem"))))
			signer := must(cert.Parse(block.Bytes))
			given := signer
			if !c.given {
				given = nil
			}
			f, err := VerifyForeign(p7, content, given)
			if c.refused != "" {
				if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("got %v, want %q", err, c.refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(f.Signer.Raw, signer.Raw) || f.Attached != (strings.Contains(c.flags, "-nodetach") || strings.Contains(c.flags, "-stream")) || (f.Attributes == nil) != strings.Contains(c.flags, "-noattr") {
				t.Errorf("%+v", f)
			}
			if _, err := VerifyForeign(p7, content[1:], given); !errors.Is(err, ErrInvalid) {
				t.Errorf("other content: %v", err)
			}
			if strings.Contains(c.flags, "-stream") && !bytes.HasPrefix(p7, []byte{0x30, 0x80}) {
				t.Error("not of indefinite length: it shows nothing")
			}
		})
	}
}

// TestForeignOurs: what Template makes is no less valid for being ours.
func TestForeignOurs(t *testing.T) {
	for _, c := range algorithms {
		tmpl := c.template(t)
		f, err := VerifyForeign(c.sign(t, tmpl), content, nil)
		if err != nil || f.Algorithm.String() != tmpl.Algorithm.String() || !f.SigningTime.Equal(signedAt) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestForeignForgeries: lenient in encoding, strict in meaning. want is empty where the
// difference is one of encoding, or of parts that mean nothing here.
func TestForeignForgeries(t *testing.T) {
	c := selfSigned(t, rsaKey(), func(c *x509.Certificate) { c.SubjectKeyId = []byte("id") })
	other := selfSigned(t, rsaKey(), func(c *x509.Certificate) { c.Subject.CommonName = "another" })
	caOnly := selfSigned(t, rsaKey(), func(c *x509.Certificate) {
		c.KeyUsage, c.IsCA, c.BasicConstraintsValid = x509.KeyUsageCertSign, true, true
	})
	protection := func(hash, sig []byte) []byte {
		return attribute(oid(1, 2, 840, 113549, 1, 9, 52), tlv(0x30, hash, append([]byte{0xa1}, sig[1:]...)))
	}
	three := []byte{2, 1, 3}
	for _, x := range []struct {
		name  string
		forge func(*forgery)
		want  string
	}{
		{"genuine", func(*forgery) {}, ""},
		{"contentType missing", func(f *forgery) { f.replace(ctOID, nil) }, "contentType is missing"},
		{"contentType not the eContentType", func(f *forgery) { f.replace(ctOID, attribute(ctOID, tstOID)) }, "contentType is not the type"},
		{"contentType with two values", func(f *forgery) { f.replace(ctOID, attribute(ctOID, dataOID, dataOID)) }, "more than one value"},
		{"another type throughout", func(f *forgery) { f.encap = [][]byte{tstOID}; f.replace(ctOID, attribute(ctOID, tstOID)) }, "not id-data"},
		{"messageDigest missing", func(f *forgery) { f.replace(mdOID, nil) }, "messageDigest is missing"},
		{"messageDigest twice, the same", func(f *forgery) { f.attributes = append(f.attributes, f.attributes[2]) }, "stands twice"},
		{"messageDigest with two values", func(f *forgery) {
			f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA256, content)), tlv(4, []byte{0})))
		}, "more than one value"},
		{"messageDigest without a value", func(f *forgery) { f.replace(mdOID, attribute(mdOID)) }, "messageDigest"},
		{"messageDigest of other content", func(f *forgery) { f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA256, []byte("x"))))) }, "not the one that was signed"},
		{"signingTime missing", func(f *forgery) { f.replace(stOID, nil) }, ""},
		{"signingTime twice", func(f *forgery) {
			f.attributes = append(f.attributes, attribute(stOID, tlv(0x17, []byte("260301090001Z"))))
		}, "stands twice"},
		{"signingTime not a time", func(f *forgery) { f.replace(stOID, attribute(stOID, one)) }, "not exactly one time"},
		{"signingCertificateV2 missing", func(f *forgery) { f.replace(scOID, nil) }, ""},
		{"signingCertificateV2 of another", func(f *forgery) { f.replace(scOID, certID(other)) }, "does not name"},
		{"signingCertificateV2 with the default written out", func(f *forgery) {
			f.replace(scOID, attribute(scOID, tlv(0x30, tlv(0x30, tlv(0x30, sha256ID, tlv(4, digest(crypto.SHA256, c.Raw)))))))
		}, ""},
		{"signingCertificate by SHA-1", func(f *forgery) {
			f.attributes = append(f.attributes, attribute(oid(1, 2, 840, 113549, 1, 9, 16, 2, 12), tlv(0x30)))
		}, "by SHA-1"},
		{"protection", func(f *forgery) { f.attributes = append(f.attributes, protection(sha256ID, rsaID)) }, ""},
		{"protection of another hash", func(f *forgery) { f.attributes = append(f.attributes, protection(sha384ID, rsaID)) }, "not those of the signature"},
		{"protection of another algorithm", func(f *forgery) {
			f.attributes = append(f.attributes, protection(sha256ID, tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 11), null)))
		}, "not those of the signature"},
		{"a fifth attribute", func(f *forgery) { f.attributes = append(f.attributes, attribute(smimeCapOID, tlv(0x30))) }, ""},
		{"attributes not sorted, and signed so", func(f *forgery) { f.unsorted = true; slices.Reverse(f.attributes) }, "does not verify"},
		{"no attributes", func(f *forgery) { f.attributes = nil }, ""},
		{"empty attributes", func(f *forgery) { f.attributes = [][]byte{} }, "empty"},
		{"signed attributes as content", func(f *forgery) {
			list := slices.Clone(f.attributes)
			slices.SortFunc(list, bytes.Compare)
			f.content, f.attributes = tlv(0x31, list...), nil
		}, "set of signed attributes"},
		{"unsigned attributes", func(f *forgery) { f.unsigned = tlv(0xa1, attribute(smimeCapOID, null)) }, ""},
		{"something else behind the signature", func(f *forgery) { f.unsigned = tlv(0xa2) }, "unsigned attributes"},

		{"trailing bytes", func(f *forgery) { f.wrap = func(b []byte) []byte { return append(b, 0) } }, "follows"},
		{"indefinite length", func(f *forgery) {
			f.wrap = func(b []byte) []byte { return append(append([]byte{0x30, 0x80}, b[4:]...), 0, 0) }
		}, ""},
		{"indefinite length without its end", func(f *forgery) {
			f.wrap = func(b []byte) []byte { return append([]byte{0x30, 0x80}, b[4:]...) }
		}, "end-of-contents"},
		{"SignedData version 3", func(f *forgery) { f.version = three }, "SignedData version"},
		{"SignerInfo version 99", func(f *forgery) { f.siVersion = []byte{2, 1, 99} }, "SignerInfo version"},
		{"attached", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(4, content))) }, ""},
		{"attached in chunks of chunks", func(f *forgery) {
			f.encap = append(f.encap, tlv(0xa0, tlv(0x24, tlv(4, content[:3]), tlv(0x24, tlv(4, content[3:5]), tlv(4)), tlv(4, content[5:]))))
		}, ""},
		{"another content attached", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(4, []byte("x")))) }, "not the one that was to be signed"},
		{"attached, empty", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(4))) }, "not the one that was to be signed"},
		{"no OCTET STRING attached", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(12, content))) }, "OCTET STRING expected"},
		{"a chunk of another type", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(0x24, tlv(12, content)))) }, "OCTET STRING expected"},
		{"no signer", func(f *forgery) { f.signers = 0 }, "exactly one signer"},
		{"the signer twice", func(f *forgery) { f.signers = 2 }, "exactly one signer"},
		{"named by subjectKeyIdentifier", func(f *forgery) { f.sid, f.version, f.siVersion = tlv(0x80, []byte("id")), three, three }, ""},
		{"named by another subjectKeyIdentifier", func(f *forgery) { f.sid, f.version, f.siVersion = tlv(0x80, []byte("di")), three, three }, "somebody else"},
		{"named by an empty subjectKeyIdentifier", func(f *forgery) { f.sid, f.version, f.siVersion = tlv(0x80), three, three }, "named neither"},
		{"named by subjectKeyIdentifier, version 1", func(f *forgery) { f.sid = tlv(0x80, []byte("id")) }, "SignerInfo version"},
		{"another serial", func(f *forgery) { f.sid = tlv(0x30, c.Issuer.Raw, one) }, "somebody else"},
		{"another issuer", func(f *forgery) { f.sid = tlv(0x30, other.Issuer.Raw, tlv(2, c.SerialRaw)) }, "somebody else"},
		{"no certificate", func(f *forgery) { f.certificates = nil }, ""}, // one is given
		{"one certificate more", func(f *forgery) { f.certificates = append(f.certificates, other.Raw) }, ""},
		{"too many certificates", func(f *forgery) { f.certificates = slices.Repeat(f.certificates, maxParts+1) }, "more than 64"},
		{"an attribute certificate", func(f *forgery) { f.certificates = append(f.certificates, tlv(0xa2)) }, "SEQUENCE expected"},
		{"CRLs", func(f *forgery) { f.crls = [][]byte{tlv(0x30)} }, ""},

		{"SHA-1", func(f *forgery) {
			f.digestAlgs, f.digestAlg, f.hash, f.opts = [][]byte{sha1ID}, sha1ID, crypto.SHA1, crypto.SHA1
			f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA1, content))))
		}, "digest algorithm SHA-1"},
		{"empty digestAlgorithms", func(f *forgery) { f.digestAlgs = nil }, "digestAlgorithms"},
		{"two digestAlgorithms", func(f *forgery) { f.digestAlgs = append(f.digestAlgs, sha384ID) }, ""},
		{"another digestAlgorithms", func(f *forgery) { f.digestAlgs[0] = sha384ID }, "digestAlgorithms"},
		{"digest with NULL", func(f *forgery) { f.digestAlg = tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null) }, ""},
		{"digest with parameters", func(f *forgery) { f.digestAlg = tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), one) }, "parameters"},
		{"sha256WithRSAEncryption", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 11), null) }, ""},
		{"sha384WithRSAEncryption", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 12), null) }, "not accepted"},
		{"rsaEncryption without NULL", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 1)) }, ""},
		{"ECDSA said of an RSA key", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 10045, 4, 3, 2)) }, "does not verify"},
		{"PSS with MGF SHA-384", func(f *forgery) {
			f.sigAlg = pss(tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null), tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2), null), 32)
			f.opts = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		}, "not accepted"},
		{"PSS with another hash than the digest", func(f *forgery) {
			f.sigAlg = pss(tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2), null), tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2), null), 48)
			f.hash, f.opts = crypto.SHA384, &rsa.PSSOptions{SaltLength: 48, Hash: crypto.SHA384}
		}, "not accepted"},
		{"PKCS#1 said, PSS signed", func(f *forgery) { f.opts = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256} }, "does not verify"},
		{"another hash signed", func(f *forgery) { f.hash, f.opts = crypto.SHA384, crypto.SHA384 }, "does not verify"},
		{"another key", func(f *forgery) { f.key = must(rsa.GenerateKey(rand.Reader, 2048)) }, "does not verify"},
		{"empty signature", func(f *forgery) { f.sigWrap = func([]byte) []byte { return nil } }, "does not verify"},
		{"keyCertSign only", func(f *forgery) { *f = *genuine(caOnly) }, "key usage"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := genuine(c)
			x.forge(f)
			got, err := VerifyForeign(f.build(), f.content, f.signer)
			if x.want == "" && err != nil || x.want != "" && (!errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), x.want)) {
				t.Errorf("got %v, want %q", err, x.want)
			}
			if (got == nil) != (err != nil) {
				t.Error("a result beside an error, or neither")
			}
		})
	}

	t.Run("whose certificate", func(t *testing.T) {
		f := genuine(c)
		f.certificates = [][]byte{other.Raw, c.Raw, c.Raw}
		if got, err := VerifyForeign(f.build(), content, nil); err != nil || !bytes.Equal(got.Signer.Raw, c.Raw) {
			t.Errorf("among others: %v", err)
		}
		twin := selfSigned(t, p256(), nil) // same issuer and serial number
		f.certificates = [][]byte{c.Raw, twin.Raw}
		if _, err := VerifyForeign(f.build(), content, nil); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "two certificates") {
			t.Errorf("two of one name: %v", err)
		}
		if _, err := VerifyForeign(f.build(), content, &cert.Certificate{}); !errors.Is(err, ErrInvalid) {
			t.Errorf("a certificate without anything: %v", err)
		}
	})
}

// TestForeignAttributesReordered: RFC 5652 signs the sorted attributes, in whatever order the message has them.
func TestForeignAttributesReordered(t *testing.T) {
	f := genuine(selfSigned(t, rsaKey(), nil))
	sorted := slices.SortedFunc(slices.Values(f.attributes), bytes.Compare)
	in, out := bytes.Join(sorted, nil), bytes.Join([][]byte{sorted[3], sorted[0], sorted[2], sorted[1]}, nil)
	p7 := bytes.Replace(f.build(), in, out, 1)
	if !bytes.Contains(p7, out) {
		t.Fatal("the order is the same")
	}
	if _, err := VerifyForeign(p7, content, f.signer); err != nil {
		t.Error(err)
	}
}
