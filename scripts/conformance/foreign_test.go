//go:build conformance

package conformance

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"path/filepath"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cms"
)

// TestBouncyCastleMessages has BouncyCastle sign as member states' backends do, and reads that.
func TestBouncyCastleMessages(t *testing.T) {
	content := []byte(strings.Repeat(base64.StdEncoding.EncodeToString([]byte("a diagnosis key "))+".", 300))
	for _, k := range []struct {
		name       string
		key        crypto.Signer
		algorithms []string
	}{
		{"RSA", rsaKey(), []string{"SHA256withRSA", "SHA384withRSA", "SHA512withRSA", "SHA256withRSAandMGF1", "SHA512withRSAandMGF1"}},
		{"P-256", p256Key(), []string{"SHA256withECDSA", "SHA512withECDSA"}},
		{"P-384", p384Key(), []string{"SHA384withECDSA"}},
	} {
		t.Run(k.name, func(t *testing.T) {
			dir := t.TempDir()
			signer := selfSigned(t, &x509.Certificate{
				SerialNumber: big.NewInt(99), Subject: pkix.Name{Country: []string{"DE"}, CommonName: "FGS"}, NotBefore: day, NotAfter: day.AddDate(1, 0, 0),
				KeyUsage: x509.KeyUsageDigitalSignature, SubjectKeyId: []byte{1, 2, 3},
			}, k.key)
			pkcs8, err := x509.MarshalPKCS8PrivateKey(k.key)
			if err != nil {
				t.Fatal(err)
			}
			args := []string{"-cp", bouncyCastle(t), filepath.Join("java", "BouncyCastle.java"),
				write(t, dir, "key", pkcs8), write(t, dir, "cert", signer.PEM()), write(t, dir, "content", content)}
			type message struct{ file, how string }
			var messages []message
			for _, algorithm := range k.algorithms {
				for _, how := range []string{"plain", "attached", "keyid", "noattr", "nocerts", "attached,noattr,keyid,nocerts"} {
					m := message{filepath.Join(dir, algorithm+" "+how), how}
					args = append(args, m.file, algorithm, how)
					messages = append(messages, m)
				}
			}
			run(t, "java", args...)
			for _, m := range messages {
				p7 := read(t, m.file)
				given := signer
				if !strings.Contains(m.how, "nocerts") {
					given = nil
					if !bytes.HasPrefix(p7, []byte{0x30, 0x80}) {
						t.Errorf("%s: not of indefinite length: it shows nothing", m.file)
					}
				}
				f, err := cms.VerifyForeign(p7, content, given)
				if err != nil {
					t.Errorf("%s: %v", filepath.Base(m.file), err)
					continue
				}
				if !bytes.Equal(f.Signer.Raw, signer.Raw) || f.Attached != strings.Contains(m.how, "attached") || (f.Attributes == nil) != strings.Contains(m.how, "noattr") {
					t.Errorf("%s: %+v", filepath.Base(m.file), f)
				}
				if _, err := cms.VerifyForeign(p7, content[1:], given); err == nil {
					t.Errorf("%s: another content passes", filepath.Base(m.file))
				}
			}
		})
	}
}
