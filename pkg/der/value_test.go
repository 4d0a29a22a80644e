package der

import (
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

func element(t *testing.T, in string) Element {
	t.Helper()
	r, err := NewReader(unhex(t, in), Limits{}, DER)
	if err != nil {
		t.Fatal(err)
	}
	e, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestInteger(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
		ok   bool
	}{
		{"02 01 00", "0", true},
		{"02 01 7f", "127", true},
		{"02 02 00 80", "128", true},
		{"02 01 80", "-128", true},
		{"02 01 ff", "-1", true},
		{"02 02 ff 7f", "-129", true},
		{"02 09 01 00 00 00 00 00 00 00 00", "18446744073709551616", true},
		{"02 02 00 01", "1", false},
		{"02 02 ff ff", "-1", false},
	} {
		n, err := element(t, c.in).Integer()
		if (err == nil) != c.ok || n == nil || n.String() != c.want {
			t.Errorf("%s: %v, %v", c.in, n, err)
		}
		small, err := element(t, c.in).Int()
		if want, _ := new(big.Int).SetString(c.want, 10); c.ok && want.IsInt64() {
			if err != nil || int64(small) != want.Int64() {
				t.Errorf("%s: Int %d, %v", c.in, small, err)
			}
		} else if err == nil {
			t.Errorf("%s: Int %d", c.in, small)
		}
	}
	if n, err := element(t, "02 00").Integer(); n != nil || err == nil {
		t.Errorf("without contents: %v, %v", n, err)
	}
}

func TestOID(t *testing.T) {
	for _, oid := range []asn1.ObjectIdentifier{{0, 0}, {0, 39, 1}, {1, 2, 840, 113549, 1, 1, 11}, {2, 5, 4, 6}, {2, 16, 840}, {2, 999, 3}, {1, 39}, {2, 47}, {2, 48}} {
		raw, err := asn1.Marshal(oid)
		if err != nil {
			t.Fatal(err)
		}
		e := Element{Tag: TagOID, Content: raw[2:]}
		if got, err := e.OID(); err != nil || got != oid.String() {
			t.Errorf("%v: %s, %v", oid, got, err)
		}
	}
	// An arc of 128 bits, as made from a UUID (X.667).
	uuid := "06 14 69 83 d8 c4 ab c9 cf 9d c6 ea a3 a4 a0 a8 97 e1 b3 c5 e7 0f"
	if got, err := element(t, uuid).OID(); err != nil || got != "2.25.314052650809636053849336557989067322255" {
		t.Errorf("large arc: %s, %v", got, err)
	}
}

func TestBool(t *testing.T) {
	for in, want := range map[string]bool{"01 01 00": false, "01 01 ff": true, "01 01 01": true} {
		got, err := element(t, in).Bool()
		if got != want || (err == nil) != (in != "01 01 01") {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		in, want string
		ok       bool
	}{
		{"13 02 44 45", "DE", true},
		{"13 02 44 40", "D@", false},
		{"13 02 44 e4", "D\uFFFD", false},
		{"0c 03 e2 82 ac", "€", true},
		{"0c 02 e2 82", "\uFFFD", false},
		{"14 02 44 e4", "Dä", true},
		{"16 03 61 40 62", "a@b", true},
		{"16 01 e4", "\uFFFD", false},
		{"12 02 31 20", "1 ", true},
		{"12 01 61", "a", false},
		{"1a 01 7e", "~", true},
		{"1a 01 0a", "\n", false},
		{"1e 04 00 44 20 ac", "D€", true},
		{"1e 03 00 44 20", "D\uFFFD", false},
		{"1e 04 d8 3d de 00", "😀", false},
		{"1c 04 00 01 f6 00", "😀", true},
		{"1c 04 00 11 00 00", "\uFFFD", false},
		{"1c 05 00 00 00 41 00", "A\uFFFD", false},
		{"02 01 05", "#05", false},
		{"13 00", "", true},
	} {
		got, err := element(t, c.in).Text()
		if got != c.want || (err == nil) != c.ok {
			t.Errorf("%s: %q, %v", c.in, got, err)
		}
	}
}

func TestTime(t *testing.T) {
	const utc, gen = TagUTCTime, TagGeneralizedTime
	for _, c := range []struct {
		tag  int
		in   string
		want string // RFC 3339; "" if it is no time
		ok   bool
	}{
		{utc, "200801000000Z", "2020-08-01T00:00:00Z", true},
		{utc, "491231235959Z", "2049-12-31T23:59:59Z", true},
		{utc, "500101000000Z", "1950-01-01T00:00:00Z", true},
		{gen, "20500101000000Z", "2050-01-01T00:00:00Z", true},
		{gen, "99991231235959Z", "9999-12-31T23:59:59Z", true},
		{utc, "2008010000Z", "2020-08-01T00:00:00Z", false},
		{utc, "200801020000+0200", "2020-08-01T00:00:00Z", false},
		{utc, "2008010200-0130", "2020-08-01T03:30:00Z", false},
		{gen, "20200801000000.5Z", "2020-08-01T00:00:00Z", false},
		{gen, "202008010000Z", "2020-08-01T00:00:00Z", false},
		{gen, "2020080112Z", "2020-08-01T12:00:00Z", false},
		{gen, "20200801000000", "2020-08-01T00:00:00Z", false},
		{gen, "20200801020000+0200", "2020-08-01T00:00:00Z", false},
		{utc, "200801000000", "", false},
		{utc, "200230000000Z", "", false},
		{utc, "201301000000Z", "", false},
		{utc, "200801240000Z", "", false},
		{utc, "200801000060Z", "", false},
		{utc, "200801000000z", "", false},
		{utc, "200801000000+02", "", false},
		{utc, "20080100000Z", "", false},
		{utc, "", "", false},
		{gen, "20200801000000.5x", "", false},
		{TagIA5String, "200801000000Z", "", false},
	} {
		e := Element{Tag: c.tag, Content: []byte(c.in)}
		got, err := e.Time()
		var want time.Time
		if c.want != "" {
			var perr error
			if want, perr = time.Parse(time.RFC3339, c.want); perr != nil {
				t.Fatal(perr)
			}
		}
		if !got.Equal(want) || (err == nil) != c.ok {
			t.Errorf("%d %q: %v, %v", c.tag, c.in, got, err)
		}
	}
}
