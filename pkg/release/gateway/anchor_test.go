package gateway

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/sigalg"
)

func anchorWith(t *testing.T, key crypto.Signer, alg x509.SignatureAlgorithm) *cert.Certificate {
	t.Helper()
	tpl := template(t, c("BE"), cn("EFGSTA"))
	tpl.SignatureAlgorithm = alg
	return issueWith(t, tpl, key)
}

func TestCheckAnchorAccepts(t *testing.T) {
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	p521 := must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	for name, anchor := range map[string]*cert.Certificate{
		"RSA SHA-256":   anchorWith(t, rsaKey(), x509.SHA256WithRSA),
		"RSA SHA-384":   anchorWith(t, rsaKey(), x509.SHA384WithRSA),
		"RSA SHA-512":   anchorWith(t, rsaKey(), x509.SHA512WithRSA),
		"P-256":         anchorWith(t, ecKey(), x509.ECDSAWithSHA256),
		"P-384":         anchorWith(t, p384, x509.ECDSAWithSHA384),
		"P-384 SHA-256": anchorWith(t, p384, x509.ECDSAWithSHA256),
		"P-521":         anchorWith(t, p521, x509.ECDSAWithSHA512),
		// Java heeds key usage only where it is critical.
		"key usage not critical": openssl(t, "a.pem", "req -x509 -new -key key.pem -sha256 -subj /C=BE/CN=x -addext keyUsage=keyCertSign -out a.pem"),
		"critical, several":      openssl(t, "a.pem", "req -x509 -new -key key.pem -sha256 -subj /C=BE/CN=x -addext keyUsage=critical,digitalSignature,keyCertSign -out a.pem"),
		"no key usage":           openssl(t, "a.pem", "req -x509 -new -key key.pem -sha256 -subj /C=BE/CN=x -out a.pem"),
	} {
		if err := CheckAnchor(anchor); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTrap06Anchors(t *testing.T) {
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	dsa := anchorWith(t, rsaKey(), x509.SHA256WithRSA)
	dsa.Algorithm = sigalg.Algorithm{Scheme: sigalg.DSA, Hash: crypto.SHA256}
	sha1 := anchorWith(t, rsaKey(), x509.SHA256WithRSA)
	sha1.Algorithm.Hash = crypto.SHA1
	forged := anchorWith(t, rsaKey(), x509.SHA256WithRSA)
	forged.Signature[10] ^= 1

	issuer := template(t, c("BE"), cn("Some CA"))
	issued := parse(t, must(x509.CreateCertificate(rand.Reader, template(t, c("BE"), cn("EFGSTA")), issuer, ecKey().Public(), rsaKey())))
	renamed := parse(t, must(x509.CreateCertificate(rand.Reader, template(t, c("BE"), cn("EFGSTA")), template(t, c("BE"), cn("EFGSTA")), ecKey().Public(), rsaKey())))

	for name, tc := range map[string]struct {
		anchor *cert.Certificate
		want   string
	}{
		"none":                      {nil, "no readable public key"},
		"RSASSA-PSS":                {openssl(t, "a.pem", "req -x509 -new -key key.pem -sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:32 -subj /C=BE/CN=x -out a.pem"), "RSASSA-PSS"},
		"PSS key":                   {openssl(t, "a.pem", "genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.pem", "req -x509 -new -key pss.pem -sha256 -subj /C=BE/CN=x -out a.pem"), "RSASSA-PSS"},
		"brainpool":                 {openssl(t, "a.pem", "ecparam -name brainpoolP256r1 -genkey -noout -out ec.pem", "req -x509 -new -key ec.pem -sha256 -subj /C=BE/CN=x -out a.pem"), "brainpoolP256r1"},
		"explicit curve":            {openssl(t, "a.pem", "ecparam -name prime256v1 -param_enc explicit -genkey -noout -out ec.pem", "req -x509 -new -key ec.pem -sha256 -subj /C=BE/CN=x -out a.pem"), "spells its curve out"},
		"Ed25519":                   {anchorWith(t, edKey, x509.PureEd25519), "does not have"},
		"DSA":                       {dsa, "DSA"},
		"SHA-1":                     {sha1, "not with SHA-256"},
		"issued by a CA":            {issued, "not self-signed"},
		"issued under its own name": {renamed, "the EFGSTA's key is EC"},
		"critical keyCertSign":      {openssl(t, "a.pem", "req -x509 -new -key key.pem -sha256 -subj /C=BE/CN=x -addext keyUsage=critical,keyCertSign -out a.pem"), "critical and without digitalSignature"},
		"forged":                    {forged, "not its own"},
	} {
		t.Run(name, func(t *testing.T) { wantUnfit(t, CheckAnchor(tc.anchor), tc.want) })
	}
}

// A signature has to fit the column: 4128 bits is the last size that does.
func TestAnchorSignatureFitsColumn(t *testing.T) {
	algorithm := sigalg.Algorithm{Scheme: sigalg.RSAPKCS1v15, Hash: crypto.SHA256}
	for bits, fits := range map[int]bool{3072: true, 4096: true, 4128: true, 4129: false, 8192: false} {
		n := new(big.Int).SetBit(big.NewInt(1), bits-1, 1)
		err := checkAnchorAlgorithm(algorithm, &sigalg.PublicKey{Algorithm: "RSA", N: n, E: big.NewInt(65537)})
		if fits != (err == nil) {
			t.Errorf("%d bits: %v", bits, err)
		}
		if !fits {
			wantUnfit(t, err, "the column holds 690")
		}
	}
}

// A key usage that cannot be read, but is critical, is not let through.
func TestAnchorKeyUsageUnreadable(t *testing.T) {
	tpl := template(t, c("BE"), cn("EFGSTA"))
	tpl.KeyUsage = 0
	tpl.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 15}, Critical: true, Value: []byte{0x04, 0x00}}}
	anchor := parse(t, must(x509.CreateCertificate(rand.Reader, tpl, tpl, rsaKey().Public(), rsaKey())))
	wantUnfit(t, CheckAnchor(anchor), "")
}
