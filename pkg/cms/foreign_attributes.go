package cms

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
)

// setOf is what is signed: RFC 5652 5.4 wants the DER of the attributes, however the
// message orders them. Each of them must be DER itself.
func setOf(attributes [][]byte) ([]byte, error) {
	for _, raw := range attributes {
		if err := der.Check(raw, der.Limits{Bytes: MaxForeign}); err != nil {
			return nil, fmt.Errorf("signed attributes: %w", err)
		}
	}
	sorted := slices.SortedFunc(slices.Values(attributes), bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		for _, raw := range sorted {
			b.AddBytes(raw)
		}
	})
	return b.Bytes()
}

// isAttributes reports whether a content is a DER SET OF Attribute with a messageDigest.
func isAttributes(content []byte) bool {
	if len(content) == 0 || content[0] != byte(cbasn1.SET) || der.Check(content, der.Limits{Bytes: MaxForeign}) != nil {
		return false
	}
	set, err := only(content)
	if err != nil {
		return false
	}
	in, err := enter(set)
	for err == nil && in.More() {
		var e der.Element
		if e, err = in.Next(); err == nil {
			if oid, _, bad := readAttribute(e.Raw); bad == nil && oid == attrMessageDigest {
				return true
			}
		}
	}
	return false
}

// attributeValue is the SET of an attribute's values, whole.
type attributeValue struct{ set der.Element }

// readAttribute reads one DER Attribute.
func readAttribute(raw []byte) (oid string, value attributeValue, err error) {
	e, err := only(raw)
	if err != nil {
		return "", value, err
	}
	in, err := enter(e)
	if err != nil {
		return "", value, err
	}
	id, err := take(in, der.TagOID)
	if err != nil {
		return "", value, err
	}
	if oid, err = id.OID(); err != nil {
		return "", value, err
	}
	if value.set, err = take(in, der.TagSet); err != nil {
		return oid, value, err
	}
	return oid, value, end(in)
}

// one returns the only value, which must be of that universal type.
func (v attributeValue) one(tag int) (der.Element, error) {
	in, err := enter(v.set)
	if err != nil {
		return der.Element{}, err
	}
	e, err := take(in, tag)
	if err != nil {
		return e, err
	}
	if in.More() {
		return e, errors.New("more than one value")
	}
	return e, nil
}

func (v attributeValue) time() (time.Time, error) {
	e, err := v.one(der.TagUTCTime)
	if err != nil {
		if e, err = v.one(der.TagGeneralizedTime); err != nil {
			return time.Time{}, errors.New("not exactly one time")
		}
	}
	t, err := e.Time()
	if err != nil {
		return time.Time{}, err
	}
	return t, nil
}

// namesCertificate reads SigningCertificateV2, RFC 5035 3: its first certificate is the signer's.
func (v attributeValue) namesCertificate(signer *cert.Certificate) error {
	e, err := v.one(der.TagSequence)
	for range 2 { // SigningCertificateV2, then its certs
		if err == nil {
			e, err = first(e, der.TagSequence)
		}
	}
	if err != nil {
		return err
	}
	in, err := enter(e) // ESSCertIDv2
	if err != nil {
		return err
	}
	hash := crypto.SHA256
	got, err := in.Next()
	if err == nil && got.Is(der.TagSequence) {
		var id algorithmID
		if id, err = readAlgorithm(got); err != nil {
			return err
		}
		if hash, err = sha2(id); err != nil {
			return err
		}
		got, err = in.Next()
	}
	if err != nil {
		return err
	}
	if !got.Is(der.TagOctetString) || !bytes.Equal(got.Content, digest(hash, signer.Raw)) {
		return errors.New("it does not name the signer's certificate")
	}
	return nil
}

// protects reads CMSAlgorithmProtection, RFC 6211 2: both algorithms stand in it again.
func (v attributeValue) protects(digest, signature algorithmID) error {
	e, err := v.one(der.TagSequence)
	if err != nil {
		return err
	}
	in, err := enter(e)
	if err != nil {
		return err
	}
	d, err := take(in, der.TagSequence)
	if err != nil {
		return err
	}
	again, err := readAlgorithm(d)
	if err != nil {
		return err
	}
	s, err := in.Next()
	if err != nil {
		return err
	}
	if !s.IsContext(1) {
		return errors.New("it has no signature algorithm")
	}
	signedWith, err := readAlgorithm(s)
	if err != nil {
		return err
	}
	if !again.equivalent(digest) || !signedWith.equivalent(signature) {
		return errors.New("its algorithms are not those of the signature")
	}
	return end(in)
}

// first returns the first element inside another.
func first(e der.Element, tag int) (der.Element, error) {
	in, err := enter(e)
	if err != nil {
		return der.Element{}, err
	}
	return take(in, tag)
}
