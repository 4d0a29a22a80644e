package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/efgsta/efgsta/pkg/cert"
	"github.com/efgsta/efgsta/pkg/strictjson"
)

// The schemas of the JSON files.
const (
	RowsSchema      = "efgsta.gateway-rows/v1"
	WhitelistSchema = "efgsta.whitelist/v1"
)

type rowsFile struct {
	Schema      string    `json:"schema"`
	ListID      string    `json:"listId"`
	Environment string    `json:"environment"`
	Sequence    uint64    `json:"sequence"`
	CreatedAt   string    `json:"createdAt"`
	Rows        []rowJSON `json:"rows"`
	Removed     []Removed `json:"removed"`
}

type rowJSON struct {
	CreatedAt  string `json:"createdAt"`
	Thumbprint string `json:"thumbprint"`
	Country    string `json:"country"`
	Type       string `json:"type"`
	Revoked    bool   `json:"revoked"`
	Signature  string `json:"signature"`
	RawData    string `json:"rawData"`
}

// RowsJSON renders the rows as JSON (schema efgsta.gateway-rows/v1).
func RowsJSON(im Import) ([]byte, error) {
	if err := im.validate(); err != nil {
		return nil, err
	}
	f := rowsFile{
		Schema:      RowsSchema,
		ListID:      im.ListID,
		Environment: im.Environment,
		Sequence:    im.Sequence,
		CreatedAt:   formatJSONTime(im.CreatedAt),
		Rows:        make([]rowJSON, 0, len(im.Rows)),
		Removed:     append([]Removed{}, im.Removed...),
	}
	for _, r := range im.Rows {
		f.Rows = append(f.Rows, rowJSON{
			CreatedAt: formatJSONTime(r.CreatedAt), Thumbprint: r.Thumbprint, Country: r.Country, Type: r.Type,
			Revoked: r.Revoked, Signature: r.Signature, RawData: r.RawData,
		})
	}
	return strictjson.Marshal(f)
}

// ParseRowsJSON reads back what RowsJSON wrote, strictly: any other text, even
// one of the same meaning, is an error.
func ParseRowsJSON(data []byte) (Import, error) {
	var f rowsFile
	if err := strictjson.Unmarshal(data, MaxImport, &f); err != nil {
		return Import{}, fmt.Errorf("rows file: %w", err)
	}
	if f.Schema != RowsSchema {
		return Import{}, fmt.Errorf("rows file has schema %q, want %q", f.Schema, RowsSchema)
	}
	im, err := f.toImport()
	if err != nil {
		return Import{}, fmt.Errorf("rows file: %w", err)
	}
	// Rendering again holds the values, and the spelling of times, to what RowsJSON writes.
	again, err := RowsJSON(im)
	if err != nil {
		return Import{}, fmt.Errorf("rows file: %w", err)
	}
	if !bytes.Equal(again, data) {
		return Import{}, fmt.Errorf("rows file is not in the form that efgsta writes: %s", firstDifference(data, again))
	}
	return im, nil
}

func (f rowsFile) toImport() (Import, error) {
	created, err := parseJSONTime(f.CreatedAt)
	if err != nil {
		return Import{}, err
	}
	im := Import{ListID: f.ListID, Environment: f.Environment, Sequence: f.Sequence, CreatedAt: created}
	for _, r := range f.Rows {
		at, err := parseJSONTime(r.CreatedAt)
		if err != nil {
			return Import{}, fmt.Errorf("row %q: %w", r.Thumbprint, err)
		}
		im.Rows = append(im.Rows, Row{
			CreatedAt: at, Thumbprint: r.Thumbprint, Country: r.Country, Type: r.Type,
			Revoked: r.Revoked, Signature: r.Signature, RawData: r.RawData,
		})
	}
	if len(f.Removed) > 0 {
		im.Removed = f.Removed
	}
	return im, nil
}

type whitelistFile struct {
	Schema       string           `json:"schema"`
	ListID       string           `json:"listId"`
	Environment  string           `json:"environment"`
	Sequence     uint64           `json:"sequence"`
	CreatedAt    string           `json:"createdAt"`
	Certificates []whitelistEntry `json:"certificates"`
}

type whitelistEntry struct {
	Thumbprint string `json:"thumbprint"`
	Country    string `json:"country"`
	Subject    string `json:"subject"`
	NotBefore  string `json:"notBefore"`
	NotAfter   string `json:"notAfter"`
}

// WhitelistJSON renders thumbprint, country, subject and validity of each NBTLS (schema efgsta.whitelist/v1).
func WhitelistJSON(im Import, nbtls []*cert.Certificate) ([]byte, error) {
	f := whitelistFile{
		Schema:       WhitelistSchema,
		ListID:       im.ListID,
		Environment:  im.Environment,
		Sequence:     im.Sequence,
		CreatedAt:    formatJSONTime(im.CreatedAt),
		Certificates: make([]whitelistEntry, 0, len(nbtls)),
	}
	for _, c := range nbtls {
		if c == nil {
			return nil, errors.New("whitelist: a certificate is missing")
		}
		country, err := countryOf(c)
		if err != nil {
			return nil, fmt.Errorf("whitelist: %s: %w", c.Thumbprint(), err)
		}
		f.Certificates = append(f.Certificates, whitelistEntry{
			Thumbprint: c.Thumbprint().String(),
			Country:    country,
			Subject:    c.Subject.String(),
			NotBefore:  formatJSONTime(c.NotBefore),
			NotAfter:   formatJSONTime(c.NotAfter),
		})
	}
	return strictjson.Marshal(f)
}

// WhitelistPEM renders the NBTLS certificates as canonical PEM blocks, one after another.
func WhitelistPEM(nbtls []*cert.Certificate) []byte {
	var b bytes.Buffer
	for _, c := range nbtls {
		b.Write(c.PEM())
	}
	return b.Bytes()
}

func formatJSONTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func parseJSONTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, fmt.Errorf("time %q: %w", s, err)
	}
	return t.UTC(), nil
}
