package der

// Mode is how strictly a Reader reads.
type Mode int

const (
	// DER refuses whatever is not DER.
	DER Mode = iota
	// BER also reads indefinite and non-minimal lengths, and notes each.
	BER
	// Loose is BER that cuts an element whose length runs past its parent's end
	// at that end, and notes it.
	Loose
)

// Class of a tag.
type Class uint8

// The four tag classes.
const (
	Universal Class = iota
	Application
	ContextSpecific
	Private
)

// Element is one TLV.
type Element struct {
	Offset      int // of the first identifier octet, in the whole input
	Class       Class
	Constructed bool
	Tag         int
	Content     []byte // contents octets, without end-of-contents octets
	Raw         []byte // the whole element as found
	header      int    // length of identifier and length octets
}

// Is reports whether the element has this universal tag.
func (e Element) Is(tag int) bool { return e.Class == Universal && e.Tag == tag }

// IsContext reports whether the element has this context-specific tag.
func (e Element) IsContext(tag int) bool { return e.Class == ContextSpecific && e.Tag == tag }

// ContentOffset is the offset of the first contents octet in the whole input.
func (e Element) ContentOffset() int { return e.Offset + e.header }

// shared is what the readers of one input have in common.
type shared struct {
	mode     Mode
	maxDepth int
	notes    []*Error
	spare    []Reader // made in advance: an input has one reader for each constructed element
}

func (s *shared) note(offset int, msg string) {
	s.notes = append(s.notes, &Error{Offset: offset, Msg: msg})
}

// Reader reads the elements of one level in order.
type Reader struct {
	data  []byte
	pos   int
	base  int // offset of data[0] in the whole input
	depth int
	s     *shared
}

// NewReader reads b, which must not exceed the limit of bytes (*Error).
func NewReader(b []byte, l Limits, m Mode) (*Reader, error) {
	l = l.capped()
	if len(b) > l.Bytes {
		return nil, l.tooLong(b)
	}
	in := &struct {
		shared
		first [2]Reader
	}{shared: shared{mode: m, maxDepth: l.Depth}}
	in.spare = in.first[1:]
	in.first[0] = Reader{data: b, s: &in.shared}
	return &in.first[0], nil
}

// reader returns a new reader of this input.
func (s *shared) reader() *Reader {
	const more = 16
	if len(s.spare) == 0 {
		s.spare = make([]Reader, more)
	}
	r := &s.spare[0]
	s.spare = s.spare[1:]
	return r
}

// More reports whether anything is left on this level.
func (r *Reader) More() bool { return r.pos < len(r.data) }

// Offset is where the next element begins, in the whole input.
func (r *Reader) Offset() int { return r.base + r.pos }

// Rest is what is left on this level.
func (r *Reader) Rest() []byte { return r.data[r.pos:] }

// Notes returns, and forgets, the departures from DER that the mode let pass
// since the last call, by this reader and all others of the same input.
func (r *Reader) Notes() []*Error {
	n := r.s.notes
	r.s.notes = nil
	return n
}

// Next reads one element and moves on. At the end, or where the encoding is
// broken, it returns an *Error and does not move.
func (r *Reader) Next() (Element, error) {
	e, next, err := r.read()
	if err != nil {
		return Element{}, err
	}
	r.pos = next
	return e, nil
}

// Peek reads one element without moving on or noting anything.
func (r *Reader) Peek() (Element, error) {
	n := len(r.s.notes)
	e, _, err := r.read()
	r.s.notes = r.s.notes[:n]
	if err != nil {
		return Element{}, err
	}
	return e, nil
}

// Enter returns a reader of the elements inside a constructed element.
func (r *Reader) Enter(e Element) (*Reader, error) {
	if !e.Constructed {
		return nil, errorAt(e.Offset, "%s is not constructed", e.Kind())
	}
	return r.Inside(e)
}

// Inside returns a reader of the encoding that an element's contents hold,
// constructed or, as in an OCTET STRING, not.
func (r *Reader) Inside(e Element) (*Reader, error) {
	if r.depth >= r.s.maxDepth {
		return nil, r.s.tooDeep(e.Offset)
	}
	in := r.s.reader()
	*in = Reader{data: e.Content, base: e.ContentOffset(), depth: r.depth + 1, s: r.s}
	return in, nil
}

func (s *shared) tooDeep(offset int) *Error {
	return errorAt(offset, "nested deeper than %d levels", s.maxDepth)
}

func (r *Reader) read() (Element, int, error) {
	h, err := r.header(r.pos)
	if err != nil {
		return Element{}, 0, err
	}
	start, end, next := h.content, h.content+h.length, h.content+h.length
	if h.indefinite {
		end, next, err = r.endOfContents(h.content, r.depth+1)
		if err != nil {
			return Element{}, 0, err
		}
	}
	return Element{
		Offset:      r.base + r.pos,
		Class:       h.class,
		Constructed: h.constructed,
		Tag:         h.tag,
		Content:     r.data[start:end:end],
		Raw:         r.data[r.pos:next:next],
		header:      h.content - r.pos,
	}, next, nil
}

// endOfContents finds the end-of-contents octets of an indefinite length whose
// contents begin at pos: where they begin, and what follows them. It is
// recursive and held to the depth cap.
func (r *Reader) endOfContents(pos, depth int) (end, next int, err error) {
	if depth > r.s.maxDepth {
		return 0, 0, r.s.tooDeep(r.base + pos)
	}
	for pos < len(r.data) {
		if pos+1 < len(r.data) && r.data[pos] == 0 && r.data[pos+1] == 0 {
			return pos, pos + 2, nil
		}
		// What is skipped here is noted when it is read itself.
		n := len(r.s.notes)
		h, err := r.header(pos)
		r.s.notes = r.s.notes[:n]
		if err != nil {
			return 0, 0, err
		}
		pos = h.content + h.length
		if h.indefinite {
			if _, pos, err = r.endOfContents(h.content, depth+1); err != nil {
				return 0, 0, err
			}
		}
	}
	if r.s.mode == Loose {
		r.s.note(r.base+len(r.data), "end-of-contents octets missing")
		return len(r.data), len(r.data), nil
	}
	return 0, 0, errorAt(r.base+pos, "end-of-contents octets missing")
}
