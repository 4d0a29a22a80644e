package cert

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/efgsta/efgsta/pkg/der"
)

// Extensions that are decoded.
const (
	oidSubjectKeyID     = "2.5.29.14"
	oidKeyUsage         = "2.5.29.15"
	oidSubjectAltName   = "2.5.29.17"
	oidBasicConstraints = "2.5.29.19"
	oidPolicies         = "2.5.29.32"
	oidAuthorityKeyID   = "2.5.29.35"
	oidExtKeyUsage      = "2.5.29.37"
)

// ExtensionName is the name of an extension in RFC 5280 ("keyUsage"), or its OID.
func ExtensionName(oid string) string {
	switch oid {
	case oidSubjectKeyID:
		return "subjectKeyIdentifier"
	case oidKeyUsage:
		return "keyUsage"
	case oidSubjectAltName:
		return "subjectAltName"
	case "2.5.29.18":
		return "issuerAltName"
	case oidBasicConstraints:
		return "basicConstraints"
	case "2.5.29.30":
		return "nameConstraints"
	case "2.5.29.31":
		return "cRLDistributionPoints"
	case oidPolicies:
		return "certificatePolicies"
	case "2.5.29.33":
		return "policyMappings"
	case oidAuthorityKeyID:
		return "authorityKeyIdentifier"
	case "2.5.29.36":
		return "policyConstraints"
	case oidExtKeyUsage:
		return "extKeyUsage"
	case "2.5.29.46":
		return "freshestCRL"
	case "2.5.29.54":
		return "inhibitAnyPolicy"
	case "1.3.6.1.5.5.7.1.1":
		return "authorityInfoAccess"
	case "1.3.6.1.5.5.7.1.11":
		return "subjectInfoAccess"
	}
	return oid
}

func (p *parser) extensions(r *der.Reader, e der.Element) {
	const path = "tbsCertificate.extensions"
	outer, err := r.Enter(e)
	if err != nil {
		p.fault(path, err)
		return
	}
	list, ok := p.next(path, outer)
	if !ok {
		return
	}
	p.atEnd(path, outer)
	in, ok := p.enter(path, outer, list, der.TagSequence)
	if !ok {
		return
	}
	if !in.More() {
		p.faultAt(path, list.Offset, "no extension in the list")
	}
	seen := map[string]bool{}
	for i := 0; in.More(); i++ {
		path := "extensions[" + strconv.Itoa(i) + "]"
		e, ok := p.next(path, in)
		if !ok {
			return
		}
		ext, value, path, ok := p.extension(path, in, e)
		if !ok {
			continue
		}
		p.add(ext)
		if seen[ext.OID] {
			p.faultAt(path, ext.Offset, "extension is there twice")
			continue
		}
		seen[ext.OID] = true
		if ExtensionName(ext.OID) != ext.OID { // one of RFC 5280, whose value is DER
			p.value(path, in, ext, value)
		}
	}
}

// extension reads one Extension, without decoding its value, and adds its name to the path.
func (p *parser) extension(path string, r *der.Reader, e der.Element) (Extension, der.Element, string, bool) {
	ext := Extension{Offset: e.Offset}
	in, ok := p.enter(path, r, e, der.TagSequence)
	if !ok {
		return ext, e, path, false
	}
	id, ok := p.next(path, in)
	if !ok {
		return ext, e, path, false
	}
	if ext.OID, ok = p.oid(path, id); !ok {
		return ext, e, path, false
	}
	path += " " + ExtensionName(ext.OID)
	value, ok := p.next(path, in)
	if ok && value.Is(der.TagBoolean) {
		var err error
		if ext.Critical, err = value.Bool(); err != nil {
			p.fault(path, err)
		} else if !ext.Critical {
			p.faultAt(path, value.Offset, "default critical FALSE is encoded")
		}
		value, ok = p.next(path, in)
	}
	switch {
	case !ok:
	case !value.Is(der.TagOctetString):
		p.faultAt(path, value.Offset, "OCTET STRING expected, found "+value.Kind())
	case value.Constructed:
		p.faultAt(path, value.Offset, "OCTET STRING is constructed")
	default:
		ext.Value = value.Content
		p.atEnd(path, in)
		return ext, value, path, true
	}
	p.add(ext)
	return ext, value, path, false
}

func (p *parser) add(ext Extension) {
	const usual = 10
	if p.c.Extensions == nil {
		p.c.Extensions = make([]Extension, 0, usual)
	}
	p.c.Extensions = append(p.c.Extensions, ext)
}

// value decodes the value of a known extension.
func (p *parser) value(path string, r *der.Reader, ext Extension, octets der.Element) {
	in, err := r.Inside(octets)
	if err != nil {
		p.fault(path, err)
		return
	}
	e, ok := p.next(path, in)
	if ok {
		p.atEnd(path, in)
		var at *der.Error
		if err := der.Check(e.Raw, der.Limits{}); errors.As(err, &at) {
			p.faultAt(path, e.Offset+at.Offset, at.Msg)
		}
	}
	// Present and unreadable is not absent: these two are told by nil.
	switch ext.OID {
	case oidExtKeyUsage:
		p.c.ExtKeyUsage = []string{}
	case oidSubjectAltName:
		p.c.SAN = &SAN{}
	}
	if !ok {
		return
	}
	switch ext.OID {
	case oidKeyUsage:
		p.c.KeyUsageCritical = ext.Critical
		p.keyUsage(path, e)
	case oidExtKeyUsage:
		p.each(path, in, e, func(_ *der.Reader, e der.Element) {
			if oid, ok := p.oid(path, e); ok {
				p.c.ExtKeyUsage = append(p.c.ExtKeyUsage, oid)
			}
		})
	case oidBasicConstraints:
		p.basicConstraints(path, in, e)
	case oidSubjectAltName:
		p.each(path, in, e, func(_ *der.Reader, e der.Element) { p.generalName(path, e) })
	case oidSubjectKeyID:
		if !e.Is(der.TagOctetString) {
			p.faultAt(path, e.Offset, "OCTET STRING expected, found "+e.Kind())
			return
		}
		p.c.SubjectKeyID = e.Content
	case oidAuthorityKeyID:
		p.authorityKeyID(path, in, e)
	case oidPolicies:
		p.each(path, in, e, func(r *der.Reader, e der.Element) {
			if info, ok := p.enter(path, r, e, der.TagSequence); ok {
				if id, ok := p.next(path, info); ok {
					if oid, ok := p.oid(path, id); ok {
						p.c.PolicyOIDs = append(p.c.PolicyOIDs, oid)
					}
				}
			}
		})
	}
}

// each visits the elements of a SEQUENCE SIZE (1..MAX) OF.
func (p *parser) each(path string, r *der.Reader, e der.Element, visit func(*der.Reader, der.Element)) {
	in, ok := p.enter(path, r, e, der.TagSequence)
	if !ok {
		return
	}
	if !in.More() {
		p.faultAt(path, e.Offset, "empty SEQUENCE")
	}
	for in.More() {
		child, ok := p.next(path, in)
		if !ok {
			return
		}
		visit(in, child)
	}
}

func (p *parser) keyUsage(path string, e der.Element) {
	if !e.Is(der.TagBitString) {
		p.faultAt(path, e.Offset, "BIT STRING expected, found "+e.Kind())
		return
	}
	bits, _, err := e.BitString()
	if err != nil {
		p.fault(path, err)
		if bits == nil {
			return
		}
	}
	var usage KeyUsage
	for i := range 8 * len(bits) {
		if bits[i/8]&(0x80>>(i%8)) == 0 {
			continue
		}
		if i > 8 {
			p.faultAt(path, e.Offset, fmt.Sprintf("bit %d has no meaning", i))
			break
		}
		usage |= 1 << i
	}
	p.c.KeyUsage = &usage
}

func (p *parser) basicConstraints(path string, r *der.Reader, e der.Element) {
	in, ok := p.enter(path, r, e, der.TagSequence)
	if !ok {
		return
	}
	bc := &BasicConstraints{PathLen: -1}
	p.c.BasicConstraints = bc
	if next, err := in.Peek(); err == nil && next.Is(der.TagBoolean) {
		_, _ = p.next(path, in)
		if bc.CA, err = next.Bool(); err != nil {
			p.fault(path, err)
		}
		bc.CARawFalse = err == nil && !bc.CA
	}
	if in.More() {
		n, ok := p.next(path, in)
		if !ok {
			return
		}
		if !n.Is(der.TagInteger) {
			p.faultAt(path, n.Offset, "INTEGER expected, found "+n.Kind())
			return
		}
		length, err := n.Int()
		switch {
		case err != nil:
			p.fault(path, err)
		case length < 0:
			p.faultAt(path, n.Offset, "negative path length")
		default:
			bc.PathLen = length
		}
	}
	p.atEnd(path, in)
}

// generalName sorts one GeneralName of a subjectAltName.
func (p *parser) generalName(path string, e der.Element) {
	san := p.c.SAN
	if e.Class != der.ContextSpecific || e.Tag > 8 {
		p.faultAt(path, e.Offset, e.Kind()+" is no GeneralName")
		return
	}
	var list *[]string
	switch e.Tag {
	case 1:
		list = &san.Email
	case 2:
		list = &san.DNS
	case 6:
		list = &san.URI
	case 7:
		san.IP = append(san.IP, e.Content)
		return
	default:
		san.Other++
		return
	}
	text, err := e.ASCII()
	if err != nil {
		p.fault(path, err)
	}
	*list = append(*list, text)
}

func (p *parser) authorityKeyID(path string, r *der.Reader, e der.Element) {
	in, ok := p.enter(path, r, e, der.TagSequence)
	if !ok {
		return
	}
	for in.More() {
		field, ok := p.next(path, in)
		if !ok {
			return
		}
		if field.IsContext(0) {
			p.c.AuthorityKeyID = field.Content
		}
	}
}
