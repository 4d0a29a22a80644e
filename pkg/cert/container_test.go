package cert

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// kinds is the problems of an input, for comparing: "pem-count@0:3" is one of
// item 0 in line 3.
func kinds(in *Input) string {
	var out []string
	for _, p := range in.Problems {
		out = append(out, fmt.Sprintf("%s@%d:%d", p.Kind, p.Index, p.Line))
	}
	return strings.Join(out, " ")
}

// itemLines is where the items begin; those without certificate in brackets.
func itemLines(in *Input) string {
	var out []string
	for _, it := range in.Items {
		s := fmt.Sprint(it.Line)
		if it.Cert == nil {
			s = "[" + s + "]"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestReadContainers(t *testing.T) {
	a, b := selfSigned(t, "a"), selfSigned(t, "b")
	pa, pb := pemOf("CERTIFICATE", a), pemOf("CERTIFICATE", b)
	lines := strings.Count(pa, "\n")
	second := fmt.Sprint(lines + 1)
	body := base64.StdEncoding.EncodeToString(a)
	wide := func(s string, order int) string {
		out := []byte{0xff, 0xfe}
		if order == 1 {
			out = []byte{0xfe, 0xff}
		}
		for _, u := range utf16.Encode([]rune(s)) {
			pair := []byte{byte(u), byte(u >> 8)}
			out = append(out, pair[order], pair[1-order])
		}
		return string(out)
	}
	trusted := append(bytes.Clone(a), unhex(t, "30 0c 30 0a 06 08 2b 06 01 05 05 07 03 01")...)
	for _, c := range []struct {
		name, in, kind, items, problems string
	}{
		{"one", pa, "PEM", "1", ""},
		{"two", pa + pb, "PEM", "1 " + second, ""},
		{"text around", "subject=x\n" + pa + "between: 5\n\n" + pb + "after\n", "PEM", fmt.Sprintf("2 %d", lines+4), ""},
		{"bag attributes", "Bag Attributes\n    localKeyID: 01\nsubject=/CN=a\n" + pa, "PEM", "4", ""},
		{"CR LF", strings.ReplaceAll(pa, "\n", "\r\n"), "PEM", "1", ""},
		{"CR LF twice", strings.ReplaceAll("x\n"+pa+pb, "\n", "\r\n"), "PEM", fmt.Sprintf("2 %d", lines+2), ""},
		{"no last newline", strings.TrimRight(pa, "\n"), "PEM", "1", ""},
		{"byte order mark", "\ufeff" + pa, "PEM", "1", "pem-count@0:1"},
		{"byte order mark before text", "\ufefftext\n" + pa, "PEM", "2", ""},
		{"CR only", strings.ReplaceAll(pa, "\n", "\r"), "PEM", "1", "pem-count@0:1"},
		{"CR only twice", strings.ReplaceAll(pa+pb, "\n", "\r"), "PEM", "1 " + second, "pem-count@0:1 pem-count@1:" + second},
		{"indented", "  " + strings.ReplaceAll(pa, "\n", "\n  "), "PEM", "1", "pem-count@0:1"},
		{"joined", strings.TrimRight(pa, "\n") + pb, "PEM", fmt.Sprintf("1 %d", lines), fmt.Sprintf("pem-count@0:1 pem-count@1:%d", lines)},
		{"one line", strings.ReplaceAll(pa, "\n", ""), "PEM", "1", "pem-count@0:1"},
		{"blanks for newlines", strings.ReplaceAll(strings.TrimSpace(pa), "\n", " "), "PEM", "1", "pem-count@0:1"},
		{"lower case", strings.NewReplacer("BEGIN CERTIFICATE", "begin certificate", "END CERTIFICATE", "end certificate").Replace(pa), "PEM", "1", "pem-count@0:1"},
		{"mixed case", strings.ReplaceAll(pa, "CERTIFICATE", "Certificate"), "PEM", "1", "pem-count@0:1"},
		{"four hyphens", strings.ReplaceAll(pa, "-----", "----"), "PEM", "1", "pem-count@0:1"},
		{"dashes of a word processor", strings.ReplaceAll(pa, "-----", "—–-"), "PEM", "1", "pem-count@0:1"},
		{"blanks inside the marker", strings.ReplaceAll(pa, "-----BEGIN CERTIFICATE-----", "----- BEGIN  CERTIFICATE -----"), "PEM", "1", "pem-count@0:1"},
		{"hyphens lost in front", strings.TrimPrefix(pa, "-----"), "PEM", "1", "pem-count@0:1"},
		{"hyphens lost behind", strings.Replace(pa, "-----\n", "\n", 1), "PEM", "1", "pem-count@0:1"},
		{"no END", strings.Split(pa, "-----END")[0], "PEM", "1", "pem-count@0:1"},
		{"no END before the next", strings.Split(pa, "-----END")[0] + pb, "PEM", fmt.Sprintf("1 %d", lines), "pem-count@0:1"},
		{"END of another label", strings.Replace(pa, "END CERTIFICATE", "END X509 CRL", 1), "PEM", "1", "pem-count@0:1"},
		{"X509 label", pemOf("X509 CERTIFICATE", a), "PEM", "1", ""},
		{"trusted label", pemOf("TRUSTED CERTIFICATE", trusted), "PEM", "1", ""},
		{"header lines", "-----BEGIN CERTIFICATE-----\nX-Note: 1\nX-More: a\n b\n\n" + body + "\n-----END CERTIFICATE-----\n", "PEM", "1", "pem-count@0:1"},
		{"padding lost", "-----BEGIN CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(append(bytes.Clone(a), 0)[:len(a)/3*3+1]) + "\n-----END CERTIFICATE-----\n", "PEM", "1", ""},
		{"UTF-16", wide(pa, 0), "PEM", "1", "pem-count@0:1"},
		{"UTF-16 big endian", wide(pa+pb, 1), "PEM", "1 " + second, "pem-count@0:1 pem-count@1:" + second},
		{"not base64", "x\n-----BEGIN CERTIFICATE-----\nMII!\n-----END CERTIFICATE-----\n", "PEM", "[2]", "unreadable@0:2"},
		{"empty block", "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", "PEM", "[1]", "unreadable@0:1"},
		{"not a SEQUENCE", pemOf("CERTIFICATE", []byte{5, 0}), "PEM", "[1]", "unreadable@0:1"},
		{"bad and good", "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n" + pa, "PEM", "[1] 4", "unreadable@0:1"},
		{"marker alone", "-----BEGIN CERTIFICATE-----", "PEM", "[1]", "unreadable@0:1"},
		{"markers alone", "-----BEGIN CERTIFICATE----------BEGIN CERTIFICATE-----", "PEM", "[1] [1]", "unreadable@0:1 unreadable@1:1"},
		{"certificate labelled PKCS7", pemOf("PKCS7", a), "PEM", "1", "pem-count@0:1"},
		{"certificate labelled anyhow", pemOf("ZERTIFIKAT", a), "PEM", "1", "pem-count@0:1"},
		{"DER", string(a), "DER", "0", ""},
		{"DER twice", string(a) + string(b), "DER", "0 0", ""},
		{"DER and newline", string(a) + "\n", "DER", "0", ""},
		{"DER and rubbish", string(a) + "\x01\x02", "DER", "0", "unreadable@-1:0"},
		{"DER and PEM", string(a) + pb, "DER", "0 1", "pem-count@1:1"},
		{"base64", body, "base64 DER", "0", ""},
		{"base64 in lines", strings.Join(strings.SplitAfter(pa, "\n")[1:lines-1], ""), "base64 DER", "0", ""},
		{"base64 with a byte order mark", "\ufeff" + body, "base64 DER", "0", ""},
		{"nothing", "", "", "", "no-certificate@-1:0"},
		{"blanks", " \r\n\t\n", "", "", "no-certificate@-1:0"},
		{"text", "this is not a certificate\n", "", "", "no-certificate@-1:0"},
		{"digits", "0123456789 and so on\n", "", "", "no-certificate@-1:0"},
		{"marker in prose", "The file begins with BEGIN CERTIFICATE and - end - of story\n", "", "", "no-certificate@-1:0"},
		{"binary", "\x00\x01\x02\xff", "", "", "no-certificate@-1:0"},
		{"END alone", "-----END CERTIFICATE-----\n", "", "", "no-certificate@-1:0"},
		{"unknown block", pemOf("SOMETHING", []byte{1, 2}), "PEM", "", "wrong-type@-1:1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := Read("file", []byte(c.in))
			if in.Kind != c.kind || itemLines(in) != c.items || kinds(in) != c.problems || in.PrivateKey {
				t.Errorf("kind %q items %q problems %q\nwant %q %q %q\n%+v", in.Kind, itemLines(in), kinds(in), c.kind, c.items, c.problems, in.Problems)
			}
			for i, it := range in.Items {
				if it.Index != i {
					t.Errorf("item %d has index %d", i, it.Index)
				}
				if it.Cert != nil && c.name != "padding lost" && !bytes.Equal(it.Cert.Raw, a) && !bytes.Equal(it.Cert.Raw, b) {
					t.Errorf("item %d is another certificate", i)
				}
			}
			if in.SHA256 != sha256.Sum256([]byte(c.in)) || in.File != "file" {
				t.Error("file name or hash")
			}
		})
	}
}

func TestReadTooLarge(t *testing.T) {
	in := Read("big", make([]byte, MaxFile+1))
	if kinds(in) != "unreadable@-1:0" || len(in.Items) != 0 {
		t.Errorf("%s", kinds(in))
	}
}

// Whatever encoding/pem sees as a certificate is an item, and what it does not see is a problem.
func TestMarkersAgainstStdlib(t *testing.T) {
	p := pemOf("CERTIFICATE", selfSigned(t, "a"))
	for _, in := range []string{p, p + p, strings.TrimSpace(p) + p, "\ufeff" + p, " " + p, "x" + p, strings.ReplaceAll(p, "\n", "\r"), strings.ReplaceAll(p, "-----", "----"), "\n\n" + p, "x\n" + p + "x"} {
		againstStdlib(t, []byte(in))
	}
}

func againstStdlib(t *testing.T, data []byte) {
	t.Helper()
	var blocks [][]byte
	for rest := data; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			blocks = append(blocks, block.Bytes)
		}
	}
	in := Read("", data)
	for _, it := range in.Items {
		said := false
		for _, p := range in.Problems {
			said = said || p.Index == it.Index && p.Kind == ProblemMarkers
		}
		if it.Cert == nil || said {
			continue
		}
		for len(blocks) > 0 && !bytes.HasPrefix(blocks[0], it.Cert.Raw) {
			blocks = blocks[1:]
		}
		if len(blocks) == 0 {
			t.Fatalf("encoding/pem does not see item %d, and nothing says so: %s", it.Index, kinds(in))
		}
		blocks = blocks[1:]
	}
}

func TestReadWrongType(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	openssl(t, nil, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/C=DE/CN=x", "-keyout", path("key"), "-out", path("cert"))
	openssl(t, nil, "req", "-new", "-key", path("key"), "-subj", "/C=DE/CN=x", "-out", path("csr"))
	openssl(t, nil, "req", "-new", "-key", path("key"), "-subj", "/", "-out", path("emptycsr"))
	openssl(t, nil, "crl2pkcs7", "-nocrl", "-certfile", path("cert"), "-out", path("p7"))
	openssl(t, nil, "pkcs12", "-export", "-inkey", path("key"), "-in", path("cert"), "-passout", "pass:x", "-out", path("p12"))
	openssl(t, nil, "pkey", "-in", path("key"), "-pubout", "-out", path("pub"))
	if err := os.WriteFile(path("index"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	config := "[ca]\ndefault_ca=d\n[d]\ndatabase=" + path("index") + "\ndefault_md=sha256\ndefault_crl_days=1\n"
	if err := os.WriteFile(path("conf"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	openssl(t, nil, "ca", "-config", path("conf"), "-gencrl", "-keyfile", path("key"), "-cert", path("cert"), "-out", path("crl"))
	read := func(name string) []byte {
		b, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	der := func(name string) []byte {
		block, _ := pem.Decode(read(name))
		if block == nil {
			t.Fatalf("%s is no PEM", name)
		}
		return block.Bytes
	}
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	f, err := w.Create("cert.pem")
	if err == nil {
		_, err = f.Write(read("cert"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name    string
		in      []byte
		kind    string
		says    string
		advises string
	}{
		{"CSR", read("csr"), "PEM", "certificate signing request", "openssl x509 -req"},
		{"CSR, DER", der("csr"), "certificate signing request", "certificate signing request", "openssl x509 -req"},
		{"CSR without subject", der("emptycsr"), "certificate signing request", "certificate signing request", "openssl x509 -req"},
		{"CRL", read("crl"), "PEM", "certificate revocation list", "openssl crl"},
		{"CRL, DER", der("crl"), "certificate revocation list", "certificate revocation list", "openssl crl"},
		{"PKCS#7", read("p7"), "PEM", "PKCS#7", "openssl pkcs7"},
		{"PKCS#7, DER", der("p7"), "PKCS#7", "PKCS#7", "-inform DER"},
		{"PKCS#7, base64", []byte(base64.StdEncoding.EncodeToString(der("p7"))), "base64 DER", "PKCS#7", "openssl pkcs7"},
		{"PKCS#12", read("p12"), "PKCS#12", "PKCS#12", "openssl pkcs12"},
		{"public key", read("pub"), "PEM", "public key", "certificate made for it"},
		{"public key, DER", der("pub"), "public key", "public key", "certificate made for it"},
		{"zip", archive.Bytes(), "zip archive", "zip archive", "unpack"},
		{"Java key store", []byte{0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2}, "Java key store", "Java key store", "keytool"},
	} {
		in := Read("f", c.in)
		if len(in.Items) != 0 || len(in.Problems) != 1 || in.Problems[0].Kind != ProblemWrongType || in.Kind != c.kind || in.PrivateKey {
			t.Errorf("%s: kind %q, %+v", c.name, in.Kind, in.Problems)
			continue
		}
		if msg := in.Problems[0].Msg; !strings.Contains(msg, c.says) || !strings.Contains(msg, c.advises) {
			t.Errorf("%s: %s", c.name, msg)
		}
	}
	// Called a certificate, it is still an item.
	for _, name := range []string{"csr", "crl", "p7", "pub"} {
		in := Read("f", []byte(pemOf("CERTIFICATE", der(name))))
		if kinds(in) != "wrong-type@0:1" || itemLines(in) != "[1]" {
			t.Errorf("%s labelled CERTIFICATE: %s, %s", name, kinds(in), itemLines(in))
		}
	}
	// Beside a certificate, both are seen.
	in := Read("f", append(read("csr"), read("cert")...))
	if kinds(in) != "wrong-type@-1:1" || len(in.Items) != 1 || in.Items[0].Cert == nil {
		t.Errorf("request and certificate: %s, %s", kinds(in), itemLines(in))
	}
}

// The advice for PKCS#7 and PKCS#12 has to work as printed.
func TestAdviceWorks(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	openssl(t, nil, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/C=DE/CN=x", "-keyout", path("key"), "-out", path("cert"))
	openssl(t, nil, "crl2pkcs7", "-nocrl", "-certfile", path("cert"), "-out", path("p7"))
	openssl(t, nil, "pkcs12", "-export", "-inkey", path("key"), "-in", path("cert"), "-passout", "pass:", "-out", path("p12"))
	for file, advice := range map[string]string{"p7": advicePKCS7, "p12": advicePKCS12} {
		_, command, _ := strings.Cut(advice, "openssl ")
		command, _, _ = strings.Cut(command, " (")
		args := strings.Fields(strings.ReplaceAll(command, "FILE", path(file)))
		for i := range args {
			if strings.HasSuffix(args[i], ".pem") {
				args[i] = path(args[i])
			}
		}
		if file == "p12" {
			args = append(args, "-passin", "pass:")
		}
		openssl(t, nil, args...)
		out, err := os.ReadFile(args[indexOf(args, "-out")+1])
		if err != nil {
			t.Fatal(err)
		}
		if in := Read("", out); len(in.Items) != 1 || in.Items[0].Cert == nil || in.PrivateKey {
			t.Errorf("%s: %s", file, kinds(in))
		}
	}
}

func indexOf(list []string, s string) int {
	for i := range list {
		if list[i] == s {
			return i
		}
	}
	return -1
}

func TestSubmitted(t *testing.T) {
	ca, sub, leaf := chain(t)
	other := selfSigned(t, "other")
	caPEM, subPEM, leafPEM, otherPEM := pemOf("CERTIFICATE", ca), pemOf("CERTIFICATE", sub), pemOf("CERTIFICATE", leaf), pemOf("CERTIFICATE", other)
	// An issuer that does not say it is a CA, as 2020's `openssl x509 -req` made them.
	plainKey, lowerKey := ecKey(t), ecKey(t)
	plainTmpl := template("plain issuer")
	plain := pemOf("CERTIFICATE", issue(t, plainTmpl, nil, plainKey.Public(), plainKey))
	lower := issue(t, template("lower"), plainTmpl, lowerKey.Public(), plainKey)
	// One that only has the issuer's name.
	impostor := pemOf("CERTIFICATE", selfSigned(t, "plain issuer"))
	// An issuer whose signatures cannot be checked here counts by name.
	binary := parseBinaryCurveNamed(t, "plain issuer")
	for _, c := range []struct {
		name string
		in   string
		want []byte // nil: an error
	}{
		{"one", leafPEM, leaf},
		{"one CA", caPEM, ca},
		{"leaf first", leafPEM + subPEM + caPEM, leaf},
		{"CA first", caPEM + subPEM + leafPEM, leaf},
		{"in the middle", subPEM + leafPEM + caPEM, leaf},
		{"twice", leafPEM + leafPEM, leaf},
		{"chain twice", caPEM + leafPEM + subPEM + leafPEM + caPEM, leaf},
		{"two leaves", leafPEM + otherPEM, nil},
		{"CAs only", caPEM + subPEM, nil},
		{"nothing", "", nil},
		{"one broken", leafPEM + "-----BEGIN CERTIFICATE-----\n?\n-----END CERTIFICATE-----\n", nil},
		{"issuer that is no CA", plain + pemOf("CERTIFICATE", lower), lower},
		{"impostor", impostor + pemOf("CERTIFICATE", lower), nil},
		{"issuer by name", pemOf("CERTIFICATE", binary) + pemOf("CERTIFICATE", lower), lower},
		{"DER chain", string(ca) + string(leaf) + string(sub), leaf},
		{"too many", many(t, maxChain+1), nil},
	} {
		item, reason, err := Read("f", []byte(c.in)).Submitted()
		switch {
		case c.want == nil && (err == nil || item != nil):
			t.Errorf("%s: %v, %q", c.name, item, reason)
		case c.want != nil && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != nil && (!bytes.Equal(item.Cert.Raw, c.want) || reason == ""):
			t.Errorf("%s: %s, %q", c.name, item.Cert.Subject, reason)
		}
	}
	_, _, err := Read("f", []byte(leafPEM+otherPEM)).Submitted()
	for _, raw := range [][]byte{leaf, other} {
		if !strings.Contains(err.Error(), parse(t, raw).Thumbprint().String()) {
			t.Errorf("a candidate is not named: %v", err)
		}
	}
}

func many(t *testing.T, n int) string {
	t.Helper()
	var out strings.Builder
	for i := range n {
		out.WriteString(pemOf("CERTIFICATE", selfSigned(t, fmt.Sprint(i))))
	}
	return out.String()
}

func parseBinaryCurveNamed(t *testing.T, cn string) []byte {
	t.Helper()
	key := filepath.Join(t.TempDir(), "key")
	openssl(t, nil, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:sect283r1", "-out", key)
	raw := openssl(t, nil, "req", "-x509", "-key", key, "-subj", "/C=DE/O=Provider/CN="+cn, "-outform", "DER", "-addext", "basicConstraints=CA:FALSE")
	// Go writes PrintableString where OpenSSL writes UTF8String: take the name as Go makes it.
	c := parse(t, raw)
	want := parse(t, selfSigned(t, cn)).Subject.Raw
	p := goodParts(t)
	p.subject, p.issuer, p.spki, p.alg, p.sig = want, want, c.SPKI, c.AlgorithmRaw, seq(t, 3, []byte{0}, c.Signature)
	return p.build(t)
}
