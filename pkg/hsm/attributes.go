package hsm

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// get reads one attribute; nil if the token does not tell it.
func (c *conn) get(o object, typ uint) ([]byte, error) {
	value, err := c.m.attribute(c.s, o, typ)
	if errors.Is(err, ckrAttributeTypeInvalid) || errors.Is(err, ckrAttributeSensitive) {
		return nil, nil
	}
	if err != nil {
		return nil, failure("read attributes in", c.token.String(), err)
	}
	return value, nil
}

// getBool reads a CK_BBOOL; nil if not told.
func (c *conn) getBool(o object, typ uint) (*bool, error) {
	value, err := c.get(o, typ)
	if err != nil || len(value) != 1 {
		return nil, err
	}
	b := value[0] != 0
	return &b, nil
}

// getUint reads a CK_ULONG.
func (c *conn) getUint(o object, typ uint) (uint, error) {
	value, err := c.get(o, typ)
	if err != nil {
		return 0, err
	}
	switch len(value) {
	case 4:
		return uint(binary.NativeEndian.Uint32(value)), nil
	case 8:
		return uint(binary.NativeEndian.Uint64(value)), nil
	}
	return 0, &Error{Op: "read attributes in", What: c.token.String(), Err: fmt.Errorf("attribute 0x%X has %d bytes, a number is 4 or 8", typ, len(value))}
}
