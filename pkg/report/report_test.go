package report

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/vet"
	"github.com/efgsta/efgsta/policy"
)

func TestEscape(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		"plain text":              "plain text",
		"Ministère de la Santé":   "Ministère de la Santé",
		"Υπουργείο 保健 “x” …":      "Υπουργείο 保健 “x” …",
		"a\nb\r\tc":               `a\nb\r\tc`,
		"\x1b[31mred\x1b[0m":      `\x1b[31mred\x1b[0m`,
		"\u009b31m":               `\x9b31m`,
		"a\x00b\x7f":              `a\x00b\x7f`,
		"bad \xff utf8 \xc3":      `bad \xff utf8 \xc3`,
		"\u202eevil\u2066":        `\u202eevil\u2066`,
		"zero\u200bwidth\ufeff":   `zero\u200bwidth\ufeff`,
		"line\u2028sep\u2029":     `line\u2028sep\u2029`,
		"no\u00a0break":           `no\xa0break`,
		"filler\u3164":            `filler\u3164`,
		"tag\U000e0041 \ufe0f":    `tag\U000e0041 \ufe0f`,
		`back\slash`:              `back\\slash`,
		"replacement \ufffd char": "replacement \ufffd char",
	} {
		if got := Escape(in); got != want {
			t.Errorf("Escape(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"plain", "\x1b]0;x\a", "\u202e", "\xff\\", "é\u0301"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Escape(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Escape(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if !visible(r) {
				t.Fatalf("Escape(%q) leaves %U", s, r)
			}
		}
	})
}

var now = time.Date(2021, 3, 1, 12, 0, 0, 0, time.UTC)

// checked vets a certificate with this common name, once as the NBBS of DE and once as a key in a file.
func checked(t *testing.T, cn, file string) *Check {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	subject := pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: "DE"},
		{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: cn},
	}}
	template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: subject, NotBefore: now.AddDate(0, -6, 0), NotAfter: now.AddDate(5, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pol, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	e, err := vet.New(pol)
	if err != nil {
		t.Fatal(err)
	}
	good := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	req := vet.Request{Role: vet.NBBS, At: now}
	results := e.Input(cert.Read(file, good), req)
	results = append(results, e.Input(cert.Read("empty.pem", nil), req)...)
	return &Check{Header: Header{Policy: pol, At: now}, Results: results, Files: 2, Skipped: 3}
}

func render(t *testing.T, c *Check, o Options) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Table(&b, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	c := checked(t, "Signer", "nbbs.pem")
	text := render(t, c, Options{})
	for _, want := range []string{
		"nbbs.pem  NBBS  DE  C=DE, CN=Signer  sha256 ", "REFUSED",
		"✗ EFGS-202 validity-max", "error", "[Governance 4.2, 3.4]", "fix: openssl req",
		"! EFGS-307 subject-o", "· EFGS-309 subject-email", "✓ ", "not evaluated (EFGS-208, EFGS-302, EFGS-501, ",
		"EFGS-006 no-certificate", "0 accepted, 2 refused, 0 undecided · 1 certificate in 2 files · 3 files skipped (no certificate) · policy efgs-2020",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "\x1b") {
		t.Error("colour without being asked for")
	}
	fixes := strings.Count(text, "fix: ")
	if errors := strings.Count(text, "✗"); fixes != errors {
		t.Errorf("%d refusals, %d fixes", errors, fixes)
	}
	if !strings.Contains(render(t, c, Options{Colour: true}), "\x1b[31mREFUSED\x1b[0m") {
		t.Error("no colour when asked for")
	}
	quiet := render(t, c, Options{Quiet: true})
	if strings.Contains(quiet, "!") || strings.Contains(quiet, "✓") || !strings.Contains(quiet, "EFGS-202") {
		t.Errorf("quiet shows\n%s", quiet)
	}
}

func TestTableWidth(t *testing.T) {
	for _, file := range []string{"a/file/somewhere.pem", "a/" + strings.Repeat("long/", 60) + "file.pem"} {
		c := checked(t, strings.Repeat("ein sehr langer Name ", 20)+strings.Repeat("x", 200), file)
		for _, r := range c.Results {
			for i := range r.Findings {
				r.Findings[i].Deviation = &vet.Deviation{From: vet.SeverityError, Base: policy.Default}
			}
		}
		for _, o := range []Options{{Width: 40}, {Width: 60}, {Width: 80}, {Width: 200}, {Width: 40, Colour: true}, {Width: 40, Quiet: true}} {
			text := render(t, c, o)
			for line := range strings.Lines(text) {
				if n := columns(strings.TrimRight(line, "\n")); n > o.Width {
					t.Errorf("%+v: line of %d: %s", o, n, line)
				}
			}
			flat := strings.Join(strings.Fields(text), "")
			for _, want := range []string{strings.Join(strings.Fields(file), ""), "REFUSED", "EFGS-202validity-max"} {
				if !strings.Contains(flat, want) {
					t.Errorf("%+v: %q is cut off", o, want)
				}
			}
		}
	}
}

// Whatever a certificate or a file is called, nothing of it steers the terminal.
func TestHostileText(t *testing.T) {
	evil := "\x1b[2J\x1b]0;pwn\a\u202e\u2028\u009b\r\nEFGS-102 accepted"
	c := checked(t, evil, "dir/"+evil+".pem")
	for _, o := range []Options{{}, {Width: 80}} {
		for _, r := range render(t, c, o) {
			if r != '\n' && !visible(r) {
				t.Fatalf("%U reaches the terminal", r)
			}
		}
	}
	var b bytes.Buffer
	if err := c.Write(&b, "json", Options{}); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.String() {
		if r != '\n' && !visible(r) {
			t.Fatalf("%U in JSON", r)
		}
	}
	var doc struct{ Certificates []struct{ File string } }
	if err := json.Unmarshal(b.Bytes(), &doc); err != nil || doc.Certificates[0].File != "dir/"+evil+".pem" {
		t.Errorf("the file's name does not survive: %q, %v", doc.Certificates[0].File, err)
	}
}

func TestEscapeJSON(t *testing.T) {
	var b bytes.Buffer
	in := "a\U000e0041\u202e\x7f\xffé<&"
	if err := writeJSON(&b, in); err != nil {
		t.Fatal(err)
	}
	if got, want := b.String(), `"a\udb40\udc41\u202e\u007f`+"\\ufffd"+`é<&"`+"\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestJSON(t *testing.T) {
	c := checked(t, "Signer", "nbbs.pem")
	var a, b bytes.Buffer
	for _, w := range []*bytes.Buffer{&a, &b} {
		if err := c.Write(w, "json", Options{}); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) || !bytes.HasSuffix(a.Bytes(), []byte("}\n")) {
		t.Error("JSON is not stable, or does not end in a newline")
	}
	schemaCheck(t, "check.schema.json", a.Bytes())
	if full := c.Results[0].Certificate.Thumbprint().String(); !strings.Contains(a.String(), `"sha256": "`+full+`"`) {
		t.Error("the whole thumbprint is missing")
	}
	empty := &Check{Header: c.Header}
	a.Reset()
	if err := empty.Write(&a, "json", Options{}); err != nil {
		t.Fatal(err)
	}
	schemaCheck(t, "check.schema.json", a.Bytes())
}

func TestRules(t *testing.T) {
	pol, err := policy.Load(policy.Default)
	if err != nil {
		t.Fatal(err)
	}
	all := &Rules{Policy: pol, Rules: vet.Rules()}
	var b bytes.Buffer
	if err := all.JSON(&b); err != nil {
		t.Fatal(err)
	}
	schemaCheck(t, "rules.schema.json", b.Bytes())

	for _, write := range []func() error{
		func() error { return all.Table(&b, Options{}) },
		func() error { return all.Table(&b, Options{Width: 80}) },
		func() error { return all.Markdown(&b) },
	} {
		b.Reset()
		if err := write(); err != nil {
			t.Fatal(err)
		}
		for _, r := range all.Rules {
			if !strings.Contains(b.String(), r.ID) || !strings.Contains(b.String(), r.Name) {
				t.Errorf("%s is missing", r.ID)
			}
		}
	}

	one, _ := vet.Find("rsa-modulus-min")
	b.Reset()
	if err := (&Rules{Policy: pol, Rules: []vet.Rule{one}}).Table(&b, Options{Width: 80}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"EFGS-102", one.Title, one.Clause, one.Good, one.Bad, "all error", "bits: 3000", "below-recommended: notice", "fix"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}
