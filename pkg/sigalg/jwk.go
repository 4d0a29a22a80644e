package sigalg

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
)

// ErrPrivateKey marks a JWK with a private or secret part.
var ErrPrivateKey = errors.New("it holds a private key")

// Caps of ReadJWK: octets of the file, and keys in a set.
const (
	maxJWK     = 1 << 20
	maxJWKKeys = 1000
)

// ReadJWK reads the RSA and EC public keys of a JWK or a JWK Set (RFC 7517), each as the
// DER of its SubjectPublicKeyInfo. Other members are left alone. Errors wrap
// ErrPrivateKey for a key with private members, whatever else it is, and ErrUnsupported
// for a key of another type or curve.
func ReadJWK(data []byte) (spkis [][]byte, err error) {
	if len(data) > maxJWK {
		return nil, fmt.Errorf("JWK: %d bytes, at most %d are read", len(data), maxJWK)
	}
	var set struct {
		Keys []map[string]json.RawMessage `json:"keys"`
	}
	var one map[string]json.RawMessage
	if err := json.Unmarshal(data, &one); err != nil {
		return nil, errors.New("JWK: not a JSON object") // the decoder's own text may quote what it read
	}
	if _, isSet := one["keys"]; isSet {
		if err := json.Unmarshal(data, &set); err != nil {
			return nil, errors.New("JWK: keys is not a list of objects")
		}
	} else {
		set.Keys = append(set.Keys, one)
	}
	if len(set.Keys) > maxJWKKeys {
		return nil, fmt.Errorf("JWK: %d keys, at most %d are read", len(set.Keys), maxJWKKeys)
	}
	for _, key := range set.Keys {
		for _, member := range []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"} {
			if _, there := key[member]; there {
				return nil, fmt.Errorf("JWK: %w", ErrPrivateKey)
			}
		}
	}
	for i, key := range set.Keys {
		spki, err := jwkKey(key)
		if err != nil {
			return nil, fmt.Errorf("JWK: key %d: %w", i+1, err)
		}
		spkis = append(spkis, spki)
	}
	return spkis, nil
}

func jwkKey(key map[string]json.RawMessage) ([]byte, error) {
	var kty, crv string
	if json.Unmarshal(key["kty"], &kty) != nil {
		return nil, errors.New("kty is missing")
	}
	switch kty {
	case "RSA":
		n, e, err := jwkNumbers(key, "n", "e")
		if err != nil {
			return nil, err
		}
		if n.Sign() == 0 || n.BitLen() > maxKeyBits || e.Sign() == 0 || e.BitLen() > 31 {
			return nil, fmt.Errorf("%w: RSA with a modulus of %d and an exponent of %d bits", ErrUnsupported, n.BitLen(), e.BitLen())
		}
		return x509.MarshalPKIXPublicKey(&rsa.PublicKey{N: n, E: int(e.Int64())})
	case "EC":
		if json.Unmarshal(key["crv"], &crv) != nil {
			return nil, errors.New("crv is missing")
		}
		curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}
		curve, known := curves[crv]
		if !known {
			return nil, fmt.Errorf("%w: crv is none of P-256, P-384 and P-521", ErrUnsupported)
		}
		x, y, err := jwkNumbers(key, "x", "y")
		if err != nil {
			return nil, err
		}
		octets := (curve.Params().BitSize + 7) / 8
		if x.BitLen() > 8*octets || y.BitLen() > 8*octets {
			return nil, errors.New("the point is not on its curve")
		}
		point := append([]byte{4}, x.FillBytes(make([]byte, octets))...)
		public, err := ecdsa.ParseUncompressedPublicKey(curve, append(point, y.FillBytes(make([]byte, octets))...))
		if err != nil {
			return nil, errors.New("the point is not on its curve")
		}
		return x509.MarshalPKIXPublicKey(public)
	}
	return nil, fmt.Errorf("%w: kty is neither RSA nor EC", ErrUnsupported)
}

// jwkNumbers are two members in base64url.
func jwkNumbers(key map[string]json.RawMessage, first, second string) (a, b *big.Int, err error) {
	numbers := [2]*big.Int{}
	for i, name := range []string{first, second} {
		var text string
		if json.Unmarshal(key[name], &text) != nil {
			return nil, nil, fmt.Errorf("%s is missing", name)
		}
		octets, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, nil, fmt.Errorf("%s is not base64url", name)
		}
		numbers[i] = new(big.Int).SetBytes(octets)
	}
	return numbers[0], numbers[1], nil
}
