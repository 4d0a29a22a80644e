package der

import (
	"encoding/hex"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Text decodes a string type. Octets that the type does not allow become U+FFFD
// and come with an error, except in a PrintableString, where ASCII octets beyond
// its alphabet are kept. T61String is read as ISO 8859-1, as it is written in
// practice. Any other type gives its contents as "#" and hex, and an error.
func (e Element) Text() (string, error) {
	if e.Class == Universal && !e.Constructed {
		switch e.Tag {
		case TagUTF8String:
			if !utf8.Valid(e.Content) {
				return strings.ToValidUTF8(string(e.Content), "\uFFFD"), errorAt(e.Offset, "UTF8String that is not UTF-8")
			}
			return string(e.Content), nil
		case TagPrintableString:
			return e.ascii(isPrintable)
		case TagNumericString:
			return e.ascii(func(b byte) bool { return b == ' ' || b >= '0' && b <= '9' })
		case TagIA5String:
			return e.ascii(func(byte) bool { return true })
		case TagVisibleString:
			return e.ascii(func(b byte) bool { return b >= 0x20 && b < 0x7f })
		case TagT61String:
			var out strings.Builder
			for _, b := range e.Content {
				out.WriteRune(rune(b))
			}
			return out.String(), nil
		case TagBMPString:
			return e.bmp()
		case TagUniversalString:
			return e.universal()
		}
	}
	return "#" + hex.EncodeToString(e.Content), errorAt(e.Offset, "%s is not a string type", e.Kind())
}

// ASCII reads the contents as an IA5String whatever the tag, for IMPLICIT tags.
func (e Element) ASCII() (string, error) { return e.ascii(func(byte) bool { return true }) }

func (e Element) ascii(allowed func(byte) bool) (string, error) {
	var err error
	beyond := false
	for i, b := range e.Content {
		if b >= 0x80 {
			beyond = true
		}
		if err == nil && (b >= 0x80 || !allowed(b)) {
			err = errorAt(e.ContentOffset()+i, "%s with octet %02X", e.Kind(), b)
		}
	}
	if !beyond {
		return string(e.Content), err
	}
	var out strings.Builder
	for _, b := range e.Content {
		if b >= 0x80 {
			out.WriteRune(utf8.RuneError)
		} else {
			out.WriteByte(b)
		}
	}
	return out.String(), err
}

// isPrintable is the alphabet of X.680 PrintableString.
func isPrintable(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || strings.IndexByte(" '()+,-./:=?", b) >= 0
}

func (e Element) bmp() (string, error) {
	units := make([]uint16, 0, len(e.Content)/2)
	for i := 0; i+1 < len(e.Content); i += 2 {
		units = append(units, uint16(e.Content[i])<<8|uint16(e.Content[i+1]))
	}
	text := string(utf16.Decode(units))
	if len(e.Content)%2 != 0 {
		return text + "\uFFFD", errorAt(e.Offset, "BMPString with an odd number of octets")
	}
	for i, u := range units {
		if utf16.IsSurrogate(rune(u)) {
			return text, errorAt(e.ContentOffset()+2*i, "BMPString with a surrogate")
		}
	}
	return text, nil
}

func (e Element) universal() (string, error) {
	var out strings.Builder
	var err error
	for i := 0; i+3 < len(e.Content); i += 4 {
		c := e.Content[i : i+4]
		v := uint32(c[0])<<24 | uint32(c[1])<<16 | uint32(c[2])<<8 | uint32(c[3])
		if v > utf8.MaxRune || !utf8.ValidRune(rune(v)) {
			v = utf8.RuneError
			if err == nil {
				err = errorAt(e.ContentOffset()+i, "UniversalString with a value that is no character")
			}
		}
		out.WriteRune(rune(v))
	}
	if len(e.Content)%4 != 0 {
		out.WriteRune(utf8.RuneError)
		err = errorAt(e.Offset, "UniversalString whose octets are no multiple of four")
	}
	return out.String(), err
}
