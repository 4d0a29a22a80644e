package sigalg

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/efgsta/efgsta/pkg/der"
)

// sequence opens the one SEQUENCE that b must hold. Lengths are read as BER: that
// they are not DER is found by whoever checks the certificate as a whole.
func sequence(b []byte) (*der.Reader, error) {
	r, err := der.NewReader(b, limits(), der.BER)
	if err != nil {
		return nil, err
	}
	e, err := expect(r, der.TagSequence)
	if err != nil {
		return nil, err
	}
	if err := end(r); err != nil {
		return nil, err
	}
	return r.Enter(e)
}

// expect reads an element of a universal type.
func expect(r *der.Reader, tag int) (der.Element, error) {
	e, err := r.Next()
	if err == nil && !e.Is(tag) {
		err = &der.Error{Offset: e.Offset, Msg: der.TagName(tag) + " expected, found " + e.Kind()}
	}
	return e, err
}

// end reports what is left on a level.
func end(r *der.Reader) error {
	if r.More() {
		return &der.Error{Offset: r.Offset(), Msg: fmt.Sprintf("%d bytes too many", len(r.Rest()))}
	}
	return nil
}

// positive reads an INTEGER of any size up to a cap in bits; with an error it
// still returns the number if there is one within the cap.
func positive(e der.Element, maxBits int) (*big.Int, error) {
	if !e.Is(der.TagInteger) {
		return nil, &der.Error{Offset: e.Offset, Msg: "INTEGER expected, found " + e.Kind()}
	}
	if len(e.Content) > maxBits/8+1 {
		return nil, &der.Error{Offset: e.Offset, Msg: fmt.Sprintf("INTEGER of %d octets, at most %d bits are read", len(e.Content), maxBits)}
	}
	n, err := e.Integer()
	if err == nil && n.Sign() <= 0 {
		err = &der.Error{Offset: e.Offset, Msg: "INTEGER is not positive"}
	}
	return n, err
}

// encodeOID is the inverse of der.Element.OID: contents octets only.
func encodeOID(dotted string) ([]byte, error) {
	bad := fmt.Errorf("%w: OID %q is not dotted decimals", ErrUnsupported, dotted)
	parts := strings.Split(dotted, ".")
	if len(parts) < 2 || len(dotted) > 256 {
		return nil, bad
	}
	var out []byte
	var root int64
	for i, part := range parts {
		n, ok := new(big.Int).SetString(part, 10)
		if !ok || n.Sign() < 0 || n.String() != part {
			return nil, bad
		}
		switch i {
		case 0:
			if !n.IsInt64() || n.Int64() > 2 {
				return nil, bad
			}
			root = n.Int64()
			continue
		case 1:
			if root < 2 && n.Cmp(big.NewInt(40)) >= 0 {
				return nil, bad
			}
			n.Add(n, big.NewInt(40*root))
		}
		out = append(out, base128(n)...)
	}
	return out, nil
}

func base128(n *big.Int) []byte {
	octets := max(1, (n.BitLen()+6)/7)
	out := make([]byte, octets)
	low := new(big.Int)
	rest := new(big.Int).Set(n)
	for i := octets - 1; i >= 0; i-- {
		out[i] = byte(low.And(rest, big.NewInt(0x7f)).Uint64())
		if i < octets-1 {
			out[i] |= 0x80
		}
		rest.Rsh(rest, 7)
	}
	return out
}
