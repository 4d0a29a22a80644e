package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/efgsta/efgsta/pkg/cert"
)

// VerifyRow checks one row as the gateway would before trusting it, and then what
// the gateway leaves to others: canonical PEM, column widths, and that country
// and type suit the certificate. Errors wrap ErrUnfit and have Hint.
func VerifyRow(r Row, anchor *cert.Certificate) error {
	if err := CheckAnchor(anchor); err != nil {
		return err
	}
	if r.Signature == "" || r.RawData == "" {
		return unfit(hintRenderAgain, "row without signature or raw data")
	}
	if r.Revoked {
		return unfit("ask the member state for another certificate", "row is revoked")
	}
	raw, err := firstCertificate(r.RawData)
	if err != nil {
		return err
	}
	if got := gatewayThumbprint(raw); got != r.Thumbprint {
		return unfit(hintRenderAgain, "the gateway computes the thumbprint %s, the row says %q", got, r.Thumbprint)
	}
	sig, err := decodeSignature(r.Signature)
	if err != nil {
		return err
	}
	if err := anchor.Algorithm.Verify(anchor.PublicKey, []byte(r.RawData), sig); err != nil {
		return unfit("look whether this is the EFGSTA that signed the release", "operator signature: %v", err)
	}
	return r.verifyStrict(raw)
}

func (r Row) verifyStrict(raw []byte) error {
	if err := r.validate(); err != nil {
		if errors.Is(err, ErrUnfit) {
			return err
		}
		return unfit(hintRenderAgain, "%v", err)
	}
	c, err := cert.Parse(raw)
	if err != nil {
		return unfit(hintRenderAgain, "raw data: %v", err)
	}
	return CheckCertificate(c, r.Type)
}

// firstCertificate is what the gateway takes out of raw data: the first
// certificate, whatever stands before it.
func firstCertificate(text string) ([]byte, error) {
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return nil, unfit(hintRenderAgain, "raw data holds no PEM certificate")
		}
		if block.Type == "CERTIFICATE" || block.Type == "X509 CERTIFICATE" {
			return block.Bytes, nil
		}
	}
}

// gatewayThumbprint is the hash in hex as the gateway writes it: a big integer
// loses its leading zeros, and one zero is put back where one digit is missing.
func gatewayThumbprint(der []byte) string {
	sum := sha256.Sum256(der)
	s := strings.TrimLeft(hex.EncodeToString(sum[:]), "0")
	if len(s) == 2*sha256.Size-1 {
		return "0" + s
	}
	return s
}

// VerifyImport checks every row with VerifyRow; the error names the row.
func VerifyImport(im Import, anchor *cert.Certificate) error {
	for _, r := range im.Rows {
		if err := VerifyRow(r, anchor); err != nil {
			return fmt.Errorf("row %q (%s %s): %w", r.Thumbprint, r.Country, r.Type, err)
		}
	}
	return nil
}
