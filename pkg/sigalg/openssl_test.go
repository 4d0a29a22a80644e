package sigalg

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// openssl runs the real thing; the tests need it.
func openssl(t testing.TB, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl not found: run make test-deps")
	}
	cmd := exec.Command(path, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("openssl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return out
}

// opensslKey makes a key and returns its file and its SubjectPublicKeyInfo.
func opensslKey(t testing.TB, genpkey ...string) (file string, spki []byte) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "key.pem")
	openssl(t, append([]string{"genpkey", "-out", file}, genpkey...)...)
	return file, publicOf(t, file)
}

func publicOf(t testing.TB, file string, more ...string) []byte {
	t.Helper()
	block, _ := pem.Decode(openssl(t, append([]string{"pkey", "-in", file, "-pubout"}, more...)...))
	if block == nil {
		t.Fatal("no public key")
	}
	return block.Bytes
}

// opensslSign signs a message with openssl dgst.
func opensslSign(t testing.TB, key string, message []byte, args ...string) []byte {
	t.Helper()
	file := filepath.Join(t.TempDir(), "message")
	if err := os.WriteFile(file, message, 0o600); err != nil {
		t.Fatal(err)
	}
	all := append([]string{"dgst", "-sign", key}, args...)
	return openssl(t, append(all, file)...)
}
