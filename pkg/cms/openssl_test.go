package cms

import (
	"crypto/x509"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestOpenSSL has OpenSSL verify what we make, with the flags that docs give to people:
// the signer must be the pinned certificate, and no certificate of the system counts.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing: run `make test-deps`")
	}
	for _, c := range algorithms {
		t.Run(c.name, func(t *testing.T) {
			tmpl := c.template(t)
			dir := t.TempDir()
			file := func(name string, b []byte) string {
				name = filepath.Join(dir, name)
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
				return name
			}
			p7s := file("x.p7s", c.sign(t, tmpl))
			good, bad := file("good", content), file("bad", append(content, ' '))
			anchor := file("anchor.pem", tmpl.Signer.PEM())
			other := selfSigned(t, c.key(), func(c *x509.Certificate) { c.Subject.CommonName = "another" })
			stranger := file("stranger.pem", other.PEM())
			at := strconv.FormatInt(signedAt.Unix(), 10)

			run := func(content, anchor string, flags ...string) (string, error) {
				args := append([]string{"cms", "-verify", "-binary", "-inform", "DER", "-in", p7s, "-content", content, "-out", os.DevNull,
					"-certfile", anchor, "-nointern"}, flags...)
				out, err := exec.Command(openssl, args...).CombinedOutput()
				return string(out), err
			}
			// While the anchor is valid, its validity is checked too; -attime stands for "now" here.
			chain := func(anchor string) []string {
				return []string{"-CAfile", anchor, "-no-CApath", "-no-CAstore", "-purpose", "any", "-attime", at}
			}
			for name, flags := range map[string][]string{
				"chain":       chain(anchor),
				"x509 strict": append(chain(anchor), "-x509_strict"),
				"cades":       append(chain(anchor), "-cades"),
				"pin only":    {"-noverify"},
			} {
				if out, err := run(good, anchor, flags...); err != nil || !strings.Contains(out, "Verification successful") {
					t.Errorf("%s: %v\n%s", name, err, out)
				}
				if out, err := run(bad, anchor, flags...); err == nil {
					t.Errorf("%s: other content accepted\n%s", name, out)
				}
			}
			if out, err := run(good, stranger, "-noverify"); err == nil {
				t.Errorf("another anchor accepted\n%s", out)
			}
			if out, err := run(good, stranger, chain(stranger)...); err == nil {
				t.Errorf("another anchor accepted\n%s", out)
			}
		})
	}
}
