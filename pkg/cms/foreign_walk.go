package cms

import (
	"errors"
	"fmt"

	"github.com/efgsta/efgsta/pkg/der"
)

// take reads the next element, of a universal type.
func take(r *der.Reader, tag int) (der.Element, error) {
	e, err := r.Next()
	if err != nil {
		return e, err
	}
	if !e.Is(tag) {
		return e, fmt.Errorf("%s expected at byte %d, found %s", der.TagName(tag), e.Offset, e.Kind())
	}
	return e, nil
}

// inside enters the next element, of a universal type.
func inside(r *der.Reader, tag int) (*der.Reader, error) {
	e, err := take(r, tag)
	if err != nil {
		return nil, err
	}
	return r.Enter(e)
}

// insideContext enters the next element, of a context-specific tag.
func insideContext(r *der.Reader, tag int) (*der.Reader, error) {
	e, err := r.Next()
	if err != nil {
		return nil, err
	}
	if !e.IsContext(tag) {
		return nil, fmt.Errorf("[%d] expected at byte %d, found %s", tag, e.Offset, e.Kind())
	}
	return r.Enter(e)
}

func takeInt(r *der.Reader) (int, error) {
	e, err := take(r, der.TagInteger)
	if err != nil {
		return 0, err
	}
	return e.Int()
}

func takeOID(r *der.Reader, want string) error {
	e, err := take(r, der.TagOID)
	if err != nil {
		return err
	}
	got, err := e.OID()
	if err == nil && got != want {
		err = errors.New("it is " + got)
	}
	return err
}

// end refuses whatever is left on a level.
func end(r *der.Reader) error {
	if r.More() {
		return fmt.Errorf("something follows at byte %d where nothing may", r.Offset())
	}
	return nil
}

// partsOf lists the elements inside another, whole, which must be of one universal type.
func partsOf(r *der.Reader, e der.Element, tag int) ([][]byte, error) {
	in, err := r.Enter(e)
	if err != nil {
		return nil, err
	}
	out := [][]byte{}
	for in.More() {
		part, err := take(in, tag)
		if err != nil {
			return nil, err
		}
		if out = append(out, part.Raw); len(out) > maxParts {
			return nil, fmt.Errorf("more than %d parts", maxParts)
		}
	}
	return out, nil
}

// only and enter read elements that are DER on their own, as signed attributes must be.
func only(raw []byte) (der.Element, error) {
	r, err := der.NewReader(raw, der.Limits{Bytes: MaxForeign}, der.DER)
	if err != nil {
		return der.Element{}, err
	}
	e, err := r.Next()
	if err != nil {
		return e, err
	}
	return e, end(r)
}

func enter(e der.Element) (*der.Reader, error) {
	r, err := der.NewReader(e.Raw, der.Limits{Bytes: MaxForeign}, der.DER)
	if err != nil {
		return nil, err
	}
	if e, err = r.Next(); err != nil {
		return nil, err
	}
	return r.Enter(e)
}
