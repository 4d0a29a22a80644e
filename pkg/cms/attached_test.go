package cms

import (
	"bytes"
	"crypto/rand"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

func TestAttached(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing: run `make test-deps`")
	}
	for _, c := range algorithms {
		t.Run(c.name, func(t *testing.T) {
			tmpl := c.template(t)
			p7, err := tmpl.SignAttached(rand.Reader, c.key(), content)
			if err != nil {
				t.Fatal(err)
			}
			got, info, err := VerifyAttached(p7, tmpl.Signer)
			if err != nil || !bytes.Equal(got, content) || !info.SigningTime.Equal(signedAt) {
				t.Fatalf("%q: %v", got, err)
			}
			attributes, err := tmpl.Attributes(digest(c.hash, content))
			if err != nil || !bytes.Equal(attributes, info.Attributes) {
				t.Errorf("what is signed is not the same as in a detached message: %v", err)
			}
			if covered, err := VetoAttached(p7, tmpl.Signer); err != nil || covered != (c.scheme != sigalg.RSAPSS) {
				t.Errorf("veto: covered %v, %v", covered, err)
			}
			if _, err := Verify(p7, content, tmpl.Signer); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "not detached") {
				t.Errorf("taken for a detached one: %v", err)
			}
			if got, _, err := VerifyAttached(c.sign(t, tmpl), tmpl.Signer); !errors.Is(err, ErrInvalid) || got != nil {
				t.Errorf("a detached one taken for it: %v", err)
			}
			if got, _, err := VerifyAttached(bytes.Replace(p7, content, bytes.ToUpper(content), 1), tmpl.Signer); !errors.Is(err, ErrInvalid) || got != nil {
				t.Errorf("another content: %v", err)
			}

			dir := t.TempDir()
			p7s, anchor := filepath.Join(dir, "x.p7m"), filepath.Join(dir, "anchor.pem")
			for name, b := range map[string][]byte{p7s: p7, anchor: tmpl.Signer.PEM()} {
				if err := os.WriteFile(name, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.Command(openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", p7s, "-certfile", anchor, "-nointern", "-cades",
				"-CAfile", anchor, "-no-CApath", "-no-CAstore", "-purpose", "any", "-attime", strconv.FormatInt(signedAt.Unix(), 10))
			if out, err := cmd.Output(); err != nil || !bytes.Equal(out, content) {
				t.Errorf("openssl: %v, content %q", err, out)
			}
		})
	}
}

func TestAttachedContents(t *testing.T) {
	c := algorithms[4]
	tmpl := c.template(t)
	for _, content := range [][]byte{nil, bytes.Repeat([]byte{0}, MaxAttached)} {
		p7, err := tmpl.SignAttached(rand.Reader, c.key(), content)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := VerifyAttached(p7, tmpl.Signer); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes: %v", len(content), err)
		}
	}
	if _, err := tmpl.SignAttached(rand.Reader, nil, make([]byte, MaxAttached+1)); !errors.Is(err, ErrTemplate) {
		t.Errorf("more than MaxAttached: %v", err)
	}
}

// TestAttachedMutations: nothing in an attached message can be changed either.
func TestAttachedMutations(t *testing.T) {
	c := algorithms[0]
	tmpl := c.template(t)
	good, err := tmpl.SignAttached(rand.Reader, c.key(), content)
	if err != nil {
		t.Fatal(err)
	}
	for i, was := range good {
		bad := bytes.Clone(good)
		for _, x := range []byte{1, 8, 32, 128, 255} {
			bad[i] = was ^ x
			if _, _, err := VerifyAttached(bad, tmpl.Signer); !errors.Is(err, ErrInvalid) {
				t.Fatalf("byte %d from %#x to %#x: %v", i, was, bad[i], err)
			}
		}
	}
}
