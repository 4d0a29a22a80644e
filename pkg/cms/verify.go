package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// Info is what a verified message says.
type Info struct {
	Algorithm   sigalg.Algorithm
	SigningTime time.Time
	Attributes  []byte // the signed DER SET OF
}

// Verify checks a detached SignedData strictly: DER, one signer, the given
// certificate's key and issuer/serial, signed attributes complete and unique,
// SHA-2, no trailing data, in short: only what Template makes. The signer's certificate, if it
// restricts its key's usage, must allow digitalSignature or nonRepudiation, and the
// signing time must lie within its validity; nothing else of it is checked: it
// is the caller who trusts it. Errors wrap ErrInvalid.
func Verify(p7 []byte, content []byte, signer *cert.Certificate) (*Info, error) {
	m, err := open(p7, MaxSize)
	if err == nil && m.attached {
		err = errors.New("the signature is not detached: there is a content in it")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	info, err := m.verify(p7, content, signer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return info, nil
}

// VerifyAttached is Verify of a message that carries its content, and returns that.
func VerifyAttached(p7 []byte, signer *cert.Certificate) (content []byte, info *Info, err error) {
	m, err := open(p7, MaxSize+MaxAttached)
	if err == nil && !m.attached {
		err = errors.New("the signature is detached: there is no content in it")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if info, err = m.verify(p7, m.content, signer); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return m.content, info, nil
}

// open checks the encoding and takes the message apart.
func open(p7 []byte, most int) (*message, error) {
	if err := der.Check(p7, der.Limits{Bytes: most, Depth: maxDepth}); err != nil {
		return nil, err
	}
	return parse(p7)
}

func (m *message) verify(p7, content []byte, signer *cert.Certificate) (*Info, error) {
	if signer == nil || signer.PublicKey == nil {
		return nil, errors.New("the signer's certificate has no public key")
	}
	if err := mayVerify(signer); err != nil {
		return nil, err
	}
	if !bytes.Equal(m.certificates, signer.Raw) {
		return nil, errors.New("the embedded certificates are not exactly the signer's certificate")
	}
	if !bytes.Equal(m.issuer, signer.Issuer.Raw) || !bytes.Equal(m.serial, signer.SerialRaw) {
		return nil, errors.New("issuer and serial number are not those of the signer's certificate")
	}
	alg, err := m.algorithm()
	if err != nil {
		return nil, err
	}

	set := bytes.Clone(m.attributes)
	set[0] = byte(cbasn1.SET) // RFC 5652 5.4: signed with the tag of a SET OF
	a, err := parseAttributes(set)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(a.contentType, m.contentType) {
		return nil, errors.New("signed attribute contentType is not the type of the content")
	}
	if md, err := a.digest(); err != nil {
		return nil, err
	} else if !bytes.Equal(md, digest(alg.Hash, content)) {
		return nil, errors.New("the content is not the one that was signed: its digest differs")
	}
	if want, err := signingCertificate(signer, alg.Hash); err != nil {
		return nil, err
	} else if !bytes.Equal(a.signingCert, want) {
		return nil, errors.New("signed attribute signingCertificateV2 does not name the signer's certificate")
	}
	at, err := a.time()
	if err != nil {
		return nil, err
	}
	if at.Before(signer.NotBefore) || at.After(signer.NotAfter) {
		return nil, fmt.Errorf("signing time %s is outside the validity of the signer's certificate", at.Format(time.RFC3339))
	}
	if err := alg.Verify(signer.PublicKey, set, m.signature); err != nil {
		return nil, err
	}

	// Whatever the checks above may have let pass: there is one encoding of all this, and it is this.
	tmpl := Template{Signer: signer, Algorithm: alg, SigningTime: at}
	again, err := tmpl.Assemble(set, m.signature)
	if m.attached {
		again, err = tmpl.AssembleAttached(set, m.signature, content)
	}
	if err != nil || !bytes.Equal(p7, again) {
		return nil, errors.New("the message is not in the one form that is accepted")
	}
	return &Info{Algorithm: alg, SigningTime: at, Attributes: set}, nil
}

// mayVerify checks the key usage, RFC 5280 4.2.1.3.
func mayVerify(c *cert.Certificate) error {
	if c.KeyUsage != nil {
		if *c.KeyUsage&(cert.DigitalSignature|cert.NonRepudiation) == 0 {
			return errors.New("the key usage of the signer's certificate does not allow signing documents")
		}
		return nil
	}
	for _, e := range c.Extensions {
		if e.OID == "2.5.29.15" {
			return errors.New("the key usage of the signer's certificate cannot be read")
		}
	}
	return nil
}

// message is a SignedData of one signer, parts as their whole elements unless said.
type message struct {
	digestAlgorithms []byte // content of the SET
	contentType      []byte
	attached         bool
	content          []byte // content of the OCTET STRING, if attached
	certificates     []byte // content of the [0]
	issuer           []byte
	serial           []byte // content
	digestAlgorithm  []byte
	attributes       []byte // [0]
	signatureAlg     []byte
	signature        []byte // content
}

// Signer returns the signer's certificate that a message carries, unverified: it
// is worth something only to a caller who pinned its fingerprint.
func Signer(p7 []byte) (*cert.Certificate, error) {
	m, err := open(p7, MaxSize)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	c, err := cert.Parse(m.certificates)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return c, nil
}

// parse takes the message apart, RFC 5652 5.1 and 5.3.
func parse(p7 []byte) (*message, error) {
	var (
		m                                        message
		in                                       = cryptobyte.String(p7)
		info, inner, data, encap, infos, si, sid cryptobyte.String
		oid                                      asn1.ObjectIdentifier
		version                                  int64
	)
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !in.Empty() || !info.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSignedData) {
		return nil, errors.New("not a CMS SignedData")
	}
	if !info.ReadASN1(&inner, context0) || !info.Empty() || !inner.ReadASN1(&data, cbasn1.SEQUENCE) || !inner.Empty() {
		return nil, errors.New("not a CMS SignedData")
	}
	if !data.ReadASN1Integer(&version) || version != 1 {
		return nil, errors.New("SignedData version is not 1")
	}
	if !read(&data, &m.digestAlgorithms, cbasn1.SET) || !data.ReadASN1(&encap, cbasn1.SEQUENCE) ||
		!readElement(&encap, &m.contentType, cbasn1.OBJECT_IDENTIFIER) {
		return nil, errors.New("broken SignedData")
	}
	if encap.PeekASN1Tag(context0) {
		m.attached = true
		var carried cryptobyte.String
		if !encap.ReadASN1(&carried, context0) || !read(&carried, &m.content, cbasn1.OCTET_STRING) || !carried.Empty() {
			return nil, errors.New("the content in the message is not an OCTET STRING")
		}
	}
	if !encap.Empty() {
		return nil, errors.New("broken SignedData")
	}
	if want := cryptobyte.String(m.contentType); !want.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidData) {
		return nil, errors.New("the content type is not id-data")
	}
	if !read(&data, &m.certificates, context0) {
		return nil, errors.New("there is no certificate in the message")
	}
	if data.PeekASN1Tag(context1) {
		return nil, errors.New("there are CRLs in the message")
	}
	if !data.ReadASN1(&infos, cbasn1.SET) || !data.Empty() {
		return nil, errors.New("broken SignedData")
	}
	if !infos.ReadASN1(&si, cbasn1.SEQUENCE) || !infos.Empty() {
		return nil, errors.New("there is not exactly one signer")
	}
	if !si.ReadASN1Integer(&version) || version != 1 {
		return nil, errors.New("SignerInfo version is not 1")
	}
	if !si.ReadASN1(&sid, cbasn1.SEQUENCE) || !readElement(&sid, &m.issuer, cbasn1.SEQUENCE) ||
		!read(&sid, &m.serial, cbasn1.INTEGER) || !sid.Empty() {
		return nil, errors.New("the signer is not named by issuer and serial number")
	}
	if !readElement(&si, &m.digestAlgorithm, cbasn1.SEQUENCE) {
		return nil, errors.New("broken SignerInfo")
	}
	if !readElement(&si, &m.attributes, context0) {
		return nil, errors.New("there are no signed attributes")
	}
	if !readElement(&si, &m.signatureAlg, cbasn1.SEQUENCE) || !read(&si, &m.signature, cbasn1.OCTET_STRING) {
		return nil, errors.New("broken SignerInfo")
	}
	if !si.Empty() {
		return nil, errors.New("there are unsigned attributes")
	}
	return &m, nil
}

// read and readElement are cryptobyte's ReadASN1 and ReadASN1Element into plain bytes.
func read(s *cryptobyte.String, out *[]byte, tag cbasn1.Tag) bool {
	return s.ReadASN1((*cryptobyte.String)(out), tag)
}

func readElement(s *cryptobyte.String, out *[]byte, tag cbasn1.Tag) bool {
	return s.ReadASN1Element((*cryptobyte.String)(out), tag)
}

// algorithm finds the algorithm whose identifiers are exactly those in the message.
func (m *message) algorithm() (sigalg.Algorithm, error) {
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		id, err := digestIdentifier(h)
		if err != nil {
			return sigalg.Algorithm{}, err
		}
		if !bytes.Equal(m.digestAlgorithm, id) {
			continue
		}
		if !bytes.Equal(m.digestAlgorithms, id) {
			return sigalg.Algorithm{}, errors.New("digestAlgorithms is not exactly the signer's digest algorithm")
		}
		for _, s := range []sigalg.Scheme{sigalg.RSAPKCS1v15, sigalg.RSAPSS, sigalg.ECDSA} {
			alg, err := sigalg.New(s, h)
			if err != nil {
				return sigalg.Algorithm{}, err
			}
			id, err := signatureIdentifier(alg)
			if err != nil {
				return sigalg.Algorithm{}, err
			}
			if bytes.Equal(m.signatureAlg, id) {
				return alg, nil
			}
		}
		return sigalg.Algorithm{}, fmt.Errorf("signature algorithm or its parameters are not accepted with %s", h)
	}
	return sigalg.Algorithm{}, errors.New("digest algorithm is not SHA-256, SHA-384 or SHA-512 without parameters")
}
