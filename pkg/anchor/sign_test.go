package anchor_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/anchor"
	"github.com/efgsta/efgsta/pkg/ceremony/ceremonytest"
	"github.com/efgsta/efgsta/pkg/cms"
	"github.com/efgsta/efgsta/pkg/sigalg"
	"github.com/efgsta/efgsta/pkg/vet"
)

func pemOf(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func signPSS(key *rsa.PrivateKey, message []byte, salt int) ([]byte, error) {
	sum := sha256.Sum256(message)
	return rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: salt})
}

// goVerifies verifies with Go's standard library alone.
func goVerifies(pub crypto.PublicKey, scheme sigalg.Scheme, message, signature []byte) bool {
	sum := sha256.Sum256(message)
	switch k := pub.(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(k, sum[:], signature)
	case *rsa.PublicKey:
		if scheme == sigalg.RSAPSS {
			return rsa.VerifyPSS(k, crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: 32}) == nil
		}
		return rsa.VerifyPKCS1v15(k, crypto.SHA256, sum[:], signature) == nil
	}
	return false
}

func accepted(t testing.TB) vet.Accepted {
	t.Helper()
	c := ceremonytest.Certificate(t, ceremonytest.Spec{Country: "DE"})
	a, _, err := engine(t).Accept(vet.Request{Certificate: c, Role: vet.NBBS, Country: "DE", At: ceremonytest.Start})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func document(t testing.TB) anchor.Document {
	t.Helper()
	d, err := anchor.Encode(anchor.TrustList, struct {
		Schema anchor.Schema `json:"schema"`
	}{anchor.TrustList})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSignatures(t *testing.T) {
	for _, c := range []struct {
		key    crypto.Signer
		scheme sigalg.Scheme
	}{
		{ceremonytest.RSAKey(t), sigalg.RSAPKCS1v15},
		{ceremonytest.RSAKey(t), sigalg.RSAPSS},
		{ceremonytest.ECKey(t), sigalg.ECDSA},
	} {
		t.Run(string(c.scheme), func(t *testing.T) {
			a := create(t, c.key, func(p *anchor.Params) { p.Scheme = c.scheme })
			counted := &ceremonytest.Signer{Signer: c.key}
			s, err := a.NewSigner(counted, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			acc, doc := accepted(t), document(t)
			text := acc.Certificate().PEM()

			raw, err := s.Certificate(acc)
			if err != nil || !goVerifies(c.key.Public(), c.scheme, text, raw) {
				t.Errorf("Certificate: %v, or Go does not verify it", err)
			}
			if err := a.VerifyCertificate(text, raw); err != nil {
				t.Error(err)
			}
			if err := a.VerifyCertificate(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n")), raw); !errors.Is(err, sigalg.ErrSignature) {
				t.Errorf("another text: %v", err)
			}

			raw, err = s.Document(doc)
			if err != nil || !goVerifies(c.key.Public(), c.scheme, doc.Bytes(), raw) {
				t.Errorf("Document: %v, or Go does not verify it", err)
			}
			if err := a.VerifyDocument(doc.Bytes(), raw); err != nil {
				t.Error(err)
			}
			if err := a.VerifyDocument(text, raw); !errors.Is(err, sigalg.ErrSignature) {
				t.Errorf("another document: %v", err)
			}

			for content, sign := range map[string]func() ([]byte, error){
				string(acc.Certificate().Raw): func() ([]byte, error) { return s.CertificateCMS(acc, ceremonytest.Start) },
				string(doc.Bytes()):           func() ([]byte, error) { return s.DocumentCMS(doc, ceremonytest.Start) },
			} {
				p7, err := sign()
				if err != nil {
					t.Fatal(err)
				}
				info, err := a.VerifyCMS(p7, []byte(content))
				if err != nil {
					t.Fatal(err)
				}
				planned, err := a.CMSAttributes([]byte(content), ceremonytest.Start)
				if err != nil || !bytes.Equal(planned, info.Attributes) || !info.SigningTime.Equal(ceremonytest.Start) {
					t.Errorf("what was signed is not what CMSAttributes says (%v)", err)
				}
				if _, err := a.VerifyCMS(p7, append([]byte(content), ' ')); !errors.Is(err, cms.ErrInvalid) {
					t.Errorf("another content: %v", err)
				}
			}
			if s.Signatures() != 4 || counted.Count != 4 {
				t.Errorf("%d signatures, the key made %d, want 4", s.Signatures(), counted.Count)
			}
		})
	}
}

// The types keep out what was not vetted and what is no document; the key is not even asked.
func TestSignerRefusesEmptyValues(t *testing.T) {
	key := &ceremonytest.Signer{Signer: ceremonytest.ECKey(t)}
	s, err := create(t, key, func(*anchor.Params) {}).NewSigner(key, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key.Count = 0
	for name, sign := range map[string]func() ([]byte, error){
		"Certificate":    func() ([]byte, error) { return s.Certificate(vet.Accepted{}) },
		"CertificateCMS": func() ([]byte, error) { return s.CertificateCMS(vet.Accepted{}, ceremonytest.Start) },
		"Document":       func() ([]byte, error) { return s.Document(anchor.Document{}) },
		"DocumentCMS":    func() ([]byte, error) { return s.DocumentCMS(anchor.Document{}, ceremonytest.Start) },
	} {
		if out, err := sign(); err == nil || out != nil {
			t.Errorf("%s signed nothing: %x, %v", name, out, err)
		}
	}
	if key.Count != 0 || s.Signatures() != 0 {
		t.Errorf("the key was asked %d times", key.Count)
	}
}

func TestNewSignerRefusesForeignKey(t *testing.T) {
	a := create(t, ceremonytest.ECKey(t), func(*anchor.Params) {})
	for name, key := range map[string]crypto.Signer{"another key": ceremonytest.ECKey(t), "another kind": ceremonytest.RSAKey(t)} {
		if s, err := a.NewSigner(key, rand.Reader); !errors.Is(err, anchor.ErrKey) || s != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A signature that does not verify never leaves.
func TestSignerRefusesBadSignatures(t *testing.T) {
	key := ceremonytest.ECKey(t)
	a := create(t, key, func(*anchor.Params) {})
	acc, doc := accepted(t), document(t)
	for _, lie := range []bool{true, false} {
		for name, sign := range map[string]func(*anchor.Signer) ([]byte, error){
			"Certificate":    func(s *anchor.Signer) ([]byte, error) { return s.Certificate(acc) },
			"CertificateCMS": func(s *anchor.Signer) ([]byte, error) { return s.CertificateCMS(acc, ceremonytest.Start) },
			"Document":       func(s *anchor.Signer) ([]byte, error) { return s.Document(doc) },
			"DocumentCMS":    func(s *anchor.Signer) ([]byte, error) { return s.DocumentCMS(doc, ceremonytest.Start) },
		} {
			s, err := a.NewSigner(&ceremonytest.Signer{Signer: key, FailAt: 1, Lie: lie}, rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			want := ceremonytest.ErrToken
			if lie {
				want = sigalg.ErrSignature
			}
			if out, err := sign(s); !errors.Is(err, want) || out != nil {
				t.Errorf("%s, lie %v: %x, %v", name, lie, out, err)
			}
		}
	}
}

// A CMS message of the same key in another algorithm is not the anchor's.
func TestVerifyCMSWantsTheAnchorsAlgorithm(t *testing.T) {
	key := ceremonytest.RSAKey(t)
	a := create(t, key, func(p *anchor.Params) { p.Scheme = sigalg.RSAPKCS1v15 })
	alg, err := sigalg.New(sigalg.RSAPKCS1v15, crypto.SHA512)
	if err != nil {
		t.Fatal(err)
	}
	p7, err := cms.Template{Signer: a.Certificate, Algorithm: alg, SigningTime: ceremonytest.Start}.Sign(rand.Reader, key, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.VerifyCMS(p7, []byte("x")); !errors.Is(err, cms.ErrInvalid) || !strings.Contains(err.Error(), "SHA-512") {
		t.Errorf("SHA-512 by an anchor of SHA-256: %v", err)
	}
}

func TestByThumbprint(t *testing.T) {
	a, b := create(t, ceremonytest.ECKey(t), func(*anchor.Params) {}), create(t, ceremonytest.ECKey(t), func(*anchor.Params) {})
	got, err := anchor.ByThumbprint([]*anchor.Anchor{a, b}, b.Thumbprint().String())
	if err != nil || got != b {
		t.Errorf("ByThumbprint = %v, %v", got, err)
	}
	if _, err := anchor.ByThumbprint([]*anchor.Anchor{a}, b.Thumbprint().String()); err == nil {
		t.Error("an anchor that is not pinned was found")
	}
	if _, err := anchor.ByThumbprint([]*anchor.Anchor{a}, strings.ToUpper(a.Thumbprint().String())); err == nil {
		t.Error("upper case was found")
	}
}
