package vet

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	// For the names of an issuer in OCSP responses.
	_ "crypto/sha1"
	_ "crypto/sha256"
	_ "crypto/sha512"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

// MaxOCSP is the largest OCSP response that ReadOCSP looks at, in bytes.
const MaxOCSP = 1 << 20

// OCSP is an OCSP response, read and not yet believed: its signature is checked when a
// certificate that it is about is judged.
type OCSP struct {
	File string

	der []byte
	ids []certID
}

// DER is the response as it was read.
func (o *OCSP) DER() []byte { return o.der }

// certID is the CertID of RFC 6960 4.1.1: which certificate a response is about.
type certID struct {
	hash              crypto.Hash // 0 if it is not known here
	nameHash, keyHash []byte
	serial            *big.Int
}

// ReadOCSP reads one OCSP response, DER as `openssl ocsp -respout` writes it, or PEM. Errors wrap ErrEvidence.
func ReadOCSP(name string, data []byte) (*OCSP, error) {
	if len(data) > MaxOCSP {
		return nil, fmt.Errorf("%s: %w: it has %d bytes, at most %d are read", name, ErrEvidence, len(data), MaxOCSP)
	}
	if block, _ := pem.Decode(data); block != nil && block.Type == "OCSP RESPONSE" {
		data = block.Bytes
	}
	bad := func(why string) (*OCSP, error) {
		return nil, fmt.Errorf("%s: %w: %s", name, ErrEvidence, why)
	}
	in := cryptobyte.String(data)
	var outer, wrapped, response, octets cryptobyte.String
	var status int
	var kind asn1.ObjectIdentifier
	if !in.ReadASN1(&outer, cbasn1.SEQUENCE) || !in.Empty() || !outer.ReadASN1Enum(&status) {
		return bad("it is no OCSP response")
	}
	if status != 0 {
		return bad(fmt.Sprintf("the responder gave no answer: %s", ocsp.ResponseStatus(status)))
	}
	if !outer.ReadASN1(&wrapped, context(0, true)) || !wrapped.ReadASN1(&response, cbasn1.SEQUENCE) ||
		!response.ReadASN1ObjectIdentifier(&kind) || !response.ReadASN1(&octets, cbasn1.OCTET_STRING) {
		return bad("the OCSP response cannot be read")
	}
	ids, ok := readCertIDs(octets)
	if !ok {
		return bad("the OCSP response is not a basic one, or cannot be read")
	}
	return &OCSP{File: name, der: data, ids: ids}, nil
}

// readCertIDs reads which certificates a BasicOCSPResponse is about.
func readCertIDs(basic cryptobyte.String) (ids []certID, ok bool) {
	var seq, tbs, responses cryptobyte.String
	if !basic.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&tbs, cbasn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(context(0, true)) || !skipAny(&tbs) || !skipAny(&tbs) || // version, responderID, producedAt
		!tbs.ReadASN1(&responses, cbasn1.SEQUENCE) {
		return nil, false
	}
	for !responses.Empty() {
		var single, id, algorithm cryptobyte.String
		var oid asn1.ObjectIdentifier
		var name, key cryptobyte.String
		serial := new(big.Int)
		if !responses.ReadASN1(&single, cbasn1.SEQUENCE) || !single.ReadASN1(&id, cbasn1.SEQUENCE) ||
			!id.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
			!id.ReadASN1(&name, cbasn1.OCTET_STRING) || !id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.ReadASN1Integer(serial) {
			return nil, false
		}
		ids = append(ids, certID{certIDHashes()[oid.String()], name, key, serial})
	}
	return ids, len(ids) > 0
}

func skipAny(s *cryptobyte.String) bool {
	var content cryptobyte.String
	var tag cbasn1.Tag
	return s.ReadAnyASN1(&content, &tag)
}

func certIDHashes() map[string]crypto.Hash {
	return map[string]crypto.Hash{
		"1.3.14.3.2.26": crypto.SHA1, "2.16.840.1.101.3.4.2.1": crypto.SHA256,
		"2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}
}

// is reports whether id names the certificate with this issuer.
func (id certID) is(subject, issuer *x509.Certificate) bool {
	if id.hash == 0 || id.serial.Cmp(subject.SerialNumber) != 0 {
		return false
	}
	var spki struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(issuer.RawSubjectPublicKeyInfo, &spki); err != nil {
		return false
	}
	sum := func(data []byte) []byte {
		h := id.hash.New()
		h.Write(data)
		return h.Sum(nil)
	}
	return bytes.Equal(id.nameHash, sum(issuer.RawSubject)) && bytes.Equal(id.keyHash, sum(spki.Key.Bytes))
}

// says is what the response says of a certificate with this issuer at that time.
func (o *OCSP) says(subject, issuer *x509.Certificate, at time.Time) word {
	if !slices.ContainsFunc(o.ids, func(id certID) bool { return id.is(subject, issuer) }) {
		return word{}
	}
	about := "the OCSP response " + o.File
	same := 0
	for _, id := range o.ids {
		if id.serial.Cmp(subject.SerialNumber) == 0 {
			same++
		}
	}
	if same > 1 {
		return word{standing: useless, msg: about + " speaks more than once of the serial number"}
	}
	r, why := o.verify(subject, issuer, at)
	if why.standing != silent {
		return why
	}
	if r.ThisUpdate.After(at) {
		w := word{standing: useless, msg: fmt.Sprintf("%s is of %s, after the time judged at", about, moment(r.ThisUpdate))}
		if r.Status == ocsp.Revoked {
			w.standing, w.named = doubtful, true
		}
		return w
	}
	switch r.Status {
	case ocsp.Revoked:
		return word{standing: revoked, msg: fmt.Sprintf("revoked on %s (%s), says %s of %s", moment(r.RevokedAt), reasonName(r.RevocationReason), about, moment(r.ThisUpdate))}
	case ocsp.Good:
		return fresh(about, r.ThisUpdate, r.NextUpdate, at)
	}
	return word{standing: useless, msg: about + ": the responder does not know the certificate"}
}

// verify believes a response that the issuer signed, or a responder that it certified for that.
func (o *OCSP) verify(subject, issuer *x509.Certificate, at time.Time) (*ocsp.Response, word) {
	about := "OCSP response " + o.File
	bad := func(format string, args ...any) (*ocsp.Response, word) {
		return nil, word{standing: forged, msg: fmt.Sprintf(format, args...)}
	}
	r, err := ocsp.ParseResponseForCert(o.der, subject, nil)
	if err != nil && strings.Contains(err.Error(), "bad signature") {
		return bad("the %s does not verify with the responder's certificate in it", about)
	}
	if err != nil {
		return nil, word{standing: useless, msg: fmt.Sprintf("the %s is not taken: %v", about, err)}
	}
	responder := r.Certificate
	if responder == nil || responder.Equal(issuer) {
		if err := r.CheckSignatureFrom(issuer); err != nil {
			return bad("the signature of the %s is not that of %s", about, quote(issuer.Subject.String()))
		}
		return r, word{}
	}
	if err := responder.CheckSignatureFrom(issuer); err != nil {
		return bad("the %s is signed by %s, which %s did not certify", about, quote(responder.Subject.String()), quote(issuer.Subject.String()))
	}
	switch {
	case !slices.Contains(responder.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return bad("the %s is signed by %s, which may not answer for its issuer (no extended key usage OCSPSigning)", about, quote(responder.Subject.String()))
	case at.Before(responder.NotBefore) || at.After(responder.NotAfter):
		return nil, word{standing: useless, msg: fmt.Sprintf("the %s is signed by a responder whose certificate is not valid at the time judged at", about)}
	}
	return r, word{}
}
