package gateway

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"strings"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
)

func TestCheckCertificateAccepts(t *testing.T) {
	for name, cert := range map[string]*cert.Certificate{
		"country first": issue(t, c("DE"), o("RKI"), cn("x")),
		// Trap 1: a script that cuts the country out of a printed subject fails here.
		"country last":    issue(t, cn("FGS Netherlands"), o("VWS"), c("NL")),
		"country alone":   issue(t, c("IT")),
		"umlaut":          issue(t, c("AT"), o("Österreich")),
		"slash and colon": issue(t, c("AT"), cn("a/b:c;d")),
		// Only the RDN around C must be single: the gateway drops others that it cannot split.
		"joined, not around C": issue(t, c("AT"), o("x"), attr{oidCN, "y", true}),
	} {
		for _, typ := range []string{Signing, Authentication} {
			if err := CheckCertificate(cert, typ); err != nil {
				t.Errorf("%s as %s: %v", name, typ, err)
			}
		}
	}
}

func TestTrap03ThumbprintBeginning00(t *testing.T) {
	tpl := template(t, c("IT"), cn("x"))
	for i := int64(1); ; i++ {
		tpl.SerialNumber = big.NewInt(i)
		cert := issueWith(t, tpl, ecKey())
		if !strings.HasPrefix(cert.Thumbprint().String(), "00") {
			continue
		}
		err := CheckCertificate(cert, Signing)
		wantUnfit(t, err, "begins with 00")
		if hint := err.(interface{ Hint() string }).Hint(); !strings.Contains(hint, "issued again") {
			t.Errorf("hint %q does not say the way out", hint)
		}
		_, err = NewRow(cert, Signing, sign(t, cert.PEM()), day)
		wantUnfit(t, err, "begins with 00")
		if got := gatewayThumbprint(cert.Raw); len(got) > 62 {
			t.Errorf("gateway thumbprint %s should have lost its zeros", got)
		}
		return
	}
}

// One leading zero the gateway puts back: such a certificate is fit.
func TestOneLeadingZeroIsFit(t *testing.T) {
	tpl := template(t, c("IT"), cn("x"))
	for i := int64(1); ; i++ {
		tpl.SerialNumber = big.NewInt(i)
		cert := issueWith(t, tpl, ecKey())
		if tp := cert.Thumbprint().String(); tp[0] != '0' || tp[1] == '0' {
			continue
		}
		if err := VerifyRow(row(t, cert, Signing), rsaAnchor(t)); err != nil {
			t.Error(err)
		}
		return
	}
}

func TestTrap20And21Subjects(t *testing.T) {
	for name, tc := range map[string]struct {
		cert *cert.Certificate
		auth string // what CheckCertificate says of it as AUTHENTICATION
		sign string // and as SIGNING; "" is fit
	}{
		"no C":             {issue(t, o("x")), "no C", "no C"},
		"two C":            {issue(t, c("DE"), c("FR")), "2 C", "2 C"},
		"same C twice":     {issue(t, c("DE"), c("DE")), "2 C", "2 C"},
		"lower case":       {issue(t, c("de")), "two upper-case", "two upper-case"},
		"three letters":    {issue(t, c("DEU")), "two upper-case", "two upper-case"},
		"trailing space":   {issue(t, c("DE ")), "two upper-case", "two upper-case"},
		"C=DE+CN=x":        {issue(t, c("DE"), attr{oidCN, "x", true}), "shares", "shares"},
		"C twice in one":   {issue(t, c("DE"), attr{oidC, "FR", true}), "shares", "shares"},
		"comma hides C":    {issue(t, o("Foo, C=FR"), c("DE")), "','", ""},
		"equals sign":      {issue(t, o("a=b"), c("DE")), "'='", ""},
		"percent":          {issue(t, o("100%"), c("DE")), "'%'", ""},
		"plus":             {issue(t, o("a+b"), c("DE")), "'+'", ""},
		"double quote":     {issue(t, o(`"x"`), c("DE")), `'"'`, ""},
		"line end":         {issue(t, o("a\nb"), c("DE")), `'\n'`, ""},
		"after the C, too": {issue(t, c("DE"), cn("a,b")), "','", ""},
	} {
		t.Run(name, func(t *testing.T) {
			wantUnfit(t, CheckCertificate(tc.cert, Authentication), tc.auth)
			if tc.sign == "" {
				if err := CheckCertificate(tc.cert, Signing); err != nil {
					t.Errorf("as SIGNING: %v", err)
				}
				return
			}
			wantUnfit(t, CheckCertificate(tc.cert, Signing), tc.sign)
		})
	}
}

func TestTrap22Curves(t *testing.T) {
	const req = "req -x509 -key ec.pem -subj /C=DE/CN=x -days 400 -out out.pem"
	for _, tc := range []struct{ name, generate, want string }{
		{"explicit", "ecparam -name prime256v1 -param_enc explicit -genkey -noout -out ec.pem", "spells the curve out"},
		{"brainpool", "ecparam -name brainpoolP256r1 -genkey -noout -out ec.pem", "brainpoolP256r1"},
		{"secp256k1", "ecparam -name secp256k1 -genkey -noout -out ec.pem", "secp256k1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			cert := openssl(t, "out.pem", tc.generate, req)
			for strings.HasPrefix(cert.Thumbprint().String(), "00") {
				cert = openssl(t, "out.pem", tc.generate, req)
			}
			wantUnfit(t, CheckCertificate(cert, Signing), tc.want)
		})
	}
}

func TestTrap24AuthorityAsClient(t *testing.T) {
	tpl := template(t, c("DE"), cn("Some CA"))
	tpl.IsCA, tpl.BasicConstraintsValid = true, true
	for {
		cert := issueWith(t, tpl, ecKey())
		if !strings.HasPrefix(cert.Thumbprint().String(), "00") {
			wantUnfit(t, CheckCertificate(cert, Authentication), "CA certificate")
			return
		}
	}
}

func TestTrap25RawDataTooLarge(t *testing.T) {
	// The PEM text of n bytes has about n/48*65 characters; find the last that fits.
	grow := func(n int) *cert.Certificate {
		tpl := template(t, c("DE"), cn("x"))
		tpl.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3, 4}, Value: make([]byte, n)}}
		for {
			cert := issueWith(t, tpl, ecKey())
			if !strings.HasPrefix(cert.Thumbprint().String(), "00") {
				return cert
			}
		}
	}
	fits, tooLarge := grow(7000), grow(7400)
	if n := len(fits.PEM()); n > MaxRawData {
		t.Fatalf("vector has %d characters", n)
	}
	if err := CheckCertificate(fits, Signing); err != nil {
		t.Error(err)
	}
	wantUnfit(t, CheckCertificate(tooLarge, Signing), "the column holds 10240")
}

func TestCheckCertificateOddCalls(t *testing.T) {
	wantUnfit(t, CheckCertificate(nil, Signing), "no certificate")
	wantUnfit(t, CheckCertificate(issue(t, c("DE")), "CALLBACK"), "neither")
	wantUnfit(t, CheckCertificate(issue(t, c("DE")), ""), "neither")
}
