package cert

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
)

// Equal compares names as RFC 5280 7.1 does: letter case, the type of string, and how much white space
// there is make no difference, nor do the characters that RFC 4518 2.2 maps to nothing. Two names that are
// empty are equal.
func (n Name) Equal(other Name) bool {
	if bytes.Equal(n.Raw, other.Raw) {
		return true
	}
	return len(n.RDNs) > 0 && slices.EqualFunc(n.RDNs, other.RDNs, sameRDN)
}

// sameRDN: an RDN is a set, so the order of its attributes does not count.
func sameRDN(a, b RDN) bool {
	switch {
	case len(a) != len(b):
		return false
	case len(a) == 1: // nearly always
		return sameAttribute(a[0], b[0])
	}
	in := func(set RDN) func(Attribute) bool {
		return func(one Attribute) bool {
			return !slices.ContainsFunc(set, func(other Attribute) bool { return sameAttribute(one, other) })
		}
	}
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

func sameAttribute(a, b Attribute) bool {
	switch {
	case a.OID != b.OID:
		return false
	case a.Tag == b.Tag && bytes.Equal(a.Raw, b.Raw):
		return true
	}
	return stringType(a.Tag) && stringType(b.Tag) && !endsDiffer(a.Value, b.Value) && prepared(a.Value) == prepared(b.Value)
}

// endsDiffer tells most values apart at once: they begin or end with different letters that are plain ASCII.
func endsDiffer(a, b string) bool {
	differ := func(x, y byte) bool {
		const letterCase = 'a' - 'A'
		visible := x > ' ' && x < 0x7f && y > ' ' && y < 0x7f
		return visible && x|letterCase != y|letterCase
	}
	return a != "" && b != "" && (differ(a[0], b[0]) || differ(a[len(a)-1], b[len(b)-1]))
}

// prepared is a value as it is compared: what cannot be seen is gone, letters are in one case, and each
// stretch of white space is one blank.
func prepared(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unseen(r):
			return -1
		}
		return unicode.ToLower(unicode.ToUpper(r))
	}, s)), " ")
}

// Blank reports whether nothing of s can be seen: white space, control and format characters, the
// characters that Unicode lets a display ignore, and the empty pattern of Braille.
func Blank(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsSpace(r) && !unseen(r) })
}

// unseen reports whether a character other than white space shows nothing.
func unseen(r rune) bool {
	const brailleBlank = 0x2800
	return r == brailleBlank || unicode.IsControl(r) ||
		unicode.In(r, unicode.Cf, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// Unseen returns the first character of s, other than white space, that shows nothing.
func Unseen(s string) (r rune, found bool) {
	if i := strings.IndexFunc(s, unseen); i >= 0 {
		return []rune(s[i:])[0], true
	}
	return 0, false
}
