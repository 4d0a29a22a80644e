package der

// header is the identifier and length octets of an element.
type header struct {
	class       Class
	constructed bool
	tag         int
	indefinite  bool
	content     int // position of the contents octets in the reader's data
	length      int // of the contents; 0 if indefinite
}

// lax accepts a departure from DER with a note, or refuses it.
func (r *Reader) lax(pos int, msg string) error {
	if r.s.mode == DER {
		return &Error{Offset: r.base + pos, Msg: msg}
	}
	r.s.note(r.base+pos, msg)
	return nil
}

func (r *Reader) header(pos int) (header, error) {
	var h header
	start := pos
	if pos >= len(r.data) {
		return h, errorAt(r.base+pos, "nothing left to read")
	}
	id := r.data[pos]
	pos++
	h.class, h.constructed, h.tag = Class(id>>6), id&0x20 != 0, int(id&0x1f)
	if h.tag == 0x1f {
		var err error
		if h.tag, pos, err = r.longTag(pos); err != nil {
			return h, err
		}
	}
	if pos >= len(r.data) {
		return h, errorAt(r.base+start, "element ends before its length")
	}
	first := r.data[pos]
	pos++
	switch {
	case first < 0x80:
		h.length = int(first)
	case first == 0x80:
		if !h.constructed {
			return h, errorAt(r.base+start, "indefinite length of a primitive element")
		}
		if err := r.lax(start, "indefinite length"); err != nil {
			return h, err
		}
		h.indefinite, h.content = true, pos
		return h, nil
	default:
		var err error
		if h.length, pos, err = r.longLength(start, pos, int(first&0x7f)); err != nil {
			return h, err
		}
	}
	h.content = pos
	if left := len(r.data) - pos; h.length > left {
		if r.s.mode != Loose {
			return h, errorAt(r.base+start, "length %d runs past the end: %d bytes left", h.length, left)
		}
		r.s.notes = append(r.s.notes, errorAt(r.base+start, "length %d runs past the end: %d bytes left", h.length, left))
		h.length = left
	}
	return h, nil
}

// longTag reads a tag number of 31 or more, up to 28 bits.
func (r *Reader) longTag(pos int) (tag, next int, err error) {
	first := pos
	for i := 0; ; i++ {
		if pos >= len(r.data) {
			return 0, 0, errorAt(r.base+first-1, "element ends inside its tag")
		}
		if i == 4 {
			return 0, 0, errorAt(r.base+first-1, "tag number too large")
		}
		b := r.data[pos]
		pos++
		tag = tag<<7 | int(b&0x7f)
		if b&0x80 == 0 {
			break
		}
	}
	if tag < 31 || r.data[first] == 0x80 {
		if err := r.lax(first-1, "tag number not in its shortest form"); err != nil {
			return 0, 0, err
		}
	}
	return tag, pos, nil
}

// longLength reads a length of n octets. A length that does not fit 31 bits is
// beyond every cap and refused.
func (r *Reader) longLength(start, pos, n int) (length, next int, err error) {
	if n == 0x7f {
		return 0, 0, errorAt(r.base+start, "reserved length octet")
	}
	if n > len(r.data)-pos {
		return 0, 0, errorAt(r.base+start, "element ends inside its length")
	}
	octets := r.data[pos : pos+n]
	pos += n
	minimal := octets[0] != 0
	for len(octets) > 0 && octets[0] == 0 {
		octets = octets[1:]
	}
	if len(octets) > 4 || len(octets) == 4 && octets[0] > 0x7f {
		if r.s.mode != Loose {
			return 0, 0, errorAt(r.base+start, "length of %d octets is too large", n)
		}
		octets = []byte{0x7f, 0xff, 0xff, 0xff} // clipped, and noted, by the caller
	}
	for _, b := range octets {
		length = length<<8 | int(b)
	}
	if !minimal || length < 0x80 {
		if err := r.lax(start, "length not in its shortest form"); err != nil {
			return 0, 0, err
		}
	}
	return length, pos, nil
}
