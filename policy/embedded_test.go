package policy

import (
	"reflect"
	"testing"
)

// The Go values are what is used; the YAML is what people review.
func TestEmbeddedIsTheYAML(t *testing.T) {
	if len(Names()) == 0 {
		t.Fatal("no policy is embedded")
	}
	for _, name := range Names() {
		source, err := Source(name)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Parse(source)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		got, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("embedded.go and %s.yaml differ: run go generate ./policy", name)
		}
	}
}
