package anchor_test

import (
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/anchor"
)

type doc struct {
	Schema anchor.Schema `json:"schema"`
	N      int           `json:"n"`
}

func TestDocumentRoundTrip(t *testing.T) {
	for _, s := range []anchor.Schema{anchor.TrustList, anchor.Manifest} {
		d, err := anchor.Encode(s, doc{s, 7})
		if err != nil {
			t.Fatal(err)
		}
		want := "{\n  \"schema\": \"" + string(s) + "\",\n  \"n\": 7\n}\n"
		if string(d.Bytes()) != want || d.Schema() != s {
			t.Errorf("Encode = %q (%s), want %q", d.Bytes(), d.Schema(), want)
		}
		var back doc
		if err := anchor.Decode(s, d.Bytes(), &back); err != nil || back.N != 7 {
			t.Errorf("Decode = %+v, %v", back, err)
		}
	}
}

// A copy is handed out: nobody can change what will be signed.
func TestDocumentCannotBeChanged(t *testing.T) {
	d, err := anchor.Encode(anchor.Manifest, doc{anchor.Manifest, 1})
	if err != nil {
		t.Fatal(err)
	}
	clear(d.Bytes())
	if !strings.HasPrefix(string(d.Bytes()), "{") {
		t.Error("the document was changed from outside")
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		schema anchor.Schema
		value  any
	}{
		"schema not in the list":  {"efgsta.other/v1", doc{"efgsta.other/v1", 1}},
		"no schema":               {"", doc{"", 1}},
		"value of another schema": {anchor.Manifest, doc{anchor.TrustList, 1}},
		"schema is not first": {anchor.Manifest, struct {
			N      int           `json:"n"`
			Schema anchor.Schema `json:"schema"`
		}{1, anchor.Manifest}},
		"no schema member": {anchor.Manifest, struct{ N int }{1}},
		"longer schema":    {anchor.Manifest, doc{anchor.Manifest + "0", 1}},
		"a string":         {anchor.Manifest, "efgsta.manifest/v1"},
		"not JSON":         {anchor.Manifest, make(chan int)},
		"larger than the limit": {anchor.Manifest, struct {
			Schema anchor.Schema `json:"schema"`
			Text   string        `json:"text"`
		}{anchor.Manifest, strings.Repeat("x", anchor.MaxDocument)}},
	} {
		if d, err := anchor.Encode(c.schema, c.value); err == nil || len(d.Bytes()) > 0 {
			t.Errorf("%s: Encode = %d bytes, %v", name, len(d.Bytes()), err)
		}
	}
}

const goodText = "{\n  \"schema\": \"efgsta.manifest/v1\",\n  \"n\": 7\n}\n"

func TestDecodeRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		schema anchor.Schema
		text   string
	}{
		"other schema expected":  {anchor.TrustList, goodText},
		"schema not in the list": {"efgsta.other/v1", strings.Replace(goodText, "efgsta.manifest/v1", "efgsta.other/v1", 1)},
		"compact":                {anchor.Manifest, `{"schema":"efgsta.manifest/v1","n":7}`},
		"unknown member":         {anchor.Manifest, strings.Replace(goodText, "\"n\": 7", "\"n\": 7,\n  \"m\": 1", 1)},
		"duplicate member":       {anchor.Manifest, strings.Replace(goodText, "\"n\": 7", "\"n\": 6,\n  \"n\": 7", 1)},
		"trailing text":          {anchor.Manifest, goodText + " "},
		"empty":                  {anchor.Manifest, ""},
		"too large":              {anchor.Manifest, goodText + strings.Repeat(" ", anchor.MaxDocument)},
	} {
		var d doc
		if err := anchor.Decode(c.schema, []byte(c.text), &d); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(goodText))
	f.Add([]byte(strings.Replace(goodText, "7", "7.0", 1)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var d doc
		if anchor.Decode(anchor.Manifest, text, &d) != nil {
			return
		}
		again, err := anchor.Encode(anchor.Manifest, d)
		if err != nil || string(again.Bytes()) != string(text) {
			t.Fatalf("read %q, writes %q (%v)", text, again.Bytes(), err)
		}
	})
}
