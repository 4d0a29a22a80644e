//go:build conformance

package conformance

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/report"
	"github.com/efgsta/efgsta/pkg/vet"
)

// zlintPath is the zlint that `make conformance` builds.
func zlintPath(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs("../../bin/tools/zlint")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: make conformance builds it", err)
	}
	return path
}

// publicTLS is an NBTLS as a public CA could have issued it in 2021, before an OU and
// a CN fell out of favour and while a year was allowed.
func publicTLS(edit func(*x509.Certificate)) []byte {
	from := time.Date(2021, 5, 1, 0, 0, 0, 0, time.UTC)
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"BE"}, Organization: []string{"Example Trust"}, CommonName: "Example TLS CA"},
		NotBefore: from.AddDate(-1, 0, 0), NotAfter: from.AddDate(5, 0, 0), IsCA: true, BasicConstraintsValid: true, SubjectKeyId: []byte{1, 2, 3, 4},
	}
	c := &x509.Certificate{
		SerialNumber: new(big.Int).Lsh(big.NewInt(0x4a55), 100),
		Subject: pkix.Name{Country: []string{"DE"}, Province: []string{"Berlin"}, Locality: []string{"Berlin"},
			Organization: []string{"Robert Koch Institute"}, CommonName: "efgs.rki.de"},
		NotBefore: from, NotAfter: from.AddDate(0, 0, 397).Add(-time.Second), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}, DNSNames: []string{"efgs.rki.de"},
		BasicConstraintsValid: true, SubjectKeyId: []byte{5, 6, 7, 8}, Policies: []x509.OID{must(x509.ParseOID("2.23.140.1.2.2"))},
		OCSPServer: []string{"http://ocsp.example.com"}, IssuingCertificateURL: []string{"http://ca.example.com/ca.der"},
		CRLDistributionPoints: []string{"http://crl.example.com/ca.crl"},
	}
	if edit != nil {
		edit(c)
	}
	return must(x509.CreateCertificate(rand.Reader, c, authority, p256Key().Public(), p384Key()))
}

type checked struct {
	Zlint        string
	Certificates []struct {
		File     string
		Verdict  vet.Verdict
		Findings []vet.Finding
	}
}

// check runs efgsta over files, at a time when their certificates are valid.
func check(t *testing.T, args ...string) checked {
	t.Helper()
	efgsta, err := buildBinary()
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(efgsta, append([]string{"check", "--type", "nbtls", "--country", "DE", "--at", "2021-08-01", "--format", "json"}, args...)...).Output()
	var exit *exec.ExitError
	if err != nil && (!asExit(err, &exit) || exit.ExitCode() != 1) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	var r struct {
		Schema string
		checked
	}
	if err := json.Unmarshal(out, &r); err != nil || r.Schema != report.CheckSchema {
		t.Fatalf("%v: %s", err, out)
	}
	return r.checked
}

func asExit(err error, exit **exec.ExitError) bool {
	e, ok := err.(*exec.ExitError)
	*exit = e
	return ok
}

// lints are the lints that zlint names in a certificate's findings, "EFGS-831 e_x".
func lints(findings []vet.Finding) (fired, open []string) {
	for _, f := range findings {
		switch {
		case f.ID != "EFGS-831" && f.ID != "EFGS-832":
		case f.Status == vet.StatusNotEvaluated:
			open = append(open, f.ID+" "+f.Message)
		default:
			name, _, _ := strings.Cut(strings.TrimPrefix(f.Message, "zlint "), ":")
			fired = append(fired, f.ID+" "+name)
		}
	}
	return fired, open
}

// cnIncluded is what zlint has against the CN that Governance 4.3 asks for.
const cnIncluded = "EFGS-831 n_subject_common_name_included"

// The real zlint has nothing else to say of a certificate as public CAs issued them, names
// what breaks their rules, and where it has no verdict ours stands.
func TestZlint(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, der []byte) string {
		return write(t, dir, name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	for _, tc := range []struct {
		what, path  string
		want        []string
		open        string
		wantVerdict vet.Verdict
	}{
		{"as issued", file("issued.pem", publicTLS(nil)), nil, "", vet.VerdictAccepted},
		{"no name, an address of a private network", file("names.pem", publicTLS(func(c *x509.Certificate) {
			c.DNSNames, c.Subject.CommonName = []string{"efgs.internal"}, "efgs.internal"
		})), []string{"EFGS-831 e_dnsname_not_valid_tld"}, "", vet.VerdictAccepted},
		{"no policy, no issuer's address", file("policy.pem", publicTLS(func(c *x509.Certificate) {
			c.Policies, c.OCSPServer, c.IssuingCertificateURL = nil, nil, nil
		})), []string{"EFGS-831 e_sub_cert_aia_missing", "EFGS-831 e_sub_cert_certificate_policies_missing"}, "", vet.VerdictAccepted},
		{"keyCertSign", file("certsign.pem", publicTLS(func(c *x509.Certificate) {
			c.KeyUsage |= x509.KeyUsageCertSign
		})), []string{"EFGS-831 e_sub_cert_key_usage_cert_sign_bit_set", "EFGS-832 e_ext_key_usage_cert_sign_without_ca"}, "", vet.VerdictRefused},
		{"a curve that Go has not", brainpool(t, dir), nil, "unsupported elliptic curve", vet.VerdictRefused},
	} {
		r := check(t, "--zlint", zlintPath(t), tc.path)
		if !strings.HasPrefix(r.Zlint, "zlint v3.") {
			t.Errorf("the report says %q", r.Zlint)
		}
		c := r.Certificates[0]
		fired, open := lints(c.Findings)
		if i := slices.Index(fired, cnIncluded); i >= 0 {
			fired = slices.Delete(fired, i, i+1)
		} else if tc.open == "" {
			t.Errorf("%s: zlint does not say %s: %q", tc.what, cnIncluded, fired)
		}
		for _, want := range tc.want {
			if !slices.Contains(fired, want) {
				t.Errorf("%s: zlint does not say %s: %q", tc.what, want, fired)
			}
		}
		if len(tc.want) == 0 && len(fired) > 0 {
			t.Errorf("%s: zlint says %q", tc.what, fired)
		}
		if (tc.open != "") != (len(open) == 2) || len(open) > 0 && !strings.Contains(open[0], tc.open) {
			t.Errorf("%s: not evaluated: %q, want %q", tc.what, open, tc.open)
		}
		if c.Verdict != tc.wantVerdict {
			t.Errorf("%s: %s: %+v", tc.what, c.Verdict, c.Findings)
		}
	}
}

// brainpool is self-signed, on a curve that zlint cannot read.
func brainpool(t *testing.T, dir string) string {
	path := filepath.Join(dir, "brainpool.pem")
	run(t, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:brainpoolP256r1", "-nodes", "-days", "397",
		"-keyout", filepath.Join(dir, "brainpool.key"), "-subj", "/C=DE/O=Health Agency/CN=efgs.example.com", "-out", path)
	return path
}
