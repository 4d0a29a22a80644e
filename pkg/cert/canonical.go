package cert

import (
	"bytes"
	"encoding/base64"
	"slices"
)

const (
	beginLine = "-----BEGIN CERTIFICATE-----\n"
	endLine   = "-----END CERTIFICATE-----\n"
	columns   = 64
)

// Canonical reports whether the file is nothing but the text that PEM returns of its one
// certificate.
func (in *Input) Canonical() bool { return in.canonical }

// isCanonical looks at the shape only: the text was decoded before, so that with the
// right length and line ends it has no room for anything else.
func (in *Input) isCanonical(data []byte) bool {
	if len(in.Items) != 1 || in.Items[0].Cert == nil || len(in.Problems) > 0 || len(in.Requests) > 0 || in.Kind != "PEM" {
		return false
	}
	text := base64.StdEncoding.EncodedLen(len(in.Items[0].Cert.Raw))
	lines := (text + columns - 1) / columns
	body, begins := bytes.CutPrefix(data, []byte(beginLine))
	body, ends := bytes.CutSuffix(body, []byte(endLine))
	if !begins || !ends || len(body) != text+lines {
		return false
	}
	for line := range slices.Chunk(body, columns+1) {
		if bytes.IndexByte(line, '\n') != len(line)-1 {
			return false
		}
	}
	return true
}
