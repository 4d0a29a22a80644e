package cert

import (
	"fmt"

	"github.com/efgsta/efgsta/pkg/der"
)

// maxParts caps the parts of a PKCS#7 or PKCS#12, each of which may be a certificate.
const maxParts = 1 << 12

const oidSignedData = "1.2.840.113549.1.7.2"

// pkcs7 takes the certificates of a SignedData without content, as `openssl
// crl2pkcs7` and CAs make it. Signatures, if any, are not looked at.
func (in *reading) pkcs7(data []byte, line int) {
	before := len(in.Items)
	what, err := in.signedData(data, line)
	switch {
	case err != nil:
		in.problem(ProblemUnreadable, -1, line, fmt.Sprintf("PKCS#7: %s", err))
	case what != "":
		in.foreign(structure{name: what, advice: advicePKCS7}, -1, line)
	case len(in.Items) == before:
		in.foreign(structure{name: "PKCS#7 without certificates", advice: adviceOther}, -1, line)
	}
}

// signedData adds the certificates. Where it takes none, what says what it is.
func (in *reading) signedData(data []byte, line int) (what string, err error) {
	r, e, err := berRoot(data)
	if err != nil {
		return "", err
	}
	info := shapeOf(r, e, 2)
	if info.oid(0) != oidSignedData {
		return "PKCS#7 that is not SignedData", nil
	}
	if len(info.e) < 2 {
		return "", errShape
	}
	body, inside, err := wrapped(info.r, info.e[1], 0)
	if err != nil {
		return "", err
	}
	signed := shapeOf(inside, body, 6)
	if signed.small(0) < 0 || !signed.is(1, der.TagSet) || !signed.is(2, der.TagSequence) {
		return "", errShape
	}
	// Whatever a message carries may be a key, and would be kept with it.
	if content := shapeOf(signed.r, signed.e[2], 2); len(content.e) > 1 {
		return "signed message with content", nil
	}
	for _, part := range signed.e[3:] {
		if !part.IsContext(0) {
			continue
		}
		if err := each(signed.r, part, maxParts, func(_ *der.Reader, c der.Element) error {
			in.bagged(c.Raw, line)
			return nil
		}); err != nil {
			return "", err
		}
	}
	return "", nil
}

// bagged adds one certificate of a container.
func (in *reading) bagged(raw []byte, line int) {
	if s := classify(raw); s != nil {
		in.foreign(*s, -1, line)
		return
	}
	c, err := Parse(raw)
	index := in.item(line, c)
	if err != nil {
		in.problem(ProblemUnreadable, index, line, err.Error())
	}
}
