package hsm

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// keyCurve is a named curve that Go can verify on.
type keyCurve struct {
	curve elliptic.Curve
	oid   asn1.ObjectIdentifier
	name  string // as in "ecdsa-p256"
}

func keyCurves() []keyCurve {
	return []keyCurve{
		{elliptic.P256(), asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}, "p256"},
		{elliptic.P384(), asn1.ObjectIdentifier{1, 3, 132, 0, 34}, "p384"},
		{elliptic.P521(), asn1.ObjectIdentifier{1, 3, 132, 0, 35}, "p521"},
	}
}

// publicOf decides on the public key of a private one. want, if given, is taken
// unless the token tells otherwise; objects are not paired by label, since tokens
// give the halves different ones.
func (c *conn) publicOf(key object, keyType uint, name keyName, want crypto.PublicKey) (crypto.PublicKey, error) {
	what := name.String() + " in " + c.token.String()
	told, err := c.readPublic(key, keyType)
	if err != nil {
		return nil, err
	}
	var beside []crypto.PublicKey
	if len(name.id) > 0 {
		if beside, err = c.publicObjects(name.id, keyType); err != nil {
			return nil, err
		}
	}
	if want != nil {
		if err := matchPublic(want, keyType, told, beside); err != nil {
			return nil, &Error{Op: "use", What: what, Err: err, Next: "is this the key that the certificate was made for? check label, ID and token"}
		}
		return want, nil
	}
	if told.key != nil {
		return told.key, nil
	}
	switch len(beside) {
	case 1:
		return beside[0], nil
	case 0:
		return nil, &Error{Op: "use", What: what, Err: errors.New("the token tells no public key for it"), Next: "import the public key with the same ID"}
	}
	return nil, &Error{Op: "use", What: what, Err: fmt.Errorf("the token holds %d public keys with its ID", len(beside)), Next: "remove those that do not belong to it"}
}

// toldPublic is what an object says of its public key: all of it (key), or a part.
type toldPublic struct {
	key     crypto.PublicKey
	modulus *big.Int
	curve   elliptic.Curve
}

// matchPublic compares the expected public key with all that the token tells.
func matchPublic(want crypto.PublicKey, keyType uint, told toldPublic, beside []crypto.PublicKey) error {
	switch want := want.(type) {
	case *rsa.PublicKey:
		if keyType != ckkRSA || told.modulus != nil && told.modulus.Cmp(want.N) != 0 {
			return ErrMismatch
		}
	case *ecdsa.PublicKey:
		if keyType != ckkEC || told.curve != nil && told.curve != want.Curve {
			return ErrMismatch
		}
	default:
		return fmt.Errorf("a %T cannot be used, only RSA and ECDSA keys can", want)
	}
	if told.key != nil && !equalKeys(told.key, want) {
		return ErrMismatch
	}
	// IDs may repeat: one of several suffices, the signature itself is verified too.
	for _, k := range beside {
		if equalKeys(k, want) {
			return nil
		}
	}
	if len(beside) > 0 {
		return ErrMismatch
	}
	return nil
}

func equalKeys(a, b crypto.PublicKey) bool {
	k, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(b)
}

// publicObjects reads the public keys of a type with an ID.
func (c *conn) publicObjects(id []byte, keyType uint) ([]crypto.PublicKey, error) {
	found, err := c.find([]attribute{{ckaClass, ckoPublicKey}, {ckaKeyType, keyType}, {ckaID, id}})
	if err != nil {
		return nil, err
	}
	var keys []crypto.PublicKey
	for _, o := range found {
		told, err := c.readPublic(o, keyType)
		if err != nil {
			return nil, err
		}
		if told.key != nil {
			keys = append(keys, told.key)
		}
	}
	return keys, nil
}

// readPublic reads the public half from either object of a pair.
func (c *conn) readPublic(o object, keyType uint) (toldPublic, error) {
	if keyType == ckkRSA {
		return c.readRSA(o)
	}
	return c.readEC(o)
}

func (c *conn) readRSA(o object) (toldPublic, error) {
	n, err := c.get(o, ckaModulus)
	if err != nil || len(n) == 0 {
		return toldPublic{}, err
	}
	told := toldPublic{modulus: new(big.Int).SetBytes(n)}
	e, err := c.get(o, ckaPublicExponent)
	if err != nil || len(e) == 0 {
		return told, err
	}
	exponent := new(big.Int).SetBytes(e)
	if !exponent.IsInt64() || exponent.Int64() < 3 || exponent.Int64() > 1<<31-1 {
		return told, &Error{Op: "read RSA key in", What: c.token.String(), Err: fmt.Errorf("the public exponent has %d bits, Go takes up to 31", exponent.BitLen())}
	}
	told.key = &rsa.PublicKey{N: told.modulus, E: int(exponent.Int64())}
	return told, nil
}

func (c *conn) readEC(o object) (toldPublic, error) {
	params, err := c.get(o, ckaECParams)
	if err != nil || len(params) == 0 {
		return toldPublic{}, err
	}
	curve, err := parseCurve(params)
	if err != nil {
		return toldPublic{}, &Error{Op: "read EC key in", What: c.token.String(), Err: err, Next: "use a key on P-256, P-384 or P-521"}
	}
	told := toldPublic{curve: curve}
	point, err := c.get(o, ckaECPoint)
	if err != nil || len(point) == 0 {
		return told, err // private keys mostly hold no point
	}
	key, err := parsePoint(curve, point)
	if err != nil {
		return told, &Error{Op: "read EC key in", What: c.token.String(), Err: err}
	}
	told.key = key
	return told, nil
}

func parseCurve(params []byte) (elliptic.Curve, error) {
	var oid asn1.ObjectIdentifier
	if rest, err := asn1.Unmarshal(params, &oid); err != nil || len(rest) != 0 {
		return nil, errors.New("its curve is not given by name")
	}
	for _, k := range keyCurves() {
		if k.oid.Equal(oid) {
			return k.curve, nil
		}
	}
	return nil, fmt.Errorf("its curve %v is not supported", oid)
}

// parsePoint reads CKA_EC_POINT: a DER OCTET STRING by the standard, the bare
// point in some tokens. The length decides first: the other order misreads bare
// points that happen to look like DER.
func parsePoint(curve elliptic.Curve, raw []byte) (*ecdsa.PublicKey, error) {
	point := raw
	if want := 1 + 2*((curve.Params().BitSize+7)/8); len(raw) != want {
		if rest, err := asn1.Unmarshal(raw, &point); err != nil || len(rest) != 0 {
			return nil, errors.New("its public point is neither bare nor an OCTET STRING")
		}
	}
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point)
	if err != nil {
		return nil, fmt.Errorf("its public point: %w", err)
	}
	return key, nil
}

// algorithmName is the name that Generate takes.
func algorithmName(pub crypto.PublicKey) string {
	switch pub := pub.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("rsa-%d", pub.N.BitLen())
	case *ecdsa.PublicKey:
		for _, k := range keyCurves() {
			if k.curve == pub.Curve {
				return "ecdsa-" + k.name
			}
		}
	}
	return ""
}
