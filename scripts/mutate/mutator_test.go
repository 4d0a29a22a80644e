//go:build unix

package mutate

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"math/rand/v2"
	"slices"
)

// mutator makes the mutation of a number: the same bytes on every machine.
type mutator struct {
	*rand.Rand
	seeds []seed
}

func (m *mutator) seed() seed { return m.seeds[m.IntN(len(m.seeds))] }

// mutation is a file with a changed certificate in it.
func (m *mutator) mutation() []byte {
	s := m.seed()
	var der []byte
	switch m.IntN(4) {
	case 0:
		der = m.bytes(s.der)
	case 1:
		der = m.bytes(m.structure(s))
	default:
		der = m.structure(s)
	}
	switch m.IntN(20) {
	case 0, 1, 2:
		return toPEM(der)
	case 3:
		return m.bytes(toPEM(der))
	case 4:
		return []byte(base64.StdEncoding.EncodeToString(der))
	case 5: // among others
		return bytes.Join([][]byte{toPEM(m.seed().der), toPEM(der), toPEM(m.seed().der)}, nil)
	case 6:
		return bytes.Join([][]byte{m.seed().der, der, m.seed().der}, nil)
	}
	return der
}

func toPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// bytes changes bytes without a thought of what they mean.
func (m *mutator) bytes(b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + m.IntN(6) {
		if len(b) == 0 {
			return m.noise(8)
		}
		i := m.IntN(len(b))
		j := min(len(b), i+1+m.IntN(16))
		switch m.IntN(9) {
		case 0, 1:
			b[i] ^= 1 << m.IntN(8)
		case 2:
			b[i] = pick(m, []byte{0, 1, 2, 0x30, 0x7f, 0x80, 0x81, 0x82, 0x84, 0xff})
		case 3:
			b = slices.Insert(b, i, m.noise(1+m.IntN(16))...)
		case 4:
			b = slices.Delete(b, i, j)
		case 5:
			b = slices.Insert(b, i, bytes.Clone(b[i:j])...)
		case 6:
			b = b[:i]
		case 7: // the end of another
			other := m.seed().der
			b = append(b[:i], other[min(i, len(other)):]...)
		case 8:
			at := m.IntN(len(b))
			copy(b[at:], bytes.Clone(b[i:j]))
		}
	}
	return b
}

func (m *mutator) noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(m.Uint32())
	}
	return b
}

func pick[T any](m *mutator, list []T) T { return list[m.IntN(len(list))] }

// structure changes the tree of a certificate and writes the right lengths around the change.
func (m *mutator) structure(s seed) []byte {
	root := s.tree.copy()
	for range 1 + m.IntN(3) {
		m.change(root)
	}
	return root.encode()
}

func (m *mutator) change(root *node) {
	parents := root.parents()
	if len(parents) == 0 {
		return
	}
	p := pick(m, parents)
	i := m.IntN(len(p.kids))
	k := p.kids[i]
	switch m.IntN(17) {
	case 0:
		p.kids = slices.Delete(p.kids, i, i+1)
	case 1:
		p.kids = slices.Insert(p.kids, i, k.copy())
	case 2:
		j := m.IntN(len(p.kids))
		p.kids[i], p.kids[j] = p.kids[j], p.kids[i]
	case 3:
		k.tag = []byte{byte(m.Uint32())}
	case 4:
		k.tag = pick(m, [][]byte{{1}, {2}, {3}, {4}, {5}, {6}, {10}, {12}, {19}, {20}, {22}, {23}, {24}, {28}, {30}, {0x30}, {0x31}, {0x80}, {0xa0}, {0xa3}, {0x1f, 0x81, 0x00}, {0x24}})
	case 5: // in another element, or many
		for range pick(m, []int{1, 1, 1, 2, 10, 60, 2000}) {
			k = &node{tag: pick(m, [][]byte{{0x30}, {0x31}, {0xa0}, {0x04}}), kids: []*node{k}}
		}
		p.kids[i] = k
	case 6: // what was inside, without what was around it
		p.kids = slices.Replace(p.kids, i, i+1, k.kids...)
	case 7: // of another certificate
		p.kids[i] = pick(m, m.seed().tree.all()).copy()
	case 8:
		m.swapExtension(root)
	case 9:
		k.kids, k.lead, k.body = nil, nil, nil
	case 10:
		k.size = m.length(len(k.encode()))
	case 11:
		k.size, k.tail = []byte{0x80}, pick(m, [][]byte{{0, 0}, nil, {0}})
	case 12:
		m.content(k)
	case 13:
		if len(k.kids) == 0 {
			k.body = m.bytes(k.body)
		}
	case 14: // the same again and again
		for range pick(m, []int{2, 10, 300}) {
			p.kids = slices.Insert(p.kids, i, k)
		}
	case 15:
		m.identifier(root)
	case 16:
		root.tail = m.noise(1 + m.IntN(9))
	}
}

// length is a length that is not that of so many octets.
func (m *mutator) length(n int) []byte {
	switch m.IntN(7) {
	case 0:
		return []byte{0x84, 0xff, 0xff, 0xff, 0xff}
	case 1:
		return []byte{0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	case 2:
		return []byte{0xff}
	case 3:
		return lengthOctets(max(0, n-1-m.IntN(8)), 0)
	case 4:
		return lengthOctets(n+1+m.IntN(300), 0)
	case 5:
		return append([]byte{0xfe}, make([]byte, 126)...)
	}
	return lengthOctets(max(0, n-2), 1+m.IntN(3))
}

// content gives an element a value that its type may have, or may not.
func (m *mutator) content(k *node) {
	k.kids, k.lead = nil, nil
	k.body = pick(m, [][]byte{
		{0}, {1}, {0xff}, {0x80}, {0, 0, 0, 1}, bytes.Repeat([]byte{0xff}, 21), m.noise(2200), bytes.Repeat([]byte("a."), 300),
		bytes.Repeat([]byte{0x30, 0x80}, 500), bytes.Repeat([]byte{0x30, 0}, 5000),
		[]byte("\x1b]0;x\x07\x1b[2J"), []byte("x\x00y\r\n::error::z"), []byte("\u202e\u2066\ufeffE\u0301"), []byte("\xff\xfe\xc0\x80"), []byte(`"><script>alert(1)</script>|]]>`),
		[]byte("500101000000Z"), []byte("20500101000000Z"), []byte("99991231235959Z"), []byte("0002300000Z"), []byte("200901000000+9999"), []byte("*.com"), []byte("http://[::1"),
		{0x06, 0x80}, bytes.Repeat([]byte{0xff}, 200),
	})
}

// identifier gives one object identifier the value of another.
func (m *mutator) identifier(root *node) {
	from, to := identifiers(m.seed().tree), identifiers(root)
	if len(from) > 0 && len(to) > 0 {
		pick(m, to).body = pick(m, from).body
	}
}

func identifiers(root *node) []*node {
	return slices.DeleteFunc(root.all(), func(n *node) bool { return n.tag[0] != 6 })
}

// swapExtension gives one extension the value of another certificate's.
func (m *mutator) swapExtension(root *node) {
	from, to := extensions(m.seed().tree), extensions(root)
	if len(from) == 0 || len(to) == 0 {
		return
	}
	f, t := pick(m, from), pick(m, to)
	t.kids[len(t.kids)-1] = f.kids[len(f.kids)-1].copy()
}

// extensions are the elements that look like one: an identifier first, an octet string last.
func extensions(root *node) []*node {
	return slices.DeleteFunc(root.parents(), func(n *node) bool {
		last := len(n.kids) - 1
		return last < 1 || n.kids[0].tag[0] != 6 || n.kids[last].tag[0] != 4
	})
}
