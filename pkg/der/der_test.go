package der

import (
	"bytes"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// nested is depth constructed elements, one inside the other.
func nested(depth int) []byte {
	b := []byte{}
	for range depth {
		b = append([]byte{0x30, byte(len(b))}, b...)
	}
	return b
}

func TestCheck(t *testing.T) {
	good := map[string]string{
		"empty sequence":     "30 00",
		"integers":           "30 06 02 01 00 02 01 ff",
		"context":            "a0 03 02 01 05",
		"long tag":           "bf 1f 03 02 01 05",
		"long length":        "04 81 80" + strings.Repeat("00", 128),
		"true":               "01 01 ff",
		"bits":               "03 02 07 80",
		"no bits":            "03 01 00",
		"oid":                "06 03 55 04 06",
		"primitive context":  "80 02 00 00",
		"negative, two long": "02 02 ff 7f",
	}
	for name, in := range good {
		if err := Check(unhex(t, in), Limits{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string]struct {
		in     string
		offset int
	}{
		"nothing":                 {"", 0},
		"tag only":                {"30", 0},
		"trailing":                {"30 00 00", 2},
		"runs past":               {"30 03 02 01", 0},
		"child runs past":         {"30 03 02 02 00", 2},
		"indefinite":              {"30 80 00 00", 0},
		"indefinite primitive":    {"04 80 00 00", 0},
		"length not minimal":      {"30 81 00", 0},
		"length with zero":        {"30 82 00 80" + strings.Repeat("05 00", 64), 0},
		"length too large":        {"30 85 01 00 00 00 00", 0},
		"reserved length":         {"30 ff", 0},
		"cut in length":           {"30 82 01", 0},
		"short long tag":          {"3f 1e 00", 0},
		"padded long tag":         {"3f 80 1f 00", 0},
		"huge tag":                {"3f ff ff ff ff 7f 00", 0},
		"cut in tag":              {"3f ff", 0},
		"boolean 01":              {"30 03 01 01 01", 2},
		"boolean long":            {"01 02 ff ff", 0},
		"integer empty":           {"02 00", 0},
		"integer padded":          {"02 02 00 7f", 0},
		"integer padded negative": {"02 02 ff 80", 0},
		"enumerated padded":       {"0a 02 00 01", 0},
		"null with contents":      {"05 01 00", 0},
		"oid empty":               {"06 00", 0},
		"oid padded":              {"06 03 55 80 01", 0},
		"oid cut":                 {"06 02 55 84", 0},
		"bits empty":              {"03 00", 0},
		"bits unused 8":           {"03 02 08 00", 0},
		"bits unused of nothing":  {"03 01 01", 0},
		"bits unused not zero":    {"03 02 07 81", 0},
		"primitive sequence":      {"10 00", 0},
		"primitive set":           {"11 00", 0},
		"constructed string":      {"24 04 04 02 00 00", 0},
		"end of contents":         {"30 02 00 00", 2},
	}
	for name, c := range bad {
		err := Check(unhex(t, c.in), Limits{})
		var at *Error
		if !errors.As(err, &at) {
			t.Errorf("%s: error is %v", name, err)
		} else if at.Offset != c.offset {
			t.Errorf("%s: %v, want byte %d", name, err, c.offset)
		}
	}
}

func TestCheckCaps(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []byte
		l    Limits
		ok   bool
	}{
		{"40 deep", nested(MaxDepth), Limits{}, true},
		{"41 deep", nested(MaxDepth + 1), Limits{}, false},
		{"asking for more does not help", nested(MaxDepth + 1), Limits{Depth: 1000}, false},
		{"3 of 3", nested(3), Limits{Depth: 3}, true},
		{"4 of 3", nested(4), Limits{Depth: 3}, false},
		{"4 bytes of 4", nested(2), Limits{Bytes: 4}, true},
		{"4 bytes of 3", nested(2), Limits{Bytes: 3}, false},
	} {
		if err := Check(c.in, c.l); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// A million nested indefinite lengths must end at the cap, not on the stack.
func TestNestedIndefinite(t *testing.T) {
	in := bytes.Repeat([]byte{0x30, 0x80}, 1<<20)
	for _, m := range []Mode{DER, BER, Loose} {
		r, err := NewReader(in, Limits{}, m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Next(); err == nil {
			t.Errorf("mode %d: no error", m)
		}
	}
}

func TestModes(t *testing.T) {
	for _, c := range []struct {
		name, in           string
		ber, loose         bool
		content            string
		next, noted, depth int // offset behind the element, notes in the loosest mode that reads it
	}{
		{name: "indefinite", in: "30 80 05 00 00 00 05 00", ber: true, loose: true, content: "05 00", next: 6, noted: 1},
		{name: "nested indefinite", in: "30 80 30 80 00 00 00 00", ber: true, loose: true, content: "30 80 00 00", next: 8, noted: 1},
		{name: "not minimal", in: "30 81 02 05 00", ber: true, loose: true, content: "05 00", next: 5, noted: 1},
		{name: "very long length", in: "30 8a 00 00 00 00 00 00 00 00 00 02 05 00", ber: true, loose: true, content: "05 00", next: 14, noted: 1},
		{name: "runs past", in: "30 09 05 00", loose: true, content: "05 00", next: 4, noted: 1},
		{name: "runs far past", in: "30 88 ff ff ff ff ff ff ff ff 05 00", loose: true, content: "05 00", next: 12, noted: 1},
		{name: "no end of contents", in: "30 80 05 00", loose: true, content: "05 00", next: 4, noted: 2},
		{name: "cut", in: "30 82 01"},
	} {
		in := unhex(t, c.in)
		for m, want := range map[Mode]bool{DER: false, BER: c.ber, Loose: c.loose} {
			r, err := NewReader(in, Limits{}, m)
			if err != nil {
				t.Fatal(err)
			}
			e, err := r.Next()
			if (err == nil) != want {
				t.Errorf("%s, mode %d: %v", c.name, m, err)
				continue
			}
			if err != nil {
				if r.Offset() != 0 {
					t.Errorf("%s, mode %d: moved on to %d", c.name, m, r.Offset())
				}
				continue
			}
			if !bytes.Equal(e.Content, unhex(t, c.content)) || r.Offset() != c.next {
				t.Errorf("%s, mode %d: content %x, then %d", c.name, m, e.Content, r.Offset())
			}
			if n := len(r.Notes()); n != c.noted {
				t.Errorf("%s, mode %d: %d notes", c.name, m, n)
			}
		}
	}
}

func TestOffsets(t *testing.T) {
	r, err := NewReader(unhex(t, "05 00 30 0a 02 01 05 04 05 30 03 01 01 ff"), Limits{}, DER)
	if err != nil {
		t.Fatal(err)
	}
	next := func(r *Reader, offset int) Element {
		t.Helper()
		peeked, err := r.Peek()
		if err != nil {
			t.Fatal(err)
		}
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Offset != offset || peeked.Offset != offset {
			t.Fatalf("%s at %d, peeked at %d, want %d", e.Kind(), e.Offset, peeked.Offset, offset)
		}
		return e
	}
	next(r, 0)
	seq := next(r, 2)
	in, err := r.Enter(seq)
	if err != nil {
		t.Fatal(err)
	}
	next(in, 4)
	octets := next(in, 7)
	if _, err := in.Enter(octets); err == nil {
		t.Fatal("entered an OCTET STRING")
	}
	value, err := in.Inside(octets)
	if err != nil {
		t.Fatal(err)
	}
	inner, err := value.Enter(next(value, 9))
	if err != nil {
		t.Fatal(err)
	}
	next(inner, 11)
	if inner.More() || value.More() || in.More() || r.More() {
		t.Fatal("something is left")
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", "3000", "30800500", "3080050000000500", "3081020500", "300602010002017f", "bf1f03020105", "0403020100", "30030101ff"} {
		f.Add(unhex(f, s))
	}
	f.Add(nested(41))
	f.Fuzz(func(t *testing.T, in []byte) {
		strict := Check(in, Limits{})
		if strict == nil {
			var v asn1.RawValue
			if rest, err := asn1.Unmarshal(in, &v); err != nil || len(rest) != 0 {
				t.Fatalf("encoding/asn1 disagrees: %v, %d left", err, len(rest))
			}
		}
		for _, m := range []Mode{DER, BER, Loose} {
			r, err := NewReader(in, Limits{}, m)
			if err != nil {
				t.Fatal(err)
			}
			walk(t, r, in)
			if n := r.Notes(); len(n) > 0 && (m == DER || strict == nil) {
				t.Fatalf("mode %d notes %v", m, n[0])
			}
		}
	})
}

// walk reads everything and checks that each element stands where it says.
func walk(t *testing.T, r *Reader, whole []byte) {
	for r.More() {
		e, err := r.Next()
		if err != nil {
			return
		}
		if !bytes.Equal(whole[e.Offset:e.Offset+len(e.Raw)], e.Raw) || !bytes.HasPrefix(whole[e.ContentOffset():], e.Content) {
			t.Fatalf("element at %d is not there", e.Offset)
		}
		_ = e.checkForm()
		_, _ = e.Integer()
		_, _ = e.Int()
		_, _ = e.Text()
		_, _ = e.ASCII()
		_, _ = e.Time()
		if in, err := r.Inside(e); err == nil {
			if e.Constructed {
				walk(t, in, whole)
			}
		} else if r.depth < MaxDepth {
			t.Fatal(err)
		}
	}
}
