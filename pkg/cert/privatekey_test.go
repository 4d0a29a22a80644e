package cert

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// opensslKeys are private keys in the forms that OpenSSL writes.
func opensslKeys(t testing.TB) map[string][]byte {
	t.Helper()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	read := func(name string) []byte {
		b, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	openssl(t, nil, "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024", "-out", path("rsa8"))
	openssl(t, nil, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521", "-out", path("ec8"))
	openssl(t, nil, "genpkey", "-algorithm", "ED25519", "-out", path("ed8"))
	openssl(t, nil, "dsaparam", "-genkey", "-out", path("dsa"), "1024")
	openssl(t, nil, "pkey", "-in", path("rsa8"), "-traditional", "-out", path("rsa1"))
	openssl(t, nil, "pkey", "-in", path("ec8"), "-traditional", "-out", path("sec1"))
	openssl(t, nil, "pkey", "-in", path("dsa"), "-traditional", "-out", path("dsa1"))
	openssl(t, nil, "pkcs8", "-topk8", "-in", path("ec8"), "-passout", "pass:x", "-out", path("enc8"))
	openssl(t, nil, "pkcs8", "-topk8", "-in", path("ec8"), "-v1", "PBE-SHA1-3DES", "-passout", "pass:x", "-out", path("enc1"))
	openssl(t, nil, "rsa", "-in", path("rsa8"), "-traditional", "-aes128", "-passout", "pass:x", "-out", path("rsaenc"))
	out := map[string][]byte{}
	for _, name := range []string{"rsa8", "ec8", "ed8", "rsa1", "sec1", "dsa1", "enc8", "enc1", "rsaenc"} {
		out[name] = read(name)
	}
	return out
}

// leaks reports whether any eight characters of the key stand in what Read made.
func leaks(in *Input, secret []byte) string {
	shown := fmt.Sprintf("%+v", in.Problems)
	for _, form := range []string{base64.StdEncoding.EncodeToString(secret), hex.EncodeToString(secret), fmt.Sprintf("%q", secret)} {
		for i := 0; i+8 <= len(form); i++ {
			if strings.Contains(shown, form[i:i+8]) {
				return form[i : i+8]
			}
		}
	}
	return ""
}

func TestPrivateKeys(t *testing.T) {
	certificate := pemOf("CERTIFICATE", selfSigned(t, "a"))
	for name, text := range opensslKeys(t) {
		block, rest := pem.Decode(text)
		if block.Type == "EC PARAMETERS" || block.Type == "DSA PARAMETERS" {
			block, _ = pem.Decode(rest)
		}
		bare := strings.Join(strings.Split(strings.TrimSpace(string(pem.EncodeToMemory(&pem.Block{Type: "X", Bytes: block.Bytes}))), "\n")[1:], "\n")
		bare, _, _ = strings.Cut(bare, "-----")
		inputs := map[string][]byte{
			"PEM":                     text,
			"behind a certificate":    append([]byte(certificate), text...),
			"before a certificate":    append(bytes.Clone(text), certificate...),
			"joined to a certificate": append(bytes.TrimSpace([]byte(certificate)), text...),
			"CR only":                 bytes.ReplaceAll(text, []byte("\n"), []byte("\r")),
			"without END":             bytes.Split(text, []byte("-----END"))[0],
			"with lower-case markers": bytes.ToLower(text),
			"with four hyphens":       bytes.ReplaceAll(text, []byte("-----"), []byte("----")),
			"with a byte order mark":  append([]byte("\ufeff"), text...),
			"in a block without END":  append([]byte("-----BEGIN CERTIFICATE-----\n"), text...),
		}
		if name != "rsaenc" { // encrypted by its PEM headers: its bytes have no form
			inputs["DER"] = block.Bytes
			inputs["DER behind a certificate"] = append(bytes.Clone(selfSigned(t, "x")), block.Bytes...)
			inputs["PEM behind DER"] = append(bytes.Clone(selfSigned(t, "x")), text...)
			inputs["base64"] = []byte(base64.StdEncoding.EncodeToString(block.Bytes))
			inputs["base64 in text"] = []byte("key: " + base64.StdEncoding.EncodeToString(block.Bytes) + "\nend")
			inputs["markers cut off beside a certificate"] = []byte(certificate + "\n" + bare)
			inputs["markers cut off before a certificate"] = []byte("my key\n" + bare + certificate)
			inputs["labelled CERTIFICATE"] = []byte(pemOf("CERTIFICATE", block.Bytes))
			inputs["labelled anyhow"] = []byte(pemOf("THING", block.Bytes))
			inputs["labelled CSR"] = []byte(pemOf("CERTIFICATE REQUEST", block.Bytes))
			inputs["behind a certificate in one block"] = []byte(pemOf("CERTIFICATE", append(bytes.Clone(selfSigned(t, "x")), block.Bytes...)))
		}
		for how, data := range inputs {
			in := Read("f", data)
			found := false
			for _, p := range in.Problems {
				found = found || p.Kind == ProblemPrivateKey
			}
			if !in.PrivateKey || !found {
				t.Errorf("%s %s: not found: %+v", name, how, in.Problems)
			}
			if leaked := leaks(in, block.Bytes); leaked != "" {
				t.Errorf("%s %s: message shows %q", name, how, leaked)
			}
			for _, it := range in.Items {
				if it.Cert != nil && (bytes.Contains(it.Cert.Raw, block.Bytes) || bytes.Contains(block.Bytes, it.Cert.Raw)) {
					t.Errorf("%s %s: key is kept as a certificate", name, how)
				}
			}
		}
	}
}

func TestOtherPrivateKeys(t *testing.T) {
	for name, in := range map[string]string{
		"OpenSSH":           "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n-----END OPENSSH PRIVATE KEY-----\n",
		"OpenSSH, bare":     "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU=\n",
		"OpenSSH, binary":   "openssh-key-v1\x00\x00\x00",
		"SSH2":              "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nAAAA\n---- END SSH2 ENCRYPTED PRIVATE KEY ----\n",
		"PGP":               "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nAAAA\n-----END PGP PRIVATE KEY BLOCK-----\n",
		"PuTTY":             "PuTTY-User-Key-File-3: ssh-ed25519\n",
		"JWK":               `{"kty":"EC","crv":"P-256","x":"AA","y":"AA","d":"AA"}`,
		"any":               "-----BEGIN ANY PRIVATE KEY-----\n-----END ANY PRIVATE KEY-----\n",
		"block of nonsense": "-----BEGIN PRIVATE KEY-----\n???\n",
	} {
		if in := Read("f", []byte(in)); !in.PrivateKey {
			t.Errorf("%s: %+v", name, in.Problems)
		}
	}
	for name, in := range map[string]string{
		"public JWK":   `{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}`,
		"words":        "MANY PRIVATE KEYS HAVE BEEN SEEN IN FILES LIKE THIS ONE AND MORE ARE TO COME\n",
		"certificates": pemOf("CERTIFICATE", selfSigned(t, "a")),
	} {
		if in := Read("f", []byte(in)); in.PrivateKey {
			t.Errorf("%s: %+v", name, in.Problems)
		}
	}
}

// Go's own encodings, in case OpenSSL's differ.
func TestStdlibPrivateKeys(t *testing.T) {
	r, e := rsaKey(t), ecKey(t)
	sec1, err := x509.MarshalECPrivateKey(e)
	if err != nil {
		t.Fatal(err)
	}
	forms := map[string][]byte{"PKCS#1": x509.MarshalPKCS1PrivateKey(r), "SEC 1": sec1}
	for name, key := range map[string]any{"RSA": r, "EC": e, "Ed25519": edKey(t)} {
		if forms["PKCS#8 "+name], err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			t.Fatal(err)
		}
	}
	for name, raw := range forms {
		if in := Read("f", raw); !in.PrivateKey || len(in.Items) != 0 {
			t.Errorf("%s: %+v", name, in.Problems)
		}
	}
}
