package cert

import (
	"bytes"
	"strings"

	"github.com/efgsta/efgsta/pkg/der"
)

// structure is something known that is not a certificate.
type structure struct {
	name    string
	private bool   // it is, or holds, a private key
	advice  string // how to come to the certificate; unused for a private key
	// open reads a container's certificates; line is that of its PEM marker, or 0.
	open func(in *reading, data []byte, line int)
}

// Kinds of files that are opened, and may stay closed.
const (
	kindZip    = "zip archive"
	kindPKCS12 = "PKCS#12"
)

const nameCRL = "certificate revocation list"

const (
	adviceCSR    = "have the CA sign it, or sign it yourself with: openssl x509 -req -in FILE -signkey KEY -out cert.pem, and send what comes back"
	advicePKCS7  = "take the certificates out with: openssl pkcs7 -in FILE -print_certs -out certs.pem (add -inform DER for a binary file)"
	advicePKCS12 = "take the certificate out with: openssl pkcs12 -in FILE -clcerts -nokeys -out cert.pem"
	adviceCRL    = "send the certificate itself; to see what is in the list: openssl crl -in FILE -noout -text"
	advicePublic = "a bare public key says nothing about its owner; send the certificate made for it"
	adviceOther  = "send the certificate, as PEM or DER: openssl x509 -in FILE -out cert.pem"
	adviceZip    = "unpack it and send the certificate files themselves"
	adviceJKS    = "take the certificate out with: keytool -exportcert -rfc -keystore FILE -alias ALIAS -file cert.pem"
)

// magic recognises containers that are neither DER nor text by their first bytes.
func magic(data []byte) *structure {
	switch {
	case bytes.HasPrefix(data, []byte("PK\x03\x04")), bytes.HasPrefix(data, []byte("PK\x05\x06")):
		return &structure{name: kindZip, advice: adviceZip, open: (*reading).zip}
	case bytes.HasPrefix(data, []byte{0xfe, 0xed, 0xfe, 0xed}), bytes.HasPrefix(data, []byte{0xce, 0xce, 0xce, 0xce}):
		return &structure{name: "Java key store", advice: adviceJKS}
	case bytes.HasPrefix(data, []byte("openssh-key-v1\x00")):
		return &structure{name: "OpenSSH private key", private: true}
	case bytes.HasPrefix(data, []byte("PuTTY-User-Key-File-")):
		return &structure{name: "PuTTY private key", private: true}
	}
	return nil
}

// shape is the first elements of a SEQUENCE: what classify tells types apart by.
// Elements cut off by the end of the input are still seen.
type shape struct {
	r *der.Reader
	e []der.Element
}

func shapeOf(r *der.Reader, e der.Element, n int) shape {
	s := shape{}
	if !e.Is(der.TagSequence) {
		return s
	}
	in, err := r.Enter(e)
	if err != nil {
		return s
	}
	s.r = in
	for len(s.e) < n && in.More() {
		child, err := in.Next()
		if err != nil {
			break
		}
		s.e = append(s.e, child)
	}
	return s
}

func (s shape) is(i, tag int) bool { return i < len(s.e) && s.e[i].Is(tag) }

func (s shape) small(i int) int {
	if !s.is(i, der.TagInteger) {
		return -1
	}
	n, err := s.e[i].Int()
	if err != nil {
		return -1
	}
	return n
}

// oid is the OBJECT IDENTIFIER at i, or the first one inside a SEQUENCE at i.
func (s shape) oid(i int) string {
	if i >= len(s.e) {
		return ""
	}
	e := s.e[i]
	if inner := shapeOf(s.r, e, 1); inner.is(0, der.TagOID) {
		e = inner.e[0]
	}
	if !e.Is(der.TagOID) {
		return ""
	}
	oid, err := e.OID()
	if err != nil {
		return ""
	}
	return oid
}

// classify recognises what a SEQUENCE is when it is not a certificate. It needs
// only the first bytes of a private key: the rest may be cut off.
func classify(element []byte) *structure {
	r, err := der.NewReader(element, der.Limits{Bytes: MaxFile}, der.Loose)
	if err != nil {
		return nil
	}
	e, err := r.Next()
	if err != nil {
		return nil
	}
	top := shapeOf(r, e, 3)
	if s := classifyKey(top); s != nil {
		return s
	}
	switch oid := top.oid(0); {
	case top.is(0, der.TagOID) && strings.HasPrefix(oid, "1.2.840.113549.1.7."):
		return &structure{name: "PKCS#7", advice: advicePKCS7, open: (*reading).pkcs7}
	case top.small(0) == 3 && strings.HasPrefix(top.oid(1), "1.2.840.113549.1.7."):
		return &structure{name: kindPKCS12, advice: advicePKCS12, open: (*reading).pkcs12}
	case top.is(0, der.TagSequence) && oid != "" && top.is(1, der.TagBitString):
		return &structure{name: "public key", advice: advicePublic}
	case top.is(0, der.TagInteger) && top.is(1, der.TagInteger) && len(top.e) == 2 && len(top.e[0].Content) >= 32:
		return &structure{name: "RSA public key", advice: advicePublic}
	case top.is(0, der.TagEnumerated):
		return &structure{name: "OCSP response", advice: adviceOther}
	case top.is(0, der.TagSequence):
		return classifySigned(shapeOf(top.r, top.e[0], 6))
	}
	return nil
}

// classifyKey recognises PKCS#8, encrypted PKCS#8, PKCS#1, SEC 1 and DSA private keys.
func classifyKey(top shape) *structure {
	switch version := top.small(0); {
	case (version == 0 || version == 1) && top.is(1, der.TagSequence) && top.oid(1) != "":
		return &structure{name: "PKCS#8 private key", private: true}
	case (version == 0 || version == 1) && top.is(1, der.TagInteger) && len(top.e[1].Content) >= 32:
		return &structure{name: "RSA or DSA private key", private: true}
	case version == 1 && top.is(1, der.TagOctetString):
		return &structure{name: "EC private key", private: true}
	}
	if oid := top.oid(0); top.is(0, der.TagSequence) && (strings.HasPrefix(oid, "1.2.840.113549.1.5.") || strings.HasPrefix(oid, "1.2.840.113549.1.12.1.")) {
		return &structure{name: "encrypted private key", private: true}
	}
	return nil
}

// classifySigned tells the to-be-signed part of a request or a revocation list
// from that of a certificate.
func classifySigned(tbs shape) *structure {
	switch {
	case tbs.small(0) == 0 && tbs.is(1, der.TagSequence) && tbs.oid(1) == "" && tbs.is(2, der.TagSequence) && shapeOf(tbs.r, tbs.e[2], 2).is(1, der.TagBitString):
		return &structure{name: "certificate signing request", advice: adviceCSR, open: (*reading).request}
	case tbs.small(0) == 1 && tbs.is(1, der.TagSequence) && tbs.oid(1) != "" && tbs.isTime(3),
		tbs.is(0, der.TagSequence) && tbs.oid(0) != "" && tbs.isTime(2):
		return &structure{name: nameCRL, advice: adviceCRL}
	}
	return nil
}

func (s shape) isTime(i int) bool { return s.is(i, der.TagUTCTime) || s.is(i, der.TagGeneralizedTime) }

// splitElement cuts the first element off; the rest is nil if it runs past the end.
func splitElement(data []byte) (element, rest []byte) {
	r, err := der.NewReader(data, der.Limits{Bytes: MaxFile}, der.Loose)
	if err != nil {
		return nil, nil
	}
	e, err := r.Next()
	if err != nil {
		return nil, nil
	}
	return e.Raw, r.Rest()
}

// labelled is what a PEM label promises. A label that is none of these gives nil.
func labelled(label string) *structure {
	switch {
	case strings.Contains(label, "PRIVATE KEY"):
		return &structure{name: "private key", private: true}
	case strings.Contains(label, "CERTIFICATE REQUEST"):
		return &structure{name: "certificate signing request", advice: adviceCSR}
	case strings.Contains(label, "CRL"):
		return &structure{name: nameCRL, advice: adviceCRL}
	case strings.Contains(label, "PKCS7"), strings.Contains(label, "PKCS #7"), label == "CMS":
		return &structure{name: "PKCS#7", advice: advicePKCS7}
	case strings.Contains(label, "PKCS12"):
		return &structure{name: "PKCS#12", advice: advicePKCS12}
	case strings.Contains(label, "PUBLIC KEY"):
		return &structure{name: "public key", advice: advicePublic}
	case strings.Contains(label, "PARAMETERS"):
		return &structure{name: "key parameters", advice: advicePublic}
	}
	return nil
}
