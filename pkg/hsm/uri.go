package hsm

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// URI is a PKCS#11 URI (RFC 7512) as far as this tool takes it: which token and which key.
type URI struct {
	Token, Serial, Manufacturer, Model string
	Object                             string // CKA_LABEL
	ID                                 []byte // CKA_ID
	ModulePath                         string
}

// URIError is a URI that was not taken, and why. It quotes no value of one that could
// not be read: that can hold a PIN.
type URIError struct {
	Reason string
	Next   string
}

func (e *URIError) Error() string { return "PKCS#11 URI: " + e.Reason }

// Hint says what to do next.
func (e *URIError) Hint() string { return e.Next }

const (
	scheme = "pkcs11:"
	maxURI = 4096 // bytes
	maxID  = 255  // bytes; tokens hold a few dozen at most
)

// uriAttribute says how an attribute of RFC 7512 is read; max is in bytes, and
// for the token's fields that of CK_TOKEN_INFO: nothing longer can match.
type uriAttribute struct {
	name  string
	query bool
	max   int
	field func(*URI) *string // nil for id and type
}

// uriAttributes lists what is taken, in canonical order.
func uriAttributes() []uriAttribute {
	return []uriAttribute{
		{"token", false, 32, func(u *URI) *string { return &u.Token }},
		{"serial", false, 16, func(u *URI) *string { return &u.Serial }},
		{"manufacturer", false, 32, func(u *URI) *string { return &u.Manufacturer }},
		{"model", false, 16, func(u *URI) *string { return &u.Model }},
		{"object", false, 255, func(u *URI) *string { return &u.Object }},
		{"id", false, maxID, nil},
		{"type", false, 16, nil},
		{"module-path", true, 1024, func(u *URI) *string { return &u.ModulePath }},
	}
}

// ParseURI parses strictly: unknown, repeated and empty attributes are refused,
// and so are pin-value and pin-source, which would put a PIN where others read
// it. Every byte of id must be percent-encoded: tools disagree on whether "id=7370" means
// text or hex. Errors are *URIError.
func ParseURI(s string) (URI, error) {
	if len(s) > maxURI {
		return URI{}, &URIError{Reason: fmt.Sprintf("longer than %d bytes", maxURI)}
	}
	rest, ok := strings.CutPrefix(s, scheme)
	if !ok {
		return URI{}, &URIError{Reason: "it does not begin with " + quote(scheme), Next: "for example pkcs11:token=EFGSTA;object=efgsta-2026"}
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	p := uriParser{seen: map[string]bool{}}
	if path != "" {
		for part := range strings.SplitSeq(path, ";") {
			if err := p.attribute(part, false); err != nil {
				return URI{}, err
			}
		}
	}
	if hasQuery {
		for part := range strings.SplitSeq(query, "&") {
			if err := p.attribute(part, true); err != nil {
				return URI{}, err
			}
		}
	}
	if p.u.String() == scheme { // nothing, or type=private alone
		return URI{}, &URIError{Reason: "it names nothing", Next: "for example pkcs11:token=EFGSTA;object=efgsta-2026"}
	}
	return p.u, nil
}

type uriParser struct {
	u    URI
	seen map[string]bool
}

func (p *uriParser) attribute(part string, query bool) error {
	name, raw, ok := strings.Cut(part, "=")
	if !ok || name == "" {
		return &URIError{Reason: "an attribute is not name=value", Next: "attributes are separated by ';', those behind '?' by '&', with nothing at the end"}
	}
	known, err := lookup(name, query)
	if err != nil {
		return err
	}
	if p.seen[name] {
		return &URIError{Reason: "attribute " + name + " is given twice"}
	}
	p.seen[name] = true
	value, err := decode(name, raw, query)
	if err != nil {
		return err
	}
	if len(value) == 0 {
		return &URIError{Reason: "attribute " + name + " is empty", Next: "leave it out"}
	}
	if len(value) > known.max {
		return &URIError{Reason: fmt.Sprintf("attribute %s has %d bytes, at most %d can match", name, len(value), known.max)}
	}
	switch name {
	case "id":
		p.u.ID = value
		return nil
	case "type":
		if string(value) != "private" {
			return &URIError{Reason: "attribute type is not private", Next: "the URI names a private key: use type=private or leave type out"}
		}
		return nil
	}
	if !utf8.Valid(value) || strings.IndexByte(string(value), 0) >= 0 {
		return &URIError{Reason: "attribute " + name + " is not UTF-8 text"}
	}
	*known.field(&p.u) = string(value)
	return nil
}

// lookup finds the attribute, or the reason why it is not taken.
func lookup(name string, query bool) (uriAttribute, error) {
	for _, a := range uriAttributes() {
		if a.name != name {
			continue
		}
		if a.query && !query {
			return a, &URIError{Reason: name + " stands before the '?'", Next: "put it at the end: pkcs11:token=…;object=…?" + name + "=…"}
		}
		if !a.query && query {
			return a, &URIError{Reason: name + " stands behind the '?'", Next: "put it before the '?', separated by ';'"}
		}
		return a, nil
	}
	switch name {
	case "pin-value", "pin-source":
		return uriAttribute{}, &URIError{Reason: name + " is not accepted: command lines and configuration are read by others", Next: "leave it out: the PIN is asked for on the terminal, or use --pin-file or --pin-fd"}
	case "module-name":
		return uriAttribute{}, &URIError{Reason: "module-name is not accepted: it would be searched for", Next: "use module-path with an absolute path"}
	case "slot-id", "slot-description", "slot-manufacturer":
		return uriAttribute{}, &URIError{Reason: name + " is not accepted: slots change their numbers", Next: "use token or serial"}
	}
	return uriAttribute{}, &URIError{Reason: "unknown attribute " + quote(name), Next: "known are token, serial, manufacturer, model, object, id, type=private and ?module-path"}
}

// decode undoes percent-encoding. By hand: url.ParseQuery turns '+' into a blank.
func decode(name, raw string, query bool) ([]byte, error) {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '%':
			if i+2 >= len(raw) || !isHex(raw[i+1]) || !isHex(raw[i+2]) {
				return nil, &URIError{Reason: "attribute " + name + " has a '%' without two hex digits"}
			}
			out = append(out, unhex(raw[i+1])<<4|unhex(raw[i+2]))
			i += 2
		case name == "id":
			return nil, &URIError{Reason: "a byte of id is not percent-encoded", Next: "write every byte of CKA_ID as % and two hex digits: id=%01%a2"}
		case !allowed(c, query):
			return nil, &URIError{Reason: fmt.Sprintf("attribute %s has the character %s, which must be percent-encoded", name, quote(string(rune(c)))), Next: fmt.Sprintf("write it as %%%02X", c)}
		default:
			out = append(out, c)
		}
	}
	return out, nil
}

// allowed are the characters that RFC 7512 section 2.3 takes unencoded.
func allowed(c byte, query bool) bool {
	if unreserved(c) || strings.IndexByte(":[]@!$'()*+,=", c) >= 0 {
		return true
	}
	if query {
		return c == '/' || c == '?' || c == '|'
	}
	return c == '&'
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}

// String is the canonical form; ParseURI(u.String()) gives u.
func (u URI) String() string {
	var path, query []string
	for _, a := range uriAttributes() {
		var value string
		switch {
		case a.name == "id":
			value = encode(string(u.ID), "", true)
		case a.field == nil:
			continue
		case a.query:
			value = encode(*a.field(&u), "/", false)
		default:
			value = encode(*a.field(&u), "", false)
		}
		if value == "" {
			continue
		}
		if a.query {
			query = append(query, a.name+"="+value)
		} else {
			path = append(path, a.name+"="+value)
		}
	}
	s := scheme + strings.Join(path, ";")
	if len(query) > 0 {
		s += "?" + strings.Join(query, "&")
	}
	return s
}

// encode percent-encodes all but unreserved characters and those in keep.
func encode(s, keep string, all bool) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; !all && (unreserved(c) || strings.IndexByte(keep, c) >= 0) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
