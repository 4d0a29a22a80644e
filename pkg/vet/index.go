package vet

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

// Known is a certificate that the workspace or the command line already has. One with
// a public key and nothing else stands for the bare key.
type Known struct {
	Certificate *cert.Certificate
	Role        Role
	Country     string
	Source      string // "DE NBTLS 3f0a…", for messages
}

// Index finds, among all certificates that are known, those with the same key, or with
// the same issuer and serial number. It keeps no certificate, only some 200 bytes of
// each, and the moduli of up to 2,000 RSA keys. It is filled first and then read, by any
// number of goroutines.
type Index struct {
	entries []entry
	keys    map[identity][]int32 // positions in entries
	numbers map[identity][]int32
	bare    int // bare keys

	partial   bool               // see NewPartialIndex
	neighbour [2]cert.Thumbprint // two of end entities that differ, zero for none
	earliest  map[place][2]birth

	moduli     []comparand // of RSA keys, each key once
	uncompared bool        // there were more than maxModuli
	compare    sync.Once
	compared   *comparison
}

// identity is what a key, or an issuer with a serial number, is found by.
type identity [sha256.Size]byte

// entry is what stays of a Known.
type entry struct {
	role            Role
	country, source string
	thumbprint      cert.Thumbprint // zero for a bare key
	notBefore       time.Time
}

// NewIndex returns an empty Index.
func NewIndex() *Index {
	return &Index{keys: map[identity][]int32{}, numbers: map[identity][]int32{}}
}

// NewPartialIndex returns an empty Index of what somebody happened to give, as a linter
// has it. It is no evidence that there is nothing else: a rule that finds nothing in it
// to compare with is not evaluated.
func NewPartialIndex() *Index {
	ix := NewIndex()
	ix.partial, ix.earliest = true, map[place][2]birth{}
	return ix
}

// place is where a certificate is used; country "*" is any.
type place struct {
	role    Role
	country string
}

// birth is the begin of a certificate that may have a successor.
type birth struct {
	notBefore  time.Time
	thumbprint cert.Thumbprint
}

// meet notes an end entity's certificate for what NewPartialIndex promises.
func (ix *Index) meet(e *entry) {
	none := cert.Thumbprint{}
	switch n := &ix.neighbour; {
	case n[0] == none:
		n[0] = e.thumbprint
	case n[1] == none && n[0] != e.thumbprint:
		n[1] = e.thumbprint
	}
	if e.role == "" || e.notBefore.IsZero() {
		return
	}
	for _, country := range []string{e.country, "*"} {
		at := place{e.role, country}
		b := ix.earliest[at]
		mine := birth{e.notBefore, e.thumbprint}
		switch {
		case b[0].thumbprint == e.thumbprint || b[1].thumbprint == e.thumbprint:
			continue
		case b[0].thumbprint == none || mine.notBefore.Before(b[0].notBefore):
			b[0], b[1] = mine, b[0]
		case b[1].thumbprint == none || mine.notBefore.Before(b[1].notBefore):
			b[1] = mine
		}
		ix.earliest[at] = b
	}
}

// lacksOther reports that there may be other end entities' certificates, and none is known.
func (ix *Index) lacksOther(c *cert.Certificate) bool {
	own := c.Thumbprint()
	return ix.partial && !slices.ContainsFunc(ix.neighbour[:], func(t cert.Thumbprint) bool { return t != own && t != cert.Thumbprint{} })
}

// lacksEarlier reports that there may be a predecessor, of the same role and member
// state, and none is known.
func (ix *Index) lacksEarlier(c *cert.Certificate, role Role, country string) bool {
	if !ix.partial {
		return false
	}
	places := []place{{role, country}, {role, ""}}
	if country == "" {
		places = []place{{role, "*"}}
	}
	own := c.Thumbprint()
	for _, at := range places {
		for _, b := range ix.earliest[at] {
			if b.thumbprint != (cert.Thumbprint{}) && b.thumbprint != own && !b.notBefore.After(c.NotBefore) {
				return false
			}
		}
	}
	return true
}

// Add takes a certificate up. One without a certificate in it is left out.
func (ix *Index) Add(k Known) {
	c := k.Certificate
	if c == nil {
		return
	}
	at := int32(len(ix.entries))
	e := entry{role: k.Role, country: k.Country, source: k.Source, notBefore: c.NotBefore}
	if len(c.Raw) > 0 {
		e.thumbprint = c.Thumbprint()
		if bc := c.BasicConstraints; ix.partial && (bc == nil || !bc.CA) {
			ix.meet(&e)
		}
	} else {
		ix.bare++
	}
	ix.entries = append(ix.entries, e)
	if id, ok := keyIdentity(c); ok {
		if len(ix.keys[id]) == 0 {
			ix.addModulus(c, id, at)
		}
		ix.link(ix.keys, id, at)
	}
	if id, ok := numberIdentity(c); ok {
		ix.link(ix.numbers, id, at)
	}
}

// The most that are found by one key or number, of one role and member state and of
// all: where thousands of certificates share a key, looking at every pair would take
// the time that vetting them all does. Whoever shares with any that are left out
// shares with some that are not.
const (
	maxSamePlace = 50
	maxSame      = 4 * maxSamePlace
)

// link makes the entry at found by id. A copy of the same certificate is found once.
func (ix *Index) link(found map[identity][]int32, id identity, at int32) {
	same := found[id]
	if len(same) == maxSame {
		return
	}
	e, neighbours := &ix.entries[at], 0
	for _, p := range same {
		o := &ix.entries[p]
		if o.role != e.role || o.country != e.country {
			continue
		}
		if neighbours++; neighbours == maxSamePlace || o.thumbprint == e.thumbprint {
			return
		}
	}
	found[id] = append(same, at)
}

func (ix *Index) addModulus(c *cert.Certificate, id identity, at int32) {
	switch k := c.PublicKey; {
	case k == nil || k.N == nil || k.N.Sign() <= 0:
	case len(ix.moduli) == maxModuli:
		ix.uncompared = true
	default:
		ix.moduli = append(ix.moduli, comparand{k.N, id, at})
	}
}

// Len is the number of certificates and bare keys.
func (ix *Index) Len() int { return len(ix.entries) }

// sameKey returns what is known with the key of c, in the order added.
func (ix *Index) sameKey(c *cert.Certificate) []*entry {
	id, ok := keyIdentity(c)
	if !ok {
		return nil
	}
	return ix.at(ix.keys[id])
}

// sameKey looks the key up in Others, once for all rules.
func (x *exam) sameKey() []*entry {
	if x.memo == nil {
		return x.Others.sameKey(x.c)
	}
	if !x.memo.asked {
		x.memo.same, x.memo.asked = x.Others.sameKey(x.c), true
	}
	return x.memo.same
}

// sameNumber returns what is known with the issuer and serial number of c, in the order added.
func (ix *Index) sameNumber(c *cert.Certificate) []*entry {
	id, ok := numberIdentity(c)
	if !ok {
		return nil
	}
	return ix.at(ix.numbers[id])
}

func (ix *Index) at(positions []int32) []*entry {
	found := make([]*entry, len(positions))
	for i, p := range positions {
		found[i] = &ix.entries[p]
	}
	return found
}

// has reports whether there is a certificate of this role and member state.
func (ix *Index) has(role Role, country string) bool {
	return slices.ContainsFunc(ix.entries, func(e entry) bool { return e.role == role && e.country == country })
}

func (e *entry) bare() bool { return e.thumbprint == cert.Thumbprint{} }

func (e *entry) label() string {
	switch {
	case e.source != "":
		return e.source
	case e.bare():
		return "a bare public key"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s…", e.country, strings.ToUpper(string(e.role)), cert.ShortHex(e.thumbprint.String())))
}

// keyIdentity is of the key itself, so that another encoding of the same key
// (id-RSASSA-PSS, explicit parameters, a compressed point) is still the same.
func keyIdentity(c *cert.Certificate) (identity, bool) {
	k := c.PublicKey
	switch {
	case k != nil && k.N != nil:
		return identify("RSA", signed(k.N)), true
	case k != nil && len(k.Point) > 0:
		return identify("EC", abscissa(k)), true
	case k != nil && k.Y != nil && k.P != nil:
		return identify("DSA", signed(k.P), signed(k.Y)), true
	case len(c.SPKI) > 0:
		return identify("SPKI", c.SPKI), true
	}
	return identity{}, false
}

// numberIdentity is of issuer and serial number.
func numberIdentity(c *cert.Certificate) (identity, bool) {
	if c.Serial == nil || len(c.Issuer.Raw) == 0 {
		return identity{}, false
	}
	return identify("number", c.Issuer.Raw, signed(c.Serial)), true
}

// identify hashes parts so that no two lists of parts have the same octets.
func identify(kind string, parts ...[]byte) identity {
	b := []byte(kind)
	for _, p := range parts {
		b = fmt.Appendf(b, " %d:", len(p))
		b = append(b, p...)
	}
	return sha256.Sum256(b)
}

// signed is a number with its sign.
func signed(n *big.Int) []byte {
	return slices.Concat([]byte{byte(n.Sign() + 1)}, n.Bytes())
}

// abscissa is the x coordinate of an encoded point. Two points that share it are a key and its negative.
func abscissa(k *sigalg.PublicKey) []byte {
	p := k.Point
	switch {
	case len(p) > 1 && (p[0] == 2 || p[0] == 3):
		return p[1:]
	case len(p) > 2 && len(p)%2 == 1:
		return p[1 : 1+len(p)/2]
	}
	return p
}

// is reports whether the entry is of this very certificate.
func (e *entry) is(c *cert.Certificate) bool {
	return len(c.Raw) > 0 && e.thumbprint == c.Thumbprint()
}
