//go:build conformance

package conformance

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/release/gateway"
)

const storePassword = "conformance"

// trustStore makes a key store as the gateway has it: a real JKS with the EFGSTA in it.
func trustStore(t *testing.T, anchorPEM []byte) string {
	t.Helper()
	dir := t.TempDir()
	store := filepath.Join(dir, "efgsta.jks")
	run(t, "keytool", "-importcert", "-noprompt", "-storetype", "JKS", "-keystore", store,
		"-storepass", storePassword, "-alias", "efgsta", "-file", write(t, dir, "efgsta.pem", anchorPEM))
	return store
}

// javaVerdicts lets the JDK decide about rows; one line per row.
func javaVerdicts(t *testing.T, anchorPEM []byte, rows []gateway.Row) []string {
	t.Helper()
	var tsv strings.Builder
	for _, r := range rows {
		for i, column := range []string{r.Thumbprint, r.Signature, r.RawData} {
			if i > 0 {
				tsv.WriteByte('\t')
			}
			tsv.WriteString(base64.StdEncoding.EncodeToString([]byte(column)))
		}
		tsv.WriteByte('\n')
	}
	out := run(t, "java", filepath.Join("java", "GatewayRows.java"), trustStore(t, anchorPEM), storePassword, "EFGSTA",
		write(t, t.TempDir(), "rows.tsv", []byte(tsv.String())))
	lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
	if len(lines) != len(rows) {
		t.Fatalf("%d verdicts for %d rows:\n%s", len(lines), len(rows), out)
	}
	return lines
}

func TestJavaAcceptsRows(t *testing.T) {
	for _, tc := range []struct {
		name   string
		anchor testAnchor
	}{
		{"RSA-3072 SHA-256", newAnchor(t, rsaKey(), x509.SHA256WithRSA, crypto.SHA256)},
		{"RSA-3072 SHA-384", newAnchor(t, rsaKey(), x509.SHA384WithRSA, crypto.SHA384)},
		{"P-256 SHA-256", newAnchor(t, p256Key(), x509.ECDSAWithSHA256, crypto.SHA256)},
		{"P-384 SHA-384", newAnchor(t, p384Key(), x509.ECDSAWithSHA384, crypto.SHA384)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows := []gateway.Row{
				tc.anchor.row(t, leaf(t, "DE", ""), gateway.Signing, day),
				tc.anchor.row(t, leaf(t, "FR", ""), gateway.Authentication, day),
				tc.anchor.row(t, leaf(t, "IT", "0e"), gateway.Signing, day), // one leading zero survives
			}
			for i, verdict := range javaVerdicts(t, tc.anchor.cert.PEM(), rows) {
				if verdict != "ACCEPT" {
					t.Errorf("row %d: %s", i, verdict)
				}
			}
		})
	}
}

// Each row here is wrong in one way. The JDK has to refuse it, or this program is
// no witness; and gateway.VerifyRow has to refuse it too.
func TestJavaRejectsRows(t *testing.T) {
	anchor := newAnchor(t, rsaKey(), x509.SHA256WithRSA, crypto.SHA256)
	c, other := leaf(t, "DE", ""), leaf(t, "FR", "")
	good := anchor.row(t, c, gateway.Signing, day)
	text := good.RawData
	crlf := strings.ReplaceAll(text, "\n", "\r\n")
	sum256 := sha256.Sum256([]byte(text))
	zeros := leaf(t, "DE", "00")

	cases := []struct {
		name   string
		change func(*gateway.Row)
		reason string
	}{
		{"tampered text", func(r *gateway.Row) { r.RawData = text + "\n" }, "does not verify"},
		{"text of another certificate", func(r *gateway.Row) { r.RawData = string(other.PEM()) }, "thumbprint is"},
		{"CRLF stored, LF signed", func(r *gateway.Row) { r.RawData = crlf }, "does not verify"},
		{"LF stored, CRLF signed", func(r *gateway.Row) { r.Signature = anchor.sign(t, crlf) }, "does not verify"},
		{"wrapped base64", func(r *gateway.Row) { r.Signature = r.Signature[:64] + "\n" + r.Signature[64:] }, "IllegalArgumentException"},
		{"base64 with a line end", func(r *gateway.Row) { r.Signature += "\n" }, "IllegalArgumentException"},
		{"wrong thumbprint", func(r *gateway.Row) { r.Thumbprint = other.Thumbprint().String() }, "thumbprint is"},
		{"upper-case thumbprint", func(r *gateway.Row) { r.Thumbprint = strings.ToUpper(r.Thumbprint) }, "thumbprint is"},
		{"signature of another row", func(r *gateway.Row) { r.Signature = anchor.sign(t, string(other.PEM())) }, "does not verify"},
		{"signed with PSS", func(r *gateway.Row) {
			r.Signature = anchor.signDigest(t, sum256[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256})
		}, "does not verify"},
		{"signed with SHA-384", func(r *gateway.Row) {
			r.Signature = testAnchor{anchor.cert, anchor.key, crypto.SHA384}.sign(t, text)
		}, ""},
		{"CA before the leaf", func(r *gateway.Row) {
			r.RawData = string(other.PEM()) + text
			r.Signature = anchor.sign(t, r.RawData)
		}, "thumbprint is"},
		{"thumbprint beginning 00", func(r *gateway.Row) {
			r.Thumbprint, r.RawData = zeros.Thumbprint().String(), string(zeros.PEM())
			r.Signature = anchor.sign(t, r.RawData)
		}, "thumbprint is"},
		{"empty signature", func(r *gateway.Row) { r.Signature = "" }, "empty"},
	}
	rows := []gateway.Row{good}
	for _, tc := range cases {
		r := good
		tc.change(&r)
		rows = append(rows, r)
		if gateway.VerifyRow(r, anchor.cert) == nil {
			t.Errorf("%s: VerifyRow accepts it", tc.name)
		}
	}
	verdicts := javaVerdicts(t, anchor.cert.PEM(), rows)
	if verdicts[0] != "ACCEPT" {
		t.Errorf("the unchanged row: %s", verdicts[0])
	}
	for i, tc := range cases {
		if v := verdicts[i+1]; !strings.HasPrefix(v, "REJECT") || !strings.Contains(v, tc.reason) {
			t.Errorf("%s: %s, want REJECT … %s", tc.name, v, tc.reason)
		}
	}
}

// What CheckAnchor refuses the JDK cannot use: every signature such an EFGSTA
// could make is rejected.
func TestJavaRejectsAnchors(t *testing.T) {
	dir := t.TempDir()
	rsaPEM := write(t, dir, "rsa.pem", privatePEM(t, rsaKey()))
	c := leaf(t, "DE", "")
	text := string(c.PEM())
	textFile := write(t, dir, "row.pem", []byte(text))

	for _, tc := range []struct {
		name string
		make string   // openssl arguments that write key.pem; "" for the RSA key
		req  []string // and those for the certificate
		sign [][]string
	}{
		{"RSASSA-PSS", "", []string{"-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"},
			[][]string{{"-sha256"}, {"-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"}}},
		{"brainpool", "ecparam -name brainpoolP256r1 -genkey -noout", []string{"-sha256"}, [][]string{{"-sha256"}}},
		{"critical keyCertSign", "", []string{"-sha256", "-addext", "keyUsage=critical,keyCertSign"}, [][]string{{"-sha256"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			dir, key := t.TempDir(), rsaPEM
			if tc.make != "" {
				key = filepath.Join(dir, "key.pem")
				run(t, "openssl", append(strings.Fields(tc.make), "-out", key)...)
			}
			out := filepath.Join(dir, "anchor.pem")
			run(t, "openssl", append([]string{"req", "-x509", "-new", "-key", key, "-subj", "/C=BE/CN=EFGSTA", "-days", "400", "-out", out}, tc.req...)...)
			block, _ := pem.Decode(read(t, out))
			anchor, err := cert.Parse(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			if err := gateway.CheckAnchor(anchor); err == nil {
				t.Error("CheckAnchor accepts it")
			}
			var rows []gateway.Row
			for _, how := range tc.sign {
				sig := filepath.Join(dir, "sig")
				run(t, "openssl", append(append([]string{"dgst"}, how...), "-sign", key, "-out", sig, textFile)...)
				rows = append(rows, gateway.Row{
					Thumbprint: c.Thumbprint().String(), RawData: text,
					Signature: base64.StdEncoding.EncodeToString(read(t, sig)),
				})
			}
			for _, v := range javaVerdicts(t, anchor.PEM(), rows) {
				if !strings.HasPrefix(v, "REJECT") {
					t.Errorf("%s", v)
				}
			}
		})
	}
}

func privatePEM(t *testing.T, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
