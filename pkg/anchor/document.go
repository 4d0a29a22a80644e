package anchor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/efgsta/efgsta/pkg/strictjson"
)

// Schema names a kind of document. The list is closed: the anchor signs no other.
type Schema string

// The documents that the anchor signs. Their structs live in the rooms above.
const (
	TrustList  Schema = "efgsta.trustlist/v1"
	Manifest   Schema = "efgsta.manifest/v1"
	Succession Schema = "efgsta.succession/v1"
)

var schemas = []Schema{TrustList, Manifest, Succession}

// MaxDocument is the largest document, in bytes.
const MaxDocument = 32 << 20

// Document is canonical JSON of one schema. Only Encode makes one.
type Document struct {
	schema Schema
	text   []byte
}

// Schema returns the document's kind.
func (d Document) Schema() Schema { return d.schema }

// Bytes returns a copy of the exact text that is signed.
func (d Document) Bytes() []byte { return bytes.Clone(d.text) }

// Encode makes the document of a value whose first JSON member is "schema".
func Encode(s Schema, value any) (Document, error) {
	if err := s.known(); err != nil {
		return Document{}, err
	}
	text, err := strictjson.Marshal(value)
	if err != nil {
		return Document{}, fmt.Errorf("encode %s: %w", s, err)
	}
	if err := checkSchema(s, text); err != nil {
		return Document{}, err
	}
	if len(text) > MaxDocument {
		return Document{}, fmt.Errorf("%s has %d bytes, at most %d are allowed", s, len(text), MaxDocument)
	}
	return Document{schema: s, text: text}, nil
}

// Decode reads a document's text into value, accepting nothing but what Encode writes.
func Decode(s Schema, text []byte, value any) error {
	if err := s.known(); err != nil {
		return err
	}
	if err := strictjson.Unmarshal(text, MaxDocument, value); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return checkSchema(s, text)
}

func (s Schema) known() error {
	if !slices.Contains(schemas, s) {
		return fmt.Errorf("schema %q is not one that the anchor signs", s)
	}
	return nil
}

func checkSchema(s Schema, text []byte) error {
	var head struct {
		Schema Schema `json:"schema"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	prefix := fmt.Sprintf("{\n  \"schema\": %q", string(s))
	if head.Schema != s || len(text) < len(prefix) || string(text[:len(prefix)]) != prefix {
		return fmt.Errorf("document is %q, expected %q as its first member", head.Schema, s)
	}
	return nil
}
