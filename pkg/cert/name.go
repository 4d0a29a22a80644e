package cert

import (
	"strings"

	"github.com/efgsta/efgsta/pkg/der"
)

// Attribute is one AttributeTypeAndValue of a name.
type Attribute struct {
	OID   string // dotted
	Tag   int    // universal tag of the value (19 PrintableString, 12 UTF8String …)
	Raw   []byte // content octets of the value
	Value string // decoded text; invalid bytes replaced by U+FFFD
}

// RDN is one RelativeDistinguishedName: usually one attribute, possibly several.
type RDN []Attribute

// Name is a distinguished name in the order of its encoding.
type Name struct {
	Raw  []byte
	RDNs []RDN
}

// Attribute types used by the templates of Governance 4.3 to 4.5.
const (
	OIDCommonName         = "2.5.4.3"
	OIDCountry            = "2.5.4.6"
	OIDLocality           = "2.5.4.7"
	OIDState              = "2.5.4.8"
	OIDOrganization       = "2.5.4.10"
	OIDOrganizationalUnit = "2.5.4.11"
	OIDEmail              = "1.2.840.113549.1.9.1"
)

// Values returns every value of the attribute type, in order.
func (n Name) Values(oid string) []string {
	var out []string
	for _, rdn := range n.RDNs {
		for _, a := range rdn {
			if a.OID == oid {
				out = append(out, a.Value)
			}
		}
	}
	return out
}

// String is RFC 2253-like in encoding order: "C=DE, O=x, CN=y"; unknown types by
// OID, several attributes of one RDN joined by "+". It is not escaped for terminals.
func (n Name) String() string {
	var out strings.Builder
	for i, rdn := range n.RDNs {
		if i > 0 {
			out.WriteString(", ")
		}
		for j, a := range rdn {
			if j > 0 {
				out.WriteByte('+')
			}
			out.WriteString(AttributeName(a.OID))
			out.WriteByte('=')
			writeValue(&out, a)
		}
	}
	return out.String()
}

// AttributeName is the short name of an attribute type ("CN"), or its OID.
func AttributeName(oid string) string {
	switch oid {
	case OIDCommonName:
		return "CN"
	case "2.5.4.4":
		return "SN"
	case "2.5.4.5":
		return "serialNumber"
	case OIDCountry:
		return "C"
	case OIDLocality:
		return "L"
	case OIDState:
		return "ST"
	case "2.5.4.9":
		return "street"
	case OIDOrganization:
		return "O"
	case OIDOrganizationalUnit:
		return "OU"
	case "2.5.4.12":
		return "title"
	case "2.5.4.13":
		return "description"
	case "2.5.4.15":
		return "businessCategory"
	case "2.5.4.17":
		return "postalCode"
	case "2.5.4.42":
		return "GN"
	case "2.5.4.97":
		return "organizationIdentifier"
	case OIDEmail:
		return "emailAddress"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "1.3.6.1.4.1.311.60.2.1.1":
		return "jurisdictionL"
	case "1.3.6.1.4.1.311.60.2.1.2":
		return "jurisdictionST"
	case "1.3.6.1.4.1.311.60.2.1.3":
		return "jurisdictionC"
	}
	return oid
}

// writeValue escapes what RFC 2253 2.4 has a meaning for.
func writeValue(out *strings.Builder, a Attribute) {
	for i, r := range a.Value {
		last := i+len(string(r)) == len(a.Value)
		switch {
		case strings.ContainsRune(`,+"\<>;`, r), r == '#' && i == 0 && stringType(a.Tag), r == ' ' && (i == 0 || last):
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
}

// stringType reports whether a value of this tag is text; others are "#" and hex.
func stringType(tag int) bool {
	switch tag {
	case der.TagUTF8String, der.TagNumericString, der.TagPrintableString, der.TagT61String,
		der.TagIA5String, der.TagVisibleString, der.TagUniversalString, der.TagBMPString:
		return true
	}
	return false
}

// name reads a Name, as much of it as is well formed.
func (p *parser) name(path string, r *der.Reader, e der.Element) Name {
	n := Name{Raw: e.Raw}
	in, err := r.Enter(e)
	if err != nil {
		p.fault(path, err)
		return n
	}
	var all []Attribute // of all RDNs, which are slices of it
	for in.More() {
		set, ok := p.next(path, in)
		if !ok {
			break
		}
		if !set.Is(der.TagSet) {
			p.faultAt(path, set.Offset, "SET expected, found "+set.Kind())
			continue
		}
		if n.RDNs == nil {
			n.RDNs, all = make([]RDN, 0, usualRDNs), make([]Attribute, 0, usualRDNs)
		}
		before := len(all)
		all = p.rdn(all, path, in, set)
		n.RDNs = append(n.RDNs, RDN(all[before:len(all):len(all)]))
	}
	return n
}

// usualRDNs is how many there is room for from the start.
const usualRDNs = 8

// rdn adds the attributes of an RDN to all.
func (p *parser) rdn(all []Attribute, path string, r *der.Reader, set der.Element) []Attribute {
	in, err := r.Enter(set)
	if err != nil {
		p.fault(path, err)
		return all
	}
	if !in.More() {
		p.faultAt(path, set.Offset, "empty RelativeDistinguishedName")
	}
	for in.More() {
		pair, ok := p.next(path, in)
		if !ok {
			break
		}
		if a, ok := p.attribute(path, in, pair); ok {
			all = append(all, a)
		}
	}
	return all
}

func (p *parser) attribute(path string, r *der.Reader, pair der.Element) (Attribute, bool) {
	var a Attribute
	in, ok := p.enter(path, r, pair, der.TagSequence)
	if !ok {
		return a, false
	}
	typ, ok := p.next(path, in)
	if !ok {
		return a, false
	}
	if a.OID, ok = p.oid(path, typ); !ok {
		return a, false
	}
	path += " " + AttributeName(a.OID)
	value, ok := p.next(path, in)
	if !ok {
		return a, false
	}
	p.atEnd(path, in)
	a.Raw = value.Content
	if value.Class == der.Universal {
		a.Tag = value.Tag
	}
	text, err := value.Text()
	if err != nil {
		p.fault(path, err)
	}
	a.Value = text
	return a, true
}
