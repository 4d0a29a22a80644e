//go:build conformance

package conformance

import (
	"bytes"
	"encoding/base64"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/release/gateway"
)

// Every check here uses what the bundle says and the programs of others; the key
// is that of the EFGSTA in the bundle, which a receiver would have pinned.
func TestBundle(t *testing.T) {
	for _, tc := range []struct{ algorithm, digest, text, publicKey string }{
		{"rsa-3072", "-sha256", "sha256WithRSAEncryption", "(3072 bit)"},
		{"ecdsa-p256", "-sha256", "ecdsa-with-SHA256", "NIST CURVE: P-256"},
		{"ecdsa-p384", "-sha384", "ecdsa-with-SHA384", "NIST CURVE: P-384"},
	} {
		t.Run(tc.algorithm, func(t *testing.T) {
			bundle := makeBundle(t, tc.algorithm)
			t.Run("openssl x509", func(t *testing.T) { anchorText(t, bundle, tc.text, tc.publicKey) })
			t.Run("openssl dgst", func(t *testing.T) { operatorSignatures(t, bundle, tc.digest) })
			t.Run("openssl cms", func(t *testing.T) { cmsSignatures(t, bundle) })
			t.Run("java", func(t *testing.T) { bundleRows(t, bundle) })
		})
	}
}

func anchorText(t *testing.T, bundle, algorithm, publicKey string) {
	text := run(t, "openssl", "x509", "-in", filepath.Join(bundle, "trust", "efgsta.pem"), "-noout", "-text")
	for _, want := range []string{
		`Version: 3`,
		`Signature Algorithm: ` + regexp.QuoteMeta(algorithm),
		regexp.QuoteMeta(publicKey),
		`Subject: C ?= ?BE, O ?= ?European Commission, OU ?= ?REHEARSAL, CN ?= ?EU Federation Gateway Service`,
		`X509v3 Key Usage: critical\s+Digital Signature\n`,
	} {
		if !regexp.MustCompile(want).MatchString(text) {
			t.Errorf("openssl x509 -text does not show %s:\n%s", want, text)
		}
	}
	anchor := filepath.Join(bundle, "trust", "efgsta.pem")
	run(t, "openssl", "verify", "-check_ss_sig", "-CAfile", anchor, anchor)
}

// decoded writes the raw signature of a .sig file for openssl.
func decoded(t *testing.T, path string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(string(read(t, path)), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, t.TempDir(), "sig", raw)
}

func operatorSignatures(t *testing.T, bundle, digest string) {
	dir := t.TempDir()
	pub := write(t, dir, "pub", []byte(run(t, "openssl", "x509", "-in", filepath.Join(bundle, "trust", "efgsta.pem"), "-noout", "-pubkey")))
	for _, base := range certificates(t, bundle) {
		sig := decoded(t, base+".sig")
		run(t, "openssl", "dgst", digest, "-verify", pub, "-signature", sig, base+".pem")

		// What is signed is what openssl itself writes, byte for byte.
		if again := run(t, "openssl", "x509", "-in", base+".pem"); again != string(read(t, base+".pem")) {
			t.Errorf("%s is not the PEM that openssl writes", base)
		}
		tampered := write(t, dir, "tampered", append(read(t, base+".pem"), '\n'))
		if r := try(t, nil, "openssl", "dgst", digest, "-verify", pub, "-signature", sig, tampered); r.code == 0 {
			t.Errorf("%s: openssl accepts the signature over another text", base)
		}
	}
	run(t, "openssl", "dgst", digest, "-verify", pub, "-signature", decoded(t, filepath.Join(bundle, "manifest.json.sig")), filepath.Join(bundle, "manifest.json"))
}

func cmsSignatures(t *testing.T, bundle string) {
	anchor := filepath.Join(bundle, "trust", "efgsta.pem")
	dir := t.TempDir()
	verify := func(p7s, content string) result {
		return try(t, nil, "openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", p7s, "-content", content,
			"-CAfile", anchor, "-purpose", "any", "-out", filepath.Join(dir, "out"))
	}
	check := func(p7s, content string) {
		t.Helper()
		if r := verify(p7s, content); r.code != 0 {
			t.Errorf("%s: %s", p7s, r.stderr)
		}
		if !bytes.Equal(read(t, dir, "out"), read(t, content)) {
			t.Errorf("%s: openssl verified another content", p7s)
		}
		tampered := write(t, dir, "tampered", append(read(t, content), ' '))
		if r := verify(p7s, tampered); r.code == 0 {
			t.Errorf("%s: openssl accepts another content", p7s)
		}
	}
	check(filepath.Join(bundle, "manifest.json.p7s"), filepath.Join(bundle, "manifest.json"))
	list := filepath.Join(bundle, "trust", "trustlist.json")
	check(list+".p7s", list)
	for _, base := range certificates(t, bundle) {
		der := filepath.Join(dir, "der")
		run(t, "openssl", "x509", "-in", base+".pem", "-outform", "DER", "-out", der)
		check(base+".p7s", der)
	}
}

// bundleRows has the JDK decide about the rows, read from both of their files.
func bundleRows(t *testing.T, bundle string) {
	im, err := gateway.ParseRowsJSON(read(t, bundle, "gateway", "rows.json"))
	if err != nil {
		t.Fatal(err)
	}
	fromSQL, err := gateway.ParseMySQL(read(t, bundle, "gateway", "mysql.sql"))
	if err != nil {
		t.Fatal(err)
	}
	if len(im.Rows) != 4 {
		t.Fatalf("%d rows, want 4", len(im.Rows))
	}
	for i, verdict := range javaVerdicts(t, read(t, bundle, "trust", "efgsta.pem"), append(im.Rows, fromSQL.Rows...)) {
		if verdict != "ACCEPT" {
			t.Errorf("row %d: %s", i, verdict)
		}
	}
}

// The exported script is what goes into the gateway's database.
func TestBundleInMariaDB(t *testing.T) {
	bundle := makeBundle(t, "rsa-3072")
	im, err := gateway.ParseRowsJSON(read(t, bundle, "gateway", "rows.json"))
	if err != nil {
		t.Fatal(err)
	}
	sql := read(t, bundle, "gateway", "mysql.sql")
	db := startDatabase(t)
	for _, revoked := range []string{"BIT(1)", "TINYINT(1)"} {
		how := usual
		how.revoked = revoked
		name := db.create(t, how)
		db.mustImport(t, name, sql, 4, 0, 0)
		db.wantRows(t, name, im.Rows)
		before := db.dump(t, name)
		db.mustImport(t, name, sql, 0, 0, 0)
		if after := db.dump(t, name); after != before {
			t.Errorf("the second import changed\n%s\nto\n%s", before, after)
		}
	}
}
