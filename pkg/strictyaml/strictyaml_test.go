package strictyaml

import (
	"errors"
	"strings"
	"testing"
)

type sample struct {
	Name  string         `yaml:"name"`
	Rules map[string]int `yaml:"rules"`
}

func TestUnmarshal(t *testing.T) {
	var s sample
	if err := Unmarshal([]byte("name: x\nrules: {a: 1}\n"), 100, &s); err != nil || s.Name != "x" || s.Rules["a"] != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
}

func TestUnmarshalRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"empty":          "",
		"unknown field":  "name: x\nnmae: y\n",
		"duplicate key":  "name: x\nname: y\n",
		"two documents":  "name: x\n---\nname: y\n",
		"alias":          "name: &a x\nrules: {b: 1}\n",
		"wrong type":     "rules: 7\n",
		"not YAML":       "\tname: [",
		"larger than it": "name: " + strings.Repeat("x", 200) + "\n",
	} {
		var s sample
		if err := Unmarshal([]byte(text), 100, &s); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", name, err)
		}
	}
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte("name: x\nrules: {a: 1}\n"))
	f.Add([]byte("a: &b [*b]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample
		_ = Unmarshal(data, 1<<12, &s)
	})
}
