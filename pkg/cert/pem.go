package cert

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// readText reads the PEM blocks of a text and looks for keys between them. It
// reports false, and leaves in alone, if the text has no BEGIN marker.
func (in *reading) readText(text []byte, hidden hiding) bool {
	all := markers(text)
	found, outside := false, 0
	for i, m := range all {
		if !m.begin {
			continue
		}
		if hidden.why != "" && (hidden.all || m.start == 0) {
			m.flaws = append(m.flaws, hidden.why)
		}
		found = true
		in.kind("PEM")
		in.strayKeys(text[outside:max(outside, m.start)])
		outside = len(text)
		body := text[m.stop:]
		switch next := i + 1; {
		case next == len(all):
			m.flaws = append(m.flaws, "END marker is missing")
		case all[next].begin:
			outside = all[next].start
			body = text[m.stop:max(m.stop, outside)]
			m.flaws = append(m.flaws, "END marker is missing")
		default:
			end := all[next]
			outside = end.stop
			body = text[m.stop:max(m.stop, end.start)]
			m.flaws = append(m.flaws, end.endFlaws(m.label)...)
		}
		in.block(m, body)
	}
	if found {
		in.strayKeys(text[outside:])
	}
	return found
}

func (m marker) endFlaws(label string) []string {
	if m.label != label {
		return []string{fmt.Sprintf("END marker of line %d has another label", m.line)}
	}
	out := make([]string, len(m.flaws))
	for i, f := range m.flaws {
		out[i] = fmt.Sprintf("END %s in line %d", f, m.line)
	}
	return out
}

// block reads one PEM block. A certificate's marker gives one Item, whatever the
// block holds; a block with another label gives one if it holds a certificate.
func (in *reading) block(m marker, body []byte) {
	isCert := isCertificateLabel(m.label)
	claimed := labelled(m.label)
	if claimed != nil && claimed.private {
		in.foreign(*claimed, -1, m.line) // not even decoded
		return
	}
	binary, flaw, err := decodeBody(body)
	var held *structure
	if err == nil {
		if flaw != "" {
			m.flaws = append(m.flaws, flaw)
		}
		held = classify(binary)
		in.keysBehind(binary, m.line)
	}
	switch {
	case held != nil && isCert:
		in.foreign(*held, in.item(m.line, nil), m.line)
	case held != nil:
		in.open(*held, binary, m.line)
	case isCert && err != nil:
		in.problem(ProblemUnreadable, in.item(m.line, nil), m.line, err.Error())
	case isCert:
		in.certificate(m, binary)
	case err == nil && looksLikeCertificate(binary):
		m.flaws = append(m.flaws, "block with a certificate is labelled otherwise")
		in.certificate(m, binary)
	case claimed != nil:
		in.foreign(*claimed, -1, m.line)
	default:
		in.foreign(structure{name: "block with another label", advice: adviceOther}, -1, m.line)
	}
}

func (in *reading) certificate(m marker, binary []byte) {
	if m.label == labelTrusted {
		if element, _ := splitElement(binary); element != nil {
			binary = element
		}
	}
	c, err := Parse(binary)
	index := in.item(m.line, c)
	if err != nil {
		in.problem(ProblemUnreadable, index, m.line, err.Error())
		return
	}
	if len(m.flaws) > 0 {
		in.problem(ProblemMarkers, index, m.line, "usual PEM readers may not see this certificate: "+strings.Join(m.flaws, ", "))
	}
}

// keysBehind looks for private keys behind the first element of a block.
func (in *reading) keysBehind(binary []byte, line int) {
	_, rest := splitElement(binary)
	for len(rest) > 0 {
		element, next := splitElement(rest)
		if element == nil {
			return
		}
		if s := classify(element); s != nil && s.private {
			in.foreign(*s, -1, line)
		}
		rest = next
	}
}

var errBase64 = errors.New("block is not base64")

// decodeBody decodes what stands between two markers, behind header lines. The
// error never quotes the body.
func decodeBody(body []byte) (binary []byte, flaw string, err error) {
	stripped := skipHeaders(body)
	if len(stripped) < len(body) {
		flaw = "header lines stand inside the block"
	}
	body = stripped
	packed := make([]byte, 0, len(body))
	for _, c := range body {
		switch c {
		case ' ', '\t', '\r', '\n', '\f', '\v':
		default:
			packed = append(packed, c)
		}
	}
	if len(packed) == 0 {
		return nil, "", fmt.Errorf("%w: it is empty", errBase64)
	}
	binary, err = base64.StdEncoding.DecodeString(string(packed))
	if err != nil {
		trimmed := bytes.TrimRight(packed, "=")
		binary, err = base64.RawStdEncoding.DecodeString(string(trimmed))
		flaw = "base64 padding is wrong"
	}
	if err != nil {
		return nil, "", fmt.Errorf("%w: it has a character that does not belong, or is cut off", errBase64)
	}
	return binary, flaw, nil
}

// skipHeaders drops the header lines of RFC 1421: "Name: value", their
// continuations, and the blank line behind them.
func skipHeaders(body []byte) []byte {
	header := false
	for rest := bytes.TrimLeft(body, " \t\r\n"); ; {
		end := bytes.IndexAny(rest, "\r\n")
		if end < 0 {
			return body
		}
		line := rest[:end]
		switch {
		case bytes.IndexByte(line, ':') > 0:
			header = true
		case header && len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
		default:
			return body
		}
		rest = bytes.TrimPrefix(rest[end:], []byte("\r"))
		rest = bytes.TrimPrefix(rest, []byte("\n"))
		body = rest
	}
}

// looksLikeCertificate is for bytes that nobody called one.
func looksLikeCertificate(binary []byte) bool {
	c, err := Parse(binary)
	return err == nil && c.Whole()
}
