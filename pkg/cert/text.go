package cert

import (
	"bytes"
	"encoding/base64"
	"regexp"
	"unicode/utf16"
	"unicode/utf8"
)

// isText reports whether data has none of the bytes that only binary files have.
func isText(data []byte) bool {
	for _, c := range data {
		if c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' {
			return false
		}
	}
	return utf8.Valid(data)
}

// hiding is what stood before or around a text and hides its first marker, or all
// of them, from usual PEM readers.
type hiding struct {
	why string
	all bool
}

// plainText takes off a byte order mark and turns UTF-16 into UTF-8.
func plainText(data []byte) ([]byte, hiding) {
	switch {
	case bytes.HasPrefix(data, []byte{0xef, 0xbb, 0xbf}):
		return data[3:], hiding{why: "a byte order mark stands before it"}
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return fromUTF16(data[2:], 0), hiding{why: "the file is UTF-16", all: true}
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return fromUTF16(data[2:], 1), hiding{why: "the file is UTF-16", all: true}
	}
	return data, hiding{}
}

func fromUTF16(data []byte, low int) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = uint16(data[2*i+low]) | uint16(data[2*i+1-low])<<8
	}
	return []byte(string(utf16.Decode(units)))
}

// bareBase64 decodes a text that is nothing but base64.
func bareBase64(text []byte) ([]byte, bool) {
	for _, c := range text {
		if !isBase64(c) && c != '=' && c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return nil, false
		}
	}
	binary, _, err := decodeBody(text)
	return binary, err == nil && len(binary) > 0
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// keyPrefix is how many base64 characters tell a private key: classify sees its
// first elements.
const keyPrefix = 160

// printsKey reports whether text has what "openssl pkey -text" prints of what is
// private in a key. Text that does not even have the word pays for no pattern.
func printsKey(text []byte) bool {
	return bytes.Contains(text, []byte("priv")) &&
		regexp.MustCompile(`(?m)^[ \t]*(priv|privateExponent):\s+([0-9a-fA-F]{2}:){8}`).Match(text)
}

// strayKeys looks for private keys in text that is not a PEM block: base64 of
// which the markers were cut off, a JSON web key, or OpenSSL's print of a key.
func (in *reading) strayKeys(text []byte) {
	if printsKey(text) {
		in.foreign(structure{name: "printed private key", private: true}, -1, 0)
		return
	}
	if bytes.Contains(text, []byte(`"kty"`)) && bytes.Contains(text, []byte(`"d"`)) {
		in.foreign(structure{name: "private JSON web key", private: true}, -1, 0)
		return
	}
	if in.Kind == "PEM" && bytes.ContainsFunc(text, binaryByte) {
		// Nobody can say what it is, and it may be a key.
		in.problem(ProblemUnreadable, -1, 0, "there are binary data beside the PEM blocks")
		return
	}
	for i := 0; i < len(text); i++ {
		if !isBase64(text[i]) {
			continue
		}
		var prefix []byte
		if text[i] == 'M' || text[i] == 'b' {
			prefix = base64Prefix(text[i:min(len(text), i+4*keyPrefix)])
		}
		if bytes.HasPrefix(prefix, []byte("b3BlbnNzaC1rZXktdjE")) {
			in.foreign(structure{name: "OpenSSH private key", private: true}, -1, 0)
			return
		}
		// A SEQUENCE, 0x30, begins with M.
		if len(prefix) >= 24 && prefix[0] == 'M' {
			binary := make([]byte, base64.StdEncoding.DecodedLen(len(prefix)))
			n, err := base64.StdEncoding.Decode(binary, prefix[:len(prefix)/4*4])
			if s := classify(binary[:n]); err == nil && s != nil && s.private {
				in.foreign(*s, -1, 0)
				return
			}
		}
		for i < len(text) && isBase64(text[i]) {
			i++
		}
	}
}

// binaryByte reports the control characters that no text has.
func binaryByte(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\v' && r != 0x1a
}

// base64Prefix joins the base64 that text begins with over line ends.
func base64Prefix(text []byte) []byte {
	out := make([]byte, 0, keyPrefix)
	for _, c := range text {
		switch {
		case isBase64(c) && len(out) < keyPrefix:
			out = append(out, c)
		case c == '\n', c == '\r', c == ' ', c == '\t':
		default:
			return out
		}
	}
	return out
}
