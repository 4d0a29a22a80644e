package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// schemaCheck knows as much of JSON Schema as our schemas use, and fails on any keyword beyond.
func schemaCheck(t *testing.T, file string, document []byte) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "docs", "schemas", file))
	if err != nil {
		t.Fatal(err)
	}
	var schema, value any
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	if err := json.Unmarshal(document, &value); err != nil {
		t.Fatalf("not JSON: %v", err)
	}
	if err := validate(schema.(map[string]any), value, "$"); err != nil {
		t.Errorf("%s: %v", file, err)
	}
}

func validate(schema map[string]any, v any, path string) error {
	for keyword, arg := range schema {
		if err := keywordHolds(schema, keyword, arg, v, path); err != nil {
			return err
		}
	}
	return nil
}

func keywordHolds(schema map[string]any, keyword string, arg, v any, path string) error {
	bad := func() error { return fmt.Errorf("%s: %v does not satisfy %s %v", path, v, keyword, arg) }
	switch keyword {
	case "$schema", "title", "description":
	case "additionalProperties":
		if values, ok := arg.(map[string]any); ok {
			for name, e := range v.(map[string]any) {
				if err := validate(values, e, path+"."+name); err != nil {
					return err
				}
			}
		}
	case "type":
		if kind(v, arg.(string)) {
			return nil
		}
		return bad()
	case "const":
		if v != arg {
			return bad()
		}
	case "enum":
		for _, a := range arg.([]any) {
			if v == a {
				return nil
			}
		}
		return bad()
	case "pattern":
		if s, ok := v.(string); !ok || !regexp.MustCompile(arg.(string)).MatchString(s) {
			return bad()
		}
	case "minimum":
		if n, ok := v.(float64); !ok || n < arg.(float64) {
			return bad()
		}
	case "required":
		for _, name := range arg.([]any) {
			if _, ok := v.(map[string]any)[name.(string)]; !ok {
				return fmt.Errorf("%s: %s is missing", path, name)
			}
		}
	case "items":
		for i, e := range v.([]any) {
			if err := validate(arg.(map[string]any), e, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case "properties":
		return propertiesHold(schema, arg.(map[string]any), v.(map[string]any), path)
	default:
		return fmt.Errorf("%s: the test does not know the keyword %s", path, keyword)
	}
	return nil
}

func propertiesHold(schema, known, object map[string]any, path string) error {
	for name, v := range object {
		sub, ok := known[name].(map[string]any)
		if !ok {
			if schema["additionalProperties"] == false {
				return fmt.Errorf("%s: %s is not in the schema", path, name)
			}
			continue
		}
		if err := validate(sub, v, path+"."+name); err != nil {
			return err
		}
	}
	return nil
}

func kind(v any, name string) bool {
	switch v := v.(type) {
	case map[string]any:
		return name == "object"
	case []any:
		return name == "array"
	case string:
		return name == "string"
	case bool:
		return name == "boolean"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	}
	return false
}

// The schemas describe exactly what is written: a key too many or too few is found.
func TestSchemaCheckFails(t *testing.T) {
	schema := map[string]any{"type": "object", "required": []any{"a"}, "additionalProperties": false,
		"properties": map[string]any{"a": map[string]any{"type": "string", "pattern": "^x$"}}}
	for _, text := range []string{`{}`, `{"a":1}`, `{"a":"y"}`, `{"a":"x","b":1}`, `[]`} {
		var v any
		dec := json.NewDecoder(bytes.NewReader([]byte(text)))
		if err := dec.Decode(&v); err != nil {
			t.Fatal(err)
		}
		if _, ok := v.(map[string]any); !ok && validate(map[string]any{"type": "object"}, v, "$") != nil {
			continue
		}
		if validate(schema, v, "$") == nil {
			t.Errorf("%s passes", text)
		}
	}
}
