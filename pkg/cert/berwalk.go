package cert

import (
	"errors"

	"github.com/efgsta/efgsta/pkg/der"
)

// errShape marks a container whose encoding is not that of its type.
var errShape = errors.New("its structure is damaged")

// wrapped is the one element inside an explicit tag.
func wrapped(r *der.Reader, e der.Element, context int) (der.Element, *der.Reader, error) {
	if !e.IsContext(context) {
		return der.Element{}, nil, errShape
	}
	in, err := r.Enter(e)
	if err != nil {
		return der.Element{}, nil, err
	}
	inner, err := in.Next()
	return inner, in, err
}

// octets joins an OCTET STRING, which BER may give in pieces.
func octets(r *der.Reader, e der.Element) ([]byte, error) {
	if !e.Constructed {
		return e.Content, nil
	}
	in, err := r.Enter(e)
	if err != nil {
		return nil, err
	}
	var all []byte
	for in.More() {
		piece, err := in.Next()
		if err != nil {
			return nil, err
		}
		if !piece.Is(der.TagOctetString) {
			return nil, errShape
		}
		part, err := octets(in, piece)
		if err != nil {
			return nil, err
		}
		all = append(all, part...)
	}
	return all, nil
}

// each calls fn with every element of a SEQUENCE or SET, up to a cap.
func each(r *der.Reader, e der.Element, most int, fn func(*der.Reader, der.Element) error) error {
	in, err := r.Enter(e)
	if err != nil {
		return err
	}
	for n := 0; in.More(); n++ {
		if n == most {
			return errMany
		}
		child, err := in.Next()
		if err != nil {
			return err
		}
		if err := fn(in, child); err != nil {
			return err
		}
	}
	return nil
}

var errMany = errors.New("it has more parts than are read")

// berRoot reads the one element of a container.
func berRoot(data []byte) (*der.Reader, der.Element, error) {
	r, err := der.NewReader(data, der.Limits{Bytes: MaxFile}, der.BER)
	if err != nil {
		return nil, der.Element{}, err
	}
	e, err := r.Next()
	return r, e, err
}
