//go:build unix

package mutate

// node is one element of an encoding, open to change: what it is written with need
// not fit what it holds.
type node struct {
	tag  []byte // identifier octets
	lead []byte // content before the elements inside: the first octet of a BIT STRING
	body []byte // content, if there are no elements inside
	kids []*node
	size []byte // length octets in place of the right ones
	tail []byte // behind the content
}

// parse takes b apart as far as it goes, also inside strings that hold DER. Trees are
// shallow here: seeds are.
func parse(b []byte, depth int) ([]*node, bool) {
	var list []*node
	for len(b) > 0 {
		n, rest, ok := parseOne(b, depth)
		if !ok {
			return nil, false
		}
		list, b = append(list, n), rest
	}
	return list, true
}

func parseOne(b []byte, depth int) (n *node, rest []byte, ok bool) {
	head := 1
	if b[0]&0x1f == 0x1f {
		for head < len(b) && b[head]&0x80 != 0 {
			head++
		}
		head++
	}
	if head >= len(b) {
		return nil, nil, false
	}
	n = &node{tag: b[:head]}
	length, b := int(b[head]), b[head+1:]
	if length >= 0x80 {
		octets := length & 0x7f
		if octets == 0 || octets > 3 || octets > len(b) {
			return nil, nil, false
		}
		length = 0
		for _, c := range b[:octets] {
			length = length<<8 | int(c)
		}
		b = b[octets:]
	}
	if length > len(b) {
		return nil, nil, false
	}
	n.body, rest = b[:length], b[length:]
	if depth > 32 || length == 0 {
		return n, rest, true
	}
	inside, lead := n.body, 0
	switch {
	case b[0] == 0 && n.tag[0] == 0x03:
		lead = 1
	case n.tag[0]&0x20 == 0 && n.tag[0] != 0x04:
		return n, rest, true
	}
	if kids, ok := parse(inside[lead:], depth+1); ok && len(kids) > 0 {
		n.lead, n.body, n.kids = inside[:lead], nil, kids
	}
	return n, rest, true
}

// encode writes the node with the lengths of what it now holds, unless it was given others.
func (n *node) encode() []byte {
	content := append([]byte{}, n.lead...)
	content = append(content, n.body...)
	for _, k := range n.kids {
		content = append(content, k.encode()...)
	}
	out := append([]byte{}, n.tag...)
	if n.size != nil {
		out = append(out, n.size...)
	} else {
		out = append(out, lengthOctets(len(content), 0)...)
	}
	return append(append(out, content...), n.tail...)
}

// lengthOctets of a definite length, with needless leading zeros.
func lengthOctets(n, zeros int) []byte {
	if n < 0x80 && zeros == 0 {
		return []byte{byte(n)}
	}
	var digits []byte
	for ; n > 0; n >>= 8 {
		digits = append([]byte{byte(n)}, digits...)
	}
	digits = append(make([]byte, zeros), digits...)
	return append([]byte{0x80 | byte(len(digits))}, digits...)
}

func (n *node) copy() *node {
	c := *n
	c.kids = make([]*node, len(n.kids))
	for i, k := range n.kids {
		c.kids[i] = k.copy()
	}
	return &c
}

// all lists n and everything inside, n first.
func (n *node) all() []*node {
	list := []*node{n}
	for _, k := range n.kids {
		list = append(list, k.all()...)
	}
	return list
}

// parents lists what has elements inside.
func (n *node) parents() []*node {
	var list []*node
	for _, m := range n.all() {
		if len(m.kids) > 0 {
			list = append(list, m)
		}
	}
	return list
}
