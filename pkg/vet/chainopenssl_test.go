package vet

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func pemBody(t *testing.T, data []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(data)
	if block == nil {
		t.Fatal("no PEM")
	}
	return block.Bytes
}

const caConfig = `[ca]
default_ca = this
[this]
dir = .
database = index.txt
serial = serial
crlnumber = crlnumber
new_certs_dir = .
unique_subject = no
certificate = ca.pem
private_key = ca.key
default_md = sha256
default_days = 400
default_crl_days = 30
policy = any
[any]
commonName = supplied
[leaf]
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth, serverAuth
subjectAltName = DNS:efgs.example.de
`

// What openssl's CA and responder make is read as it is meant: one certificate that is
// good and one that is revoked, by list and by response.
func TestOpenSSLRevocation(t *testing.T) {
	dir := t.TempDir()
	run := func(args ...string) {
		t.Helper()
		cmd := exec.Command("openssl", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("openssl %s: %v (make test-deps installs it)\n%s", strings.Join(args, " "), err, out)
		}
	}
	for name, text := range map[string]string{"ca.cnf": caConfig, "index.txt": "", "serial": "1001\n", "crlnumber": "01\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	key := []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"}
	run(append([]string{"req", "-x509", "-subj", "/CN=openssl CA", "-days", "900", "-keyout", "ca.key", "-out", "ca.pem"}, key...)...)
	for _, name := range []string{"good", "revoked"} {
		run(append([]string{"req", "-subj", "/CN=efgs.example.de", "-keyout", name + ".key", "-out", name + ".csr"}, key...)...)
		run("ca", "-batch", "-config", "ca.cnf", "-extensions", "leaf", "-in", name+".csr", "-out", name+".pem", "-notext", "-rand_serial")
	}
	run("ca", "-config", "ca.cnf", "-revoke", "revoked.pem", "-crl_reason", "superseded")
	run("ca", "-config", "ca.cnf", "-gencrl", "-out", "list.pem")
	run("crl", "-in", "list.pem", "-outform", "DER", "-out", "list.der")

	roots, err := ReadRoots("ca.pem", file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	e := defaultEngine(t)
	for _, name := range []string{"good", "revoked"} {
		run("ocsp", "-issuer", "ca.pem", "-cert", name+".pem", "-no_nonce", "-reqout", name+".req")
		run("ocsp", "-index", "index.txt", "-CA", "ca.pem", "-rsigner", "ca.pem", "-rkey", "ca.key", "-ndays", "7",
			"-reqin", name+".req", "-respout", name+".ocsp")
		for _, list := range []string{"list.pem", "list.der", ""} {
			ev := &Evidence{Roots: roots}
			if list == "" {
				answer, err := ReadOCSP(name+".ocsp", file(name+".ocsp"))
				if err != nil {
					t.Fatal(err)
				}
				ev.OCSP = []*OCSP{answer}
			} else if ev.CRLs, err = ReadCRLs(list, file(list)); err != nil {
				t.Fatal(err)
			}
			leaf, err := x509.ParseCertificate(pemBody(t, file(name+".pem")))
			if err != nil {
				t.Fatal(err)
			}
			req := Request{Certificate: model(t, leaf), Role: NBTLS, At: time.Now(), Evidence: ev}
			said := ""
			for _, f := range e.Vet(req).Findings {
				if f.ID == "EFGS-601" || f.ID == "EFGS-602" {
					said += f.Message
				}
			}
			if name == "good" && said != "" || name == "revoked" && !strings.Contains(said, "(superseded)") {
				t.Errorf("%s by %q: %s", name, list, said)
			}
		}
	}
}
