package cert

import (
	"fmt"
	"testing"
)

func TestNameEqual(t *testing.T) {
	const cn, ou, utf8, printable, bmp = OIDCommonName, OIDOrganizationalUnit, 12, 19, 30
	one := func(tag int, value string) Name {
		return Name{Raw: append([]byte{byte(tag)}, value...), RDNs: []RDN{{{OID: cn, Tag: tag, Raw: []byte(value), Value: value}}}}
	}
	two := func(order ...string) Name {
		values := map[string]string{cn: "a", ou: "b"}
		var rdn RDN
		for _, oid := range order {
			rdn = append(rdn, Attribute{OID: oid, Tag: utf8, Raw: []byte(values[oid]), Value: values[oid]})
		}
		return Name{Raw: []byte(fmt.Sprint(order)), RDNs: []RDN{rdn}}
	}
	for name, c := range map[string]struct {
		a, b Name
		want bool
	}{
		"same":                    {one(utf8, "CA 1"), one(utf8, "CA 1"), true},
		"string type":             {one(utf8, "CA 1"), one(printable, "CA 1"), true},
		"another string type":     {one(bmp, "CA 1"), one(printable, "CA 1"), true},
		"letter case":             {one(utf8, "CA Ä"), one(utf8, "ca ä"), true},
		"white space":             {one(utf8, " CA\u00a0 1 "), one(utf8, "CA 1"), true},
		"nothing to see":          {one(utf8, "C\u200bA\u00ad 1"), one(utf8, "CA 1"), true},
		"order within an RDN":     {two(cn, ou), two(ou, cn), true},
		"an attribute more":       {two(cn, ou), two(cn), false},
		"an attribute twice":      {two(cn, cn), two(cn, ou), false},
		"another value":           {one(utf8, "CA 1"), one(utf8, "CA 2"), false},
		"no blank":                {one(utf8, "CA 1"), one(utf8, "CA1"), false},
		"no text":                 {one(4, "CA 1"), one(utf8, "CA 1"), false},
		"nothing could be read":   {Name{Raw: []byte{1}}, Name{Raw: []byte{2}}, false},
		"an RDN more":             {Name{Raw: []byte{1}, RDNs: two(cn).RDNs}, Name{Raw: []byte{2}, RDNs: append(two(cn).RDNs, two(ou).RDNs...)}, false},
		"RDNs in another order":   {Name{Raw: []byte{1}, RDNs: append(two(ou).RDNs, two(cn).RDNs...)}, Name{Raw: []byte{2}, RDNs: append(two(cn).RDNs, two(ou).RDNs...)}, false},
		"empty, and nothing else": {Name{Raw: []byte{0x30, 0}}, Name{Raw: []byte{0x30, 0}}, true},
	} {
		if c.a.Equal(c.b) != c.want || c.b.Equal(c.a) != c.want {
			t.Errorf("%s: not %v both ways", name, c.want)
		}
	}
}

func TestBlank(t *testing.T) {
	for _, s := range []string{"", " ", "\t\u00a0\u3000", "\u200b", "\u3164", "\u2800", "\u115f\u1160\uffa0", "\ufe0f", "\U000e0020", "\u00ad\u034f\u180e"} {
		if !Blank(s) {
			t.Errorf("%+q is not blank", s)
		}
	}
	for _, s := range []string{"a", "\u3164a", "-", "ä", "\ufffd"} {
		if Blank(s) {
			t.Errorf("%+q is blank", s)
		}
	}
}
