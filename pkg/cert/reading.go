package cert

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strconv"
)

// Options of Open.
type Options struct {
	// Password is asked, at most once, when something encrypted is met. Without it,
	// and after an error, what is encrypted stays closed, which is a
	// ProblemPassword. The answer is erased when the file has been read.
	Password func() ([]byte, error)
}

// Read finds every certificate in PEM, DER and base64 DER. It opens no container,
// which is what whoever verifies wants. It never fails: what is wrong stands in
// Problems.
func Read(name string, data []byte) *Input {
	return (&reading{}).file(name, data)
}

// Open is Read that also takes certificates from PKCS#7, PKCS#12, and a zip archive
// of files with any of these, as they are brought to be vetted, and that reads
// signing requests.
func Open(name string, data []byte, o Options) *Input {
	in := &reading{containers: true, ask: o.Password, work: maxWork, room: MaxFile}
	defer func() { clear(in.secret) }()
	return in.file(name, data)
}

func (in *reading) file(name string, data []byte) *Input {
	in.Input = &Input{File: name, SHA256: sha256.Sum256(data)}
	switch {
	case len(data) > MaxFile:
		in.problem(ProblemUnreadable, -1, 0, fmt.Sprintf("file has %d bytes, at most %d are read", len(data), MaxFile))
		return in.Input
	case len(bytes.TrimSpace(data)) == 0:
		in.problem(ProblemNoCertificate, -1, 0, "file is empty")
		return in.Input
	}
	in.read(data)
	in.canonical = in.isCanonical(data)
	if len(in.Items) > 0 && len(in.Requests) > 0 {
		in.foreign(structure{name: "certificate signing request beside a certificate", advice: adviceOther}, -1, in.Requests[0].Line)
	}
	if len(in.Items)+len(in.Requests) == 0 && !in.has(ProblemWrongType) {
		in.problem(ProblemNoCertificate, -1, 0, "no certificate found in the file")
	}
	return in.Input
}

// maxWork caps the hash iterations that a file may ask for to make keys from a
// password: a second or two of one core.
const maxWork = 4 << 20

// reading is an Input in the making.
type reading struct {
	*Input
	containers bool   // are opened
	entry      string // name inside the archive, "" outside of one
	ask        func() ([]byte, error)
	secret     []byte
	denied     error // why there is no secret
	work       int   // iterations left
	room       int   // bytes left to unpack
}

const noPassword = "it is encrypted: give the password with --password-file FILE"

// password asks once; the error is for a ProblemPassword.
func (in *reading) password() ([]byte, error) {
	if in.secret != nil || in.denied != nil {
		return in.secret, in.denied
	}
	if in.ask == nil {
		in.denied = fmt.Errorf("%s", noPassword)
		return nil, in.denied
	}
	secret, err := in.ask()
	if err != nil {
		in.denied = fmt.Errorf("it is encrypted, and there is no password: %w", err)
		return nil, in.denied
	}
	in.secret = append(make([]byte, 0, len(secret)+1), secret...) // never nil
	clear(secret)
	return in.secret, nil
}

// spend takes iterations from what the file may still ask for.
func (in *reading) spend(iterations int) bool {
	if iterations < 1 || iterations > in.work {
		return false
	}
	in.work -= iterations
	return true
}

// place begins a message about an entry of an archive.
func (in *reading) place() string {
	if in.entry == "" {
		return ""
	}
	name := in.entry
	if len(name) > maxEntryName {
		name = name[:maxEntryName] + "…"
	}
	return "entry " + strconv.QuoteToGraphic(name) + ": "
}
