package gateway

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"strings"
	"testing"
)

func TestVerifyRowAccepts(t *testing.T) {
	ec := anchorWith(t, ecKey(), x509.ECDSAWithSHA256)
	cert := issue(t, c("DE"), cn("x"))
	sum := sha256.Sum256(cert.PEM())
	r := must(NewRow(cert, Signing, must(ecKey().Sign(rand.Reader, sum[:], crypto.SHA256)), day))
	if err := VerifyRow(r, ec); err != nil {
		t.Errorf("P-256: %v", err)
	}
	if err := VerifyRow(row(t, cert, Signing), rsaAnchor(t)); err != nil {
		t.Errorf("RSA: %v", err)
	}
	if r.Country != "DE" || r.Type != Signing || r.Thumbprint != cert.Thumbprint().String() || r.RawData != string(cert.PEM()) {
		t.Errorf("row %+v", r)
	}
}

func TestVerifyRowRefuses(t *testing.T) {
	anchor := rsaAnchor(t)
	good := row(t, issue(t, c("DE"), cn("x")), Authentication)
	other := issue(t, c("FR"), cn("CA"))
	key := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("secret")}))

	// signed puts a text into the row with a good signature over it.
	signed := func(text string) func(*Row) {
		return func(r *Row) {
			r.RawData = text
			r.Signature = base64.StdEncoding.EncodeToString(sign(t, []byte(text)))
		}
	}
	for name, tc := range map[string]struct {
		change func(*Row)
		want   string
	}{
		"trap 4, upper-case thumbprint":       {func(r *Row) { r.Thumbprint = strings.ToUpper(r.Thumbprint) }, "computes the thumbprint"},
		"wrong thumbprint":                    {func(r *Row) { r.Thumbprint = other.Thumbprint().String() }, "computes the thumbprint"},
		"trap 5, signed with SHA-512":         {func(r *Row) { r.Signature = base64.StdEncoding.EncodeToString(signSHA512(t, r.RawData)) }, "operator signature"},
		"trap 6, signed with PSS":             {func(r *Row) { r.Signature = base64.StdEncoding.EncodeToString(signPSS(t, r.RawData)) }, "operator signature"},
		"trap 7, CRLF stored, LF signed":      {func(r *Row) { r.RawData = crlf(r.RawData) }, "operator signature"},
		"trap 7, LF stored, CRLF signed":      {func(r *Row) { r.Signature = base64.StdEncoding.EncodeToString(sign(t, []byte(crlf(r.RawData)))) }, "operator signature"},
		"trap 7, CRLF signed and stored":      {signed(crlf(good.RawData)), "canonical PEM"},
		"trap 8, private key before it":       {signed(key + good.RawData), "not a PEM certificate"},
		"trap 9, CA after the leaf":           {signed(good.RawData + string(other.PEM())), "canonical PEM"},
		"trap 9, CA before the leaf":          {signed(string(other.PEM()) + good.RawData), "computes the thumbprint"},
		"trap 10, text before it":             {signed("subject=C = DE\n" + good.RawData), "canonical PEM"},
		"X509 CERTIFICATE marker":             {signed(strings.ReplaceAll(good.RawData, " CERT", " X509 CERT")), "not a PEM certificate"},
		"no line end at the end":              {signed(strings.TrimSuffix(good.RawData, "\n")), "canonical PEM"},
		"two line ends at the end":            {signed(good.RawData + "\n"), "canonical PEM"},
		"trusted certificate":                 {signed(strings.ReplaceAll(good.RawData, " CERT", " TRUSTED CERT")), "no PEM certificate"},
		"trap 11, wrapped signature":          {func(r *Row) { r.Signature = r.Signature[:64] + "\n" + r.Signature[64:] }, "base64 on one line"},
		"trap 11, signature with a line end":  {func(r *Row) { r.Signature += "\n" }, "base64 on one line"},
		"signature without padding":           {func(r *Row) { r.Signature = "YWI" }, "base64 on one line"},
		"signature with stray bits":           {func(r *Row) { r.Signature = "YWJ=" }, "base64 on one line"},
		"signature empty":                     {func(r *Row) { r.Signature = "" }, "without signature"},
		"raw data empty":                      {func(r *Row) { r.RawData = "" }, "without signature or raw data"},
		"trap 12, revoked":                    {func(r *Row) { r.Revoked = true }, "revoked"},
		"trap 15, type empty":                 {func(r *Row) { r.Type = "" }, "type"},
		"trap 15, type CALLBACK":              {func(r *Row) { r.Type = "CALLBACK" }, "type"},
		"trap 19, country in lower case":      {func(r *Row) { r.Country = "de" }, "country"},
		"trap 19, country with a space":       {func(r *Row) { r.Country = "D " }, "country"},
		"trap 29, country of somebody else":   {func(r *Row) { r.Country = "FR" }, "the certificate's C is DE"},
		"tampered text":                       {func(r *Row) { r.RawData = string(other.PEM()) }, "computes the thumbprint"},
		"signature of another row":            {func(r *Row) { r.Signature = base64.StdEncoding.EncodeToString(sign(t, other.PEM())) }, "operator signature"},
		"time with fractions":                 {func(r *Row) { r.CreatedAt = r.CreatedAt.Add(1) }, "whole seconds"},
		"trap 20, subject as AUTHENTICATION":  {func(r *Row) { *r = row(t, issue(t, c("DE"), o("a,b")), Signing); r.Type = Authentication }, "misreads"},
		"trap 21, two C":                      {func(r *Row) { forge(t, r, issue(t, c("DE"), c("DE")).PEM()) }, "2 C"},
		"trap 17, signature over 690 letters": {func(r *Row) { r.Signature = strings.Repeat("YWJj", 200) }, "operator signature"},
	} {
		t.Run(name, func(t *testing.T) {
			r := good
			tc.change(&r)
			wantUnfit(t, VerifyRow(r, anchor), tc.want)
			if err := VerifyImport(Import{Rows: []Row{good, r}}, anchor); err == nil {
				t.Error("VerifyImport accepts it")
			}
		})
	}
	if err := VerifyRow(good, anchor); err != nil {
		t.Errorf("the row itself: %v", err)
	}
	wantUnfit(t, VerifyRow(good, anchorWith(t, ecKey(), x509.ECDSAWithSHA256)), "operator signature")
	wantUnfit(t, VerifyRow(good, nil), "EFGSTA")
}

// forge fills a row for any certificate with everything right but the certificate.
func forge(t *testing.T, r *Row, text []byte) {
	block, _ := pem.Decode(text)
	r.RawData = string(text)
	r.Thumbprint = gatewayThumbprint(block.Bytes)
	r.Signature = base64.StdEncoding.EncodeToString(sign(t, text))
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

func signSHA512(t *testing.T, text string) []byte {
	sum := sha512.Sum512([]byte(text))
	return must(rsaKey().Sign(rand.Reader, sum[:], crypto.SHA512))
}

func signPSS(t *testing.T, text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return must(rsaKey().Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: 32, Hash: crypto.SHA256}))
}
