package sigalg

import (
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/der"
)

const (
	oidPSS  = "1.2.840.113549.1.1.10"
	oidMGF1 = "1.2.840.113549.1.1.8"
)

// identifier is one signature algorithm OID.
type identifier struct {
	oid    string
	scheme Scheme
	hash   string // digest name; "" for none, or told elsewhere
}

// identifiers is never written. The first entry of a scheme and hash is the usual one.
var identifiers = []identifier{
	{"1.2.840.113549.1.1.11", RSAPKCS1v15, "SHA-256"},
	{"1.2.840.113549.1.1.12", RSAPKCS1v15, "SHA-384"},
	{"1.2.840.113549.1.1.13", RSAPKCS1v15, "SHA-512"},
	{oidPSS, RSAPSS, ""},
	{"1.2.840.10045.4.3.2", ECDSA, "SHA-256"},
	{"1.2.840.10045.4.3.3", ECDSA, "SHA-384"},
	{"1.2.840.10045.4.3.4", ECDSA, "SHA-512"},
	{"1.3.101.112", Ed25519, ""},
	{"1.2.840.113549.1.1.1", RSAPKCS1v15, ""}, // rsaEncryption: CMS names the hash elsewhere
	{"1.2.840.113549.1.1.2", RSAPKCS1v15, "MD2"},
	{"1.2.840.113549.1.1.3", RSAPKCS1v15, "MD4"},
	{"1.2.840.113549.1.1.4", RSAPKCS1v15, "MD5"},
	{"1.3.14.3.2.3", RSAPKCS1v15, "MD5"},
	{"1.2.840.113549.1.1.5", RSAPKCS1v15, "SHA-1"},
	{"1.3.14.3.2.29", RSAPKCS1v15, "SHA-1"},
	{"1.3.36.3.3.1.2", RSAPKCS1v15, "RIPEMD-160"},
	{"1.2.840.113549.1.1.14", RSAPKCS1v15, "SHA-224"},
	{"1.2.840.113549.1.1.15", RSAPKCS1v15, "SHA-512/224"},
	{"1.2.840.113549.1.1.16", RSAPKCS1v15, "SHA-512/256"},
	{"2.16.840.1.101.3.4.3.13", RSAPKCS1v15, "SHA3-224"},
	{"2.16.840.1.101.3.4.3.14", RSAPKCS1v15, "SHA3-256"},
	{"2.16.840.1.101.3.4.3.15", RSAPKCS1v15, "SHA3-384"},
	{"2.16.840.1.101.3.4.3.16", RSAPKCS1v15, "SHA3-512"},
	{"1.3.6.1.5.5.7.6.30", RSAPSS, "SHAKE128"},
	{"1.3.6.1.5.5.7.6.31", RSAPSS, "SHAKE256"},
	{"1.2.840.10045.4.1", ECDSA, "SHA-1"},
	{"1.2.840.10045.4.3.1", ECDSA, "SHA-224"},
	{"2.16.840.1.101.3.4.3.9", ECDSA, "SHA3-224"},
	{"2.16.840.1.101.3.4.3.10", ECDSA, "SHA3-256"},
	{"2.16.840.1.101.3.4.3.11", ECDSA, "SHA3-384"},
	{"2.16.840.1.101.3.4.3.12", ECDSA, "SHA3-512"},
	{"1.3.6.1.5.5.7.6.32", ECDSA, "SHAKE128"},
	{"1.3.6.1.5.5.7.6.33", ECDSA, "SHAKE256"},
	{"1.2.840.10040.4.3", DSA, "SHA-1"},
	{"1.3.14.3.2.27", DSA, "SHA-1"},
	{"2.16.840.1.101.3.4.3.1", DSA, "SHA-224"},
	{"2.16.840.1.101.3.4.3.2", DSA, "SHA-256"},
	{"2.16.840.1.101.3.4.3.3", DSA, "SHA-384"},
	{"2.16.840.1.101.3.4.3.4", DSA, "SHA-512"},
	{"2.16.840.1.101.3.4.3.5", DSA, "SHA3-224"},
	{"2.16.840.1.101.3.4.3.6", DSA, "SHA3-256"},
	{"2.16.840.1.101.3.4.3.7", DSA, "SHA3-384"},
	{"2.16.840.1.101.3.4.3.8", DSA, "SHA3-512"},
}

// limits of the small structures that this package reads.
func limits() der.Limits { return der.Limits{Bytes: 1 << 20} }

// ParseIdentifier reads a DER AlgorithmIdentifier of a signature. An OID it does
// not know gives Scheme Unknown and no error; a broken encoding gives an error and
// as much as could be read.
func ParseIdentifier(raw []byte) (Algorithm, error) {
	a := Algorithm{Scheme: Unknown}
	oid, params, err := readIdentifier(raw)
	a.OID = oid
	if oid == "" {
		return a, err
	}
	for i := range identifiers {
		if id := &identifiers[i]; id.oid == oid {
			d := hashByName(id.hash)
			a.Scheme, a.Hash, a.HashName = id.scheme, d.hash, d.name
			break
		}
	}
	if oid != oidPSS {
		return a, err
	}
	pss, pssErr := parsePSS(params)
	a.PSS = pss
	a.Hash, a.HashName = pss.Hash, hashByOID(pss.HashOID).name
	if err == nil {
		err = pssErr
	}
	return a, err
}

// readIdentifier reads the OID and the parameters, nil if absent, of an
// AlgorithmIdentifier. With an error it returns what could be read.
func readIdentifier(raw []byte) (oid string, params *der.Element, err error) {
	in, err := sequence(raw)
	if err != nil {
		return "", nil, fmt.Errorf("AlgorithmIdentifier: %w", err)
	}
	e, err := expect(in, der.TagOID)
	if err == nil {
		oid, err = e.OID()
	}
	if err != nil {
		return "", nil, fmt.Errorf("AlgorithmIdentifier: %w", err)
	}
	if !in.More() {
		return oid, nil, nil
	}
	p, err := in.Next()
	if err != nil {
		return oid, nil, fmt.Errorf("parameters of algorithm %s: %w", oid, err)
	}
	if err := end(in); err != nil {
		return oid, &p, fmt.Errorf("AlgorithmIdentifier %s: %w", oid, err)
	}
	return oid, &p, nil
}

// parsePSS reads RSASSA-PSS-params. The result is never nil.
func parsePSS(params *der.Element) (*PSSParams, error) {
	p := &PSSParams{HashOID: oidSHA1, MGFHashOID: oidSHA1, SaltLength: 20, Trailer: 1}
	err := readPSS(p, params)
	if err != nil {
		p.Broken = true
		err = fmt.Errorf("RSASSA-PSS parameters: %w", err)
	}
	p.Hash, p.MGFHash = hashByOID(p.HashOID).hash, hashByOID(p.MGFHashOID).hash
	return p, err
}

func readPSS(p *PSSParams, params *der.Element) error {
	if params == nil || params.Is(der.TagSequence) && len(params.Content) == 0 {
		p.Absent = true
		return nil
	}
	in, err := sequence(params.Raw)
	if err != nil {
		return err
	}
	for last := -1; in.More(); {
		field, err := in.Next()
		if err != nil {
			return err
		}
		if field.Class != der.ContextSpecific || field.Tag > 3 || field.Tag <= last {
			return &der.Error{Offset: field.Offset, Msg: field.Kind() + " out of place"}
		}
		last = field.Tag
		inner, err := in.Enter(field)
		if err != nil {
			return err
		}
		value, err := inner.Next()
		if err != nil {
			return err
		}
		if err := end(inner); err != nil {
			return err
		}
		if err := p.set(field.Tag, value); err != nil {
			return err
		}
	}
	return nil
}

func (p *PSSParams) set(field int, value der.Element) (err error) {
	switch field {
	case 0:
		p.HashOID, _, err = readIdentifier(value.Raw)
	case 1:
		var oid string
		var params *der.Element
		p.MGFHashOID = ""
		oid, params, err = readIdentifier(value.Raw)
		if err == nil && oid == oidMGF1 && params != nil {
			p.MGFHashOID, _, err = readIdentifier(params.Raw)
		}
	case 2:
		p.SaltLength, err = integer(value)
	case 3:
		p.Trailer, err = integer(value)
	}
	return err
}

func integer(e der.Element) (int, error) {
	if !e.Is(der.TagInteger) {
		return 0, &der.Error{Offset: e.Offset, Msg: "INTEGER expected, found " + e.Kind()}
	}
	return e.Int()
}

// Identifier returns the DER AlgorithmIdentifier (RSA PKCS#1: NULL parameters; ECDSA: none).
func (a Algorithm) Identifier() ([]byte, error) {
	if a.Scheme == Unknown || a.Scheme == "" {
		return nil, fmt.Errorf("%w: parameters of %q are not known", ErrUnsupported, a.OID)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, a.OID)
		switch {
		case a.Scheme == RSAPKCS1v15:
			b.AddASN1NULL()
		case a.OID == oidPSS && a.PSS != nil && !a.PSS.Absent:
			b.AddASN1(asn1.SEQUENCE, a.PSS.add)
		}
	})
	return b.Bytes()
}

// add writes the fields of RSASSA-PSS-params, without what equals its default.
func (p *PSSParams) add(b *cryptobyte.Builder) {
	explicit := func(tag uint8, f func(*cryptobyte.Builder)) {
		b.AddASN1(asn1.Tag(tag).ContextSpecific().Constructed(), f)
	}
	if p.HashOID != oidSHA1 {
		explicit(0, func(b *cryptobyte.Builder) { addHash(b, p.HashOID) })
	}
	if p.MGFHashOID != oidSHA1 {
		explicit(1, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addOID(b, oidMGF1)
				addHash(b, p.MGFHashOID)
			})
		})
	}
	if p.SaltLength != 20 {
		explicit(2, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.SaltLength)) })
	}
	if p.Trailer != 1 {
		explicit(3, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.Trailer)) })
	}
}

// addHash writes a hash's AlgorithmIdentifier with NULL parameters.
func addHash(b *cryptobyte.Builder, oid string) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addOID(b, oid)
		b.AddASN1NULL()
	})
}

// addOID writes a dotted OID; cryptobyte's own method wants a slice of ints.
func addOID(b *cryptobyte.Builder, dotted string) {
	content, err := encodeOID(dotted)
	if err != nil {
		b.SetError(err)
		return
	}
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(content) })
}
