package cert

import (
	"bytes"
	"strings"
)

// marker is a BEGIN or END line of a PEM block, however it is written.
type marker struct {
	begin       bool
	label       string // upper case, single blanks
	start, stop int    // from its first dash to behind its last one
	line        int
	flaws       []string // why usual readers do not see it
}

// maxLabel is the longest label looked at, in bytes.
const maxLabel = 64

// markers finds every BEGIN and END marker in text, in order. Usual readers want
// it at the beginning of a line, in capitals and between five hyphens; here, at
// least two dashes of any kind must stand on both sides, or on one side of a
// label that names a certificate or a private key.
func markers(text []byte) []marker {
	var out []marker
	lines := lineCounter{text: text, line: 1}
	for i := 0; i < len(text); i++ {
		word := keyword(text[i:])
		if word == "" {
			continue
		}
		if m, ok := markerAt(text, i, word); ok {
			m.line = lines.at(m.start)
			out = append(out, m)
			i += len(word)
		}
	}
	return out
}

func keyword(b []byte) string {
	for _, word := range []string{"BEGIN", "END"} {
		if len(b) > len(word) && b[0]|0x20 == word[0]|0x20 && (b[len(word)] == ' ' || b[len(word)] == '\t') && bytes.EqualFold(b[:len(word)], []byte(word)) {
			return word
		}
	}
	return ""
}

func markerAt(text []byte, at int, word string) (marker, bool) {
	before := len(bytes.TrimRight(text[:at], " \t"))
	start, open := dashesBefore(text, before)
	from := at + len(word)
	to := from
	for to < len(text) && to-from <= maxLabel && text[to] != '\n' && text[to] != '\r' && dashAt(text[to:]) == 0 {
		to++
	}
	stop, closing := dashesAfter(text, to)
	m := marker{begin: word == "BEGIN", start: start, stop: stop}
	if max(open, closing) < 2 {
		return m, false
	}
	m.label = normalLabel(text[from:to])
	if m.label == "" || len(m.label) > maxLabel {
		return m, false
	}
	if open < 2 || closing < 2 {
		if !isCertificateLabel(m.label) && !strings.Contains(m.label, "PRIVATE KEY") {
			return m, false
		}
	}
	m.findFlaws(text, "-----"+word+" "+m.label+"-----")
	return m, true
}

// findFlaws compares the marker with how it should be written. Of a run of dashes
// between an END and a BEGIN, five belong to each.
func (m *marker) findFlaws(text []byte, want string) {
	flaw := func(s string) { m.flaws = append(m.flaws, s) }
	if got := string(text[m.start:m.stop]); strings.Trim(got, "-") != strings.Trim(want, "-") || !strings.Contains(got, want) || len(got) > len(want)+5 {
		flaw("marker is not written " + want)
	} else if got != want {
		flaw("marker is joined to other dashes")
	}
	if m.start > 0 && text[m.start-1] != '\n' {
		flaw("marker does not begin its line")
	}
	rest := bytes.TrimLeft(text[m.stop:], " \t")
	switch {
	case len(rest) == 0:
	case rest[0] == '\r' && (len(rest) == 1 || rest[1] != '\n'):
		flaw("lines end in CR alone")
	case rest[0] != '\n' && rest[0] != '\r':
		flaw("marker does not end its line")
	}
}

func normalLabel(b []byte) string {
	for _, c := range b {
		if c < 0x20 && c != '\t' || c >= 0x7f {
			return ""
		}
	}
	return strings.ToUpper(strings.Join(strings.Fields(string(b)), " "))
}

func isCertificateLabel(label string) bool {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "X.509 CERTIFICATE", labelTrusted:
		return true
	}
	return false
}

// labelTrusted is OpenSSL's form with trust settings behind the certificate.
const labelTrusted = "TRUSTED CERTIFICATE"

// dashAt is the length of the dash that b begins with, 0 if none: a hyphen, or
// one of those that word processors make of it.
func dashAt(b []byte) int {
	if len(b) > 0 && b[0] == '-' {
		return 1
	}
	if len(b) >= 3 && b[0] == 0xe2 && (b[1] == 0x80 && b[2] >= 0x90 && b[2] <= 0x95 || b[1] == 0x88 && b[2] == 0x92) {
		return 3
	}
	return 0
}

// A word processor's long dash stands for two hyphens.
func weight(dash int) int { return (dash + 1) / 2 }

func dashesBefore(text []byte, end int) (start, count int) {
	for {
		switch {
		case end >= 1 && text[end-1] == '-':
			end--
			count++
		case end >= 3 && dashAt(text[end-3:end]) == 3:
			end -= 3
			count += weight(3)
		default:
			return end, count
		}
	}
}

func dashesAfter(text []byte, start int) (end, count int) {
	for {
		n := dashAt(text[start:])
		if n == 0 {
			return start, count
		}
		start += n
		count += weight(n)
	}
}

// lineCounter numbers positions that are asked for in rising order. Lines end in
// LF, CR LF or CR.
type lineCounter struct {
	text []byte
	pos  int
	line int
}

func (l *lineCounter) at(pos int) int {
	for ; l.pos < pos; l.pos++ {
		if c := l.text[l.pos]; c == '\n' || c == '\r' && (l.pos+1 == len(l.text) || l.text[l.pos+1] != '\n') {
			l.line++
		}
	}
	return l.line
}
