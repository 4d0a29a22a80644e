package cert

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestBlocks(t *testing.T) {
	raw := selfSigned(t, "a")
	p := pemOf("CERTIFICATE", raw)
	indented := "  " + strings.ReplaceAll(strings.TrimSpace(p), "\n", "\n  ") + "\n"
	line := strings.Split(p, "\n")[1]
	for name, test := range map[string]struct {
		text   string
		blocks int // all with the certificate
		stray  string
	}{
		"plain":               {p, 1, ""},
		"joined":              {strings.TrimSpace(p) + p, 2, ""},
		"CR":                  {p + strings.ReplaceAll(p, "\n", "\r"), 2, ""},
		"indented":            {p + indented, 2, ""},
		"no END":              {p + strings.Split(p, "-----END")[0], 2, ""},
		"no END before BEGIN": {strings.Split(p, "-----END")[0] + p, 2, ""},
		"byte order mark":     {"\ufeff" + p, 1, ""},
		"base64 alone":        {base64.StdEncoding.EncodeToString(raw), 1, ""},
		"remarks":             {"Certificate:\n    Serial: 00:11\n" + strings.Repeat("-", 70) + "\n" + strings.Repeat("ab12", 16) + "\n" + p + "end\n", 1, ""},
		"JSON behind":         {p + `{"kty": "RSA"}`, 1, "JSON"},
		"base64 behind":       {p + line, 1, "64 characters of base64"},
		"base64 before":       {line + "\n" + p, 1, "64 characters of base64"},
		"base64 between":      {p + "key: " + line + "\n" + p, 2, "64 characters of base64"},
		"a long hex number":   {p + strings.Repeat("ab12", 17), 1, "68 characters"},
		"a marker too short":  {p + "-BEGIN PUBLIC KEY-\n", 1, "BEGIN marker"},
		"a marker without":    {p + "BEGIN PUBLIC KEY\n", 1, "BEGIN marker"},
		"binary behind":       {p + string(raw), 1, "binary"},
		"a word of prose":     {p + "we begin here\n", 1, ""},
		"nothing":             {"hello", 0, ""},
		"binary":              {string(raw) + p, 0, ""},
	} {
		blocks, stray := Blocks([]byte(test.text))
		if len(blocks) != test.blocks {
			t.Errorf("%s: %d blocks", name, len(blocks))
		}
		for _, b := range blocks {
			if c, err := ParseBlock(b); err != nil || !bytes.Equal(c.Raw, raw) {
				t.Errorf("%s: line %d: %v", name, b.Line, err)
			}
		}
		if (len(stray) > 0) != (test.stray != "") || len(stray) > 0 && !strings.Contains(stray[0].Why, test.stray) {
			t.Errorf("%s: %+v", name, stray)
		}
	}
}

func TestParseBlock(t *testing.T) {
	raw := selfSigned(t, "a")
	for name, test := range map[string]struct {
		label string
		der   []byte
		good  bool
	}{
		"certificate":          {"CERTIFICATE", raw, true},
		"under another label":  {"PUBLIC KEY", raw, true},
		"trusted":              {labelTrusted, slices.Concat(raw, []byte{0x30, 0}), true},
		"something behind it":  {"CERTIFICATE", slices.Concat(raw, []byte{0x30, 0}), false},
		"cut":                  {"CERTIFICATE", raw[:len(raw)/2], false},
		"any other SEQUENCE":   {"CERTIFICATE", []byte{0x30, 3, 2, 1, 1}, false},
		"not even a SEQUENCE":  {"CERTIFICATE", []byte{2, 1, 1}, false},
		"nothing":              {"CERTIFICATE", nil, false},
		"something, not DER 1": {labelTrusted, []byte{0x30}, false},
	} {
		c, err := ParseBlock(Block{Label: test.label, DER: test.der})
		if (err == nil) != test.good || (c == nil) == test.good || err != nil && !errors.Is(err, ErrNotCertificate) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What encoding/pem finds is found too, and everything is on a line of the text.
func FuzzBlocks(f *testing.F) {
	p := pemOf("CERTIFICATE", selfSigned(f, "seed"))
	for _, s := range []string{"", p, strings.TrimSpace(p) + p, p + "{", "-----BEGIN X-----", "MAA=", "\xff\xfe-\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, stray := Blocks(data)
		lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + 1
		for _, b := range blocks {
			if b.Line < 1 || b.Line > lines && textual(data) || (b.Err == nil) != (b.DER != nil) {
				t.Fatalf("%+v", b)
			}
		}
		for _, s := range stray {
			if s.Line < 1 || s.Line > lines && textual(data) || s.Why == "" {
				t.Fatalf("%+v", s)
			}
		}
		block, _ := pem.Decode(data)
		if block == nil || len(block.Bytes) == 0 || len(block.Headers) > 0 || !textual(data) {
			return
		}
		if !slices.ContainsFunc(blocks, func(b Block) bool { return bytes.Equal(b.DER, block.Bytes) }) {
			t.Fatalf("encoding/pem finds %q", block.Type)
		}
	})
}
