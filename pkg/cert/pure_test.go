package cert

import (
	"bytes"
	"testing"
)

func TestOnlyCertificates(t *testing.T) {
	a, b := parse(t, selfSigned(t, "a")), parse(t, selfSigned(t, "b"))
	crlf := bytes.ReplaceAll(a.PEM(), []byte("\n"), []byte("\r\n"))
	for name, c := range map[string]struct {
		data []byte
		want bool
	}{
		"DER":                      {a.Raw, true},
		"two DER":                  {append(bytes.Clone(a.Raw), b.Raw...), true},
		"PEM":                      {a.PEM(), true},
		"two PEM":                  {append(a.PEM(), b.PEM()...), true},
		"CRLF":                     {crlf, true},
		"white space":              {append([]byte("\n \t\n"), append(a.PEM(), "\n\n"...)...), true},
		"text before":              {append([]byte("subject=x\n"), a.PEM()...), false},
		"text between":             {append(append(a.PEM(), "hello\n"...), b.PEM()...), false},
		"text behind":              {append(a.PEM(), "00:c3:9e:55\n"...), false},
		"bytes behind":             {append(a.PEM(), 0), false},
		"DER and bytes":            {append(bytes.Clone(a.Raw), 4, 2, 1, 1), false},
		"header lines":             {bytes.Replace(a.PEM(), []byte("-----\n"), []byte("-----\nA: b\n\n"), 1), false},
		"a block of another label": {append(a.PEM(), bytes.ReplaceAll(b.PEM(), []byte("CERTIFICATE"), []byte("NOTE"))...), false},
		"a broken block":           {append(bytes.Replace(a.PEM(), []byte("MII"), []byte("!II"), 1), b.PEM()...), false},
		"nothing":                  {nil, false},
	} {
		if got := Read("file", c.data).OnlyCertificates(c.data); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
