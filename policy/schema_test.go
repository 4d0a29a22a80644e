package policy

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"gopkg.in/yaml.v3"
)

// plainValue is a YAML tree as JSON has it. Days stay text: JSON has no others.
func plainValue(t *testing.T, n *yaml.Node) any {
	t.Helper()
	switch n.Kind {
	case yaml.DocumentNode:
		return plainValue(t, n.Content[0])
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plainValue(t, n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, plainValue(t, c))
		}
		return list
	}
	if n.ShortTag() == "!!timestamp" || n.ShortTag() == "!!str" {
		return n.Value
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func schemaOf(t *testing.T) func(text string) error {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "docs", "schemas", "policy.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return func(text string) error {
		t.Helper()
		var root yaml.Node
		if err := yaml.Unmarshal([]byte(text), &root); err != nil {
			t.Fatal(err)
		}
		data, err := json.Marshal(plainValue(t, &root))
		if err != nil {
			t.Fatal(err)
		}
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
		if err != nil {
			t.Fatal(err)
		}
		return schema.Validate(value)
	}
}

// Editors use the schema. What it refuses the loader refuses too, and it takes what is embedded.
func TestSchema(t *testing.T) {
	validate := schemaOf(t)
	good := map[string]string{"small": small, "overlay": smallOverlay}
	for _, name := range Names() {
		source, err := Source(name)
		if err != nil {
			t.Fatal(err)
		}
		good[name] = string(source)
	}
	for name, text := range good {
		if err := validate(text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := Parse([]byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, text := range map[string]string{
		"unknown field":      small + "colour: blue\n",
		"unknown severity":   strings.Replace(small, "error", "fatal", 1),
		"no severity":        strings.Replace(small, "severity: error, ", "", 1),
		"no rules":           strings.Split(small, "rules:")[0],
		"bad name":           strings.Replace(small, "name: mine", "name: ../mine", 1),
		"rules and base":     small + "base: efgs-2020\n",
		"deviations alone":   strings.Replace(smallOverlay, "base: efgs-2020\n", "", 1),
		"no deviation":       strings.Split(smallOverlay, "deviations:")[0] + "deviations: []\n",
		"no reason":          strings.Replace(smallOverlay, "    reason: because\n", "", 1),
		"blank reason":       strings.Replace(smallOverlay, "reason: because", `reason: "  "`, 1),
		"no date":            strings.Replace(smallOverlay, "    date: 2026-11-22\n", "", 1),
		"not a day":          strings.Replace(smallOverlay, "2026-11-22", "november", 1),
		"unknown condition":  strings.Replace(smallOverlay, "public-chain", "policy-oid", 1),
		"no roles":           strings.Replace(smallOverlay, "[nbtls]", "[]", 1),
		"role twice":         strings.Replace(smallOverlay, "[nbtls]", "[nbtls, nbtls]", 1),
		"nothing changes":    strings.Replace(smallOverlay, "    severity: warning\n", "", 1),
		"case with numbers":  strings.Replace(smallOverlay, "    severity: warning\n", "    case: x\n    params: {days: 3}\n", 1),
		"rule by name":       strings.Replace(smallOverlay, "EFGS-201", "validity-min", 1),
		"negative parameter": strings.Replace(smallOverlay, "severity: warning", "params: {days: -1}", 1),
	} {
		if err := validate(text); err == nil {
			t.Errorf("%s: the schema takes it", name)
		}
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: Parse takes it", name)
		}
	}
}
