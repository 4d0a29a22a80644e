package sigalg

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
)

func b64(n *big.Int) string { return base64.RawURLEncoding.EncodeToString(n.Bytes()) }

func TestReadJWK(t *testing.T) {
	key := testRSA(t)
	rsaText := fmt.Sprintf(`{"kty":"RSA","n":%q,"e":"AQAB","kid":"k1","use":"sig"}`, b64(key.N))
	rsaSPKI, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	for name, curve := range map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := k.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		half := len(point) / 2
		text := fmt.Sprintf(`{"kty":"EC","crv":%q,"x":%q,"y":%q}`, name, base64.RawURLEncoding.EncodeToString(point[1:1+half]), base64.RawURLEncoding.EncodeToString(point[1+half:]))
		want, err := x509.MarshalPKIXPublicKey(k.Public())
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadJWK([]byte(`{"keys":[` + rsaText + "," + text + `]}`))
		if err != nil || len(got) != 2 || !bytes.Equal(got[0], rsaSPKI) || !bytes.Equal(got[1], want) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if got, err := ReadJWK([]byte(rsaText)); err != nil || len(got) != 1 {
		t.Errorf("one key: %d, %v", len(got), err)
	}
}

func TestReadJWKRefuses(t *testing.T) {
	const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ"
	for name, c := range map[string]struct {
		text string
		want error // nil: any
	}{
		"RSA private":        {`{"kty":"RSA","n":"AQAB","e":"AQAB","d":"` + secret + `"}`, ErrPrivateKey},
		"EC private":         {`{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"` + secret + `"}`, ErrPrivateKey},
		"symmetric":          {`{"kty":"oct","k":"` + secret + `"}`, ErrPrivateKey},
		"private in a set":   {`{"keys":[{"kty":"OKP"},{"kty":"RSA","p":"` + secret + `"}]}`, ErrPrivateKey},
		"another type":       {`{"kty":"OKP","crv":"Ed25519","x":"` + secret + `"}`, ErrUnsupported},
		"another curve":      {`{"kty":"EC","crv":"secp256k1","x":"AA","y":"AA"}`, ErrUnsupported},
		"exponent too large": {`{"kty":"RSA","n":"AQAB","e":"AQAAAAE"}`, ErrUnsupported},
		"modulus 0":          {`{"kty":"RSA","n":"AA","e":"AQAB"}`, ErrUnsupported},
		"off the curve":      {`{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}`, nil},
		"x too long":         {`{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("AQAB", 20) + `","y":"AQ"}`, nil},
		"no n":               {`{"kty":"RSA","e":"AQAB"}`, nil},
		"padded":             {`{"kty":"RSA","n":"AQA=","e":"AQAB"}`, nil},
		"no kty":             {`{}`, nil},
		"keys not a list":    {`{"keys":"` + secret + `"}`, nil},
		"not JSON":           {secret, nil},
		"too long":           {`{"kty":"` + strings.Repeat("x", maxJWK) + `"}`, nil},
		"too many":           {`{"keys":[` + strings.Repeat(`{},`, maxJWKKeys) + `{}]}`, nil},
	} {
		got, err := ReadJWK([]byte(c.text))
		if err == nil || got != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %x, %v", name, got, err)
		} else if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error repeats what was read: %v", name, err)
		}
	}
}

func FuzzReadJWK(f *testing.F) {
	f.Add([]byte(`{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		spkis, err := ReadJWK(data)
		for _, spki := range spkis {
			if _, e := ParsePublicKey(spki); e != nil || err != nil {
				t.Fatalf("%x: %v, %v", spki, e, err)
			}
		}
	})
}
