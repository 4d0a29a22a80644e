package cms

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.mozilla.org/pkcs7"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// tlv is one DER element; the parts are its content.
func tlv(tag byte, parts ...[]byte) []byte {
	return must(asn1.Marshal(asn1.RawValue{Class: int(tag >> 6), Tag: int(tag & 0x1f), IsCompound: tag&0x20 != 0, Bytes: bytes.Join(parts, nil)}))
}

func oid(arcs ...int) []byte { return must(asn1.Marshal(asn1.ObjectIdentifier(arcs))) }

var (
	null        = []byte{5, 0}
	one         = []byte{2, 1, 1}
	sha1ID      = tlv(0x30, oid(1, 3, 14, 3, 2, 26))
	sha256ID    = tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1))
	sha384ID    = tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2))
	rsaID       = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 1), null)
	dataOID     = oid(1, 2, 840, 113549, 1, 7, 1)
	tstOID      = oid(1, 2, 840, 113549, 1, 9, 16, 1, 4)
	ctOID       = oid(1, 2, 840, 113549, 1, 9, 3)
	mdOID       = oid(1, 2, 840, 113549, 1, 9, 4)
	stOID       = oid(1, 2, 840, 113549, 1, 9, 5)
	scOID       = oid(1, 2, 840, 113549, 1, 9, 16, 2, 47)
	smimeCapOID = oid(1, 2, 840, 113549, 1, 9, 15)
)

// forgery is a message part by part, put together without this package's builder.
type forgery struct {
	signer       *cert.Certificate // the one that Verify is given
	content      []byte
	version      []byte
	digestAlgs   [][]byte
	encap        [][]byte
	certificates [][]byte // nil: no [0]
	crls         [][]byte
	siVersion    []byte
	sid          []byte
	digestAlg    []byte
	attributes   [][]byte // nil: none
	unsorted     bool
	sigAlg       []byte
	unsigned     []byte
	key          crypto.Signer
	hash         crypto.Hash
	opts         crypto.SignerOpts
	signers      int
	sigWrap      func([]byte) []byte
	wrap         func([]byte) []byte
}

func attribute(oid []byte, values ...[]byte) []byte { return tlv(0x30, oid, tlv(0x31, values...)) }

func certID(c *cert.Certificate) []byte {
	return attribute(scOID, tlv(0x30, tlv(0x30, tlv(0x30, tlv(4, digest(crypto.SHA256, c.Raw))))))
}

func sidOf(c *cert.Certificate) []byte { return tlv(0x30, c.Issuer.Raw, tlv(2, c.SerialRaw)) }

// genuine is the forgery with nothing forged: RSA PKCS#1 v1.5 with SHA-256.
func genuine(c *cert.Certificate) *forgery {
	return &forgery{
		signer: c, content: content, version: one, digestAlgs: [][]byte{sha256ID}, encap: [][]byte{dataOID},
		certificates: [][]byte{c.Raw}, siVersion: one, sid: sidOf(c), digestAlg: sha256ID,
		attributes: [][]byte{
			attribute(ctOID, dataOID),
			attribute(stOID, tlv(0x17, []byte("260301090000Z"))),
			attribute(mdOID, tlv(4, digest(crypto.SHA256, content))),
			certID(c),
		},
		sigAlg: rsaID, key: rsaKey(), hash: crypto.SHA256, opts: crypto.SHA256, signers: 1,
	}
}

func (f *forgery) build() []byte {
	signed := f.content
	var attributes []byte
	if f.attributes != nil {
		list := slices.Clone(f.attributes)
		if !f.unsorted {
			slices.SortFunc(list, bytes.Compare)
		}
		signed, attributes = tlv(0x31, list...), tlv(0xa0, list...)
	}
	signature := must(f.key.Sign(rand.Reader, digest(f.hash, signed), f.opts))
	if f.sigWrap != nil {
		signature = f.sigWrap(signature)
	}
	si := tlv(0x30, f.siVersion, f.sid, f.digestAlg, attributes, f.sigAlg, tlv(4, signature), f.unsigned)
	var certificates, crls []byte
	if f.certificates != nil {
		certificates = tlv(0xa0, f.certificates...)
	}
	if f.crls != nil {
		crls = tlv(0xa1, f.crls...)
	}
	sd := tlv(0x30, f.version, tlv(0x31, f.digestAlgs...), tlv(0x30, f.encap...), certificates, crls, tlv(0x31, bytes.Repeat(si, f.signers)))
	p7 := tlv(0x30, oid(1, 2, 840, 113549, 1, 7, 2), tlv(0xa0, sd))
	if f.wrap != nil {
		p7 = f.wrap(p7)
	}
	return p7
}

func (f *forgery) replace(oid, attr []byte) {
	f.attributes = slices.DeleteFunc(f.attributes, func(a []byte) bool { return bytes.Contains(a, oid) })
	if attr != nil {
		f.attributes = append(f.attributes, attr)
	}
}

func pss(hash, mgf []byte, salt int) []byte {
	return tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 10), tlv(0x30,
		tlv(0xa0, hash), tlv(0xa1, tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 8), mgf)), tlv(0xa2, must(asn1.Marshal(salt)))))
}

func TestForgeries(t *testing.T) {
	c := selfSigned(t, rsaKey(), nil)
	other := selfSigned(t, rsaKey(), func(c *x509.Certificate) { c.Subject.CommonName = "another" })
	noSign := func(usage x509.KeyUsage) *cert.Certificate {
		return selfSigned(t, rsaKey(), func(c *x509.Certificate) {
			c.KeyUsage, c.IsCA, c.BasicConstraintsValid = usage, true, true
		})
	}
	caOnly := noSign(x509.KeyUsageCertSign)

	// The part that is not forged must be right, or every case below would prove nothing.
	p7 := genuine(c).build()
	if _, err := Verify(p7, content, c); err != nil {
		t.Fatalf("genuine: %v", err)
	}
	alg, err := sigalg.New(sigalg.RSAPKCS1v15, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	own, err := Template{Signer: c, Algorithm: alg, SigningTime: signedAt}.Sign(rand.Reader, rsaKey(), content)
	if err != nil || !bytes.Equal(own, p7) {
		t.Fatalf("genuine: not what Sign makes: %v", err)
	}

	for _, x := range []struct {
		name   string
		forge  func(*forgery)
		want   string // in our error
		passes bool   // the library alone lets it pass
	}{
		{"contentType missing", func(f *forgery) { f.replace(ctOID, nil) }, "contentType is missing", true},
		{"contentType not the eContentType", func(f *forgery) { f.replace(ctOID, attribute(ctOID, tstOID)) }, "contentType is not the type", true},
		{"another eContentType", func(f *forgery) { f.encap = [][]byte{tstOID} }, "not id-data", true},
		{"another type throughout", func(f *forgery) { f.encap = [][]byte{tstOID}; f.replace(ctOID, attribute(ctOID, tstOID)) }, "not id-data", true},
		{"messageDigest missing", func(f *forgery) { f.replace(mdOID, nil) }, "messageDigest is missing", false},
		{"messageDigest twice", func(f *forgery) {
			f.attributes = append(f.attributes, attribute(mdOID, tlv(4, digest(crypto.SHA256, []byte("x")))))
		}, "stands twice", false},
		{"messageDigest twice, the same", func(f *forgery) { f.attributes = append(f.attributes, f.attributes[2]) }, "stands twice", true},
		{"messageDigest with two values", func(f *forgery) {
			f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA256, content)), tlv(4, []byte{0})))
		}, "exactly one value", true},
		{"messageDigest of other content", func(f *forgery) { f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA256, []byte("x"))))) }, "not the one that was signed", false},
		{"messageDigest of another hash", func(f *forgery) { f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA384, content)))) }, "not the one that was signed", false},
		{"messageDigest not an OCTET STRING", func(f *forgery) { f.replace(mdOID, attribute(mdOID, null)) }, "not an OCTET STRING", false},
		{"signingTime missing", func(f *forgery) { f.replace(stOID, nil) }, "signingTime is missing", true},
		{"signingTime twice", func(f *forgery) {
			f.attributes = append(f.attributes, attribute(stOID, tlv(0x17, []byte("260301090001Z"))))
		}, "stands twice", true},
		{"signingTime as GeneralizedTime", func(f *forgery) { f.replace(stOID, attribute(stOID, tlv(0x18, []byte("20260301090000Z")))) }, "one form", true},
		{"signingTime with offset", func(f *forgery) { f.replace(stOID, attribute(stOID, tlv(0x17, []byte("260301100000+0100")))) }, "", true},
		{"signingTime outside validity", func(f *forgery) { f.replace(stOID, attribute(stOID, tlv(0x17, []byte("360301090000Z")))) }, "validity", false},
		{"signingTime not a time", func(f *forgery) { f.replace(stOID, attribute(stOID, one)) }, "not a time", true},
		{"signingCertificateV2 missing", func(f *forgery) { f.replace(scOID, nil) }, "signingCertificateV2 is missing", true},
		{"signingCertificateV2 of another", func(f *forgery) { f.replace(scOID, certID(other)) }, "does not name", true},
		{"signingCertificateV2 with the default written out", func(f *forgery) {
			f.replace(scOID, attribute(scOID, tlv(0x30, tlv(0x30, tlv(0x30, sha256ID, tlv(4, digest(crypto.SHA256, c.Raw)))))))
		}, "does not name", true},
		{"a fifth attribute", func(f *forgery) { f.attributes = append(f.attributes, attribute(smimeCapOID, tlv(0x30))) }, "not one of ours", true},
		{"attributes not sorted", func(f *forgery) { f.unsorted = true; slices.Reverse(f.attributes) }, "", false},
		{"no attributes", func(f *forgery) { f.attributes = nil }, "no signed attributes", true},
		{"empty attributes", func(f *forgery) { f.attributes = [][]byte{} }, "missing", false},
		{"signed attributes as content", func(f *forgery) {
			list := slices.Clone(f.attributes)
			slices.SortFunc(list, bytes.Compare)
			f.content, f.attributes = tlv(0x31, list...), nil
		}, "no signed attributes", true},
		{"unsigned attributes", func(f *forgery) { f.unsigned = tlv(0xa1, attribute(smimeCapOID, null)) }, "unsigned attributes", true},

		{"trailing bytes", func(f *forgery) { f.wrap = func(b []byte) []byte { return append(b, 0) } }, "", true},
		{"trailing element", func(f *forgery) { f.wrap = func(b []byte) []byte { return append(b, null...) } }, "", true},
		{"indefinite length", func(f *forgery) {
			f.wrap = func(b []byte) []byte { return append(append([]byte{0x30, 0x80}, b[4:]...), 0, 0) }
		}, "", true},
		{"long form of a short length", func(f *forgery) { f.digestAlgs[0] = append([]byte{0x30, 0x81}, sha256ID[1:]...) }, "", true},
		{"SignedData version 3", func(f *forgery) { f.version = []byte{2, 1, 3} }, "SignedData version", true},
		{"SignerInfo version 99", func(f *forgery) { f.siVersion = []byte{2, 1, 99} }, "SignerInfo version", true},
		{"SignerInfo version 3", func(f *forgery) { f.siVersion = []byte{2, 1, 3} }, "SignerInfo version", true},
		{"attached", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(4, content))) }, "not detached", true},
		{"attached, empty", func(f *forgery) { f.encap = append(f.encap, tlv(0xa0, tlv(4))) }, "not detached", true},
		{"no signer", func(f *forgery) { f.signers = 0 }, "exactly one signer", false},
		{"the signer twice", func(f *forgery) { f.signers = 2 }, "exactly one signer", true},
		{"named by subjectKeyIdentifier", func(f *forgery) { f.sid = tlv(0x80, []byte("id")); f.siVersion = []byte{2, 1, 3} }, "SignerInfo version", false},
		{"named by subjectKeyIdentifier, version 1", func(f *forgery) { f.sid = tlv(0x80, []byte("id")) }, "not named by issuer", false},
		{"another serial", func(f *forgery) { f.sid = tlv(0x30, c.Issuer.Raw, one) }, "issuer and serial", false},
		{"another issuer", func(f *forgery) { f.sid = tlv(0x30, other.Issuer.Raw, tlv(2, c.SerialRaw)) }, "issuer and serial", false},
		{"no certificate", func(f *forgery) { f.certificates = nil }, "no certificate", false},
		{"empty certificates", func(f *forgery) { f.certificates = [][]byte{} }, "not exactly", false},
		{"one certificate more", func(f *forgery) { f.certificates = append(f.certificates, other.Raw) }, "not exactly", true},
		{"the certificate twice", func(f *forgery) { f.certificates = append(f.certificates, c.Raw) }, "not exactly", true},
		{"another certificate of the key", func(f *forgery) {
			f.certificates, f.sid = [][]byte{other.Raw}, sidOf(other)
			f.replace(scOID, certID(other))
		}, "not exactly", true},
		{"CRLs", func(f *forgery) { f.crls = [][]byte{tlv(0x30)} }, "CRLs", false},
		{"empty CRLs", func(f *forgery) { f.crls = [][]byte{} }, "CRLs", true},

		{"SHA-1", func(f *forgery) {
			f.digestAlgs, f.digestAlg, f.hash, f.opts = [][]byte{sha1ID}, sha1ID, crypto.SHA1, crypto.SHA1
			f.replace(mdOID, attribute(mdOID, tlv(4, digest(crypto.SHA1, content))))
		}, "digest algorithm is not", true},
		{"empty digestAlgorithms", func(f *forgery) { f.digestAlgs = nil }, "digestAlgorithms", true},
		{"two digestAlgorithms", func(f *forgery) { f.digestAlgs = append(f.digestAlgs, sha384ID) }, "digestAlgorithms", true},
		{"another digestAlgorithms", func(f *forgery) { f.digestAlgs[0] = sha384ID }, "digestAlgorithms", true},
		{"digest with NULL", func(f *forgery) {
			f.digestAlg = tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null)
			f.digestAlgs[0] = f.digestAlg
		}, "digest algorithm is not", true},
		{"sha256WithRSAEncryption", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 11), null) }, "signature algorithm", true},
		{"rsaEncryption without NULL", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 1)) }, "signature algorithm", true},
		{"ECDSA said of an RSA key", func(f *forgery) { f.sigAlg = tlv(0x30, oid(1, 2, 840, 10045, 4, 3, 2)) }, "", false},
		{"PSS with salt 20", func(f *forgery) {
			f.sigAlg = pss(tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null), tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null), 20)
			f.opts = &rsa.PSSOptions{SaltLength: 20, Hash: crypto.SHA256}
		}, "signature algorithm", false},
		{"PSS with MGF SHA-384", func(f *forgery) {
			f.sigAlg = pss(tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 1), null), tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2), null), 32)
			f.opts = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		}, "signature algorithm", false},
		{"PSS with another hash than the digest", func(f *forgery) {
			f.sigAlg = pss(tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2), null), tlv(0x30, oid(2, 16, 840, 1, 101, 3, 4, 2, 2), null), 48)
			f.hash, f.opts = crypto.SHA384, &rsa.PSSOptions{SaltLength: 48, Hash: crypto.SHA384}
		}, "signature algorithm", false},
		{"PSS without parameters", func(f *forgery) {
			f.sigAlg = tlv(0x30, oid(1, 2, 840, 113549, 1, 1, 10))
			f.opts = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}
		}, "signature algorithm", false},
		{"PKCS#1 said, PSS signed", func(f *forgery) { f.opts = &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256} }, "does not verify", false},
		{"another hash signed", func(f *forgery) { f.hash, f.opts = crypto.SHA384, crypto.SHA384 }, "does not verify", false},
		{"another key", func(f *forgery) { f.key = must(rsa.GenerateKey(rand.Reader, 2048)) }, "does not verify", false},
		{"empty signature", func(f *forgery) { f.sigWrap = func([]byte) []byte { return nil } }, "", false},
		{"signature with a zero before it", func(f *forgery) { f.sigWrap = func(b []byte) []byte { return append([]byte{0}, b...) } }, "", false},

		{"keyCertSign only", func(f *forgery) { *f = *genuine(caOnly) }, "key usage", true},
		{"content changed", func(f *forgery) { f.content = []byte("x") }, "not the one that was signed", false},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := genuine(c)
			x.forge(f)
			p7 := f.build()
			_, err := Verify(p7, f.content, f.signer)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), x.want) {
				t.Errorf("got %v, want %q", err, x.want)
			}
			if covered, err := Veto(p7, f.content, f.signer); err == nil || covered {
				t.Errorf("veto: covered %v, %v", covered, err)
			}
			// Where the library says yes, it is our own check alone that refuses.
			if passes := libraryAccepts(p7, f.content); passes != x.passes {
				t.Errorf("the library accepts: %v, expected %v", passes, x.passes)
			}
		})
	}

	t.Run("key usage", func(t *testing.T) {
		for usage, ok := range map[x509.KeyUsage]bool{
			0:                              true, // no extension: no restriction
			x509.KeyUsageDigitalSignature:  true,
			x509.KeyUsageContentCommitment: true,
			x509.KeyUsageCertSign:          false,
			x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature: true,
			x509.KeyUsageKeyEncipherment:                          false,
		} {
			f := genuine(noSign(usage))
			if _, err := Verify(f.build(), content, f.signer); (err == nil) != ok {
				t.Errorf("usage %b: %v", usage, err)
			}
		}
	})
	t.Run("signer without a key", func(t *testing.T) {
		if _, err := Verify(p7, content, nil); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
		if _, err := Verify(p7, content, &cert.Certificate{}); !errors.Is(err, ErrInvalid) {
			t.Error(err)
		}
	})
}

func libraryAccepts(p7, content []byte) bool {
	msg, err := pkcs7.Parse(p7)
	if err != nil {
		return false
	}
	msg.Content = content
	return msg.Verify() == nil
}

// TestStackBomb is input on which the library recurses until the process dies.
func TestStackBomb(t *testing.T) {
	c := selfSigned(t, p256(), nil)
	if _, err := Veto(bytes.Repeat([]byte{0x30, 0x80}, 5<<20), content, c); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}

// TestVetoIsHeard gives the second verification what only the first could have stopped.
func TestVetoIsHeard(t *testing.T) {
	c := selfSigned(t, rsaKey(), nil)
	p7 := genuine(c).build()
	if err := second(p7, content, c.Raw, false); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"other content":     second(p7, []byte("x"), c.Raw, false),
		"other certificate": second(p7, content, selfSigned(t, p256(), nil).Raw, false),
		"cut":               second(p7[:len(p7)-1], content, c.Raw, false),
		"nothing":           second(nil, content, c.Raw, false),
		"no content in it":  second(p7, content, c.Raw, true),
	} {
		if err == nil {
			t.Errorf("%s: no veto", name)
		}
	}
}
