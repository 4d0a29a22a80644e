package keyfile

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var passphrase = []byte("correct horse: battery")

func mustGenerate(t testing.TB, algorithm string) crypto.Signer {
	t.Helper()
	key, err := Generate(rand.Reader, algorithm)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func equal(a, b crypto.Signer) bool {
	k, ok := a.(interface{ Equal(crypto.PrivateKey) bool })
	return ok && k.Equal(b)
}

// openssl runs it in dir.
func openssl(t testing.TB, dir string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v (is it installed? run `make test-deps`)\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

func TestRoundTripAndOpenSSLReadsIt(t *testing.T) {
	for _, algorithm := range []string{"rsa-3072", "rsa-4096", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521"} {
		key := mustGenerate(t, algorithm)
		sealed, err := Seal(rand.Reader, key, passphrase)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		opened, err := Open(sealed, passphrase)
		if err != nil {
			t.Fatalf("%s: %v", algorithm, err)
		}
		if !equal(key, opened) {
			t.Errorf("%s: another key came back", algorithm)
		}
		digest := sha256.Sum256([]byte("message"))
		if _, err := opened.Sign(rand.Reader, digest[:], crypto.SHA256); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		dir := t.TempDir()
		write(t, dir, "key.p8", sealed)
		public := openssl(t, dir, "pkey", "-in", "key.p8", "-passin", "pass:"+string(passphrase), "-pubout")
		want, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if block, _ := pem.Decode(public); block == nil || !bytes.Equal(block.Bytes, want) {
			t.Errorf("%s: openssl reads another key", algorithm)
		}
		if algorithm == "ecdsa-p256" {
			text := string(openssl(t, dir, "asn1parse", "-in", "key.p8"))
			for _, want := range []string{"PBES2", "PBKDF2", "hmacWithSHA256", "aes-256-cbc", ":0927C0"} { // 600000
				if !strings.Contains(text, want) {
					t.Errorf("%q is not in:\n%s", want, text)
				}
			}
		}
	}
}

func write(t testing.TB, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// plain writes key.pem as openssl genpkey would.
func plain(t testing.TB, dir string, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	write(t, dir, "key.pem", data)
	return data
}

func TestOpensWhatOpenSSLMakes(t *testing.T) {
	dir := t.TempDir()
	for _, algorithm := range []string{"rsa-3072", "ecdsa-p256", "ecdsa-p384"} {
		key := mustGenerate(t, algorithm)
		plain(t, dir, key)
		for _, args := range [][]string{
			{"-v2", "aes-256-cbc"},
			{"-v2", "aes-128-cbc", "-iter", "10000"},
			{"-v2", "aes-192-cbc", "-v2prf", "hmacWithSHA256"},
			{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1"},
			{"-scrypt"},
		} {
			sealed := openssl(t, dir, append([]string{"pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:" + string(passphrase)}, args...)...)
			opened, err := Open(sealed, passphrase)
			if err != nil || !equal(key, opened) {
				t.Errorf("%s %v: %v", algorithm, args, err)
			}
		}
	}
}

func TestWrongPassphrase(t *testing.T) {
	sealed, err := seal(mustGenerate(t, "ecdsa-p256"), passphrase, 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range [][]byte{nil, {}, []byte("correct horse"), append(bytes.Clone(passphrase), '\n')} {
		if key, err := Open(sealed, wrong); key != nil || !errors.Is(err, ErrPassphrase) {
			t.Errorf("%q: %v, %v", wrong, key, err)
		}
	}
}

func TestSealRefuses(t *testing.T) {
	if _, err := Seal(rand.Reader, mustGenerate(t, "ecdsa-p256"), nil); err == nil {
		t.Error("an empty passphrase would have made a plain key")
	}
	if _, err := Seal(rand.Reader, opaque{mustGenerate(t, "ecdsa-p256")}, passphrase); err == nil {
		t.Error("an opaque key was sealed")
	}
}

type opaque struct{ crypto.Signer }

func TestGenerateRefusesUnknown(t *testing.T) {
	for _, algorithm := range []string{"", "rsa", "rsa-2048", "RSA-3072", "ed25519", "ecdsa-p224"} {
		_, err := Generate(rand.Reader, algorithm)
		var e *Error
		if !errors.As(err, &e) || e.Hint() == "" {
			t.Errorf("%q: %v", algorithm, err)
		}
	}
}

// What costs less than Seal's own is told, whoever wrote it.
func TestWeakness(t *testing.T) {
	sealed, err := Seal(rand.Reader, mustGenerate(t, "ecdsa-p256"), passphrase)
	if err != nil {
		t.Fatal(err)
	}
	if weak, next := Weakness(sealed); weak != "" || next != "" {
		t.Errorf("our own file: %q, %q", weak, next)
	}
	dir := t.TempDir()
	plain(t, dir, mustGenerate(t, "ecdsa-p256"))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"-v2", "aes-256-cbc"}, "2048 iterations of PBKDF2 with HMAC-SHA-256, at least 600000"},
		{[]string{"-v2", "aes-256-cbc", "-iter", "599999"}, "599999 iterations"},
		{[]string{"-v2", "aes-256-cbc", "-iter", "600000"}, ""},
		{[]string{"-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA1", "-iter", "600000"}, "HMAC-SHA-1, at least 1300000"},
		{[]string{"-scrypt"}, "scrypt with N=16384 r=8 p=1, at least N=131072"},
		{[]string{"-scrypt", "-scrypt_N", "16384", "-scrypt_p", "4"}, "scrypt with N=16384 r=8 p=4"},
		{[]string{"-scrypt", "-scrypt_N", "16384", "-scrypt_p", "5"}, ""},
	} {
		file := openssl(t, dir, append([]string{"pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:" + string(passphrase)}, c.args...)...)
		weak, next := Weakness(file)
		if c.want == "" && weak != "" || !strings.Contains(weak, c.want) || (weak == "") != (next == "") {
			t.Errorf("%v: %q, %q, want %q", c.args, weak, next, c.want)
		}
	}
	if weak, _ := Weakness([]byte("no key")); weak != "" {
		t.Errorf("no key file: %q", weak)
	}
}
