package cert

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/efgsta/efgsta/pkg/sigalg"
)

// ordinary makes certificates that crypto/x509 reads, and that differ in everything it shows.
func ordinary(t testing.TB) map[string][]byte {
	t.Helper()
	r, e, ed := rsaKey(t), ecKey(t), edKey(t)
	out := map[string][]byte{}
	add := func(name string, signer crypto.Signer, change func(*x509.Certificate)) {
		tmpl := template(name)
		if change != nil {
			change(tmpl)
		}
		out[name] = issue(t, tmpl, nil, signer.Public(), signer)
	}
	for _, alg := range []x509.SignatureAlgorithm{x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.SHA256WithRSAPSS, x509.SHA384WithRSAPSS, x509.SHA512WithRSAPSS} {
		add(alg.String(), r, func(c *x509.Certificate) { c.SignatureAlgorithm = alg })
	}
	for _, alg := range []x509.SignatureAlgorithm{x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512} {
		add(alg.String(), e, func(c *x509.Certificate) { c.SignatureAlgorithm = alg })
	}
	add("Ed25519", ed, nil)
	add("SAN", e, func(c *x509.Certificate) {
		c.DNSNames = []string{"efgs.example", "www.efgs.example"}
		c.EmailAddresses = []string{"a@efgs.example"}
		c.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1).To4(), net.ParseIP("2001:db8::1")}
		c.URIs = []*url.URL{{Scheme: "https", Host: "efgs.example", Path: "/x"}}
	})
	add("EKU", e, func(c *x509.Certificate) {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageAny}
		c.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	})
	add("KU all", e, func(c *x509.Certificate) { c.KeyUsage = 1<<9 - 1 })
	add("no KU", e, func(c *x509.Certificate) { c.KeyUsage = 0 })
	add("CA", e, func(c *x509.Certificate) {
		c.BasicConstraintsValid, c.IsCA, c.MaxPathLenZero = true, true, true
		c.SubjectKeyId, c.AuthorityKeyId = []byte{1, 2, 3}, []byte{4, 5}
	})
	add("path length", e, func(c *x509.Certificate) { c.BasicConstraintsValid, c.IsCA, c.MaxPathLen = true, true, 3 })
	add("not CA", e, func(c *x509.Certificate) { c.BasicConstraintsValid = true })
	add("policies", e, func(c *x509.Certificate) {
		for _, ints := range [][]uint64{{2, 23, 140, 1, 2, 2}, {1, 2, 3, 4}} {
			oid, err := x509.OIDFromInts(ints)
			if err != nil {
				t.Fatal(err)
			}
			c.Policies = append(c.Policies, oid)
		}
	})
	add("2050", e, func(c *x509.Certificate) { c.NotAfter = time.Date(2050, 1, 1, 0, 0, 0, 0, time.UTC) })
	add("serial", e, func(c *x509.Certificate) { c.SerialNumber = new(big.Int).Lsh(big.NewInt(255), 150) })
	add("subject", e, func(c *x509.Certificate) {
		c.Subject = pkix.Name{Country: []string{"AT"}, Organization: []string{"Ämter, „Bund“ + Länder"}, OrganizationalUnit: []string{"a", "b"}, Locality: []string{"Wien"}, Province: []string{"W"}, StreetAddress: []string{"1"}, PostalCode: []string{"1010"}, SerialNumber: "7", CommonName: "cn"}
	})
	add("empty subject", e, func(c *x509.Certificate) { c.Subject = pkix.Name{} })
	add("more", e, func(c *x509.Certificate) {
		c.OCSPServer, c.IssuingCertificateURL = []string{"http://o.example"}, []string{"http://i.example"}
		c.CRLDistributionPoints, c.PermittedDNSDomains = []string{"http://c.example"}, []string{"example"}
		c.ExtraExtensions = []pkix.Extension{{Id: []int{1, 2, 3}, Critical: true, Value: []byte{1}}}
	})
	return out
}

func TestAgreesWithStdlib(t *testing.T) {
	for name, raw := range ordinary(t) {
		t.Run(name, func(t *testing.T) {
			std, err := x509.ParseCertificate(raw)
			if err != nil {
				t.Fatal(err)
			}
			c := parse(t, raw)
			for _, f := range c.Faults {
				t.Errorf("fault: %+v", f)
			}
			compare(t, c, std)
			if err := c.CheckSelfSignature(); err != nil {
				t.Error(err)
			}
			bad := bytes.Clone(raw)
			bad[len(bad)-1] ^= 1
			if err := parse(t, bad).CheckSelfSignature(); !errors.Is(err, sigalg.ErrSignature) {
				t.Errorf("changed signature: %v", err)
			}
		})
	}
}

// compare holds what Parse read against crypto/x509.
func compare(t *testing.T, c *Certificate, std *x509.Certificate) {
	t.Helper()
	same := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, crypto/x509 has %v", what, got, want)
		}
	}
	same("raw", c.Raw, std.Raw)
	same("TBS", c.TBS, std.RawTBSCertificate)
	same("SPKI", c.SPKI, std.RawSubjectPublicKeyInfo)
	same("subject", c.Subject.Raw, std.RawSubject)
	same("issuer", c.Issuer.Raw, std.RawIssuer)
	same("signature", c.Signature, std.Signature)
	same("version", c.Version, std.Version)
	same("serial", c.Serial.String(), std.SerialNumber.String())
	same("not before", c.NotBefore, std.NotBefore)
	same("not after", c.NotAfter, std.NotAfter)
	var names []string
	for _, n := range std.Subject.Names {
		names = append(names, fmt.Sprintf("%v=%v", n.Type, n.Value))
	}
	var own []string
	for _, rdn := range c.Subject.RDNs {
		for _, a := range rdn {
			own = append(own, a.OID+"="+a.Value)
		}
	}
	same("names", own, names)
	same("extensions", len(c.Extensions), len(std.Extensions))
	for i, e := range std.Extensions {
		same("extension", []any{c.Extensions[i].OID, c.Extensions[i].Critical, c.Extensions[i].Value}, []any{e.Id.String(), e.Critical, e.Value})
		if !bytes.HasPrefix(c.Raw[c.Extensions[i].Offset:], []byte{0x30}) {
			t.Errorf("no extension at offset %d", c.Extensions[i].Offset)
		}
		switch e.Id.String() {
		case oidKeyUsage:
			same("key usage", int(*c.KeyUsage), int(std.KeyUsage))
			same("key usage critical", c.KeyUsageCritical, e.Critical)
		case oidBasicConstraints:
			want := &BasicConstraints{CA: std.IsCA, PathLen: std.MaxPathLen}
			same("basic constraints", c.BasicConstraints, want)
		}
	}
	if std.KeyUsage == 0 && c.KeyUsage != nil {
		t.Errorf("key usage %v out of nothing", *c.KeyUsage)
	}
	eku := map[x509.ExtKeyUsage]string{x509.ExtKeyUsageClientAuth: EKUClientAuth, x509.ExtKeyUsageServerAuth: EKUServerAuth, x509.ExtKeyUsageAny: EKUAny}
	var usages []string
	for _, u := range std.ExtKeyUsage {
		usages = append(usages, eku[u])
	}
	same("extended key usage", c.ExtKeyUsage, usages)
	if c.SAN != nil {
		same("DNS", c.SAN.DNS, std.DNSNames)
		same("email", c.SAN.Email, std.EmailAddresses)
		var uris []string
		for _, u := range std.URIs {
			uris = append(uris, u.String())
		}
		same("URI", c.SAN.URI, uris)
		var ips []string
		for _, ip := range c.SAN.IP {
			ips = append(ips, net.IP(ip).String())
		}
		var stdIPs []string
		for _, ip := range std.IPAddresses {
			stdIPs = append(stdIPs, ip.String())
		}
		same("IP", ips, stdIPs)
	} else if len(std.DNSNames) > 0 {
		t.Error("no SAN")
	}
	same("SKI", c.SubjectKeyID, std.SubjectKeyId)
	same("AKI", c.AuthorityKeyID, std.AuthorityKeyId)
	var policies []string
	for _, p := range std.Policies {
		policies = append(policies, p.String())
	}
	same("policies", c.PolicyOIDs, policies)
	if eq, ok := std.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || !eq.Equal(c.PublicKey.Std) {
		t.Errorf("public key: %+v", c.PublicKey)
	}
}

func TestCanonicalPEM(t *testing.T) {
	for name, raw := range ordinary(t) {
		c := parse(t, raw)
		want := openssl(t, raw, "x509", "-inform", "DER")
		if !bytes.Equal(c.PEM(), want) {
			t.Errorf("%s: differs from openssl x509:\n%s%s", name, c.PEM(), want)
		}
		digest := openssl(t, raw, "x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256")
		_, hexed, _ := strings.Cut(strings.TrimSpace(string(digest)), "=")
		if got := c.Thumbprint().String(); got != strings.ToLower(strings.ReplaceAll(hexed, ":", "")) {
			t.Errorf("%s: thumbprint %s, openssl has %s", name, got, hexed)
		}
	}
}
