package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/cert"
)

var (
	oidData          = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningTime   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 5}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// Attributes returns the exact DER SET OF Attribute that is signed for a content
// of this digest (Algorithm.Hash of the content). It begins with the octet 0x31.
func (t Template) Attributes(digest []byte) ([]byte, error) {
	alg, err := t.check()
	if err != nil {
		return nil, err
	}
	if len(digest) != alg.Hash.Size() {
		return nil, fmt.Errorf("%w: a digest of %d bytes is not one of %s", ErrTemplate, len(digest), alg.Hash)
	}
	certID, err := signingCertificate(t.Signer, alg.Hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	var list [][]byte
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value func(*cryptobyte.Builder)
	}{
		{oidContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData) }},
		{oidSigningTime, func(b *cryptobyte.Builder) { addTime(b, t.SigningTime.UTC()) }},
		{oidMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) }},
		{oidSigningCertV2, func(b *cryptobyte.Builder) { b.AddBytes(certID) }},
	} {
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(a.oid)
			b.AddASN1(cbasn1.SET, a.value)
		})
		enc, err := b.Bytes()
		if err != nil {
			return nil, fmt.Errorf("%w: attribute %s: %w", ErrTemplate, a.oid, err)
		}
		list = append(list, enc)
	}
	// DER orders a SET OF by its encodings, X.690 11.6.
	slices.SortFunc(list, bytes.Compare)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		for _, enc := range list {
			b.AddBytes(enc)
		}
	})
	return b.Bytes()
}

// addTime writes a Time as RFC 5652 11.3 wants it: UTCTime to 2049, GeneralizedTime after.
func addTime(b *cryptobyte.Builder, t time.Time) {
	if t.Year() < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
}

// signingCertificate is the SigningCertificateV2 of RFC 5035 for one certificate.
// issuerSerial is left out: the SignerInfo says it.
func signingCertificate(c *cert.Certificate, h crypto.Hash) ([]byte, error) {
	id, err := digestIdentifier(h)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				if h != crypto.SHA256 { // the DEFAULT, which DER does not write
					b.AddBytes(id)
				}
				b.AddASN1OctetString(digest(h, c.Raw))
			})
		})
	})
	return b.Bytes()
}

// attributes are the values of our four signed attributes, each as its whole element.
type attributes struct {
	contentType, messageDigest, signingTime, signingCert []byte
}

// parseAttributes reads a SET OF Attribute, which must hold our four, once each, in DER order.
func parseAttributes(set []byte) (attributes, error) {
	var a attributes
	in, list := cryptobyte.String(set), cryptobyte.String(nil)
	if !in.ReadASN1(&list, cbasn1.SET) || !in.Empty() {
		return a, errors.New("signed attributes are not a SET")
	}
	var before []byte
	for !list.Empty() {
		var whole, one, values, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		if !list.ReadASN1Element(&whole, cbasn1.SEQUENCE) {
			return a, errors.New("signed attributes: broken encoding")
		}
		one = whole
		if !one.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) ||
			!one.ReadASN1(&values, cbasn1.SET) || !one.Empty() {
			return a, errors.New("signed attributes: broken encoding")
		}
		if !values.ReadAnyASN1Element(&value, new(cbasn1.Tag)) || !values.Empty() {
			return a, fmt.Errorf("signed attribute %s does not have exactly one value", oid)
		}
		var dst *[]byte
		switch {
		case oid.Equal(oidContentType):
			dst = &a.contentType
		case oid.Equal(oidMessageDigest):
			dst = &a.messageDigest
		case oid.Equal(oidSigningTime):
			dst = &a.signingTime
		case oid.Equal(oidSigningCertV2):
			dst = &a.signingCert
		default:
			return a, fmt.Errorf("signed attribute %s is not one of ours", oid)
		}
		if *dst != nil {
			return a, fmt.Errorf("signed attribute %s stands twice", oid)
		}
		if bytes.Compare(before, whole) >= 0 {
			return a, errors.New("signed attributes are not in DER order")
		}
		*dst, before = value, whole
	}
	switch {
	case a.contentType == nil:
		return a, errors.New("signed attribute contentType is missing")
	case a.messageDigest == nil:
		return a, errors.New("signed attribute messageDigest is missing")
	case a.signingTime == nil:
		return a, errors.New("signed attribute signingTime is missing")
	case a.signingCert == nil:
		return a, errors.New("signed attribute signingCertificateV2 is missing")
	}
	return a, nil
}

// digest returns the messageDigest.
func (a attributes) digest() ([]byte, error) {
	in, v := cryptobyte.String(a.messageDigest), cryptobyte.String(nil)
	if !in.ReadASN1(&v, cbasn1.OCTET_STRING) {
		return nil, errors.New("signed attribute messageDigest is not an OCTET STRING")
	}
	return v, nil
}

// time returns the signingTime.
func (a attributes) time() (time.Time, error) {
	in := cryptobyte.String(a.signingTime)
	var t time.Time
	if in.PeekASN1Tag(cbasn1.UTCTime) && in.ReadASN1UTCTime(&t) ||
		in.PeekASN1Tag(cbasn1.GeneralizedTime) && in.ReadASN1GeneralizedTime(&t) {
		return t.UTC(), nil
	}
	return time.Time{}, errors.New("signed attribute signingTime is not a time")
}
