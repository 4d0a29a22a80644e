package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

var (
	context0 = cbasn1.Tag(0).ContextSpecific().Constructed()
	context1 = cbasn1.Tag(1).ContextSpecific().Constructed()
)

// Assemble makes the detached SignedData (ContentInfo, DER) from attributes made
// by Attributes and the signature over them. It does not verify the signature.
func (t Template) Assemble(attributes, signature []byte) ([]byte, error) {
	return t.assemble(attributes, signature, func(*cryptobyte.Builder) {}, MaxSize)
}

// AssembleAttached is Assemble of a message that carries its content, at most
// MaxAttached bytes. It does not compare the content with the attributes either.
func (t Template) AssembleAttached(attributes, signature, content []byte) ([]byte, error) {
	if err := attachable(content); err != nil {
		return nil, err
	}
	return t.assemble(attributes, signature, func(b *cryptobyte.Builder) {
		b.AddASN1(context0, func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
	}, MaxSize+MaxAttached)
}

func attachable(content []byte) error {
	if len(content) > MaxAttached {
		return fmt.Errorf("%w: a content of %d bytes, at most %d are attached", ErrTemplate, len(content), MaxAttached)
	}
	return nil
}

// assemble makes the message; carry adds the content to encapContentInfo, or nothing.
func (t Template) assemble(attributes, signature []byte, carry func(*cryptobyte.Builder), most int) ([]byte, error) {
	alg, err := t.check()
	if err != nil {
		return nil, err
	}
	if err := t.made(attributes); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	digestID, err := digestIdentifier(alg.Hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	signatureID, err := signatureIdentifier(alg)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	signerInfo := func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // issuerAndSerialNumber
			b.AddBytes(t.Signer.Issuer.Raw)
			b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(t.Signer.SerialRaw) })
		})
		b.AddBytes(digestID)
		b.AddBytes(append([]byte{byte(context0)}, attributes[1:]...)) // IMPLICIT: only the tag differs from what is signed
		b.AddBytes(signatureID)
		b.AddASN1OctetString(signature)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // ContentInfo
		b.AddASN1ObjectIdentifier(oidSignedData)
		b.AddASN1(context0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // SignedData
				b.AddASN1Int64(1)
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(digestID) })
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidData)
					carry(b)
				})
				b.AddASN1(context0, func(b *cryptobyte.Builder) { b.AddBytes(t.Signer.Raw) })
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, signerInfo) })
			})
		})
	})
	p7, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	if err := der.Check(p7, der.Limits{Bytes: most, Depth: maxDepth}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTemplate, err)
	}
	return p7, nil
}

// made checks that Attributes of this template made the attributes, for some content.
func (t Template) made(attributes []byte) error {
	got, err := parseAttributes(attributes)
	if err != nil {
		return err
	}
	digest, err := got.digest()
	if err != nil {
		return err
	}
	want, err := t.Attributes(digest)
	if err != nil {
		return err
	}
	if !bytes.Equal(attributes, want) {
		return errors.New("the signed attributes are not those of this certificate, algorithm and signing time")
	}
	return nil
}

// digestIdentifier is the AlgorithmIdentifier of a SHA-2 hash; RFC 5754 2 leaves the parameters out.
func digestIdentifier(h crypto.Hash) ([]byte, error) {
	last, ok := map[crypto.Hash]int{crypto.SHA256: 1, crypto.SHA384: 2, crypto.SHA512: 3}[h]
	if !ok {
		return nil, fmt.Errorf("hash %s: %w", h, sigalg.ErrUnsupported)
	}
	return identifier(asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, last}, false)
}

// signatureIdentifier is the AlgorithmIdentifier of a SignerInfo. For PKCS#1 v1.5 it is
// rsaEncryption, the form that RFC 5754 3.2 says every implementation must take.
func signatureIdentifier(a sigalg.Algorithm) ([]byte, error) {
	if a.Scheme == sigalg.RSAPKCS1v15 {
		return identifier(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, true)
	}
	return a.Identifier()
}

func identifier(oid asn1.ObjectIdentifier, null bool) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oid)
		if null {
			b.AddASN1NULL()
		}
	})
	return b.Bytes()
}
