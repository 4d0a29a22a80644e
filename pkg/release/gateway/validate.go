package gateway

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/efgsta/efgsta/pkg/cert"
)

// Everything that reaches a rendered file has one of these shapes, none of which
// can hold a quote, a backslash, a line end or a comment: there is nothing to escape.

func isListID(s string) bool { return isWord(s, 128, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "._:/-") }

func isEnvironment(s string) bool {
	return isWord(s, 32, "", "-") && s[0] >= 'a' && s[0] <= 'z'
}

// isWord reports whether s has 1 to most characters out of a to z, 0 to 9, letters
// and, but for the first, marks.
func isWord(s string, most int, letters, marks string) bool {
	if len(s) < 1 || len(s) > most {
		return false
	}
	for i, c := range []byte(s) {
		known := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || strings.IndexByte(letters, c) >= 0
		if !known && (i == 0 || strings.IndexByte(marks, c) < 0) {
			return false
		}
	}
	return true
}

// maxReason is the longest reason of a removal, in bytes.
const maxReason = 256

func validType(typ string) bool { return typ == Authentication || typ == Signing }

func encodeSignature(sig []byte) string { return base64.StdEncoding.EncodeToString(sig) }

// decodeSignature reads base64 as the gateway's decoder does (no line end
// anywhere), and refuses what that one tolerates: missing padding, stray bits.
func decodeSignature(s string) ([]byte, error) {
	sig, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(sig) == 0 || encodeSignature(sig) != s {
		return nil, unfit(hintRenderAgain, "signature is not base64 on one line")
	}
	return sig, nil
}

// canonicalPEM gives the DER of a text that is exactly the canonical PEM of one certificate.
func canonicalPEM(text string) ([]byte, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, unfit(hintRenderAgain, "raw data is not a PEM certificate")
	}
	canonical := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: block.Bytes})
	if !bytes.Equal(canonical, []byte(text)) {
		return nil, unfit(hintRenderAgain, "raw data is not the canonical PEM of one certificate (64 columns, LF, nothing before or after)")
	}
	return block.Bytes, nil
}

// validate holds an import to the shapes that can be rendered.
func (im Import) validate() error {
	if !isListID(im.ListID) {
		return fmt.Errorf("list id %q cannot be written into an import: letters, digits and ._:/- only, at most 128", im.ListID)
	}
	if !isEnvironment(im.Environment) {
		return fmt.Errorf("environment %q cannot be written into an import", im.Environment)
	}
	if err := validTime(im.CreatedAt); err != nil {
		return fmt.Errorf("import: %w", err)
	}
	seen := make(map[string]bool, len(im.Rows)+len(im.Removed))
	for _, r := range im.Rows {
		if err := r.validate(); err != nil {
			return fmt.Errorf("row %q: %w", r.Thumbprint, err)
		}
		if seen[r.Thumbprint] {
			return fmt.Errorf("row %q: %w", r.Thumbprint,
				unfit("one certificate has one role: leave it out as NBTLS or as NBBS", "the table holds each thumbprint once, and this import has it twice"))
		}
		seen[r.Thumbprint] = true
	}
	for _, d := range im.Removed {
		if err := d.validate(); err != nil {
			return fmt.Errorf("removed certificate %q: %w", d.Thumbprint, err)
		}
		if seen[d.Thumbprint] {
			return fmt.Errorf("removed certificate %q: listed more than once in this import", d.Thumbprint)
		}
		seen[d.Thumbprint] = true
	}
	return nil
}

func (r Row) validate() error {
	if err := validTime(r.CreatedAt); err != nil {
		return err
	}
	if r.Revoked {
		return fmt.Errorf("a row to import cannot be revoked")
	}
	if err := validIdentity(r.Thumbprint, r.Country, r.Type); err != nil {
		return err
	}
	if _, err := decodeSignature(r.Signature); err != nil {
		return err
	}
	if len(r.Signature) > MaxSignature {
		return unfit(hintNewAnchor, "signature has %d characters of base64, the column holds %d", len(r.Signature), MaxSignature)
	}
	raw, err := canonicalPEM(r.RawData)
	if err != nil {
		return err
	}
	if len(r.RawData) > MaxRawData {
		return errRawDataSize(len(r.RawData))
	}
	if sum := sha256.Sum256(raw); hex.EncodeToString(sum[:]) != r.Thumbprint {
		return unfit(hintRenderAgain, "thumbprint is not that of the certificate in raw data")
	}
	if err := checkThumbprint(r.Thumbprint); err != nil {
		return err
	}
	c, err := cert.Parse(raw)
	if err != nil {
		return fmt.Errorf("raw data: %w", err)
	}
	country, err := countryOf(c)
	if err != nil {
		return err
	}
	if country != r.Country {
		return unfit(hintRenderAgain, "country is %s, the certificate's C is %s", r.Country, country)
	}
	return nil
}

func (d Removed) validate() error {
	if len(d.Reason) > maxReason {
		return fmt.Errorf("reason has %d bytes, at most %d", len(d.Reason), maxReason)
	}
	if !utf8.ValidString(d.Reason) {
		return fmt.Errorf("reason is not UTF-8")
	}
	return validIdentity(d.Thumbprint, d.Country, d.Type)
}

func validIdentity(thumbprint, country, typ string) error {
	switch {
	case !cert.IsHexDigest(thumbprint):
		return unfit(hintRenderAgain, "thumbprint is not 64 lower-case hexadecimal digits")
	case !cert.IsCountryCode(country):
		return unfit(hintRenderAgain, "country %q is not two upper-case letters", country)
	case !validType(typ):
		return unfit(hintRenderAgain, "type %q is neither %s nor %s", typ, Authentication, Signing)
	}
	return nil
}

func validTime(t time.Time) error {
	if t = t.UTC(); t.Nanosecond() != 0 || t.Year() < 1970 || t.Year() > 9999 {
		return fmt.Errorf("time %s is not in whole seconds of the years 1970 to 9999", t.Format(time.RFC3339Nano))
	}
	return nil
}
