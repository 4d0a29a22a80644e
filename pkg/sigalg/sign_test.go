package sigalg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// fakeSigner shows what no working signer does: it signs something else.
type fakeSigner struct {
	crypto.Signer
	sign func(digest []byte) ([]byte, error)
}

func (f fakeSigner) Sign(_ io.Reader, digest []byte, _ crypto.SignerOpts) ([]byte, error) {
	return f.sign(digest)
}

func TestSign(t *testing.T) {
	rsaKey := testRSA(t)
	ecKey, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		scheme Scheme
		signer crypto.Signer
		args   []string
	}{
		{RSAPKCS1v15, rsaKey, nil},
		{RSAPSS, rsaKey, []string{"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"}},
		{ECDSA, ecKey, nil},
	} {
		for hash, dgst := range map[crypto.Hash]string{crypto.SHA256: "-sha256", crypto.SHA384: "-sha384", crypto.SHA512: "-sha512"} {
			a, err := New(c.scheme, hash)
			if err != nil {
				t.Fatal(err)
			}
			sig, err := a.Sign(rand.Reader, c.signer, message)
			if err != nil {
				t.Errorf("%s: %v", a, err)
				continue
			}
			opensslVerify(t, c.signer.Public(), sig, append([]string{dgst}, c.args...))
		}
	}
}

func opensslVerify(t *testing.T, pub crypto.PublicKey, sig []byte, args []string) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	all := append([]string{"dgst", "-verify", write("key", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})), "-signature", write("sig", sig)}, args...)
	openssl(t, append(all, write("message", message))...)
}

func TestSignRefuses(t *testing.T) {
	rsaKey := testRSA(t)
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs1, err := New(RSAPKCS1v15, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	pss, err := New(RSAPSS, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	shortSalt := pss
	shortSalt.PSS = &PSSParams{HashOID: pss.PSS.HashOID, MGFHashOID: pss.PSS.HashOID, Hash: crypto.SHA256, MGFHash: crypto.SHA256, SaltLength: 20, Trailer: 1}
	noParams := pss
	noParams.PSS = nil
	for what, c := range map[string]struct {
		a      Algorithm
		signer crypto.Signer
		want   error
	}{
		"SHA-1":           {Algorithm{Scheme: RSAPKCS1v15, Hash: crypto.SHA1}, rsaKey, ErrUnsupported},
		"SHA3":            {Algorithm{Scheme: RSAPKCS1v15, Hash: crypto.SHA3_256}, rsaKey, ErrUnsupported},
		"Ed25519":         {Algorithm{Scheme: Ed25519}, edKey, ErrUnsupported},
		"zero value":      {Algorithm{}, rsaKey, ErrUnsupported},
		"short salt":      {shortSalt, rsaKey, ErrUnsupported},
		"PSS, no params":  {noParams, rsaKey, ErrUnsupported},
		"no signer":       {pkcs1, nil, ErrUnsupported},
		"wrong key":       {Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}, rsaKey, ErrSignature},
		"Ed25519 as RSA":  {pkcs1, edKey, ErrSignature},
		"garbage":         {pkcs1, fakeSigner{rsaKey, func([]byte) ([]byte, error) { return make([]byte, 256), nil }}, ErrSignature},
		"nothing":         {pkcs1, fakeSigner{rsaKey, func([]byte) ([]byte, error) { return nil, nil }}, ErrSignature},
		"token error":     {pkcs1, fakeSigner{rsaKey, func([]byte) ([]byte, error) { return []byte{1}, io.ErrClosedPipe }}, io.ErrClosedPipe},
		"another message": {pkcs1, fakeSigner{rsaKey, func(d []byte) ([]byte, error) { d[0] ^= 1; return rsaKey.Sign(rand.Reader, d, crypto.SHA256) }}, ErrSignature},
		"another scheme":  {pss, fakeSigner{rsaKey, func(d []byte) ([]byte, error) { return rsaKey.Sign(rand.Reader, d, crypto.SHA256) }}, ErrSignature},
	} {
		sig, err := c.a.Sign(rand.Reader, c.signer, message)
		if !errors.Is(err, c.want) || sig != nil {
			t.Errorf("%s: %d bytes, %v", what, len(sig), err)
		}
	}
}
