// Package der reads DER, and where a caller asks for it BER, with caps on size
// and depth and with the offset of everything it reads.
package der

import "fmt"

// The caps that hold where Limits asks for none or for more.
const (
	MaxBytes = 64 << 20
	MaxDepth = 40
)

// Limits caps what a reader will look at. A field that is zero or above the
// package's cap means the package's cap.
type Limits struct {
	Bytes int // whole input, bytes
	Depth int // nesting of constructed elements
}

func (l Limits) capped() Limits {
	if l.Bytes <= 0 || l.Bytes > MaxBytes {
		l.Bytes = MaxBytes
	}
	if l.Depth <= 0 || l.Depth > MaxDepth {
		l.Depth = MaxDepth
	}
	return l
}

func (l Limits) tooLong(b []byte) *Error {
	return errorAt(l.Bytes, "input has %d bytes, at most %d are read", len(b), l.Bytes)
}

// Error says what is wrong with an encoding and at which byte of the input.
type Error struct {
	Offset int // byte offset in the whole input
	Msg    string
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Msg, e.Offset) }

func errorAt(offset int, format string, args ...any) *Error {
	return &Error{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// Check reports whether b is exactly one DER element within the limits: definite
// minimal lengths, no trailing data, every constructed element well formed, and
// universal types in the form that DER gives them. The error is an *Error.
func Check(b []byte, l Limits) error {
	l = l.capped()
	if len(b) > l.Bytes {
		return l.tooLong(b)
	}
	r := &Reader{data: b, s: &shared{mode: DER, maxDepth: l.Depth}}
	e, err := r.Next()
	if err != nil {
		return err
	}
	if r.More() {
		return errorAt(r.Offset(), "%d bytes after the element", len(b)-r.Offset())
	}
	return check(r, e)
}

// check is recursive, held to the depth cap, and keeps its readers on the stack: it
// sees every extension of every certificate.
func check(r *Reader, e Element) error {
	if err := e.checkForm(); err != nil {
		return err
	}
	if !e.Constructed {
		return nil
	}
	if r.depth >= r.s.maxDepth {
		return r.s.tooDeep(e.Offset)
	}
	in := &Reader{data: e.Content, base: e.ContentOffset(), depth: r.depth + 1, s: r.s}
	for in.More() {
		child, err := in.Next()
		if err != nil {
			return err
		}
		if err := check(in, child); err != nil {
			return err
		}
	}
	return nil
}

// checkForm holds universal types to X.690 section 10: strings primitive,
// SEQUENCE and SET constructed, and the contents of the simple types.
func (e Element) checkForm() error {
	if e.Class != Universal {
		return nil
	}
	switch want := e.Tag == TagSequence || e.Tag == TagSet || e.Tag == tagExternal || e.Tag == tagEmbeddedPDV; {
	case want && !e.Constructed:
		return errorAt(e.Offset, "%s is not constructed", e.Kind())
	case !want && e.Constructed:
		return errorAt(e.Offset, "%s is constructed", e.Kind())
	}
	var err error
	switch e.Tag {
	case 0:
		err = errorAt(e.Offset, "end-of-contents octets outside an indefinite length")
	case TagBoolean:
		_, err = e.Bool()
	case TagInteger, TagEnumerated:
		err = e.checkInteger()
	case TagBitString:
		_, _, err = e.BitString()
	case TagNull:
		if len(e.Content) != 0 {
			err = errorAt(e.Offset, "NULL with contents")
		}
	case TagOID:
		_, err = e.OID()
	}
	return err
}
