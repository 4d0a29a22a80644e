package vet

import (
	"crypto/x509"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Extensions of revocation lists and of where to find them, RFC 5280 4.2.1.13, 4.2.2.1 and 5.
const (
	oidPoints         = "2.5.29.31"
	oidAuthorityInfo  = "1.3.6.1.5.5.7.1.1"
	oidIssuerKey      = "2.5.29.35"
	oidCRLNumber      = "2.5.29.20"
	oidReasonCode     = "2.5.29.21"
	oidInvalidityDate = "2.5.29.24"
	oidDeltaCRL       = "2.5.29.27"
	oidIssuingPoint   = "2.5.29.28"
	oidEntryIssuer    = "2.5.29.29"

	// Contents of the OBJECT IDENTIFIERs 1.3.6.1.5.5.7.48.1 and .2.
	accessOCSP   = "\x2b\x06\x01\x05\x05\x07\x30\x01"
	accessIssuer = "\x2b\x06\x01\x05\x05\x07\x30\x02"
)

// context is the tag of a context-specific element; constructed if it has others inside.
func context(n uint8, constructed bool) asn1.Tag {
	t := asn1.Tag(n).ContextSpecific()
	if constructed {
		t = t.Constructed()
	}
	return t
}

// scope is the IssuingDistributionPoint of a list: which certificates it is about.
type scope struct {
	partial                                         bool     // it has a distribution point
	uris                                            []string // of that
	users, authorities, reasons, indirect, attribut bool
}

func readScope(value []byte) (s scope, ok bool) {
	in := cryptobyte.String(value)
	var seq, point, full cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadOptionalASN1(&point, &s.partial, context(0, true)) {
		return s, false
	}
	if s.partial && point.PeekASN1Tag(context(0, true)) {
		if !point.ReadASN1(&full, context(0, true)) {
			return s, false
		}
		s.uris = uris(full)
	}
	for i, flag := range []*bool{&s.users, &s.authorities, &s.reasons, &s.indirect, &s.attribut} {
		var content cryptobyte.String
		var there bool
		if !seq.ReadOptionalASN1(&content, &there, context(uint8(i+1), false)) {
			return s, false
		}
		// onlySomeReasons is a BIT STRING: that it is there is enough.
		*flag = there && (i == 2 || len(content) == 1 && content[0] != 0)
	}
	return s, seq.Empty()
}

// refused says why such a list is taken for nobody whom it does not name.
func (s scope) refused() string {
	switch {
	case s.indirect:
		return "it is an indirect list, which also speaks for other issuers"
	case s.reasons:
		return "it covers only some reasons for revocation"
	}
	return ""
}

// leavesOut says why the list does not speak of this certificate.
func (s scope) leavesOut(c *x509.Certificate) string {
	switch {
	case s.attribut:
		return "it covers only attribute certificates"
	case s.authorities && !c.IsCA:
		return "it covers only certificates of CAs"
	case s.users && c.IsCA:
		return "it covers no certificates of CAs"
	case s.partial && !anyURI(s.uris, c.CRLDistributionPoints):
		return "it covers another part of the issuer's certificates (distribution point)" + named(", not that of", c.CRLDistributionPoints)
	}
	return ""
}

// uris reads the URIs of GeneralNames.
func uris(names cryptobyte.String) []string {
	var out []string
	for !names.Empty() {
		var content cryptobyte.String
		var tag asn1.Tag
		if !names.ReadAnyASN1(&content, &tag) {
			break
		}
		if tag == context(6, false) {
			out = append(out, string(content))
		}
	}
	return out
}

// crlURIs are where a certificate says that its issuer's list is. It is read without
// crypto/x509, which is slower and does not read every certificate.
func (x *exam) crlURIs() []string {
	var out []string
	x.eachIn(oidPoints, func(point cryptobyte.String) {
		var name, full cryptobyte.String
		if point.ReadASN1(&name, context(0, true)) && name.ReadASN1(&full, context(0, true)) {
			out = append(out, uris(full)...)
		}
	})
	return out
}

// accessURIs are the addresses of one kind in authorityInfoAccess.
func (x *exam) accessURIs(method string) []string {
	var out []string
	x.eachIn(oidAuthorityInfo, func(access cryptobyte.String) {
		var id cryptobyte.String
		if access.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) && string(id) == method {
			out = append(out, uris(access)...)
		}
	})
	return out
}

// eachIn visits the SEQUENCEs in the SEQUENCE of an extension.
func (x *exam) eachIn(oid string, visit func(cryptobyte.String)) {
	var list *cert.Extension
	if list = x.extension(oid); list == nil {
		return
	}
	in := cryptobyte.String(list.Value)
	var seq, one cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) {
		return
	}
	for !seq.Empty() && seq.ReadASN1(&one, asn1.SEQUENCE) {
		visit(one)
	}
}

// named shows a few addresses of a certificate, or nothing if it has none.
func named(lead string, addresses []string) string {
	const most = 3
	var shown []string
	for _, a := range addresses[:min(most, len(addresses))] {
		shown = append(shown, quote(a))
	}
	if len(addresses) > most {
		shown = append(shown, "and others")
	}
	if len(shown) == 0 {
		return ""
	}
	return lead + " " + strings.Join(shown, ", ")
}
