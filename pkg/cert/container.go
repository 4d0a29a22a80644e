package cert

import (
	"bytes"
	"fmt"
)

// Input is what one file held, by content and not by name.
type Input struct {
	File     string
	SHA256   Thumbprint // of the whole file
	Kind     string     // "PEM", "DER", "base64 DER", "PKCS#7" …, or "" if nothing was recognised
	Items    []Item     // in file order
	Requests []Item     // signing requests, by Open only; see ParseRequest
	Problems []Problem  // everything in the file that is not a good certificate block
	// PrivateKey is true when any private key material was found. Its bytes are never kept here.
	PrivateKey bool

	canonical bool
}

// Item is one certificate marker or element of the input. Cert is nil when the
// block could not be decoded to a SEQUENCE; a Problem with the same Index says why.
type Item struct {
	Index int    // 0-based among certificates of the file
	Line  int    // 1-based line of the BEGIN marker, 0 for binary input
	Entry string // its file in an archive, "" outside of one; as unsafe as the rest
	Cert  *Certificate
}

// Problem kinds, which are the file rules of pkg/vet.
const (
	ProblemUnreadable    = "unreadable"     // EFGS-001: a block or file that cannot be decoded
	ProblemMarkers       = "pem-count"      // EFGS-002: a BEGIN marker that yields no block for usual PEM readers (joined without newline, BOM …)
	ProblemPrivateKey    = "private-key"    // EFGS-003
	ProblemWrongType     = "wrong-type"     // EFGS-005: CSR, CRL, PKCS#7 … with advice
	ProblemNoCertificate = "no-certificate" // EFGS-006
	ProblemPassword      = "password"       // EFGS-007: something encrypted, and no password or the wrong one
)

// Problem is one thing wrong with the file as a container.
type Problem struct {
	Kind  string
	Index int // Item index it belongs to, -1 for the file
	Line  int // 1-based, 0 if not a text file
	Msg   string
}

// MaxFile is the largest file Read looks at, in bytes.
const MaxFile = 16 << 20

// maxElements caps the elements of a binary file: it has room for more certificates
// of a usual size than anybody has, and not for millions of three bytes.
const maxElements = 1 << 16

func (in *reading) read(data []byte) {
	if kind := magic(data); kind != nil {
		in.kind(kind.name)
		in.open(*kind, data, 0)
		return
	}
	if data[0] == 0x30 && !isText(data) {
		// A binary file may have text, and a key in it, behind the last element.
		if rest := in.readDER(data); len(bytes.TrimSpace(rest)) > 0 && !in.readText(rest, hiding{why: "binary data stands before it"}) {
			in.strayKeys(rest)
			in.problem(ProblemUnreadable, -1, 0, fmt.Sprintf("%d bytes after the last DER element are neither DER nor PEM", len(rest)))
		}
		return
	}
	text, hidden := plainText(data)
	if in.readText(text, hidden) {
		return
	}
	binary, ok := bareBase64(text)
	if !ok || binary[0] != 0x30 {
		in.strayKeys(text)
		return
	}
	in.kind("base64 DER")
	if rest := in.readDER(binary); len(rest) > 0 {
		in.problem(ProblemUnreadable, -1, 0, fmt.Sprintf("%d bytes after the last DER element are not DER", len(rest)))
	}
}

// kind keeps the first name: a file that mixes forms is called by how it begins.
func (in *reading) kind(name string) {
	if in.Kind == "" {
		in.Kind = name
	}
}

func (in *Input) has(kind string) bool {
	for _, p := range in.Problems {
		if p.Kind == kind {
			return true
		}
	}
	return false
}

func (in *reading) problem(kind string, index, line int, msg string) {
	in.Problems = append(in.Problems, Problem{Kind: kind, Index: index, Line: line, Msg: in.place() + msg})
}

// item adds a certificate that may still turn out to be unreadable.
func (in *reading) item(line int, c *Certificate) int {
	index := len(in.Items)
	in.Items = append(in.Items, Item{Index: index, Line: line, Entry: in.entry, Cert: c})
	return index
}

// foreign records something that is not a certificate but known by name.
func (in *reading) foreign(s structure, index, line int) {
	if s.private {
		in.PrivateKey = true
		in.problem(ProblemPrivateKey, index, line, s.name+" found: treat this key as compromised, make a new one and send only the certificate")
		return
	}
	in.problem(ProblemWrongType, index, line, s.name+" is not a certificate: "+s.advice)
}

// open reads what a known container holds, if it is to; anything else is foreign.
func (in *reading) open(s structure, data []byte, line int) {
	if s.open == nil || !in.containers {
		in.foreign(s, -1, line)
		return
	}
	s.open(in, data, line)
}

// readDER reads binary elements one after the other and returns what is left
// behind the last one.
func (in *reading) readDER(data []byte) (rest []byte) {
	for n := 0; len(data) > 0 && data[0] == 0x30; n++ {
		if n == maxElements {
			in.problem(ProblemUnreadable, -1, 0, fmt.Sprintf("more than %d DER elements, the rest is not read", maxElements))
			return nil
		}
		element, rest := splitElement(data)
		if element == nil {
			return data
		}
		data = rest
		if s := classify(element); s != nil {
			in.kind(s.name)
			in.open(*s, element, 0)
			continue
		}
		c, err := Parse(element)
		if err != nil { // a SEQUENCE always gives a certificate
			in.problem(ProblemUnreadable, in.item(0, nil), 0, err.Error())
			continue
		}
		in.kind("DER")
		in.item(0, c)
	}
	return data
}
