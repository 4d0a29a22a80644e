package cert

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// maxFaults caps the list of a certificate made of nothing but faults.
const maxFaults = 200

// Parse reads one certificate. Any input that is an ASN.1 SEQUENCE gives a
// Certificate, with Faults for what could not be read; anything else is
// ErrNotCertificate. Trailing bytes are a Fault and are not part of Raw.
func Parse(raw []byte) (*Certificate, error) {
	r, err := der.NewReader(raw, der.Limits{Bytes: MaxFile}, der.Loose)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCertificate, err)
	}
	e, err := r.Next()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotCertificate, err)
	}
	if !e.Is(der.TagSequence) || !e.Constructed {
		return nil, fmt.Errorf("%w: SEQUENCE expected, found %s", ErrNotCertificate, e.Kind())
	}
	p := &parser{c: &Certificate{Raw: e.Raw}}
	p.notes("certificate", r)
	p.atEnd("certificate", r)
	p.signed("certificate", "tbsCertificate", r, e, p.tbs)
	return p.c, nil
}

// parser fills in a certificate and collects what is wrong with it.
type parser struct {
	c *Certificate

	inner    sigalg.Algorithm // TBSAlgRaw as read, and what was wrong with it
	innerErr error
}

// algorithm reads the outer AlgorithmIdentifier, which nearly always is the inner one again.
func (p *parser) algorithm(raw []byte) (sigalg.Algorithm, error) {
	if p.c.TBSAlgRaw != nil && bytes.Equal(raw, p.c.TBSAlgRaw) {
		return p.inner, p.innerErr
	}
	return sigalg.ParseIdentifier(raw)
}

// fault records an error of the der or sigalg packages at its place.
func (p *parser) fault(path string, err error) {
	var at *der.Error
	if errors.As(err, &at) {
		p.faultAt(path, at.Offset, at.Msg)
	} else {
		p.faultAt(path, 0, err.Error())
	}
}

func (p *parser) faultAt(path string, offset int, msg string) {
	f := Fault{Path: path, Offset: offset, Msg: msg}
	if len(p.c.Faults) < maxFaults && !slices.Contains(p.c.Faults, f) {
		p.c.Faults = append(p.c.Faults, f)
	}
}

// notes records what the reader let pass.
func (p *parser) notes(path string, r *der.Reader) {
	for _, n := range r.Notes() {
		p.faultAt(path, n.Offset, n.Msg)
	}
}

// next reads one element; what is missing or broken is a fault.
func (p *parser) next(path string, r *der.Reader) (der.Element, bool) {
	if !r.More() {
		p.faultAt(path, r.Offset(), "missing")
		return der.Element{}, false
	}
	e, err := r.Next()
	p.notes(path, r)
	if err != nil {
		p.fault(path, err)
		return e, false
	}
	return e, true
}

// enter opens an element that must have this universal tag.
func (p *parser) enter(path string, r *der.Reader, e der.Element, tag int) (*der.Reader, bool) {
	if !e.Is(tag) {
		p.faultAt(path, e.Offset, der.TagName(tag)+" expected, found "+e.Kind())
		return nil, false
	}
	in, err := r.Enter(e)
	if err != nil {
		p.fault(path, err)
		return nil, false
	}
	return in, true
}

func (p *parser) oid(path string, e der.Element) (string, bool) {
	if !e.Is(der.TagOID) {
		p.faultAt(path, e.Offset, "OBJECT IDENTIFIER expected, found "+e.Kind())
		return "", false
	}
	oid, err := e.OID()
	if err != nil {
		p.fault(path, err)
	}
	return oid, err == nil
}

func (p *parser) atEnd(path string, r *der.Reader) {
	if r.More() {
		p.faultAt(path, r.Offset(), fmt.Sprintf("%d bytes too many", len(r.Rest())))
	}
}

// signed reads what is signed, with fields for what is in it, and the signature.
func (p *parser) signed(what, inner string, r *der.Reader, e der.Element, fields func(*der.Reader)) {
	in, err := r.Enter(e)
	if err != nil {
		p.fault(what, err)
		return
	}
	if tbs, ok := p.next(inner, in); ok {
		p.c.TBS = tbs.Raw
		if inside, ok := p.enter(inner, in, tbs, der.TagSequence); ok {
			fields(inside)
		}
	}
	if alg, ok := p.next("signatureAlgorithm", in); ok {
		p.c.AlgorithmRaw = alg.Raw
		p.c.Algorithm, err = p.algorithm(alg.Raw)
		p.faultIn("signatureAlgorithm", alg, err)
	}
	if sig, ok := p.next("signatureValue", in); ok {
		p.signature(sig)
	}
	p.atEnd(what, in)
}

// faultIn records an error of pkg/sigalg about an element. Its place is the
// element, so the byte that the text may name, counted from there, is cut off.
func (p *parser) faultIn(path string, e der.Element, err error) {
	if err == nil {
		return
	}
	msg := err.Error()
	var at *der.Error
	if errors.As(err, &at) {
		msg = strings.TrimSuffix(msg, at.Error()) + at.Msg
	}
	p.faultAt(path, e.Offset, msg)
}

func (p *parser) signature(e der.Element) {
	if !e.Is(der.TagBitString) {
		p.faultAt("signatureValue", e.Offset, "BIT STRING expected, found "+e.Kind())
		return
	}
	bits, unused, err := e.BitString()
	if err == nil && unused != 0 {
		err = &der.Error{Offset: e.Offset, Msg: "BIT STRING that is not whole octets"}
	}
	if err != nil {
		p.fault("signatureValue", err)
	}
	p.c.Signature = bits
}

// field reads the next field of the TBSCertificate if it has the tag. A field of
// another type is a fault; it is taken for the field, so that the next ones stay
// in step, unless it looks like what comes after a missing one.
func (p *parser) field(path string, r *der.Reader, tag int) (der.Element, bool) {
	e, err := r.Peek()
	if r.More() && err == nil && !e.Is(tag) {
		p.faultAt(path, e.Offset, der.TagName(tag)+" expected, found "+e.Kind())
		if e.Class != der.ContextSpecific && !(tag == der.TagInteger && e.Is(der.TagSequence)) {
			_, _ = p.next(path, r)
		}
		return e, false
	}
	return p.next(path, r)
}

func (p *parser) tbs(r *der.Reader) {
	c := p.c
	p.version(r)
	if e, ok := p.field("tbsCertificate.serialNumber", r, der.TagInteger); ok {
		c.SerialRaw = e.Content
		var err error
		if c.Serial, err = e.Integer(); err != nil {
			p.fault("tbsCertificate.serialNumber", err)
		}
	}
	if e, ok := p.field("tbsCertificate.signature", r, der.TagSequence); ok {
		c.TBSAlgRaw = e.Raw
		p.inner, p.innerErr = sigalg.ParseIdentifier(e.Raw)
		p.faultIn("tbsCertificate.signature", e, p.innerErr)
	}
	if e, ok := p.field("tbsCertificate.issuer", r, der.TagSequence); ok {
		c.Issuer = p.name("tbsCertificate.issuer", r, e)
	}
	if e, ok := p.field("tbsCertificate.validity", r, der.TagSequence); ok {
		p.validity(r, e)
	}
	if e, ok := p.field("tbsCertificate.subject", r, der.TagSequence); ok {
		c.Subject = p.name("tbsCertificate.subject", r, e)
	}
	if e, ok := p.field("tbsCertificate.subjectPublicKeyInfo", r, der.TagSequence); ok {
		c.SPKI = e.Raw
		var err error
		c.PublicKey, err = sigalg.ParsePublicKey(e.Raw)
		p.faultIn("tbsCertificate.subjectPublicKeyInfo", e, err)
	}
	p.tail(r)
}

func (p *parser) version(r *der.Reader) {
	const path = "tbsCertificate.version"
	e, err := r.Peek()
	if err != nil || !e.IsContext(0) {
		p.c.Version = 1
		return
	}
	_, _ = p.next(path, r)
	in, err := r.Enter(e)
	if err != nil {
		p.fault(path, err)
		return
	}
	v, ok := p.next(path, in)
	if !ok {
		return
	}
	p.atEnd(path, in)
	if !v.Is(der.TagInteger) {
		p.faultAt(path, v.Offset, "INTEGER expected, found "+v.Kind())
		return
	}
	n, err := v.Int()
	switch {
	case err != nil:
		p.fault(path, err)
	case n < 0 || n > 2:
		p.faultAt(path, v.Offset, "version "+big.NewInt(int64(n)+1).String()+" does not exist")
	default:
		p.c.Version = n + 1
		if n == 0 {
			p.faultAt(path, e.Offset, "default version 1 is encoded")
		}
	}
}

func (p *parser) validity(r *der.Reader, e der.Element) {
	const path = "tbsCertificate.validity"
	in, err := r.Enter(e)
	if err != nil {
		p.fault(path, err)
		return
	}
	p.c.NotBefore = p.time(path+".notBefore", in)
	p.c.NotAfter = p.time(path+".notAfter", in)
	p.atEnd(path, in)
}

func (p *parser) time(path string, r *der.Reader) time.Time {
	e, ok := p.next(path, r)
	if !ok {
		return time.Time{}
	}
	t, err := e.Time()
	switch {
	case err != nil:
		p.fault(path, err)
	case e.Tag == der.TagGeneralizedTime && t.Year() < 2050:
		// RFC 5280 4.1.2.5
		p.faultAt(path, e.Offset, "GeneralizedTime for a year before 2050")
	}
	return t
}

// tail reads the optional fields: unique identifiers and extensions.
func (p *parser) tail(r *der.Reader) {
	last := 0
	for r.More() {
		e, ok := p.next("tbsCertificate", r)
		if !ok {
			return
		}
		if e.Class != der.ContextSpecific || e.Tag > 3 || e.Tag <= last {
			p.faultAt("tbsCertificate", e.Offset, e.Kind()+" out of place")
			continue
		}
		last = e.Tag
		if e.Tag != 3 {
			p.c.UniqueIDs = true
			continue
		}
		p.extensions(r, e)
	}
}
