package der

import (
	"math/big"
	"strconv"
)

// Universal tag numbers.
const (
	TagBoolean         = 1
	TagInteger         = 2
	TagBitString       = 3
	TagOctetString     = 4
	TagNull            = 5
	TagOID             = 6
	tagExternal        = 8
	TagEnumerated      = 10
	tagEmbeddedPDV     = 11
	TagUTF8String      = 12
	TagSequence        = 16
	TagSet             = 17
	TagNumericString   = 18
	TagPrintableString = 19
	TagT61String       = 20
	TagIA5String       = 22
	TagUTCTime         = 23
	TagGeneralizedTime = 24
	TagVisibleString   = 26
	TagUniversalString = 28
	TagBMPString       = 30
)

// Kind names the element's type for people: "SEQUENCE", "[3]", "[APPLICATION 1]".
func (e Element) Kind() string {
	switch e.Class {
	case Application:
		return "[APPLICATION " + strconv.Itoa(e.Tag) + "]"
	case ContextSpecific:
		return "[" + strconv.Itoa(e.Tag) + "]"
	case Private:
		return "[PRIVATE " + strconv.Itoa(e.Tag) + "]"
	}
	return TagName(e.Tag)
}

// TagName names a universal tag for people: "SEQUENCE", "PrintableString".
func TagName(tag int) string {
	switch tag {
	case TagBoolean:
		return "BOOLEAN"
	case TagInteger:
		return "INTEGER"
	case TagBitString:
		return "BIT STRING"
	case TagOctetString:
		return "OCTET STRING"
	case TagNull:
		return "NULL"
	case TagOID:
		return "OBJECT IDENTIFIER"
	case TagEnumerated:
		return "ENUMERATED"
	case TagUTF8String:
		return "UTF8String"
	case TagSequence:
		return "SEQUENCE"
	case TagSet:
		return "SET"
	case TagNumericString:
		return "NumericString"
	case TagPrintableString:
		return "PrintableString"
	case TagT61String:
		return "T61String"
	case TagIA5String:
		return "IA5String"
	case TagUTCTime:
		return "UTCTime"
	case TagGeneralizedTime:
		return "GeneralizedTime"
	case TagVisibleString:
		return "VisibleString"
	case TagUniversalString:
		return "UniversalString"
	case TagBMPString:
		return "BMPString"
	}
	return "[UNIVERSAL " + strconv.Itoa(tag) + "]"
}

// Integer reads the contents of an INTEGER. A value that is not in its shortest
// form comes with an error; only without contents is it nil. The tag is the
// caller's business, here and in the methods below, for the sake of IMPLICIT tags.
func (e Element) Integer() (*big.Int, error) {
	if len(e.Content) == 0 {
		return nil, e.checkInteger()
	}
	n := new(big.Int).SetBytes(e.Content)
	if e.Content[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(e.Content))))
	}
	return n, e.checkInteger()
}

func (e Element) checkInteger() error {
	c := e.Content
	switch {
	case len(c) == 0:
		return errorAt(e.Offset, "%s without contents", e.Kind())
	case len(c) > 1 && (c[0] == 0 && c[1]&0x80 == 0 || c[0] == 0xff && c[1]&0x80 != 0):
		return errorAt(e.Offset, "%s not in its shortest form", e.Kind())
	}
	return nil
}

// Int reads an INTEGER that fits 32 bits.
func (e Element) Int() (int, error) {
	if err := e.checkInteger(); err != nil {
		return 0, err
	}
	if len(e.Content) > 4 {
		return 0, errorAt(e.Offset, "%s of %d octets is too large here", e.Kind(), len(e.Content))
	}
	n := int(int8(e.Content[0]))
	for _, b := range e.Content[1:] {
		n = n<<8 | int(b)
	}
	return n, nil
}

// Bool reads a BOOLEAN. Any one octet has a value; one other than 00 and FF comes with an error.
func (e Element) Bool() (bool, error) {
	if len(e.Content) != 1 {
		return false, errorAt(e.Offset, "BOOLEAN of %d octets", len(e.Content))
	}
	switch e.Content[0] {
	case 0:
		return false, nil
	case 0xff:
		return true, nil
	}
	return true, errorAt(e.Offset, "BOOLEAN is %02X, DER has FF for true", e.Content[0])
}

// BitString reads a primitive BIT STRING: its octets and how many bits of the
// last one are unused. Unused bits that are not zero come with an error.
func (e Element) BitString() (octets []byte, unused int, err error) {
	if len(e.Content) == 0 {
		return nil, 0, errorAt(e.Offset, "BIT STRING without contents")
	}
	octets, unused = e.Content[1:], int(e.Content[0])
	switch {
	case unused > 7 || unused > 0 && len(octets) == 0:
		return octets, 0, errorAt(e.Offset, "BIT STRING of %d octets with %d unused bits", len(octets), unused)
	case unused > 0 && octets[len(octets)-1]&(1<<unused-1) != 0:
		return octets, unused, errorAt(e.Offset, "BIT STRING whose unused bits are not zero")
	}
	return octets, unused, nil
}

// maxOID caps an object identifier's contents, octets.
const maxOID = 128

// OID reads an OBJECT IDENTIFIER as dotted decimals.
func (e Element) OID() (string, error) {
	c := e.Content
	if len(c) == 0 {
		return "", errorAt(e.Offset, "OBJECT IDENTIFIER without contents")
	}
	if len(c) > maxOID {
		return "", errorAt(e.Offset, "OBJECT IDENTIFIER of %d octets, at most %d are read", len(c), maxOID)
	}
	if known := knownOID(c); known != "" {
		return known, nil
	}
	var buf [64]byte // room for nearly all, without an allocation
	out := buf[:0]
	for i := 0; i < len(c); {
		if c[i] == 0x80 {
			return "", errorAt(e.Offset, "OBJECT IDENTIFIER not in its shortest form")
		}
		var small uint64
		var large *big.Int // arcs such as those of UUIDs do not fit 64 bits
		for {
			if i == len(c) {
				return "", errorAt(e.Offset, "OBJECT IDENTIFIER ends inside an arc")
			}
			b := c[i]
			i++
			if large == nil && small>>57 != 0 {
				large = new(big.Int).SetUint64(small)
			}
			if large != nil {
				large.Lsh(large, 7).Or(large, big.NewInt(int64(b&0x7f)))
			} else {
				small = small<<7 | uint64(b&0x7f)
			}
			if b&0x80 == 0 {
				break
			}
		}
		out = appendArc(out, small, large)
	}
	return string(out), nil
}

// appendArc writes an arc; the first one written carries two.
func appendArc(out []byte, small uint64, large *big.Int) []byte {
	if len(out) == 0 {
		root := min(small/40, 2)
		if large != nil {
			root = 2
			large = new(big.Int).Sub(large, big.NewInt(80))
		}
		out = strconv.AppendUint(out, root, 10)
		small -= root * 40
	}
	out = append(out, '.')
	if large != nil {
		return large.Append(out, 10)
	}
	return strconv.AppendUint(out, small, 10)
}
