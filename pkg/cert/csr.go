package cert

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/der"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

const oidExtensionRequest = "1.2.840.113549.1.9.14"

// ParseRequest reads a certificate signing request (PKCS#10, RFC 2986) into the
// model of a certificate that does not exist yet: subject, key, requested
// extensions, and the signature by which the key proves itself, with the subject
// for issuer. Everything else is zero. Errors and Faults are those of Parse.
func ParseRequest(raw []byte) (*Certificate, error) {
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
	p.notes("request", r)
	p.atEnd("request", r)
	p.signed("request", "certificationRequestInfo", r, e, p.requestInfo)
	return p.c, nil
}

func (p *parser) requestInfo(r *der.Reader) {
	c := p.c
	_, _ = p.field("certificationRequestInfo.version", r, der.TagInteger)
	if e, ok := p.field("certificationRequestInfo.subject", r, der.TagSequence); ok {
		c.Subject = p.name("certificationRequestInfo.subject", r, e)
		c.Issuer = c.Subject
	}
	if e, ok := p.field("certificationRequestInfo.subjectPKInfo", r, der.TagSequence); ok {
		c.SPKI = e.Raw
		var err error
		c.PublicKey, err = sigalg.ParsePublicKey(e.Raw)
		p.faultIn("certificationRequestInfo.subjectPKInfo", e, err)
	}
	const path = "certificationRequestInfo.attributes"
	e, ok := p.next(path, r)
	if !ok || !e.IsContext(0) {
		return
	}
	in, err := r.Enter(e)
	if err != nil {
		p.fault(path, err)
		return
	}
	for in.More() {
		pair, ok := p.next(path, in)
		if !ok {
			return
		}
		if a := shapeOf(in, pair, 2); a.oid(0) == oidExtensionRequest && a.is(1, der.TagSet) {
			p.extensions(a.r, a.e[1])
		}
	}
}

// request adds a signing request, which is vetted as far as it goes.
func (in *reading) request(data []byte, line int) {
	c, err := ParseRequest(data)
	if err != nil {
		in.problem(ProblemUnreadable, -1, line, err.Error())
		return
	}
	in.Requests = append(in.Requests, Item{Index: len(in.Requests), Line: line, Entry: in.entry, Cert: c})
}
