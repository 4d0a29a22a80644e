// Package gateway renders what the online gateway imports (SQL, JSON rows,
// whitelist) and checks it the way the gateway would.
package gateway

import (
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
)

// RendererVersion counts the forms of what this package renders. It rises with
// every change that gives other bytes for the same Import.
const RendererVersion = 1

// The two types of row that this package makes; the gateway stores them by name.
const (
	Authentication = "AUTHENTICATION" // NBTLS
	Signing        = "SIGNING"        // NBBS
)

// The widths of the gateway's columns, in characters.
const (
	MaxSignature = 690
	MaxRawData   = 10240
)

// MaxImport is the largest file that ParseMySQL and ParseRowsJSON look at, in bytes.
const MaxImport = 32 << 20

// Row is one row of the gateway's table "certificate".
type Row struct {
	CreatedAt  time.Time // UTC, whole seconds
	Thumbprint string    // 64 lower-case hex
	Country    string    // two upper-case letters, from the certificate's C
	Type       string    // "AUTHENTICATION" (NBTLS) or "SIGNING" (NBBS)
	Revoked    bool
	Signature  string // strict base64, one line, of the operator signature
	RawData    string // canonical PEM
}

// Import is one release for the gateway.
type Import struct {
	ListID      string
	Environment string
	Sequence    uint64
	CreatedAt   time.Time
	Rows        []Row     // to insert or re-sign, never revoked
	Removed     []Removed // to mark revoked
}

// Removed is a certificate that left the list.
type Removed struct {
	Thumbprint string `json:"thumbprint"`
	Country    string `json:"country"`
	Type       string `json:"type"`
	Reason     string `json:"reason"`
}

// NewRow makes the row for a certificate and its raw operator signature. The
// country is the certificate's own, from its ASN.1. A certificate that the
// gateway cannot use gives the error of CheckCertificate.
func NewRow(c *cert.Certificate, typ string, signature []byte, createdAt time.Time) (Row, error) {
	if err := CheckCertificate(c, typ); err != nil {
		return Row{}, err
	}
	r := Row{
		CreatedAt:  createdAt.UTC(),
		Thumbprint: c.Thumbprint().String(),
		Country:    c.Countries()[0],
		Type:       typ,
		Signature:  encodeSignature(signature),
		RawData:    string(c.PEM()),
	}
	if err := r.validate(); err != nil {
		return Row{}, fmt.Errorf("row %s: %w", r.Thumbprint, err)
	}
	return r, nil
}
