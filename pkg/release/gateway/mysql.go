package gateway

import (
	"crypto/sha256"
	_ "embed" // the script around the data
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// mysqlScript is the script with places for the data. It compares bytes because
// collations do not, and it uses nothing but plain statements: no stored
// procedure, no privilege beyond SELECT, INSERT, UPDATE and temporary tables.
//
//go:embed mysql.sql.tmpl
var mysqlScript string

const (
	sqlTime       = "2006-01-02 15:04:05"
	insertRow     = "INSERT INTO efgsta_row (thumbprint, country, type, created_at, signature_sha256, raw_data_sha256, signature, raw_data) VALUES\n"
	insertRemoved = "INSERT INTO efgsta_removed (thumbprint, country, type, reason) VALUES\n"
)

// MySQL renders the import as one transaction for MySQL 5.7+ and MariaDB 10.3+.
// Equal imports give equal bytes. The text is ASCII; an import with a value that
// would need escaping is refused instead.
func MySQL(im Import) ([]byte, error) {
	if err := im.validate(); err != nil {
		return nil, err
	}
	// One pass over the script: a value is never itself looked at for places.
	return []byte(strings.NewReplacer(
		"{{renderer}}", strconv.Itoa(RendererVersion),
		"{{list}}", im.ListID,
		"{{environment}}", im.Environment,
		"{{sequence}}", strconv.FormatUint(im.Sequence, 10),
		"{{created}}", formatJSONTime(im.CreatedAt),
		"{{created_at}}", im.CreatedAt.UTC().Format(sqlTime),
		"{{rows}}", strconv.Itoa(len(im.Rows)),
		"{{removed}}", strconv.Itoa(len(im.Removed)),
		"{{data}}", mysqlData(im),
	).Replace(mysqlScript)), nil
}

// mysqlData is one statement per row, so that no statement outgrows the server's
// packet size and an error's line number leads to its row.
func mysqlData(im Import) string {
	var b strings.Builder
	for _, r := range im.Rows {
		b.WriteString(insertRow)
		writeTuple(&b, r.Thumbprint, r.Country, r.Type, r.CreatedAt.UTC().Format(sqlTime),
			sha256Hex(r.Signature), sha256Hex(r.RawData), r.Signature, r.RawData)
	}
	for _, d := range im.Removed {
		b.WriteString(insertRemoved)
		writeTuple(&b, d.Thumbprint, d.Country, d.Type, encodeReason(d.Reason))
	}
	return b.String()
}

func writeTuple(b *strings.Builder, values ...string) {
	b.WriteString("('")
	b.WriteString(strings.Join(values, "', '"))
	b.WriteString("');\n")
}

func sha256Hex(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// encodeReason makes the one free text of an import safe between quotes: what is
// not a printable ASCII character, or could end a literal, becomes %XX.
func encodeReason(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || strings.IndexByte(`%'"\;`+"`", c) >= 0 {
			fmt.Fprintf(&b, "%%%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func decodeReason(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+3 > len(s) {
			return "", fmt.Errorf("reason %q ends within a %%XX", s)
		}
		v, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil {
			return "", fmt.Errorf("reason %q: %w", s, err)
		}
		b.WriteByte(byte(v))
		i += 2
	}
	return b.String(), nil
}

func parseSQLTime(s string) (time.Time, error) { return time.ParseInLocation(sqlTime, s, time.UTC) }
