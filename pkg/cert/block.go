package cert

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Block is what stands between the markers of a PEM block, however they are written.
type Block struct {
	Label string // in capitals; "" for a text that is nothing but base64
	Line  int    // 1-based, of the BEGIN marker
	DER   []byte // nil if Err is not
	Err   error  // why the body cannot be decoded; it never quotes the body
}

// Stray is text beside the blocks that may be more than a remark.
type Stray struct {
	Line int // 1-based
	Why  string
}

// Blocks finds every BEGIN marker of a text, as Read does: indented, with any line
// ends, without its END. A text without one, and of base64 alone, is one block. A
// reader that must not overlook anything refuses a file with Stray text. A binary
// file has neither.
func Blocks(data []byte) ([]Block, []Stray) {
	if magic(data) != nil || len(data) > 0 && data[0] == 0x30 && !isText(data) {
		return nil, nil
	}
	text, _ := plainText(data)
	var blocks []Block
	var stray []Stray
	all := markers(text)
	lines := lineCounter{text: text, line: 1}
	outside := 0
	for i, m := range all {
		if !m.begin {
			continue
		}
		stray = appendStray(stray, text, outside, max(outside, m.start), &lines)
		stop := len(text)
		outside = stop
		if i+1 < len(all) {
			stop, outside = max(m.stop, all[i+1].start), all[i+1].stop
			if all[i+1].begin {
				outside = all[i+1].start
			}
		}
		b := Block{Label: m.label, Line: m.line}
		b.DER, _, b.Err = decodeBody(text[m.stop:stop])
		blocks = append(blocks, b)
	}
	if len(blocks) == 0 {
		if binary, ok := bareBase64(text); ok && binary[0] == 0x30 {
			return []Block{{Line: 1, DER: binary}}, nil
		}
	}
	return blocks, appendStray(stray, text, outside, len(text), &lines)
}

// maxRemark is the longest word of base64 that is taken for a remark: a SHA-256 has 44
// characters, or 64 in hex, which is told apart, and a line of a PEM block mostly 64.
const maxRemark = 47

// appendStray looks for what may be a key, a certificate or a list in text that is not
// in a block: JSON, a marker that is written too badly, base64, and binary data.
func appendStray(all []Stray, text []byte, from, to int, lines *lineCounter) []Stray {
	for from < to {
		end := to
		if n := bytes.IndexAny(text[from:to], "\r\n"); n >= 0 {
			end = from + n
		}
		if why := strayLine(text[from:end]); why != "" {
			return append(all, Stray{lines.at(from), why}) // one for each gap is enough
		}
		from = end + 1
	}
	return all
}

func strayLine(line []byte) string {
	switch {
	case bytes.ContainsFunc(line, binaryByte) || !utf8.Valid(line):
		return "binary data beside the PEM blocks"
	case bytes.IndexByte(line, '{') >= 0:
		return "JSON beside the PEM blocks"
	}
	if keyword(bytes.TrimLeft(line, " \t-#")) == "BEGIN" {
		return "something like a BEGIN marker that is none"
	}
	for _, word := range bytes.FieldsFunc(line, func(r rune) bool { return !isBase64URL(r) }) {
		word = bytes.Trim(word, "-_/+") // a ruled line is a remark
		if len(word) > maxRemark && (len(word) > 2*len(Thumbprint{}) || !isHex(word)) {
			return fmt.Sprintf("%d characters of base64 beside the PEM blocks", len(word))
		}
	}
	return ""
}

func isBase64URL(r rune) bool {
	return r < utf8.RuneSelf && (isBase64(byte(r)) || r == '-' || r == '_')
}

func isHex(word []byte) bool {
	return len(bytes.Trim(word, "0123456789abcdefABCDEF")) == 0
}

// ParseBlock reads the certificate that is the whole block, whatever its label. Anything
// else, also a certificate with something behind it, is ErrNotCertificate.
func ParseBlock(b Block) (*Certificate, error) {
	der := b.DER
	element, rest := splitElement(der)
	if len(rest) > 0 && b.Label == labelTrusted {
		der = element
	}
	c, err := Parse(der)
	switch {
	case err != nil:
		return nil, err
	case len(c.Raw) != len(der):
		return nil, fmt.Errorf("%w: there is something behind it", ErrNotCertificate)
	case classify(der) != nil || !c.Whole():
		return nil, fmt.Errorf("%w: it has no issuer, serial number, key and signature that can be read", ErrNotCertificate)
	}
	return c, nil
}

// LooksLikeCRL reports whether a DER element begins as a revocation list does. It may
// be cut off.
func LooksLikeCRL(der []byte) bool {
	s := classify(der[:min(len(der), MaxFile)])
	return s != nil && s.name == nameCRL
}

// Whole reports whether everything that a certificate is told apart by could be read. A
// SEQUENCE of anything else is a Certificate too, with Faults.
func (c *Certificate) Whole() bool {
	return c.Serial != nil && len(c.SPKI) > 0 && len(c.Signature) > 0 && len(c.Issuer.Raw) > 0
}
